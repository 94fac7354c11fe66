/**
 * Tells the operator that newcomers from an address are refused because it has reached its quota of
 * a user table that is nearly full. Each thread with visitors has one.
 */
import type { Logger } from 'pino'
import { formatAddress, type Address } from './client.ts'
import { ThrottledWarning } from './throttled-warning.ts'

const MESSAGE =
  'the user table is nearly full and this address has reached its quota: new users from it are refused. ' +
  'If it is a proxy of yours, name it in TRUST_PROXY; if not, MAX_USERS may be too small'

export class QuotaWarning {
  readonly #warning: ThrottledWarning

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number) {
    this.#warning = new ThrottledWarning(log, now, MESSAGE)
  }

  note (address: Address): void {
    this.#warning.note(() => ({ address: formatAddress(address) }))
  }
}
