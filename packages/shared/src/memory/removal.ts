/**
 * Removes users from the table for an operator: one by its key, or all that match. Their
 * reservations are removed with them. Any thread; the coordinator's in practice.
 */
import { areSameWords, type Address, type Client } from '../client.ts'
import { COMMIT_USED, NO_SLOT, SHARD_HIGH_WATER, commitActive } from './layout.ts'
import { addressOfSlot, clientOfSlot, findSlot, removeSlot } from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type TableView
} from './table-view.ts'

/** Asked of a user's client and the address last seen from, which is all zero when not known. */
export type IsMatch = (client: Client, address: Address) => boolean

/**
 * Slots looked at in one step, and so the most that are removed in a hold of the lock. A match
 * against a thousand ranges takes some 25 us, on the thread that visitors are routed by.
 */
const SLOTS_PER_STEP = 64

export interface RemovedUser {
  readonly client: Client
  /** Index of the server where the user was active, or NO_SERVER. */
  readonly server: number
}

export interface SweepStep {
  readonly removed: readonly RemovedUser[]
  /** Where to go on in this shard; undefined at its end. */
  readonly nextSlot: number | undefined
}

/** A matching user as the scan saw it. */
interface Found {
  readonly slot: number
  readonly client: Client
  readonly address: Address
}

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
 * caller may give way to its loop between two steps. Looks without the lock first. Users who arrive
 * while it runs may be missed, so the caller has them refused first.
 */
export function removeMatching (
  view: TableView, shard: number, fromSlot: number, isMatch: IsMatch
): SweepStep | Busy {
  const at = shardAt(view.layout, shard)
  const highWater = Atomics.load(view.words, at + SHARD_HIGH_WATER)
  const end = Math.min(highWater, fromSlot + SLOTS_PER_STEP)
  const found: Found[] = []
  for (let slot = fromSlot; slot < end; slot++) {
    const here = slotAt(view.layout, at, slot)
    if ((view.words[here]! & COMMIT_USED) === 0) continue
    const client = clientOfSlot(view, here)
    const address = addressOfSlot(view.words, here)
    if (isMatch(client, address)) found.push({ slot, client, address })
  }
  const removed = found.length === 0 ? [] : removeFound(view, at, found, isMatch)
  if (removed === 'busy') return 'busy'
  return { removed, nextSlot: end < highWater ? end : undefined }
}

function removeFound (
  view: TableView, at: number, found: readonly Found[], isMatch: IsMatch
): RemovedUser[] | Busy {
  if (!lockShard(view, at)) return 'busy'
  const removed: RemovedUser[] = []
  for (const user of found) {
    const here = slotAt(view.layout, at, user.slot)
    if (!isStillMatching(view, here, user, isMatch)) continue
    removed.push({ client: clientOfSlot(view, here), server: commitActive(view.words[here]!) })
    removeSlot(view, at, user.slot)
  }
  unlockShard(view, at)
  return removed
}

/**
 * The slot may hold another user since the scan, or the scan saw it half written. Only then is
 * asked again: a match can take long, and others wait for the lock.
 */
function isStillMatching (
  view: TableView, here: number, found: Found, isMatch: IsMatch
): boolean {
  if ((view.words[here]! & COMMIT_USED) === 0) return false
  const client = clientOfSlot(view, here)
  const address = addressOfSlot(view.words, here)
  const isSame = client.kind === found.client.kind && areSameWords(client, found.client) &&
    areSameWords(address, found.address)
  return isSame || isMatch(client, address)
}
