/**
 * Takes users out of the table because an operator says so: one by name, or all of a kind. Whatever
 * they had goes, the place that was held for them too. Any thread; the coordinator's in practice.
 */
import type { Address, Client } from '../client.ts'
import { COMMIT_USED, NO_SLOT, SHARD, commitActive } from './layout.ts'
import { addressOfSlot, clientOfSlot, findSlot, removeSlot } from './shard.ts'
import type { RemovedUser, SweepStep } from './sweep.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type TableView
} from './table-view.ts'
import type { Busy } from './visits.ts'

/** Asked of a user's client and the address last seen from, which is all zero when not known. */
export type IsMatch = (client: Client, address: Address) => boolean

/** Slots looked at without the lock in one step. */
const SLOTS_PER_STEP = 1024
/** Removals in one hold of the lock, each of which asks again. */
const REMOVALS_PER_HOLD = 64

/** False when the client is not in the table. */
export function removeUser (view: TableView, client: Client): boolean | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  if (slot !== NO_SLOT) removeSlot(view, at, slot)
  unlockShard(view, at)
  return slot !== NO_SLOT
}

/**
 * Removes the matching users of one shard from a slot on, for one hold of its lock at most: the
 * caller may give way to its loop between two steps. Looks without the lock first. Users who come
 * while it goes on may be missed; who is refused by then does not come.
 */
export function removeMatching (
  view: TableView, shard: number, fromSlot: number, isMatch: IsMatch
): SweepStep | Busy {
  const at = shardAt(view.layout, shard)
  const highWater = Atomics.load(view.words, at + SHARD.HIGH_WATER)
  const end = Math.min(highWater, fromSlot + SLOTS_PER_STEP)
  const found: number[] = []
  let slot = fromSlot
  while (slot < end && found.length < REMOVALS_PER_HOLD) {
    if (isMatching(view, slotAt(view.layout, at, slot), isMatch)) found.push(slot)
    slot++
  }
  const removed = found.length === 0 ? [] : removeFound(view, at, found, isMatch)
  if (removed === 'busy') return 'busy'
  return { removed, nextSlot: slot < highWater ? slot : undefined }
}

/** Looks again under the lock: the slot may be somebody else's since the scan. */
function removeFound (
  view: TableView, at: number, slots: readonly number[], isMatch: IsMatch
): RemovedUser[] | Busy {
  if (!lockShard(view, at)) return 'busy'
  const removed: RemovedUser[] = []
  for (const slot of slots) {
    const here = slotAt(view.layout, at, slot)
    if (!isMatching(view, here, isMatch)) continue
    removed.push({ client: clientOfSlot(view, here), server: commitActive(view.words[here]!) })
    removeSlot(view, at, slot)
  }
  unlockShard(view, at)
  return removed
}

function isMatching (view: TableView, here: number, isMatch: IsMatch): boolean {
  return (view.words[here]! & COMMIT_USED) !== 0 &&
    isMatch(clientOfSlot(view, here), addressOfSlot(view.words, here))
}
