/**
 * Admission to the table: every newcomer while there is room; when it is nearly full, none from an
 * address that has reached its quota; when it is full, another user is evicted if one may be. Any
 * thread.
 */
import { hasReachedQuota, isNearlyFull } from './user-quota.ts'
import { displaceOne } from './displacement.ts'
import {
  COMMIT_REPLACES, NO_SLOT, SEEN_CONFIRMED, SHARD_RESERVED_ONLY, SHARD_SEEN_ONCE, SHARD_USED,
  commitSeen
} from './layout.ts'
import type { ReplacedEntry } from './replacement.ts'
import { addSlot, findSlot, type NewUser } from './shard.ts'
import {
  hashOf, lockShard, placeOf, shardAt, shardOfHash, unlockShard, type Busy, type Place,
  type TableView
} from './table-view.ts'

export interface Newcomer extends Omit<NewUser, 'firstSeenS' | 'lastSeenMs'> {
  /** The entry under the newcomer's address whose place it takes. */
  readonly replaced: ReplacedEntry | undefined
  /** Another node of the fleet sends it, and has charged its network. */
  readonly isFromNode?: boolean
}

/**
 * The place of whoever was added. present: is in the table already. full: no user may be evicted.
 * address-full: the table is nearly full, and the newcomer's address has reached its quota.
 * uncounted: its network has had as many newcomers as it may.
 */
export type Admission = Place | 'present' | 'full' | 'address-full' | 'uncounted' | Busy

/** Rounds of making room and trying again, when other threads take the room first. */
const ADMIT_ROUNDS = 4

/** Adds a client that is not in the table. The caller then finishes the replacement, if any. */
export function admit (
  view: TableView, { replaced, isFromNode, ...newcomer }: Newcomer
): Admission {
  // A newcomer that replaces another entry makes the table no larger.
  if (replaced !== undefined) {
    const { firstSeenS, lastSeenMs } = replaced
    const commit = newcomer.commit | COMMIT_REPLACES
    const user = { ...newcomer, commit, firstSeenS }
    // Until it is confirmed its time runs from the request that it was given its id for.
    const isConfirmed = commitSeen(commit) === SEEN_CONFIRMED
    return addUser(view, isConfirmed ? user : { ...user, lastSeenMs })
  }
  if (isNearlyFull(view, usedSlots(view)) && hasReachedQuota(view, newcomer.address)) {
    return 'address-full'
  }
  const { newcomers } = view
  if (newcomers === undefined || isFromNode === true) return addUser(view, newcomer)
  const charges = newcomers.admit(newcomer.address, activeUsers(view))
  if (charges === undefined) return 'uncounted'
  const admission = addUser(view, newcomer)
  if (typeof admission === 'number') newcomers.charge(charges)
  return admission
}

/** Adds a user; somebody else gives way when the table is full. */
export function addUser (
  view: TableView, user: NewUser
): Exclude<Admission, 'address-full' | 'uncounted'> {
  const hash = hashOf(view, user.client)
  const shard = shardOfHash(view.layout, hash)
  const at = shardAt(view.layout, shard)
  // A replaced entry goes only after the new one is in, so that load never under-reads.
  const isReplacing = (user.commit & COMMIT_REPLACES) !== 0
  const limit = view.layout.usersMax + (isReplacing ? 1 : 0)
  for (let round = 0; round < ADMIT_ROUNDS; round++) {
    if (!lockShard(view, at)) return 'busy'
    if (findSlot(view, at, user.client, hash) !== NO_SLOT) {
      unlockShard(view, at)
      return 'present'
    }
    if (usedSlots(view) < limit) {
      const slot = addSlot(view, at, hash, user)
      unlockShard(view, at)
      return slot === NO_SLOT ? 'full' : placeOf(view.layout, shard, slot)
    }
    unlockShard(view, at)
    const displaced = displaceOne(view, shard)
    if (displaced === 'busy') return 'busy'
    if (!displaced) return 'full'
  }
  return 'full'
}

/**
 * Whether no newcomer would be admitted: all places are taken, by users who have been seen twice.
 * A reading without any lock.
 */
export function isFull (view: TableView): boolean {
  const { words, layout } = view
  if (usedSlots(view) < layout.usersMax) return false
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = shardAt(layout, shard)
    const displaceable =
      Atomics.load(words, at + SHARD_RESERVED_ONLY) + Atomics.load(words, at + SHARD_SEEN_ONCE)
    if (displaceable > 0) return false
  }
  return true
}

/** Users in the whole table. Other threads may be about to change it by one each. */
export function usedSlots (view: TableView): number {
  const { words, layout } = view
  let used = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    used += words[shardAt(layout, shard) + SHARD_USED]! // Plain: see sumCounters.
  }
  return used
}

/** Users of the whole table who are active on a server. */
function activeUsers ({ words, layout }: TableView): number {
  let active = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = shardAt(layout, shard)
    active += words[at + SHARD_USED]! - words[at + SHARD_RESERVED_ONLY]!
  }
  return active
}
