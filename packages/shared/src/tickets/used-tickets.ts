/**
 * Which tickets have been used, for as long as they would live: kept in one place for all threads,
 * so that neither a restart of a server's thread nor two of them side by side make one good again.
 * Main thread.
 */
import { TICKET_LIFE_S } from './ticket.ts'

/** From its use; twice as long as it lives, for a wall clock that is set back a little. */
const KEPT_MS = 2 * TICKET_LIFE_S * 1000
const LIFE_MS = TICKET_LIFE_S * 1000

export class UsedTickets {
  /** When each is forgotten, in that order. */
  readonly #forgetMs = new Map<string, number>()
  readonly #now: () => number
  readonly #startedMs: number
  readonly #startedWallMs: number

  /**
   * @param now monotonic milliseconds
   * @param wallNow milliseconds since 1970
   */
  constructor (now: () => number, wallNow: () => number) {
    this.#now = now
    this.#startedMs = now()
    this.#startedWallMs = wallNow()
  }

  /**
   * Whether this is the first use of a ticket that is good. One that was issued before the program
   * started may have been used then.
   * @param issuedMs since 1970
   */
  useOnce (ticketId: string, issuedMs: number): boolean {
    const nowMs = this.#now()
    this.#forget(nowMs)
    // Later on such a ticket has expired, and a clock that was set back is not to be asked.
    if (issuedMs < this.#startedWallMs && nowMs - this.#startedMs < LIFE_MS) return false
    if (this.#forgetMs.has(ticketId)) return false
    this.#forgetMs.set(ticketId, nowMs + KEPT_MS)
    return true
  }

  /** Nobody has arrived by it, for they were refused: its next use is the first. */
  giveBack (ticketId: string): void {
    this.#forgetMs.delete(ticketId)
  }

  get size (): number {
    return this.#forgetMs.size
  }

  #forget (nowMs: number): void {
    for (const [ticketId, atMs] of this.#forgetMs) {
      if (atMs > nowMs) return
      this.#forgetMs.delete(ticketId)
    }
  }
}
