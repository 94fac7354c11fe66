/**
 * Who gives way when the table is full: reservations first, then users seen only once, the oldest
 * first; never a user who has been seen twice. Searches the newcomer's own shard first, then the
 * next ones. Any thread.
 */
import { SHARD, SLOT } from './layout.ts'
import { isReservedOnly, isSeenOnce, removeSlot } from './shard.ts'
import {
  lockShard, shardAt, slotAt, unlockShard, wrappedAge, wrappedMs, type TableView
} from './table-view.ts'

/** Slots that are compared for the oldest at a time: 2.3 ns each, under the shard's lock. */
const WINDOW_SLOTS = 4096
const NOBODY = -1

interface Rank {
  /** The shard's counter of such users: at 0 the shard need not be searched. */
  readonly counter: number
  readonly includes: (commit: number) => boolean
  /** The word of a slot that tells the oldest. */
  readonly ageWord: number
}

const RANKS: readonly Rank[] = [
  { counter: SHARD.RESERVED_ONLY, includes: isReservedOnly, ageWord: SLOT.RESERVED_UNTIL_MS },
  { counter: SHARD.SEEN_ONCE, includes: isSeenOnce, ageWord: SLOT.LAST_SEEN_MS }
]

/** Removes one user for a newcomer of this shard; false when everybody has been seen twice. */
export function displaceOne (view: TableView, ownShard: number): boolean | 'busy' {
  const { shardCount } = view.layout
  for (const rank of RANKS) {
    for (let step = 0; step < shardCount; step++) {
      const at = shardAt(view.layout, (ownShard + step) & (shardCount - 1))
      if (Atomics.load(view.words, at + rank.counter) === 0) continue
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
  const highWater = words[at + SHARD.HIGH_WATER]!
  if (words[at + rank.counter] === 0) return NOBODY
  const start = highWater <= WINDOW_SLOTS ? 0 : words[at + SHARD.HAND]! % highWater
  for (let done = 0; done < highWater; done += WINDOW_SLOTS) {
    const slots = Math.min(WINDOW_SLOTS, highWater - done)
    const slot = oldestInWindow(view, at, rank, (start + done) % highWater, slots, highWater)
    if (slot === NOBODY) continue
    words[at + SHARD.HAND] = (start + done + slots) % highWater
    return slot
  }
  return NOBODY
}

function oldestInWindow (
  view: TableView, at: number, rank: Rank, from: number, slots: number, highWater: number
): number {
  const now = wrappedMs(view.now())
  let found = NOBODY
  let foundAge = 0
  for (let index = 0; index < slots; index++) {
    const slot = (from + index) % highWater
    const here = slotAt(view.layout, at, slot)
    if (!rank.includes(view.words[here]!)) continue
    const age = wrappedAge(now, view.words[here + rank.ageWord]!)
    if (found !== NOBODY && age <= foundAge) continue
    found = slot
    foundAge = age
  }
  return found
}
