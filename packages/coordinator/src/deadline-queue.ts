/**
 * A queue of what falls due at a deadline: visitors' waits and reservations. Sorted by deadline,
 * with one timer; items and deadlines are two arrays, since an object for each of 500,000 entries
 * would cost more than all else of a redirect. Waits in a queue nearly always have the same length,
 * so a new entry goes to the end without a search. Only after a reload that has shortened the wait
 * is an entry inserted before older ones, which keep their later deadlines.
 */

/** The arrays are cut only when at least so many entries at its head have fallen due. */
const CUT_AT = 1024
/** What setTimeout can wait for, 24.8 days: it fires at once when told to wait longer. */
const TIMER_MAX_MS = 2 ** 31 - 1

export class DeadlineQueue<T> {
  readonly #now: () => number
  readonly #onDue: (item: T) => void
  #items: T[] = []
  #deadlinesMs: number[] = []
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
    if (at === this.#items.length) {
      this.#items.push(item)
      this.#deadlinesMs.push(deadlineMs)
    } else {
      this.#items.splice(at, 0, item)
      this.#deadlinesMs.splice(at, 0, deadlineMs)
    }
    if (at === this.#head) this.#arm()
  }

  get size (): number {
    return this.#items.length - this.#head
  }

  /** Everything falls due now, in order: a stop does not wait. */
  flush (): void {
    this.flushWhere(() => true)
  }

  /** These fall due now, in order; the others keep their time. */
  flushWhere (isMatch: (item: T) => boolean): void {
    const [items, deadlinesMs] = [this.#items, this.#deadlinesMs]
    const due: T[] = []
    const [keptItems, keptDeadlinesMs]: [T[], number[]] = [[], []]
    for (let at = this.#head; at < items.length; at++) {
      if (isMatch(items[at]!)) {
        due.push(items[at]!)
        continue
      }
      keptItems.push(items[at]!)
      keptDeadlinesMs.push(deadlinesMs[at]!)
    }
    this.#keep(keptItems, keptDeadlinesMs)
    this.#arm()
    for (const item of due) this.#onDue(item)
  }

  /** Forgets what is left; nothing falls due any more. */
  close (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#keep([], [])
  }

  /** The index in the array for a new entry: behind all that fall due no later. */
  #placeOf (deadlineMs: number): number {
    let high = this.#items.length
    let low = this.#head
    if (low === high || this.#deadlinesMs[high - 1]! <= deadlineMs) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#deadlinesMs[middle]! <= deadlineMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Sets the one timer to the entry at the head. */
  #arm (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.size === 0) return
    // setTimeout may fire up to 1 ms early: what is not due then is armed again.
    const waitMs = Math.max(1, Math.ceil(this.#deadlinesMs[this.#head]! - this.#now()))
    this.#timer = setTimeout(() => { this.#dispatch() }, Math.min(waitMs, TIMER_MAX_MS))
  }

  #dispatch (): void {
    const nowMs = this.#now()
    // So many as there are now: every round ends, even when what is added meanwhile is due.
    for (let left = this.size; left > 0; left--) {
      // An entry that falls due may close the queue: then nothing is left.
      if (this.size === 0 || this.#deadlinesMs[this.#head]! > nowMs) break
      this.#onDue(this.#items[this.#head++]!)
    }
    this.#cut()
    this.#arm()
  }

  /** Lets go of dead entries once they outnumber the living: each is then moved once at most. */
  #cut (): void {
    const isWorthIt = this.#head > CUT_AT && this.#head >= this.size
    if (!isWorthIt && this.size > 0) return
    this.#keep(this.#items.slice(this.#head), this.#deadlinesMs.slice(this.#head))
  }

  #keep (items: T[], deadlinesMs: number[]): void {
    this.#items = items
    this.#deadlinesMs = deadlinesMs
    this.#head = 0
  }
}
