/**
 * Passwords verified off the monitor's event loop, by threads of their own behind a bounded queue.
 * The only file that speaks to piscina, which is loaded with the first password. Runs in the
 * monitor's thread.
 */
import type { Piscina } from 'piscina'
import { CredentialsBusy } from '@usher/shared/errors.ts'
import type { Task } from './main.ts'

/** A verification takes some 50 ms of one core: one thread leaves the others to visitors. */
const THREADS = 1
/** Verifications that wait, some two seconds' worth; the next one is told to come back. */
export const QUEUE_MAX = 32
/** An idle thread ends: nobody logs in for hours. */
const IDLE_MS = 60_000

export class CredentialsPool {
  readonly #file: string
  #pool: Promise<Piscina> | undefined
  #waiting = 0

  /** @param file path of the thread's entry, credentials/main.ts as built */
  constructor (file: string) {
    this.#file = file
  }

  /**
   * Whether the password fits the hash. Without one the answer is no, after the same work. Rejects
   * with USHER_CREDENTIALS_BUSY when too many wait.
   */
  async verify (hash: string | undefined, password: string): Promise<boolean> {
    return await this.#run({ type: 'verify', hash, password }) === true
  }

  /** The hash to keep for a password. Rejects as `verify` does. */
  async hash (password: string): Promise<string> {
    return String(await this.#run({ type: 'hash', password }))
  }

  /** Ends the threads; what is under way is rejected. */
  async close (): Promise<void> {
    const pool = await this.#pool
    await pool?.destroy()
  }

  async #run (task: Task): Promise<unknown> {
    // Counted here, because piscina counts only once it has been loaded.
    if (this.#waiting >= THREADS + QUEUE_MAX) throw new CredentialsBusy()
    this.#waiting++
    try {
      this.#pool ??= startPool(this.#file)
      return await (await this.#pool).run(task)
    } finally {
      this.#waiting--
    }
  }
}

async function startPool (filename: string): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    filename,
    minThreads: 0,
    maxThreads: THREADS,
    maxQueue: QUEUE_MAX + THREADS,
    idleTimeout: IDLE_MS,
    env: {}
  })
}
