/**
 * Removes users who have been silent for too long, and reservations whose time passed unnoticed.
 * Looks at slots without a lock first: only a shard with something due is locked. Main thread.
 */
import {
  COMMIT_USED, NO_SERVER, SHARD_HIGH_WATER, SLOT_LAST_SEEN_MS, commitActive
} from './layout.ts'
import { endReservation, isReservationDue } from './reservations.ts'
import type { RemovedUser, SweepStep } from './removal.ts'
import { clientOfSlot, endActivity } from './shard.ts'
import { lockShard, shardAt, slotAt, unlockShard, type Busy, type TableView } from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/** Removals in one hold of the lock: what waits for it waits for some 50 us at most. */
const REMOVALS_PER_HOLD = 256

/**
 * Sweeps one shard from a slot on, for one hold of its lock at most: the caller may give way to
 * its loop between two steps. Busy: come back at the next sweep.
 */
export function sweepShard (
  view: TableView, shard: number, silentForMs: number, fromSlot: number
): SweepStep | Busy {
  const at = shardAt(view.layout, shard)
  const removed: RemovedUser[] = []
  const highWater = Atomics.load(view.words, at + SHARD_HIGH_WATER)
  let slot = nextDue(view, at, fromSlot, highWater, silentForMs)
  if (slot >= highWater) return { removed, nextSlot: undefined }
  if (!lockShard(view, at)) return 'busy'
  for (let held = 0; held < REMOVALS_PER_HOLD && slot < highWater; held++) {
    removeIfDue(view, at, slot, silentForMs, removed)
    slot = nextDue(view, at, slot + 1, highWater, silentForMs)
  }
  unlockShard(view, at)
  return { removed, nextSlot: slot < highWater ? slot : undefined }
}

function nextDue (
  view: TableView, at: number, from: number, highWater: number, silentForMs: number
): number {
  const now = wrappedMs(view.now())
  let slot = from
  while (slot < highWater && !isDue(view, slotAt(view.layout, at, slot), now, silentForMs)) slot++
  return slot
}

function isDue (view: TableView, here: number, now: number, silentForMs: number): boolean {
  return (view.words[here]! & COMMIT_USED) !== 0 &&
    (isSilent(view, here, now, silentForMs) || isReservationDue(view, here, now))
}

function isSilent (view: TableView, here: number, now: number, silentForMs: number): boolean {
  return commitActive(view.words[here]!) !== NO_SERVER &&
    wrappedAge(now, view.words[here + SLOT_LAST_SEEN_MS]!) > silentForMs
}

/** Looks again under the lock: the user may have been seen since the scan. */
function removeIfDue (
  view: TableView, at: number, slot: number, silentForMs: number, removed: RemovedUser[]
): void {
  const here = slotAt(view.layout, at, slot)
  const now = wrappedMs(view.now())
  if (isReservationDue(view, here, now)) endReservation(view, at, slot)
  const commit = view.words[here]!
  if (!isSilent(view, here, now, silentForMs)) return
  removed.push({ client: clientOfSlot(view, here), server: commitActive(commit) })
  endActivity(view, at, slot, commit)
}
