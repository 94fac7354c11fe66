/**
 * How often somebody may try to log in: five attempts for one account from one address that run or
 * have failed within a minute. By both together, so that nobody can lock an account's owner out
 * from another address. Keeps what still counts, within a bound. Runs in the monitor's thread.
 */
import type { Address } from '@usher/shared/client.ts'
import { networkKey } from '@usher/shared/networks.ts'
import { foldCase } from '@usher/shared/fold-case.ts'
import { USERNAME_LENGTH_MAX } from '../../accounts/accounts.ts'

/** Only a wrong password keeps counting; `failed` is a fault of ours and does not. */
export type AttemptOutcome = 'right' | 'wrong' | 'failed'

export type Attempt =
  | { readonly kind: 'go', end (outcome: AttemptOutcome): void }
  | { readonly kind: 'wait', readonly retryAfterS: number }

/** Of one account, from one address. */
interface Tries {
  readonly key: string
  running: number
  /** Oldest first. */
  failedMs: readonly number[]
}

export const ATTEMPTS_MAX = 5
export const WINDOW_MS = 60_000
/**
 * Beyond these, some are forgotten: the fewest failures first, of equals the oldest, and never one
 * that has to wait. So a flood of other names or addresses evicts itself. It is full of those who
 * wait after 50,000 wrong passwords within a minute; the pool verifies some 6,000.
 */
export const TRIES_MAX = 10_000
/** The wait that is told while earlier attempts still run. */
const RUNNING_RETRY_S = 1
/** Of each rank, at every attempt: twice as many as can have come in. */
const EXPIRED_AT_ONCE_MAX = 2
/** The key of an account's name is never longer: a capital of one letter has up to three. */
const NAME_KEY_LENGTH_MAX = 3 * USERNAME_LENGTH_MAX

export class LoginThrottle {
  readonly #now: () => number
  readonly #triesMax: number
  readonly #tries = new Map<string, Tries>()
  /** Those that nothing runs of, by the number of their failures, oldest first. */
  readonly #ranks = Array.from({ length: ATTEMPTS_MAX + 1 }, () => new Set<Tries>())

  /** @param now monotonic milliseconds */
  constructor (now: () => number, triesMax = TRIES_MAX) {
    this.#now = now
    this.#triesMax = triesMax
  }

  /** Asked before anything is verified: an attempt counts from its start. */
  begin (address: Address, username: string): Attempt {
    const nowMs = this.#now()
    this.#forgetExpired(nowMs)
    const key = originKey(address, username)
    const tries = this.#tries.get(key) ?? { key, running: 0, failedMs: [] }
    this.#ranks[tries.failedMs.length]!.delete(tries)
    tries.failedMs = tries.failedMs.filter(failedMs => nowMs - failedMs < WINDOW_MS)
    if (tries.running + tries.failedMs.length >= ATTEMPTS_MAX) {
      this.#putAway(tries)
      return { kind: 'wait', retryAfterS: retryAfterS(tries, nowMs) }
    }
    if (!this.#tries.has(key) && !this.#makeRoom()) {
      return { kind: 'wait', retryAfterS: RUNNING_RETRY_S }
    }
    this.#tries.set(key, tries)
    tries.running++
    let isOver = false
    return {
      kind: 'go',
      end: outcome => {
        if (isOver) return
        isOver = true
        tries.running--
        if (outcome === 'wrong') tries.failedMs = [...tries.failedMs, this.#now()]
        this.#putAway(tries)
      }
    }
  }

  /** How many accounts are kept count of, each once for every address. */
  get size (): number {
    return this.#tries.size
  }

  #putAway (tries: Tries): void {
    if (tries.running > 0) return
    if (tries.failedMs.length === 0) this.#tries.delete(tries.key)
    else this.#ranks[tries.failedMs.length]!.add(tries)
  }

  /** False when all of them run or have to wait. */
  #makeRoom (): boolean {
    if (this.#tries.size < this.#triesMax) return true
    const lowest = this.#ranks.slice(0, ATTEMPTS_MAX).find(rank => rank.size > 0)
    const [oldest] = lowest ?? []
    if (oldest !== undefined) this.#forget(oldest)
    return oldest !== undefined
  }

  #forgetExpired (nowMs: number): void {
    for (const rank of this.#ranks) {
      let looked = 0
      for (const tries of rank) {
        if (nowMs - tries.failedMs.at(-1)! < WINDOW_MS) break
        this.#forget(tries)
        if (++looked === EXPIRED_AT_ONCE_MAX) break
      }
    }
  }

  #forget (tries: Tries): void {
    this.#ranks[tries.failedMs.length]!.delete(tries)
    this.#tries.delete(tries.key)
  }
}

/** One host has a whole IPv6 /64 to choose its addresses from. */
export function originKey (address: Address, username: string): string {
  const name = foldCase(username).slice(0, NAME_KEY_LENGTH_MAX)
  return `${networkKey(address)} ${name}`
}

/** Until the oldest failure no longer counts. */
function retryAfterS ({ failedMs: [oldestMs] }: Tries, nowMs: number): number {
  if (oldestMs === undefined) return RUNNING_RETRY_S
  return Math.ceil((oldestMs + WINDOW_MS - nowMs) / 1000)
}
