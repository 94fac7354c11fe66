/**
 * Keeps the words of so many slots that come first among all that are offered, in the order of a
 * key and then of their places. A heap: a slot costs a few comparisons and, once the heap is full,
 * no new object, so a walk over a million slots has no step that is much longer than the others.
 * Belongs to one search.
 */
import { SLOT_WORDS } from './layout.ts'
import type { Place } from './table-view.ts'

export interface Position {
  /** What is sorted by, ascending, before the place. */
  readonly key: number
  readonly place: Place
}

export interface KeptSlot extends Position {
  readonly words: Int32Array
}

/** A position whose words are copied to `copyAt`; overwritten when another takes its place. */
interface Held {
  key: number
  place: Place
  readonly copyAt: number
}

export class FirstSlots {
  readonly #limit: number
  /** The last one on top; the children of i are at 2i + 1 and 2i + 2. */
  readonly #heap: Held[] = []
  readonly #copies: number[] = []

  /** @param limit how many are kept, 1 or more */
  constructor (limit: number) {
    this.#limit = limit
  }

  /** Keeps the slot that starts at `here` in `words`, unless enough others come before it. */
  offer (key: number, place: Place, words: Int32Array, here: number): void {
    if (this.#heap.length < this.#limit) {
      const copyAt = this.#copies.length
      this.#heap.push({ key, place, copyAt })
      this.#copy(words, here, copyAt)
      this.#rise(this.#heap.length - 1)
      return
    }
    const last = this.#heap[0]!
    if (isBefore(last.key, last.place, key, place)) return
    last.key = key
    last.place = place
    this.#copy(words, here, last.copyAt)
    this.#sink()
  }

  /** Those that were kept, the first one first. */
  inOrder (): KeptSlot[] {
    return this.#heap
      .map(({ key, place, copyAt }) => ({
        key, place, words: Int32Array.from(this.#copies.slice(copyAt, copyAt + SLOT_WORDS))
      }))
      .sort((a, b) => a.key - b.key || a.place - b.place)
  }

  #copy (words: Int32Array, here: number, copyAt: number): void {
    for (let word = 0; word < SLOT_WORDS; word++) this.#copies[copyAt + word] = words[here + word]!
  }

  #rise (index: number): void {
    let at = index
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(parent, at)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink (): void {
    let at = 0
    for (;;) {
      let last = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(last, child)) last = child
      }
      if (last === at) return
      this.#swap(at, last)
      at = last
    }
  }

  #isBefore (a: number, b: number): boolean {
    const { key, place } = this.#heap[b]!
    return isBefore(this.#heap[a]!.key, this.#heap[a]!.place, key, place)
  }

  #swap (a: number, b: number): void {
    const held = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = held
  }
}

/** Whether the first position comes before the second. */
export function isBefore (key: number, place: Place, otherKey: number, otherPlace: Place): boolean {
  return key < otherKey || (key === otherKey && place < otherPlace)
}
