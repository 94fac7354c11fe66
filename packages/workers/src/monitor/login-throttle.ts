/**
 * How often somebody may try to log in: five attempts for one account from one address that are
 * running or have failed within a minute. Keyed by both, so that nobody keeps an account's owner
 * out from elsewhere. Holds only what runs or has failed lately. Runs in the monitor's thread.
 */
import type { Address } from '@usher/shared/client.ts'
import { usernameKey } from './accounts.ts'

export type Attempt =
  /** `end` is called once. Only `wrong` counts on; `failed` is our own trouble. */
  | { readonly kind: 'go', readonly end: (outcome: 'right' | 'wrong' | 'failed') => void }
  | { readonly kind: 'wait', readonly retryAfterS: number }

const ATTEMPTS_MAX = 5
const WINDOW_MS = 60_000
/** Told to who waits for attempts that are still running. */
const RUNNING_RETRY_MS = 1000
/** More names than these from one address share one record: no flood of them pushes one out. */
const NAMES_MAX = 64
/** Beyond, the one that tried longest ago is forgotten. The pool verifies some 1,000 a minute. */
export const ADDRESSES_MAX = 10_000

/** Of one account, from one address. */
interface Tries {
  running: number
  /** Oldest first. */
  readonly failedMs: number[]
}

/** In place of a name, for those beyond NAMES_MAX. No account is called nothing. */
const OTHER_NAMES = ''

/** The third word of an IPv4 address in its mapped form. */
const MAPPED_WORD = 0xffff

export class LoginThrottle {
  readonly #now: () => number
  /** The one that tried longest ago first. */
  readonly #records = new Map<string, Map<string, Tries>>()

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
  }

  /** Asked before anything is verified: attempts count from their start. */
  begin (address: Address, username: string): Attempt {
    const nowMs = this.#now()
    const place = placeOf(address)
    const names = this.#namesOf(place)
    const name = nameIn(names, usernameKey(username), nowMs)
    const record = names.get(name) ?? { running: 0, failedMs: [] }
    forgetOld(record, nowMs)
    if (record.running + record.failedMs.length >= ATTEMPTS_MAX) {
      return { kind: 'wait', retryAfterS: Math.ceil(waitMs(record, nowMs) / 1000) }
    }
    record.running++
    names.set(name, record)
    return {
      kind: 'go',
      end: outcome => {
        record.running--
        if (outcome === 'wrong') record.failedMs.push(this.#now())
        if (record.running === 0 && record.failedMs.length === 0) this.#forget(place, name)
      }
    }
  }

  /** How many addresses are held. */
  get size (): number {
    return this.#records.size
  }

  /** Moves the address behind all others; the first of those makes room for a new one. */
  #namesOf (place: string): Map<string, Tries> {
    const names = this.#records.get(place) ?? new Map<string, Tries>()
    this.#records.delete(place)
    if (this.#records.size >= ADDRESSES_MAX) {
      const [oldest] = this.#records.keys()
      this.#records.delete(oldest!)
    }
    this.#records.set(place, names)
    return names
  }

  #forget (place: string, name: string): void {
    const names = this.#records.get(place)
    names?.delete(name)
    if (names?.size === 0) this.#records.delete(place)
  }
}

/** A host has a whole IPv6 /64 to choose its addresses from. */
function placeOf ({ w0, w1, w2, w3 }: Address): string {
  return w0 === 0 && w1 === 0 && w2 === MAPPED_WORD ? `4 ${w3}` : `6 ${w0} ${w1}`
}

function nameIn (names: Map<string, Tries>, name: string, nowMs: number): string {
  if (names.has(name) || names.size < NAMES_MAX) return name
  for (const [known, record] of names) {
    forgetOld(record, nowMs)
    if (record.running === 0 && record.failedMs.length === 0) names.delete(known)
  }
  return names.size < NAMES_MAX ? name : OTHER_NAMES
}

function forgetOld ({ failedMs }: Tries, nowMs: number): void {
  while (failedMs.length > 0 && nowMs - failedMs[0]! >= WINDOW_MS) failedMs.shift()
}

/** Until one of the failures no longer counts; running ones may end at any moment. */
function waitMs ({ running, failedMs }: Tries, nowMs: number): number {
  const untilFewer = failedMs[failedMs.length + running - ATTEMPTS_MAX]
  return untilFewer === undefined ? RUNNING_RETRY_MS : untilFewer + WINDOW_MS - nowMs
}
