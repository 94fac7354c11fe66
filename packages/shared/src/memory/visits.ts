/**
 * What a visitor's request does to the user table: touch, leave, the entry under an address that
 * an id replaces, and who gives way when the table is full. Any thread, mostly the servers'.
 */
import { clientOfAddress, type Address, type Client } from '../client.ts'
import {
  NO_SERVER, NO_SLOT, SEEN_MAX, SHARD, SLOT, commitActive, commitReserved, commitSeen,
  withActive, withReserved, withSeen
} from './layout.ts'
import { displaceOne } from './displacement.ts'
import { addSlot, commitSlot, findSlot, freshCommit, removeSlot, writeAddress } from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, wrappedMs, type TableView
} from './table-view.ts'

/**
 * arrived: new here, or came to the place that was reserved. seen: was active here already.
 * moved: was active on another server. full: nobody may give way; not in the table.
 */
export type TouchOutcome = 'arrived' | 'seen' | 'moved' | 'full'
/** Only the main thread is ever told `busy`: it comes back on the next turn of its loop. */
export type Busy = 'busy'

/** An entry known by address whose place a client with an id takes over. */
export interface ReplacedEntry {
  readonly commit: number
  readonly firstSeenS: number
}

/** Rounds of making room and trying again, when other threads take the room first. */
const ADMIT_ROUNDS = 4
/** For an entry without a reservation: its deadline is never looked at. */
const NO_DEADLINE_MS = 0

/** A request of this client has reached the server: it is active there from now on. */
export function touch (
  view: TableView, client: Client, server: number, address: Address
): TouchOutcome | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  if (slot === NO_SLOT) {
    unlockShard(view, at)
    return admitVisitor(view, client, server, address)
  }
  const before = view.words[slotAt(view.layout, at, slot)]!
  refresh(view, at, slot, server, address)
  unlockShard(view, at)

  if (commitSeen(before) === 0) replaceAddressEntry(view, client, address)
  const activeBefore = commitActive(before)
  if (activeBefore === server) return 'seen'
  return activeBefore === NO_SERVER ? 'arrived' : 'moved'
}

/** The client leaves this server. False when it was not active here, which changes nothing. */
export function leave (view: TableView, client: Client, server: number): boolean | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  const commit = slot === NO_SLOT ? 0 : view.words[slotAt(view.layout, at, slot)]!
  const isHere = commit !== 0 && commitActive(commit) === server
  if (isHere) endActivity(view, at, slot, commit)
  unlockShard(view, at)
  return isHere
}

/** Takes the user off its active server; a reservation elsewhere stands. The lock is held. */
export function endActivity (view: TableView, at: number, slot: number, commit: number): void {
  if (commitReserved(commit) === NO_SERVER) removeSlot(view, at, slot)
  else commitSlot(view, at, slot, withActive(commit, NO_SERVER))
}

/**
 * Adds a client that is not in the table, with this commit word; somebody else gives way when the
 * table is full. The caller then removes the entry under the client's address that it replaces.
 */
export function admit (
  view: TableView, client: Client, address: Address, replaced: ReplacedEntry | undefined,
  commit: number, reservedUntilMs: number
): 'added' | 'present' | 'full' | Busy {
  const hash = hashOf(view, client)
  const shard = shardOfHash(view.layout, hash)
  const at = shardAt(view.layout, shard)
  // The replaced entry goes only after the new one is in, so that load never under-reads.
  const limit = view.layout.usersMax + (replaced === undefined ? 0 : 1)
  for (let round = 0; round < ADMIT_ROUNDS; round++) {
    if (!lockShard(view, at)) return 'busy'
    if (findSlot(view, at, client, hash) !== NO_SLOT) {
      unlockShard(view, at)
      return 'present'
    }
    if (usedSlots(view) < limit) {
      const slot = addSlot(view, at, client, hash, commit, reservedUntilMs)
      if (slot !== NO_SLOT) {
        const here = slotAt(view.layout, at, slot)
        if (replaced !== undefined) view.words[here + SLOT.FIRST_SEEN_S] = replaced.firstSeenS
        writeAddress(view, here, address)
      }
      unlockShard(view, at)
      return slot === NO_SLOT ? 'full' : 'added'
    }
    unlockShard(view, at)
    const displaced = displaceOne(view, shard)
    if (displaced === 'busy') return 'busy'
    if (!displaced) return 'full'
  }
  return 'full'
}

/** The entry that stands for clients of this address without an id, if a client with one is new. */
export function findAddressEntry (
  view: TableView, client: Client, address: Address
): ReplacedEntry | undefined | Busy {
  if (client.kind === 'ip') return undefined
  const key = clientOfAddress(address)
  const hash = hashOf(view, key)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, key, hash)
  const here = slotAt(view.layout, at, slot)
  const entry = slot === NO_SLOT
    ? undefined
    : { commit: view.words[here]!, firstSeenS: view.words[here + SLOT.FIRST_SEEN_S]! }
  unlockShard(view, at)
  return entry
}

/** Removes the entry that stands for clients of this address without an id. */
export function replaceAddressEntry (view: TableView, client: Client, address: Address): void {
  if (client.kind === 'ip') return
  const key = clientOfAddress(address)
  const hash = hashOf(view, key)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return // Left to the sweep.
  const slot = findSlot(view, at, key, hash)
  if (slot !== NO_SLOT) removeSlot(view, at, slot)
  unlockShard(view, at)
}

/** Users in the whole table. Other threads may be about to change it by one each. */
export function usedSlots (view: TableView): number {
  const { words, layout } = view
  let used = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    used += Atomics.load(words, shardAt(layout, shard) + SHARD.USED)
  }
  return used
}

function admitVisitor (
  view: TableView, client: Client, server: number, address: Address
): TouchOutcome | Busy {
  const replaced = findAddressEntry(view, client, address)
  if (replaced === 'busy') return 'busy'
  const seen = replaced === undefined ? 1 : seenOnceMore(replaced.commit)
  const commit = withSeen(withActive(freshCommit(client), server), seen)
  const admitted = admit(view, client, address, replaced, commit, NO_DEADLINE_MS)
  if (admitted === 'present') return touch(view, client, server, address)
  if (admitted !== 'added') return admitted
  if (replaced === undefined) return 'arrived'
  replaceAddressEntry(view, client, address)
  return commitActive(replaced.commit) === server ? 'seen' : 'moved'
}

/** Marks a user as seen at this server; arriving at the reserved one ends the reservation. */
function refresh (
  view: TableView, at: number, slot: number, server: number, address: Address
): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  words[here + SLOT.LAST_SEEN_MS] = wrappedMs(view.now())
  const before = words[here]!
  let commit = withActive(before, server)
  commit = withSeen(commit, seenOnceMore(before))
  if (commitReserved(before) === server) commit = withReserved(commit, NO_SERVER)
  if (commit !== before) commitSlot(view, at, slot, commit)
  writeAddress(view, here, address)
}

function seenOnceMore (commit: number): number {
  return Math.min(commitSeen(commit) + 1, SEEN_MAX)
}
