/**
 * Sums up failed logins for the audit: one entry for an address and minute, with how many there
 * were and the first few names. Bounded; touches no database.
 */
import type { AuditEvent } from './audit-event.ts'

export const LOGIN_FAILED = 'login-failed'
export const NAMES_MAX = 5
/** More addresses than the password thread can verify in a minute. */
const ADDRESSES_MAX = 4000
const MINUTE_MS = 60_000

/** Those of one address in one minute. */
interface Sum<Entry> {
  readonly entry: Entry
  attempts: number
  readonly names: string[]
  hasMoreNames: boolean
}

export class FailedLogins<Entry> {
  #minute = -1
  readonly #sums = new Map<string, Sum<Entry>>()

  /**
   * What the entry of this address and minute is to say from now on.
   * @param makeEntry makes it, if this is the first
   */
  add (
    name: string, address: string, atMs: number, makeEntry: () => Entry
  ): { readonly entry: Entry, readonly event: AuditEvent } {
    const minute = Math.floor(atMs / MINUTE_MS)
    if (minute !== this.#minute || this.#sums.size >= ADDRESSES_MAX) this.#sums.clear()
    this.#minute = minute
    const sum = this.#sums.get(address) ??
      { entry: makeEntry(), attempts: 0, names: [], hasMoreNames: false }
    this.#sums.set(address, sum)
    sum.attempts++
    if (!sum.names.includes(name)) {
      if (sum.names.length < NAMES_MAX) sum.names.push(name)
      else sum.hasMoreNames = true
    }
    return { entry: sum.entry, event: eventOf(sum, address) }
  }
}

function eventOf (
  { attempts, names, hasMoreNames }: Omit<Sum<unknown>, 'entry'>, address: string
): AuditEvent {
  const who = names.join(', ')
  if (attempts === 1) return { who, action: LOGIN_FAILED, address }
  const detail = { attempts, names: [...names], ...(hasMoreNames ? { more_names: true } : {}) }
  return { who, action: LOGIN_FAILED, detail, address }
}
