/**
 * Things that fall due in the order in which they were added: visitors' waits and reservations,
 * each of one length. First in, first out, with one timer; adding and falling due cost no search.
 */

/** Dead entries at the head below which the array is not worth cutting. */
const CUT_AT = 1024
/** What setTimeout can wait for, 24.8 days: it fires at once when told to wait longer. */
const TIMER_MAX_MS = 2 ** 31 - 1

export class DeadlineQueue<T> {
  readonly #now: () => number
  readonly #onDue: (item: T) => void
  #entries: Array<{ readonly item: T, readonly deadlineMs: number }> = []
  #head = 0
  #timer: NodeJS.Timeout | undefined

  /** @param now monotonic milliseconds */
  constructor (now: () => number, onDue: (item: T) => void) {
    this.#now = now
    this.#onDue = onDue
  }

  /** Deadlines must not decrease from one call to the next. */
  add (item: T, deadlineMs: number): void {
    this.#entries.push({ item, deadlineMs })
    if (this.#timer === undefined) this.#arm()
  }

  get size (): number {
    return this.#entries.length - this.#head
  }

  /** Everything falls due now, in order: a stop does not wait. */
  flush (): void {
    this.#dispatch(Infinity)
  }

  /** These fall due now, in order; the others keep their time. */
  flushWhere (isMatch: (item: T) => boolean): void {
    const matching = new Set(this.#entries.slice(this.#head).filter(({ item }) => isMatch(item)))
    this.#entries = this.#entries.filter((entry, at) => at >= this.#head && !matching.has(entry))
    this.#head = 0
    this.#arm()
    for (const { item } of matching) this.#onDue(item)
  }

  /** Forgets what is left; nothing falls due any more. */
  close (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#entries = []
    this.#head = 0
  }

  /** Sets the one timer to the entry at the head. */
  #arm (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const next = this.#entries[this.#head]
    if (next === undefined) return
    // setTimeout may fire up to 1 ms early: what is not due then is armed again.
    const waitMs = Math.max(1, Math.ceil(next.deadlineMs - this.#now()))
    this.#timer = setTimeout(
      () => { this.#dispatch(this.#now()) }, Math.min(waitMs, TIMER_MAX_MS)
    )
  }

  #dispatch (untilMs: number): void {
    // What is added meanwhile is for the next round, even when it is due: every round ends.
    for (let left = this.size; left > 0; left--) {
      const next = this.#entries[this.#head]
      // Nothing is left before its turn when what fell due has closed the queue.
      if (next === undefined || next.deadlineMs > untilMs) break
      this.#head++
      this.#onDue(next.item)
    }
    this.#cut()
    this.#arm()
  }

  /** Lets go of dead entries once they outnumber the living: each is then moved once at most. */
  #cut (): void {
    const isWorthIt = this.#head > CUT_AT && this.#head >= this.size
    if (!isWorthIt && this.size > 0) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }
}
