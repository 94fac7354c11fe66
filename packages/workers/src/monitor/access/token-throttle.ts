/**
 * How many tokens that are none may be tried from one network: five different ones within a minute,
 * then no other one is looked up. A program that goes on with one that was revoked counts once,
 * and one whose token was right before is never kept waiting by its neighbours. Bounded. Runs in
 * the monitor's thread.
 */
import type { Address } from '@usher/shared/client.ts'
import { networkKey } from '@usher/shared/networks.ts'

export const WRONG_TOKENS_MAX = 5
export const WRONG_TOKENS_WINDOW_MS = 60_000
/** Beyond these the one that was first is forgotten. */
export const NETWORKS_MAX = 10_000
export const RIGHT_MAX = 1000

export class TokenThrottle {
  readonly #now: () => number
  /** By network, then by the token's hash: when it was tried last, the oldest first. */
  readonly #wrong = new Map<string, Map<string, number>>()
  /** Tokens that were right, each with where it came from; the one used last is the last. */
  readonly #right = new Set<string>()

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
  }

  /** How long another one may not be tried from there; undefined: this one may be. */
  retryAfterS (address: Address, tokenHash: string): number | undefined {
    const network = networkKey(address)
    const tried = this.#triedFrom(network)
    const mayTry = tried.size < WRONG_TOKENS_MAX || tried.has(tokenHash) ||
      this.#right.has(rightKey(network, tokenHash))
    if (mayTry) return undefined
    const [oldestMs] = tried.values()
    return Math.ceil((oldestMs! + WRONG_TOKENS_WINDOW_MS - this.#now()) / 1000)
  }

  noteWrong (address: Address, tokenHash: string): void {
    const network = networkKey(address)
    const tried = this.#triedFrom(network)
    tried.delete(tokenHash)
    tried.set(tokenHash, this.#now())
    this.#wrong.set(network, tried)
    this.#right.delete(rightKey(network, tokenHash))
    dropFirst(this.#wrong, NETWORKS_MAX)
  }

  noteRight (address: Address, tokenHash: string): void {
    const key = rightKey(networkKey(address), tokenHash)
    this.#right.delete(key)
    this.#right.add(key)
    dropFirst(this.#right, RIGHT_MAX)
  }

  /** How many networks are kept count of. */
  get size (): number {
    return this.#wrong.size
  }

  /** What still counts. */
  #triedFrom (network: string): Map<string, number> {
    const tried = this.#wrong.get(network) ?? new Map<string, number>()
    for (const [tokenHash, triedMs] of tried) {
      if (this.#now() - triedMs < WRONG_TOKENS_WINDOW_MS) break
      tried.delete(tokenHash)
    }
    return tried
  }
}

function rightKey (network: string, tokenHash: string): string {
  return `${network} ${tokenHash}`
}

function dropFirst (kept: Map<string, unknown> | Set<string>, max: number): void {
  if (kept.size <= max) return
  const [first] = kept.keys()
  kept.delete(first!)
}
