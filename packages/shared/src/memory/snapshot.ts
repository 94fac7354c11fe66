/**
 * Users as plain values, page by page: words are copied under a shard's lock, a bounded number at
 * a time, and decoded outside it. Also the way back, for users who were saved. Any thread.
 */
import type { Address, Client } from '../client.ts'
import { addUser } from './admission.ts'
import { hasRoom, isLimitedAt, lockAdmission, unlockAdmission } from './capacity.ts'
import {
  COMMIT_LEAVING, NO_SERVER, NO_SLOT, SEEN_AGAIN, SEEN_CONFIRMED, SHARD_HIGH_WATER,
  SLOT_FIRST_SEEN_S, SLOT_LAST_SEEN_MS, SLOT_WORDS, commitActive, commitReserved, commitSeen,
  withActive, withSeen
} from './layout.ts'
import { addressOfSlot, clientOfSlot, findSlot, freshCommit } from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type Place,
  type TableView
} from './table-view.ts'
import { wrappedAge, wrappedMs, wrappedSeconds } from './wrapped-time.ts'

export interface User {
  readonly client: Client
  /** Last seen from; all zero when not known. */
  readonly address: Address
  /** Index of the server where the user is active; undefined before the first arrival. */
  readonly server: number | undefined
  /** Index of the server where a place is reserved. */
  readonly reservedServer: number | undefined
  /** It came back with its id, or from its address. */
  readonly isConfirmed: boolean
  /** A page of its has left; it goes when LEAVE_GRACE is over, unless it is seen by then. */
  readonly isLeaving: boolean
  readonly firstSeenAgoMs: number
  /** Of an unconfirmed user, when it claimed its place. */
  readonly lastSeenAgoMs: number
}

/** What of a user outlasts the program. */
export type LastingUser =
  Pick<User, 'client' | 'address' | 'isConfirmed' | 'firstSeenAgoMs' | 'lastSeenAgoMs'>

export interface UserPage {
  readonly users: readonly User[]
  /** Where the next page starts; undefined after the last. */
  readonly nextCursor: Place | undefined
}

/** Slots copied in one hold of a lock: 52 KiB, some 10 us. */
export const SLOTS_PER_HOLD = 1024

/**
 * The users from `cursor` on, in the order of their places, `limit` at most. Looks at no more than
 * SLOTS_PER_HOLD slots, so a page may hold fewer, even none, and not be the last.
 */
export function readUsers (view: TableView, cursor: Place, limit: number): UserPage | Busy {
  const { layout } = view
  const shard = Math.floor(cursor / layout.slotCount)
  if (shard >= layout.shardCount) return { users: [], nextCursor: undefined }
  const from = cursor % layout.slotCount
  const copy = copySlots(view, shardAt(layout, shard), from)
  if (copy === 'busy') return 'busy'

  const users: User[] = []
  const count = copy.words.length / SLOT_WORDS
  let index = 0
  while (index < count && users.length < limit) {
    const here = index * SLOT_WORDS
    if (copy.words[here] !== 0) users.push(decodeUser(copy.words, here, view.now()))
    index++
  }
  const isShardDone = from + index >= copy.highWater
  const next = isShardDone ? (shard + 1) * layout.slotCount : cursor + index
  return { users, nextCursor: next >= layout.shardCount * layout.slotCount ? undefined : next }
}

/** One user, or undefined when the client is not in the table. */
export function findUser (view: TableView, client: Client): User | undefined | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  const here = slotAt(view.layout, at, slot)
  const words = slot === NO_SLOT ? undefined : view.words.slice(here, here + SLOT_WORDS)
  unlockShard(view, at)
  return words === undefined ? undefined : decodeUser(words, 0, view.now())
}

/**
 * Puts a saved user back, as one who is not displaced; an unconfirmed one has all its time again to
 * come back in. False when already there, or when the table or the server is full.
 */
export function restoreUser (view: TableView, user: LastingUser, server: number): boolean {
  const isServerLimited = isLimitedAt(view, server)
  if (isServerLimited && !lockAdmission(view, server)) return false
  const isRestored = hasRoom(view, server) && addSaved(view, user, server)
  if (isServerLimited) unlockAdmission(view)
  return isRestored
}

function addSaved (view: TableView, user: LastingUser, server: number): boolean {
  const { client, address, isConfirmed, firstSeenAgoMs, lastSeenAgoMs } = user
  const seen = isConfirmed ? SEEN_CONFIRMED : SEEN_AGAIN
  const nowMs = view.now()
  const added = addUser(view, {
    client,
    address,
    commit: withSeen(withActive(freshCommit(client), server), seen),
    reservedUntilMs: 0,
    firstSeenS: wrappedSeconds(nowMs - firstSeenAgoMs),
    lastSeenMs: wrappedMs(isConfirmed ? nowMs - lastSeenAgoMs : nowMs)
  })
  return typeof added === 'number'
}

const copies = new WeakMap<TableView, Int32Array>()

/**
 * Up to SLOTS_PER_HOLD slots of the shard at `at`, from a slot on. The words are the view's own
 * copy, good until its next one: a new one each time would be 60 MB of garbage per million users.
 */
export function copySlots (
  view: TableView, at: number, from: number
): { words: Int32Array, highWater: number } | Busy {
  let copy = copies.get(view)
  if (copy === undefined) {
    copy = new Int32Array(SLOTS_PER_HOLD * SLOT_WORDS)
    copies.set(view, copy)
  }
  if (!lockShard(view, at)) return 'busy'
  const highWater = view.words[at + SHARD_HIGH_WATER]!
  const to = Math.max(from, Math.min(highWater, from + SLOTS_PER_HOLD))
  copy.set(view.words.subarray(slotAt(view.layout, at, from), slotAt(view.layout, at, to)))
  unlockShard(view, at)
  return { words: copy.subarray(0, (to - from) * SLOT_WORDS), highWater }
}

/** The user in the slot that starts at `here` of copied words. */
export function decodeUser (words: Int32Array, here: number, nowMs: number): User {
  const commit = words[here]!
  const active = commitActive(commit)
  const reserved = commitReserved(commit)
  const firstSeenAgoS = wrappedAge(wrappedSeconds(nowMs), words[here + SLOT_FIRST_SEEN_S]!)
  // With the part of a second that has passed, so that the moment is the same whenever one looks.
  const firstSeenAgoMs = firstSeenAgoS * 1000 + Math.floor(nowMs) % 1000
  return {
    client: clientOfSlot({ words }, here),
    address: addressOfSlot(words, here),
    server: active === NO_SERVER ? undefined : active,
    reservedServer: reserved === NO_SERVER ? undefined : reserved,
    isConfirmed: commitSeen(commit) === SEEN_CONFIRMED,
    isLeaving: (commit & COMMIT_LEAVING) !== 0,
    firstSeenAgoMs: Math.max(0, firstSeenAgoMs),
    lastSeenAgoMs: Math.max(0, wrappedAge(wrappedMs(nowMs), words[here + SLOT_LAST_SEEN_MS]!))
  }
}
