/**
 * What a visitor's request does to the user table: touch and leave. Any thread, mostly a server's.
 */
import { clientOfAddress, type Address, type Client } from '../client.ts'
import { admit } from './admission.ts'
import {
  COMMIT_LEAVING, COMMIT_REPLACES, CONFIRM_MS, NO_SERVER, NO_SLOT, SEEN, SLOT, TABLE, commitActive,
  commitIsIp, commitReserved, commitSeen, withActive, withReserved, withSeen
} from './layout.ts'
import { removeUser } from './removal.ts'
import { findAddressEntry, finishReplacement } from './replacement.ts'
import {
  addressOfSlot, commitSlot, endActivity, findSlot, freshCommit, writeAddress
} from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type TableView
} from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/**
 * arrived: new here, or came to the place that was reserved. seen: was active here already.
 * moved: was active on another server. full: no user may be evicted; address-full: the table is
 * nearly full and the address has reached its quota; uncounted: its network has had its newcomers.
 * In these cases the client is not in the table.
 */
export type TouchOutcome = 'arrived' | 'seen' | 'moved' | 'full' | 'address-full' | 'uncounted'

/** For an entry without a reservation: its deadline is never looked at. */
const NO_DEADLINE_MS = 0

/**
 * A request of this client has reached the server: it is active there from now on.
 * @param isAlone no entry under its address is there on its account any more
 */
export function touch (
  view: TableView, client: Client, server: number, address: Address, isAlone = false
): TouchOutcome | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  if (slot === NO_SLOT) {
    unlockShard(view, at)
    return admitVisitor(view, client, server, address)
  }
  const here = slotAt(view.layout, at, slot)
  const before = view.words[here]!
  if (!isAlone && mayHaveAddressEntry(before)) {
    const predecessor = isReplacing(before) ? addressOfSlot(view.words, here) : address
    unlockShard(view, at)
    // Before the visit is noted: should this thread die now, the next request does it again.
    const ended = isReplacing(before)
      ? finishReplacement(view, client, predecessor)
      : removeUser(view, clientOfAddress(predecessor))
    if (ended === 'busy') return 'busy'
    return touch(view, client, server, address, true)
  }
  refresh(view, at, slot, server, address)
  unlockShard(view, at)

  const activeBefore = commitActive(before)
  if (activeBefore === server) return 'seen'
  return activeBefore === NO_SERVER ? 'arrived' : 'moved'
}

/**
 * The client leaves this server: at once, or when LEAVE_GRACE_MS are over and it has not been seen
 * by then. False when it was not active here, which changes nothing.
 */
export function leave (
  view: TableView, client: Client, server: number, hasGrace: boolean
): boolean | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  const commit = slot === NO_SLOT ? 0 : view.words[slotAt(view.layout, at, slot)]!
  const isHere = commit !== 0 && commitActive(commit) === server
  if (isHere && hasGrace && view.words[TABLE.LEAVE_GRACE_MS] !== 0) markLeaving(view, at, slot)
  else if (isHere) endActivity(view, at, slot, commit)
  unlockShard(view, at)
  return isHere
}

/** From when the grace counts is LAST_SEEN_MS; a leave brings the id back as any request does. */
function markLeaving (view: TableView, at: number, slot: number): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const commit = words[here]!
  if ((commit & COMMIT_LEAVING) !== 0) return
  const now = wrappedMs(view.now())
  const seen = seenOnceMore(commitSeen(commit), words[here + SLOT.LAST_SEEN_MS]!, now)
  // Written before the commit word: a leave never stands with an earlier request's time.
  words[here + SLOT.LAST_SEEN_MS] = now
  commitSlot(view, at, slot, withSeen(commit, seen) | COMMIT_LEAVING)
}

function admitVisitor (
  view: TableView, client: Client, server: number, address: Address
): TouchOutcome | Busy {
  const replaced = findAddressEntry(view, client, address)
  if (replaced === 'busy') return 'busy'
  const seen = replaced === undefined
    ? SEEN.once
    : seenOnceMore(SEEN.once, replaced.lastSeenMs, wrappedMs(view.now()))
  const commit = withSeen(withActive(freshCommit(client), server), seen)
  const newcomer = { client, address, commit, replaced, reservedUntilMs: NO_DEADLINE_MS }
  const admitted = admit(view, newcomer)
  if (admitted === 'present') return touch(view, client, server, address)
  if (admitted !== 'added') return admitted
  if (replaced === undefined) return 'arrived'
  finishReplacement(view, client, address)
  return commitActive(replaced.commit) === server ? 'seen' : 'moved'
}

/** Of one with an id: whether an entry under its address could still be there on its account. */
function mayHaveAddressEntry (commit: number): boolean {
  return !commitIsIp(commit) && (commitSeen(commit) === SEEN.never || isReplacing(commit))
}

function isReplacing (commit: number): boolean {
  return (commit & COMMIT_REPLACES) !== 0
}

/** Marks a user as seen at this server; arriving at the reserved one ends the reservation. */
function refresh (
  view: TableView, at: number, slot: number, server: number, address: Address
): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const now = wrappedMs(view.now())
  const before = words[here]!
  const seen = seenOnceMore(commitSeen(before), words[here + SLOT.LAST_SEEN_MS]!, now)
  // Before the commit word, which may say that the user is confirmed, and the time its last one.
  if (seen !== SEEN.again) words[here + SLOT.LAST_SEEN_MS] = now
  let commit = withActive(withSeen(before, seen) & ~COMMIT_LEAVING, server)
  if (commitReserved(before) === server) commit = withReserved(commit, NO_SERVER)
  if (commit !== before) commitSlot(view, at, slot, commit)
  writeAddress(view, at, slot, address)
}

/** The SEEN after one more request; `lastSeenMs` as the slot holds it. */
function seenOnceMore (seen: number, lastSeenMs: number, now: number): number {
  if (seen === SEEN.never) return SEEN.once
  if (seen === SEEN.confirmed || wrappedAge(now, lastSeenMs) >= CONFIRM_MS) return SEEN.confirmed
  return SEEN.again
}
