/**
 * Eviction when the table is full: reservations first, then users seen only once, then users of an
 * address over its quota, the oldest first; no other user who was seen twice. Searches the
 * newcomer's own shard first, then the next ones. Any thread.
 */
import { overQuotaTest } from './user-quota.ts'
import {
  SHARD_HAND, SHARD_HIGH_WATER, SHARD_RESERVED_ONLY, SHARD_SEEN_ONCE, SLOT_LAST_SEEN_MS,
  SLOT_RESERVED_UNTIL_MS
} from './layout.ts'
import { isReservedOnly, isSeenOnce, removeSlot } from './shard.ts'
import { lockShard, shardAt, slotAt, unlockShard, type Busy, type TableView } from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

const NOBODY = -1

/** Whether the user in the slot that starts at `here` is of a rank. */
type SlotTest = (here: number, commit: number) => boolean

interface Rank {
  /** The test for a shard's slots; undefined when no user of the shard is of this rank. */
  readonly testFor: (view: TableView, at: number) => SlotTest | undefined
  /** The word of a slot that tells the oldest. */
  readonly ageWord: number
  /** Slots that are compared for the oldest at a time, under the shard's lock. */
  readonly windowSlots: number
}

/** 2.3 ns each. */
const WINDOW_SLOTS = 4096
/** Their addresses are hashed, 20 ns each; at least one in twenty passes. */
const HASHED_WINDOW_SLOTS = 512

const RANKS: readonly Rank[] = [
  {
    testFor: counted(SHARD_RESERVED_ONLY, isReservedOnly),
    ageWord: SLOT_RESERVED_UNTIL_MS,
    windowSlots: WINDOW_SLOTS
  },
  {
    testFor: counted(SHARD_SEEN_ONCE, isSeenOnce),
    ageWord: SLOT_LAST_SEEN_MS,
    windowSlots: WINDOW_SLOTS
  },
  {
    testFor: overQuotaTest,
    ageWord: SLOT_LAST_SEEN_MS,
    windowSlots: HASHED_WINDOW_SLOTS
  }
]

/** A rank whose members the shard counts. */
function counted (counter: number, isMember: (commit: number) => boolean): Rank['testFor'] {
  const test: SlotTest = (_here, commit) => isMember(commit)
  return ({ words }, at) => Atomics.load(words, at + counter) === 0 ? undefined : test
}

/** Evicts one user for a newcomer of this shard; false when no user may be evicted. */
export function displaceOne (view: TableView, ownShard: number): boolean | Busy {
  const { shardCount } = view.layout
  for (const rank of RANKS) {
    for (let step = 0; step < shardCount; step++) {
      const at = shardAt(view.layout, (ownShard + step) & (shardCount - 1))
      if (rank.testFor(view, at) === undefined) continue
      if (!lockShard(view, at)) return 'busy'
      const slot = oldest(view, at, rank)
      if (slot !== NOBODY) removeSlot(view, at, slot)
      unlockShard(view, at)
      if (slot !== NOBODY) return true
    }
  }
  return false
}

/** The oldest of the first window that has one, starting where the last search ended. */
function oldest (view: TableView, at: number, rank: Rank): number {
  const { words } = view
  const test = rank.testFor(view, at)
  if (test === undefined) return NOBODY
  const highWater = words[at + SHARD_HIGH_WATER]!
  const start = highWater <= rank.windowSlots ? 0 : words[at + SHARD_HAND]! % highWater
  for (let done = 0; done < highWater; done += rank.windowSlots) {
    const window = {
      from: (start + done) % highWater,
      slots: Math.min(rank.windowSlots, highWater - done),
      highWater
    }
    const slot = oldestInWindow(view, at, rank.ageWord, test, window)
    if (slot === NOBODY) continue
    words[at + SHARD_HAND] = (window.from + window.slots) % highWater
    return slot
  }
  return NOBODY
}

function oldestInWindow (
  view: TableView, at: number, ageWord: number, test: SlotTest,
  { from, slots, highWater }: { from: number, slots: number, highWater: number }
): number {
  const now = wrappedMs(view.now())
  let found = NOBODY
  let foundAge = 0
  for (let index = 0; index < slots; index++) {
    const slot = (from + index) % highWater
    const here = slotAt(view.layout, at, slot)
    const commit = view.words[here]!
    if (commit === 0 || !test(here, commit)) continue
    const age = wrappedAge(now, view.words[here + ageWord]!)
    if (found !== NOBODY && age <= foundAge) continue
    found = slot
    foundAge = age
  }
  return found
}
