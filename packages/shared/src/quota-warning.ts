/**
 * Tells the operator that newcomers from an address are refused because it has reached its quota of
 * a user table that is nearly full: one line a minute at most, the rest are counted. Each thread
 * with visitors has one.
 */
import type { Logger } from 'pino'
import { formatAddress, type Address } from './client.ts'

const MINUTE_MS = 60_000

export class QuotaWarning {
  readonly #log: Pick<Logger, 'warn'>
  readonly #now: () => number
  #quietUntilMs = -Infinity
  #unlogged = 0

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number) {
    this.#log = log
    this.#now = now
  }

  note (address: Address): void {
    const nowMs = this.#now()
    if (nowMs < this.#quietUntilMs) {
      this.#unlogged++
      return
    }
    this.#quietUntilMs = nowMs + MINUTE_MS
    const unlogged = this.#unlogged > 0 ? { unlogged: this.#unlogged } : {}
    this.#unlogged = 0
    this.#log.warn({ address: formatAddress(address), ...unlogged },
      'the user table is nearly full and this address has reached its quota: new users from it are refused. ' +
      'If it is a proxy of yours, name it in TRUST_PROXY; if not, MAX_USERS may be too small')
  }
}
