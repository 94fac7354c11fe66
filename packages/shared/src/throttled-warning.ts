/**
 * A warning that visitors cause: one line a minute at most, the rest are counted. One in each
 * thread that has visitors.
 */
import type { Logger } from 'pino'

const MINUTE_MS = 60_000

export class ThrottledWarning {
  readonly #log: Pick<Logger, 'warn'>
  readonly #now: () => number
  readonly #message: string
  #quietUntilMs = -Infinity
  #unlogged = 0

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number, message: string) {
    this.#log = log
    this.#now = now
    this.#message = message
  }

  /** @param fields asked for only when there is a line */
  note (fields: () => object): void {
    const nowMs = this.#now()
    if (nowMs < this.#quietUntilMs) {
      this.#unlogged++
      return
    }
    this.#quietUntilMs = nowMs + MINUTE_MS
    const unlogged = this.#unlogged > 0 ? { unlogged: this.#unlogged } : {}
    this.#unlogged = 0
    this.#log.warn({ ...fields(), ...unlogged }, this.#message)
  }
}
