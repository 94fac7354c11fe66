/**
 * The engine's time, as this node reckons it: calls carry it, and the engine refuses those that
 * come late. Clocks of machines differ, so the difference is measured at each answer. Owns no
 * timer.
 */
export class FleetClock {
  readonly #now: () => number
  #offsetMs = 0
  /** The offset is right within so much. */
  #errorMs = Infinity

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
  }

  /** Whole milliseconds, as the engine counts them. */
  engineNowMs (): number {
    return Math.floor(this.#now() + this.#offsetMs)
  }

  /** The engine's time at a moment of this node. */
  engineMs (ownMs: number): number {
    return ownMs + this.#offsetMs
  }

  /** The moment of this node at which the engine's time was this. */
  ownMs (engineMs: number): number {
    return engineMs - this.#offsetMs
  }

  /**
   * The engine said its time between two moments of this node. A closer measurement replaces one
   * before it, and so does one that the offset in force does not fit.
   */
  note (sentMs: number, receivedMs: number, engineMs: number): void {
    const errorMs = (receivedMs - sentMs) / 2
    const offsetMs = engineMs - (sentMs + receivedMs) / 2
    const isContradicted = !(Math.abs(offsetMs - this.#offsetMs) <= errorMs + ENGINE_ERROR_MS)
    if (errorMs >= this.#errorMs && !isContradicted) return
    this.#offsetMs = offsetMs
    this.#errorMs = errorMs
  }
}

/** The engine says whole milliseconds. */
const ENGINE_ERROR_MS = 1
