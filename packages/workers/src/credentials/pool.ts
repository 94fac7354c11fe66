/**
 * Passwords verified and hashed by threads of their own, off the monitor's event loop, behind a
 * bounded queue. The only file that loads piscina. Runs in the monitor's thread.
 */
import { Piscina } from 'piscina'
import { CredentialsBusy, CredentialsFailed } from '@usher/shared/errors.ts'
import type { Logger } from 'pino'
import type { CredentialsTask, GivesWay } from './main.ts'

export interface CredentialsPoolOptions {
  readonly log?: Pick<Logger, 'error'>
  /** When a task is given up; DEADLINE_MS if left out. */
  readonly newDeadline?: () => AbortSignal
  /** A thread that has started works whenever this one pauses, in place of visitors. */
  readonly onKeepsSlices?: () => void
}

/** A verification takes 10 to 20 ms of one core; the other cores are left to visitors. */
const THREADS = 1
/** Tasks that may wait; the lines before it (verification-lines.ts) send a few at a time. */
export const QUEUE_MAX = 32
/** For a task from its arrival; a full queue on a loaded machine takes a third of it. */
const DEADLINE_MS = 30_000
const SILENT: Pick<Logger, 'error'> = { error () {} }

export class CredentialsPool {
  readonly #file: string
  readonly #log: Pick<Logger, 'error'>
  readonly #newDeadline: () => AbortSignal
  readonly #onKeepsSlices: () => void
  /** Started with the first task: that takes time that a start does not have. */
  #threads: Piscina | undefined
  #taskCount = 0
  #isClosed = false

  /** @param file the thread's entry: main.ts beside this, as it was built */
  constructor (file: string, options: CredentialsPoolOptions = {}) {
    const { log = SILENT, newDeadline, onKeepsSlices = () => {} } = options
    this.#file = file
    this.#log = log
    this.#onKeepsSlices = onKeepsSlices
    this.#newDeadline = newDeadline ?? (() => AbortSignal.timeout(DEADLINE_MS))
  }

  /**
   * Whether the password fits the hash. Without one (there is no such account) the answer is false
   * after the same work. Rejects with CredentialsBusy when the queue is full, and with
   * CredentialsFailed when a thread died or the pool was closed; `hash` does, too.
   * @param username for the log, if the hash is damaged
   */
  async verify (hash: string | undefined, password: string, username?: string): Promise<boolean> {
    const verdict = await this.#run({ type: 'verify', hash, password })
    if (verdict === 'damaged') {
      this.#log.error({ username }, 'a stored password hash is damaged: no password matches until a new one is set')
    }
    return verdict === 'right'
  }

  /** The hash to store. */
  async hash (password: string): Promise<string> {
    return await this.#run({ type: 'hash', password })
  }

  /** Ends the threads; what is under way fails. May be called twice. */
  async close (): Promise<void> {
    this.#isClosed = true
    await this.#discard()
  }

  async #run (task: CredentialsTask): Promise<string> {
    if (this.#isClosed) throw new CredentialsFailed('the monitor stops')
    // Counted here, tasks under way included, so that a refusal is immediate.
    if (this.#taskCount >= THREADS + QUEUE_MAX) throw new CredentialsBusy()
    this.#taskCount++
    try {
      return await this.#withinDeadline(task)
    } catch (error) {
      throw new CredentialsFailed(error instanceof Error ? error.message : String(error))
    } finally {
      this.#taskCount--
    }
  }

  /** A thread that hangs, or never starts, must not hold up the logins for ever. */
  #withinDeadline (task: CredentialsTask): Promise<string> {
    const deadline = this.#newDeadline()
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        reject(new Error('it took too long'))
        void this.#discard()
      }
      deadline.addEventListener('abort', expire, { once: true })
      this.#post(task).then(resolve, reject).finally(() => {
        deadline.removeEventListener('abort', expire)
      })
    })
  }

  async #post (task: CredentialsTask): Promise<string> {
    this.#threads ??= this.#start()
    return await this.#threads.run(task) as string
  }

  #start (): Piscina {
    const threads = new Piscina({
      filename: this.#file,
      // All of them from the start: with fewer, a task queued behind a thread that died would never
      // run.
      minThreads: THREADS,
      maxThreads: THREADS,
      // Without it a task that finds the thread busy goes behind those that came later.
      stricterFIFO: true,
      env: {}
    })
    threads.on('error', (error: Error) => {
      this.#log.error({ err: error }, 'a password thread died')
      void this.#discard()
    })
    const giveWay: CredentialsTask = { type: 'give way' }
    threads.run(giveWay).then((outcome: GivesWay) => {
      if (outcome === 'keeps its slices') this.#onKeepsSlices()
    }).catch(() => {}) // The login behind it fails, too, and says why.
    return threads
  }

  /** The next task starts new threads; tasks that are under way fail. */
  async #discard (): Promise<void> {
    const threads = this.#threads
    this.#threads = undefined
    await threads?.destroy()
  }
}
