/**
 * The steps that change a locked shard: find, add, remove, and the one way in which a commit word
 * changes. Every function here expects the caller to hold the shard's lock. Any thread.
 *
 *     bucket -> slot -> slot -> NO_SLOT          free -> slot -> slot -> NO_SLOT
 */
import { areSameWords, UNKNOWN_ADDRESS, type Address, type Client } from '../client.ts'
import { endOfSlot, noteEnd } from './ends.ts'
import {
  COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, COMMIT_PAGES, COMMIT_USED, COUNTER_ACTIVE, COUNTER_LOAD,
  COUNTER_PLACES, NO_SERVER, NO_SLOT, SEEN_ONCE, SHARD_FREE_HEAD, SHARD_HIGH_WATER,
  SHARD_RESERVED_ONLY, SHARD_SEEN_ONCE, SHARD_USED, SLOT_ADDRESS, SLOT_FIRST_SEEN_S, SLOT_ID,
  SLOT_LAST_SEEN_MS, SLOT_NEXT, SLOT_RESERVED_UNTIL_MS, commitActive, commitHasEnd, commitHolds,
  commitIsIp, commitLoad, commitReserved, commitSeen, withActive, type Layout
} from './layout.ts'
import { bucketAt, hashOf, slotAt, type TableView } from './table-view.ts'
import { countAddress } from './user-quota.ts'
import { wrappedMs, wrappedSeconds } from './wrapped-time.ts'

/** The slot of a client, or NO_SLOT. */
export function findSlot (view: TableView, at: number, client: Client, hash: number): number {
  const { words, layout } = view
  const isIp = client.kind === 'ip'
  let slot = words[bucketAt(layout, at, hash)]!
  while (slot !== NO_SLOT) {
    const here = slotAt(layout, at, slot)
    if (words[here + SLOT_ID + 3] === client.w3 && words[here + SLOT_ID + 2] === client.w2 &&
        words[here + SLOT_ID + 1] === client.w1 && words[here + SLOT_ID] === client.w0 &&
        commitIsIp(words[here]!) === isIp) return slot
    slot = words[here + SLOT_NEXT]!
  }
  return NO_SLOT
}

/** A user as it comes into the table. */
export interface NewUser {
  readonly client: Client
  readonly address: Address
  /** The commit word, in which the address need not be noted as known. */
  readonly commit: number
  readonly reservedUntilMs: number
  /** As the slot holds it; now unless given. */
  readonly firstSeenS?: number
  readonly lastSeenMs?: number
}

/** Puts a user into a free slot; NO_SLOT when the shard has none left. */
export function addSlot (view: TableView, at: number, hash: number, user: NewUser): number {
  const { words, layout } = view
  const { client, address } = user
  const slot = takeFreeSlot(view, at)
  if (slot === NO_SLOT) return NO_SLOT
  const here = slotAt(layout, at, slot)
  words[here + SLOT_ID] = client.w0
  words[here + SLOT_ID + 1] = client.w1
  words[here + SLOT_ID + 2] = client.w2
  words[here + SLOT_ID + 3] = client.w3
  words[here + SLOT_ADDRESS] = address.w0
  words[here + SLOT_ADDRESS + 1] = address.w1
  words[here + SLOT_ADDRESS + 2] = address.w2
  words[here + SLOT_ADDRESS + 3] = address.w3
  const nowMs = view.now()
  words[here + SLOT_FIRST_SEEN_S] = user.firstSeenS ?? wrappedSeconds(nowMs)
  words[here + SLOT_LAST_SEEN_MS] = user.lastSeenMs ?? wrappedMs(nowMs)
  words[here + SLOT_RESERVED_UNTIL_MS] = wrappedMs(user.reservedUntilMs)
  view.onStep?.('ADD_WRITTEN')
  // The commit word makes the slot true. Chained first, a crash in between would leave a chain
  // through a slot that is not; chained after, the repair finds the slot and chains it.
  commitSlot(view, at, slot, user.commit | knownFlag(address))
  view.onStep?.('ADD_COMMITTED')
  const bucket = bucketAt(layout, at, hash)
  words[here + SLOT_NEXT] = words[bucket]!
  words[bucket] = slot
  return slot
}

/** Takes a user out and frees the slot. */
export function removeSlot (view: TableView, at: number, slot: number): void {
  const { words, layout } = view
  const here = slotAt(layout, at, slot)
  const bucket = bucketAt(layout, at, hashOf(view, clientOfSlot(view, here)))
  commitSlot(view, at, slot, 0)
  view.onStep?.('REMOVE_COMMITTED')
  unlink(words, layout, at, bucket, slot)
  view.onStep?.('REMOVE_UNLINKED')
  words[here + SLOT_NEXT] = words[at + SHARD_FREE_HEAD]!
  words[at + SHARD_FREE_HEAD] = slot
}

/** Takes the user off its active server; a reservation elsewhere stands. */
export function endActivity (view: TableView, at: number, slot: number, commit: number): void {
  if (commitReserved(commit) === NO_SERVER) removeSlot(view, at, slot)
  else commitSlot(view, at, slot, withActive(commit & ~COMMIT_PAGES, NO_SERVER))
}

/**
 * The one way in which a commit word changes: raise what the new word counts, store it, lower what
 * the old one counted. In another order a reader could see a user counted nowhere. A counter that
 * both words count alike is left alone, so no reader sees it flicker.
 */
export function commitSlot (view: TableView, at: number, slot: number, commit: number): void {
  const { words, layout } = view
  const here = slotAt(layout, at, slot)
  const before = words[here]!
  if (commitHasEnd(commit)) noteEnd(view, at, slot, endOfSlot(view, here, commit))
  count(view, at, here, commit, before, 1) // @RAISE
  view.onStep?.('COMMIT_RAISED')
  Atomics.store(words, here, commit) // @STORE
  view.onStep?.('COMMIT_STORED')
  count(view, at, here, before, commit, -1) // @LOWER
}

/**
 * Notes the address last seen from, unless it is the unknown one. The flag is down while the four
 * words are being changed.
 */
export function writeAddress (
  view: TableView, at: number, slot: number, address: Address
): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const commit = words[here]!
  const first = here + SLOT_ADDRESS
  const isSame = (commit & COMMIT_ADDRESS_KNOWN) !== 0 &&
    words[first + 3] === address.w3 && words[first + 2] === address.w2 &&
    words[first + 1] === address.w1 && words[first] === address.w0
  if (isSame || knownFlag(address) === 0) return
  commitSlot(view, at, slot, commit & ~COMMIT_ADDRESS_KNOWN)
  words[first] = address.w0
  words[first + 1] = address.w1
  view.onStep?.('ADDRESS_HALF')
  words[first + 2] = address.w2
  words[first + 3] = address.w3
  commitSlot(view, at, slot, commit | COMMIT_ADDRESS_KNOWN)
}

function knownFlag (address: Address): number {
  return areSameWords(address, UNKNOWN_ADDRESS) ? 0 : COMMIT_ADDRESS_KNOWN
}

/** The commit word of a new entry: of this kind, on no server, never seen. */
export function freshCommit (client: Client): number {
  return COMMIT_USED | (client.kind === 'ip' ? COMMIT_KIND_IP : 0)
}

/** The client in the slot that starts at `here`; from shared words or a copy of them. */
export function clientOfSlot (view: { readonly words: Int32Array }, here: number): Client {
  const { words } = view
  return {
    kind: commitIsIp(words[here]!) ? 'ip' : 'id',
    w0: words[here + SLOT_ID]!,
    w1: words[here + SLOT_ID + 1]!,
    w2: words[here + SLOT_ID + 2]!,
    w3: words[here + SLOT_ID + 3]!
  }
}

export function addressOfSlot (words: Int32Array, here: number): Address {
  if ((words[here]! & COMMIT_ADDRESS_KNOWN) === 0) return UNKNOWN_ADDRESS
  return {
    w0: words[here + SLOT_ADDRESS]!,
    w1: words[here + SLOT_ADDRESS + 1]!,
    w2: words[here + SLOT_ADDRESS + 2]!,
    w3: words[here + SLOT_ADDRESS + 3]!
  }
}

/** Counters are stored, not added: the lock makes this thread their only writer. */
export function counterAt (layout: Layout, at: number, server: number, counter: number): number {
  return at + layout.countersAt + counter * layout.serverRoom + server
}

export function isReservedOnly (commit: number): boolean {
  return commitReserved(commit) !== NO_SERVER && commitActive(commit) === NO_SERVER
}

export function isSeenOnce (commit: number): boolean {
  return commitSeen(commit) === SEEN_ONCE
}

/** Adds `by` to every counter that counts `commit` and does not count `other` alike. */
function count (
  view: TableView, at: number, here: number, commit: number, other: number, by: number
): void {
  if (commit === 0) return
  countServer(view, at, COUNTER_LOAD, commitLoad(commit), commitLoad(other), by)
  countServer(view, at, COUNTER_ACTIVE, commitActive(commit), commitActive(other), by)
  countPlaces(view, at, commit, other, by)
  if (other === 0) addTo(view.words, at + SHARD_USED, by)
  if (isReservedOnly(commit) && !isReservedOnly(other)) {
    addTo(view.words, at + SHARD_RESERVED_ONLY, by)
  }
  if (isSeenOnce(commit) && !isSeenOnce(other)) addTo(view.words, at + SHARD_SEEN_ONCE, by)
  if ((commit & ~other & COMMIT_ADDRESS_KNOWN) !== 0) countAddress(view, at, here, by)
}

function countServer (
  view: TableView, at: number, counter: number, server: number, other: number, by: number
): void {
  if (server === NO_SERVER || server === other) return
  addTo(view.words, counterAt(view.layout, at, server, counter), by)
  if (counter === COUNTER_LOAD) view.loads?.add(server, by)
}

function countPlaces (
  view: TableView, at: number, commit: number, other: number, by: number
): void {
  const active = commitActive(commit)
  const reserved = commitReserved(commit)
  if (active !== NO_SERVER && !commitHolds(other, active)) countPlace(view, at, active, by)
  if (reserved !== NO_SERVER && reserved !== active && !commitHolds(other, reserved)) {
    countPlace(view, at, reserved, by)
  }
}

function countPlace (view: TableView, at: number, server: number, by: number): void {
  addTo(view.words, counterAt(view.layout, at, server, COUNTER_PLACES), by)
  view.loads?.addPlaces(server, by)
}

/**
 * Raised by a plain store: the commit word's own store, which follows, keeps it before itself. What
 * is lowered after that needs an order of its own.
 */
function addTo (words: Int32Array, at: number, by: number): void {
  if (by > 0) words[at] = words[at]! + by
  else Atomics.store(words, at, words[at]! + by)
}

function takeFreeSlot (view: TableView, at: number): number {
  const { words, layout } = view
  const free = words[at + SHARD_FREE_HEAD]!
  if (free !== NO_SLOT) {
    words[at + SHARD_FREE_HEAD] = words[slotAt(layout, at, free) + SLOT_NEXT]!
    return free
  }
  const highWater = words[at + SHARD_HIGH_WATER]!
  if (highWater === layout.slotCount) return NO_SLOT
  // Raised before the slot is used: a scan stops at it, and must not stop short of a user.
  Atomics.store(words, at + SHARD_HIGH_WATER, highWater + 1)
  return highWater
}

function unlink (
  words: Int32Array, layout: Layout, at: number, bucket: number, slot: number
): void {
  const next = words[slotAt(layout, at, slot) + SLOT_NEXT]!
  let link = bucket
  while (words[link] !== slot) link = slotAt(layout, at, words[link]!) + SLOT_NEXT
  words[link] = next
}
