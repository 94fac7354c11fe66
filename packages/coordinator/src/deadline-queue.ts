/**
 * A queue of what falls due at a deadline: visitors' waits and reservations. An array sorted by
 * deadline, with one timer. Waits in a queue nearly always have the same length, so a new entry
 * goes to the end without a search. Only after a reload that has shortened the wait is an entry
 * inserted before older ones, which keep their later deadlines.
 */

/** The array is cut only when at least so many entries at its head have fallen due. */
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

  /** Of equal deadlines the one that was added first is first. */
  add (item: T, deadlineMs: number): void {
    const at = this.#placeOf(deadlineMs)
    if (at === this.#entries.length) this.#entries.push({ item, deadlineMs })
    else this.#entries.splice(at, 0, { item, deadlineMs })
    if (at === this.#head) this.#arm()
  }

  get size (): number {
    return this.#entries.length - this.#head
  }

  /** Everything falls due now, in order: a stop does not wait. */
  flush (): void {
    this.flushWhere(() => true)
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

  /** The index in the array for a new entry: behind all that fall due no later. */
  #placeOf (deadlineMs: number): number {
    let high = this.#entries.length
    const last = this.#entries[high - 1]
    if (last === undefined || last.deadlineMs <= deadlineMs) return high
    let low = this.#head
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.deadlineMs <= deadlineMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Sets the one timer to the entry at the head. */
  #arm (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const next = this.#entries[this.#head]
    if (next === undefined) return
    // setTimeout may fire up to 1 ms early: what is not due then is armed again.
    const waitMs = Math.max(1, Math.ceil(next.deadlineMs - this.#now()))
    this.#timer = setTimeout(() => { this.#dispatch() }, Math.min(waitMs, TIMER_MAX_MS))
  }

  #dispatch (): void {
    const nowMs = this.#now()
    // So many as there are now: every round ends, even when what is added meanwhile is due.
    for (let left = this.size; left > 0; left--) {
      const next = this.#entries[this.#head]
      // An entry that falls due may close the queue: then nothing is left.
      if (next === undefined || next.deadlineMs > nowMs) break
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
