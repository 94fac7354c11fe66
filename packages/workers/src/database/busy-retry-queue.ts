/**
 * Runs calls on a database that another process may have locked, or whose disk may be full. Only
 * one of the waiting calls tries at a time, and the thread is free in between. Each waits for a
 * bounded time, then fails with an error of status 503; an outage is logged once.
 */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'

/** The longest that a call waits for a locked database. */
export const LOCKED_WAIT_MS = 2000
const LOCKED_PAUSE_MS = 50
/** Calls that wait; the next one fails at once. */
export const WAITING_MAX = 1000
/**
 * A nearly full disk may take one write and refuse the next, so an outage ends only after some time
 * without a failure.
 */
const OUTAGE_OVER_MS = 10_000

export interface BusyRetryQueueOptions {
  /** What cannot be done with the database during an outage, for the log. */
  readonly cannot: string
  readonly log: Pick<Logger, 'error' | 'info'>
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Tests walk through the pauses; 0 is the next turn of the loop. */
  readonly pause?: (ms: number) => Promise<unknown>
}

interface Waiting {
  deadlineMs: number
  readonly work: () => void
  readonly reject: (error: Error) => void
}

export class BusyRetryQueue {
  readonly #options: BusyRetryQueueOptions
  readonly #pause: (ms: number) => Promise<unknown>
  readonly #waiting: Waiting[] = []
  #waitMs = LOCKED_WAIT_MS
  #outage: { failedMs: number } | undefined

  constructor (options: BusyRetryQueueOptions) {
    this.#options = options
    this.#pause = options.pause ?? (ms => ms === 0 ? setImmediate() : setTimeout(ms))
  }

  /**
   * Does the work now if no call waits, or in its turn; again and again while the database is
   * locked. Rejects with DatabaseBusy when it has waited, with DatabaseFailed for whatever else
   * SQLite says, and with the work's own errors and broken constraints as they are.
   */
  run<T> (work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        deadlineMs: this.#options.now() + this.#waitMs,
        work: () => resolve(work()),
        reject
      }
      if (this.#waiting.length === 0 && this.#isSettled(one)) return
      if (this.#waiting.length >= WAITING_MAX) return reject(this.#failed(new DatabaseBusy()))
      if (this.#waiting.push(one) === 1) void this.#retry()
    })
  }

  /** From now on no call waits longer, those that wait already included: for a stop. */
  limitWaits (ms: number): void {
    this.#waitMs = Math.min(this.#waitMs, ms)
    const latestMs = this.#options.now() + this.#waitMs
    for (const one of this.#waiting) one.deadlineMs = Math.min(one.deadlineMs, latestMs)
  }

  /** In the order of their coming, which is the order of their deadlines. */
  async #retry (): Promise<void> {
    let isLocked = true
    for (;;) {
      await this.#pause(isLocked ? LOCKED_PAUSE_MS : 0)
      const first = this.#waiting[0]!
      isLocked = !this.#isSettled(first)
      if (!isLocked) this.#waiting.shift()
      this.#giveUp()
      if (this.#waiting.length === 0) return
    }
  }

  #giveUp (): void {
    const nowMs = this.#options.now()
    while (this.#waiting.length > 0 && this.#waiting[0]!.deadlineMs <= nowMs) {
      this.#waiting.shift()!.reject(this.#failed(new DatabaseBusy()))
    }
  }

  /** One try. False: the database is locked. */
  #isSettled ({ work, reject }: Waiting): boolean {
    try {
      work()
      this.#worked()
    } catch (error) {
      if (isBusy(error)) return false
      reject(isFailure(error) ? this.#failed(new DatabaseFailed(error.message)) : error as Error)
    }
    return true
  }

  #failed<E extends Error & { code: string }> (error: E): E {
    const { log, cannot, now } = this.#options
    const { code, message } = error
    if (this.#outage === undefined) log.error({ code, reason: message }, `the database ${cannot}`)
    this.#outage = { failedMs: now() }
    return error
  }

  #worked (): void {
    const { log, now, cannot } = this.#options
    if (this.#outage === undefined || now() - this.#outage.failedMs < OUTAGE_OVER_MS) return
    this.#outage = undefined
    log.info(`resolved: the database ${cannot}`)
  }
}

/** SQLITE_BUSY and its extensions: another connection's lock. */
export function isBusy (error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY')
}

/** Anything else of SQLite's but a broken constraint, which is an answer. */
export function isFailure (error: unknown): error is Error {
  const code = codeOf(error)
  return code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT')
}

function codeOf (error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
