/**
 * A search of the whole table for active users: how many match, and one page of them. Walked in
 * steps, so that no thread is held for long; raw words are compared, and only the page is decoded.
 * Users who come, move or go while it is walked may be in it or not. Any thread.
 */
import type { AddressRange } from '../address-range.ts'
import type { Address } from '../client.ts'
import { addressTest, rangeTest } from './address-test.ts'
import { FirstSlots, isBefore, type Position } from './first-slots.ts'
import {
  NO_SERVER, SLOT_FIRST_SEEN_S, SLOT_LAST_SEEN_MS, SLOT_WORDS, commitActive
} from './layout.ts'
import { RadixSelect } from './radix-select.ts'
import { copySlots, decodeUser, type User } from './snapshot.ts'
import { placeOf, shardAt, type Place, type TableView } from './table-view.ts'
import { prefixTest, type SlotTest } from './text-prefix.ts'
import { wrappedAge, wrappedMs, wrappedSeconds } from './wrapped-time.ts'

/** `place`: where they stand in the table. The others: newest first. */
export type SearchSort = 'place' | 'last_seen' | 'first_seen'

export interface SearchOptions {
  /** Index of a server; undefined for all. */
  readonly server: number | undefined
  /** Users at others are not looked at; all if left out. */
  readonly servers?: ReadonlySet<number>
  /** What the id, or the address, begins with; undefined for all. */
  readonly prefix: string | undefined
  /** In place of a prefix: those who were last seen from one of these. */
  readonly addresses?: readonly Address[]
  /** In place of both: those who were last seen from there. */
  readonly range?: AddressRange
  readonly sort: SearchSort
  /** Where the page before ended, as its `nextCursor` says; undefined for the first page. */
  readonly cursor: string | undefined
  /** So many come before the page; in place of a cursor, at the cost of one more walk. */
  readonly offset?: number | undefined
  /** Users on the page, 1 or more. */
  readonly limit: number
}

export interface SearchResult {
  readonly users: readonly User[]
  /** In the whole table, not on this page. */
  readonly matched: number
  /** Undefined when this page is the last. */
  readonly nextCursor: string | undefined
}

/** The word of a slot that each sort looks at. */
const WORD_BY_SORT = {
  place: undefined, last_seen: SLOT_LAST_SEEN_MS, first_seen: SLOT_FIRST_SEEN_S
}
/** Behind everybody. */
const END: Position = { key: Infinity, place: Infinity }
const CURSOR = /^(-?\d{1,10})\.(\d{1,10})$/

/** Whether a text can be a cursor at all; one that names no place finds what comes after it. */
export function isCursor (text: string): boolean {
  return CURSOR.test(text)
}

export class UserSearch {
  readonly #view: TableView
  readonly #options: SearchOptions
  readonly #guard: (work: () => boolean) => boolean
  readonly #matches: SlotTest
  readonly #nowMs: number
  /** The word of a slot that is sorted by, and the time now in its unit. */
  readonly #keyWord: number | undefined
  readonly #keyNow: number
  #after: Position | undefined
  readonly #page: FirstSlots
  /** Finds the last user before the page; undefined once it is known where the page begins. */
  #select: RadixSelect | undefined
  /** Whether all matching users were offered to it. */
  #isOffered = false
  #place: Place = 0
  #matched = 0
  /** Matching users behind the cursor, the page's among them. */
  #behind = 0

  /** @param guard runs what touches the table; see UserTable */
  constructor (
    view: TableView, options: SearchOptions, guard: (work: () => boolean) => boolean
  ) {
    this.#view = view
    this.#options = options
    this.#guard = guard
    this.#matches = testOf(options)
    this.#nowMs = view.now()
    this.#keyWord = WORD_BY_SORT[options.sort]
    this.#keyNow = options.sort === 'first_seen'
      ? wrappedSeconds(this.#nowMs)
      : wrappedMs(this.#nowMs)
    this.#after = this.#parseCursor(options.cursor)
    this.#page = new FirstSlots(options.limit)
    const { offset = 0 } = options
    if (offset > 0) this.#select = new RadixSelect(offset - 1)
  }

  /** Looks at SLOTS_PER_HOLD slots at most; true when there are none left. */
  step (): boolean {
    if (this.#select === undefined) return this.#guard(() => this.#walk())
    this.#selectStep(this.#select)
    return false
  }

  /** What was found; whole when `step` has said so. */
  result (): SearchResult {
    const page = this.#page.inOrder()
    const last = page.at(-1)
    return {
      users: page.map(({ words }) => decodeUser(words, 0, this.#nowMs)),
      matched: this.#matched,
      nextCursor: last === undefined || this.#behind <= page.length
        ? undefined
        : this.#formatCursor(last)
    }
  }

  /** A step on the way to the last user before the page. */
  #selectStep (select: RadixSelect): void {
    if (!this.#isOffered) {
      this.#isOffered = this.#guard(() => this.#walk())
    } else if (select.step()) {
      this.#after = select.found ?? END
      this.#select = undefined
      this.#place = 0
    }
  }

  #walk (): boolean {
    const { layout } = this.#view
    const shard = Math.floor(this.#place / layout.slotCount)
    if (shard >= layout.shardCount) return true
    const from = this.#place % layout.slotCount
    const copy = copySlots(this.#view, shardAt(layout, shard), from)
    if (copy === 'busy') return false // Comes back to the same place.
    const { words, highWater } = copy
    let place = this.#place
    for (let here = 0; here < words.length; here += SLOT_WORDS, place++) {
      if (this.#isWanted(words, here)) this.#take(words, here, place)
    }
    const next = from + words.length / SLOT_WORDS
    const isShardDone = next >= highWater
    this.#place = isShardDone ? placeOf(layout, shard + 1, 0) : placeOf(layout, shard, next)
    return this.#place >= layout.shardCount * layout.slotCount
  }

  #isWanted (words: Int32Array, here: number): boolean {
    const { server, servers } = this.#options
    const active = commitActive(words[here]!)
    if (active === NO_SERVER || (server !== undefined && active !== server)) return false
    if (servers?.has(active) === false) return false
    return this.#matches(words, here)
  }

  #take (words: Int32Array, here: number, place: Place): void {
    const key = this.#keyOf(words, here)
    if (this.#select !== undefined) return this.#select.offer(key, place)
    this.#matched++
    const after = this.#after
    if (after !== undefined && !isBefore(after.key, after.place, key, place)) return
    this.#behind++
    this.#page.offer(key, place, words, here)
  }

  /** How long ago, so that the newest come first; nothing where the place alone counts. */
  #keyOf (words: Int32Array, here: number): number {
    const word = this.#keyWord
    return word === undefined ? 0 : wrappedAge(this.#keyNow, words[here + word]!)
  }

  /** A cursor holds a time, not an age: it means the same when the next page is asked for later. */
  #formatCursor ({ key, place }: Position): string {
    const time = this.#options.sort === 'place' ? 0 : (this.#keyNow - key) | 0
    return `${time}.${place}`
  }

  #parseCursor (cursor: string | undefined): Position | undefined {
    const [, time, place] = CURSOR.exec(cursor ?? '') ?? []
    if (time === undefined) return undefined
    const key = this.#options.sort === 'place' ? 0 : wrappedAge(this.#keyNow, Number(time) | 0)
    return { key, place: Number(place) }
  }
}

function testOf ({ prefix, addresses, range }: SearchOptions): SlotTest {
  if (range !== undefined) return rangeTest(range)
  if (addresses !== undefined) return addressTest(addresses)
  return prefix === undefined ? () => true : prefixTest(prefix)
}
