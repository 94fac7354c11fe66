/**
 * What a visitor's request does to the user table: touch and refresh; leaves.ts has the leave. Any
 * thread, mostly a server's.
 */
import { clientOfAddress, type Address, type Client } from '../client.ts'
import { admit } from './admission.ts'
import { adoptAddressEntry } from './adoption.ts'
import {
  hasRoom, isLimited, isLimitedAt, lockAdmission, needsPlace, unlockAdmission
} from './capacity.ts'
import {
  COMMIT_BEATS, COMMIT_LEAVING, COMMIT_OPENED, COMMIT_REPLACES, CONFIRM_MS, NO_SERVER, NO_SLOT,
  SEEN_AGAIN, SEEN_CONFIRMED, SEEN_NEVER, SEEN_ONCE, SLOT_LAST_SEEN_MS, commitActive,
  commitIsIp, commitLoad, commitReserved, commitReturns, commitSeen, withActive, withReserved,
  withSeen
} from './layout.ts'
import { removeUser } from './removal.ts'
import { findAddressEntry, finishReplacement } from './replacement.ts'
import {
  addressOfSlot, commitSlot, findSlot, freshCommit, isReservedOnly, removeSlot,
  writeAddress
} from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type TableView
} from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/**
 * arrived: new here, or came to the place that was reserved. seen: was active here already.
 * moved: was active on another server. full: no user may be evicted; address-full: the table is
 * nearly full and the address has reached its quota; uncounted: its network has had its newcomers;
 * network: the same where a server has a capacity. In these cases the client is not in the table.
 * server-full: the server has no place left for it, and it is where it was, if anywhere.
 */
export type TouchOutcome =
  'arrived' | 'seen' | 'moved' | 'full' | 'address-full' | 'uncounted' | 'network' | 'server-full'

/** As TouchOutcome. unknown: is not in the table, and was not added. */
export type RefreshOutcome = TouchOutcome | 'unknown'

export interface VisitOptions {
  /** What came: a page that a person opens, a beat of a page's script, or, left out, neither. */
  readonly sign?: 'page' | 'beat'
  /**
   * False when the client is named by an id that its browser has not proved to be its own: the
   * address last seen from stays, and the entry under the address is not taken over.
   */
  readonly isOwn?: boolean
  /** Of a refresh: the visitor is there still, whichever page has left. A touch always says so. */
  readonly isStay?: boolean
}

/** VisitOptions and what else tells one visit from another, as bits: a touch makes no object. */
const OF_PAGE = 1
const OF_BEAT = 1 << 1
const IS_OWN = 1 << 2
/** A client that is not in the table comes in. */
const ADDS = 1 << 3
/** No entry under its address is there on its account any more. */
const IS_ALONE = 1 << 4
/** The server's admission lock is held: its places are this thread's to give. */
const ADMITS = 1 << 5
/** A leave is taken back by it. */
const STAYS = 1 << 6

/** So long after a page left, a beat by POST may be its first. RETURN_MS of the script is more. */
const LATE_MS = 100

/** For an entry without a reservation: its deadline is never looked at. */
const NO_DEADLINE_MS = 0

/** A request of this client has reached the server: it is active there from now on. */
export function touch (
  view: TableView, client: Client, server: number, address: Address, options?: VisitOptions
): TouchOutcome | Busy {
  return visit(view, client, server, address, bitsOf(options) | ADDS | STAYS) as TouchOutcome | Busy
}

/**
 * As touch, but adds no user: only a client who is in the table, under its id or its address, is
 * touched; not one whom another thread has just removed. Of one whose page has left it may be a
 * late request, however long after: unknown, unless a page is opened or `isStay` says so.
 */
export function refresh (
  view: TableView, client: Client, server: number, address: Address, options?: VisitOptions
): RefreshOutcome | Busy {
  return visit(view, client, server, address, bitsOf(options))
}

/**
 * As touch, where the client is active already, if it may stay there and is not on the move; else
 * nothing is done. The server, or NO_SERVER.
 * @param mayStay asked under a lock: computes only
 */
export function touchInPlace (
  view: TableView, client: Client, address: Address, mayStay: (server: number) => boolean,
  options?: VisitOptions
): number | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  const commit = slot === NO_SLOT ? 0 : view.words[slotAt(view.layout, at, slot)]!
  const server = slot === NO_SLOT ? NO_SERVER : commitActive(commit)
  const how = bitsOf(options)
  const isInPlace = server !== NO_SERVER && commitReserved(commit) === NO_SERVER &&
    !mayHaveAddressEntry(commit, how) && mayStay(server)
  if (isInPlace && !isOfPageThatLeft(view, at, slot, server, how)) {
    noteVisit(view, at, slot, server, address, how)
  }
  unlockShard(view, at)
  return isInPlace ? server : NO_SERVER
}

/**
 * As touch, of a client that shows the id under which a place here was reserved for it: one that
 * keeps no cookie. That place is given up for the client's own. unknown: there is no such place,
 * and nothing was done.
 */
export function touchForPlace (
  view: TableView, holder: Client, client: Client, server: number, address: Address,
  options?: VisitOptions
): RefreshOutcome | Busy {
  if (!lockAdmission(view, server)) return 'busy'
  const given = giveUpPlace(view, holder, server)
  const outcome = given === true
    ? visit(view, client, server, address, bitsOf(options) | ADDS | STAYS | ADMITS)
    : given === 'busy' ? 'busy' : 'unknown'
  unlockAdmission(view)
  return outcome
}

/** Ends the reservation of one who has not arrived here yet; one who has keeps the place. */
function giveUpPlace (view: TableView, holder: Client, server: number): boolean | Busy {
  const hash = hashOf(view, holder)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, holder, hash)
  const commit = slot === NO_SLOT ? 0 : view.words[slotAt(view.layout, at, slot)]!
  const isItsOwn = isReservedOnly(commit) && commitReserved(commit) === server &&
    !commitReturns(commit)
  if (isItsOwn) removeSlot(view, at, slot)
  unlockShard(view, at)
  return isItsOwn
}

function bitsOf (options: VisitOptions | undefined): number {
  if (options === undefined) return IS_OWN
  const { sign, isOwn, isStay } = options
  return (isOwn === false ? 0 : IS_OWN) | (isStay === true ? STAYS : 0) |
    (sign === undefined ? 0 : sign === 'page' ? OF_PAGE : OF_BEAT)
}

function visit (
  view: TableView, client: Client, server: number, address: Address, how: number
): RefreshOutcome | Busy {
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  if (slot === NO_SLOT) {
    unlockShard(view, at)
    return admitVisitor(view, client, server, address, how)
  }
  const here = slotAt(view.layout, at, slot)
  const before = view.words[here]!
  if (isOfPageThatLeft(view, at, slot, server, how)) {
    unlockShard(view, at)
    return (how & STAYS) !== 0 ? 'seen' : 'unknown'
  }
  if (needsPlace(view, before, server)) {
    const isAdmitted = (how & ADMITS) !== 0
    if (!isAdmitted || !hasRoom(view, server)) {
      unlockShard(view, at)
      return isAdmitted ? 'server-full' : visitLimited(view, client, server, address, how)
    }
  }
  if ((how & IS_ALONE) === 0 && mayHaveAddressEntry(before, how)) {
    const predecessor = isReplacing(before) ? addressOfSlot(view.words, here) : address
    unlockShard(view, at)
    // Before the visit is noted: should this thread die now, the next request does it again.
    const ended = isReplacing(before)
      ? finishReplacement(view, client, predecessor)
      : removeUser(view, clientOfAddress(predecessor))
    return ended === 'busy' ? 'busy' : visit(view, client, server, address, how | IS_ALONE)
  }
  noteVisit(view, at, slot, server, address, how)
  unlockShard(view, at)

  const activeBefore = commitActive(before)
  if (activeBefore === server) return 'seen'
  return activeBefore === NO_SERVER ? 'arrived' : 'moved'
}

/** Of one who has no place there, at a server with a capacity. */
function visitLimited (
  view: TableView, client: Client, server: number, address: Address, how: number
): RefreshOutcome | Busy {
  if (!lockAdmission(view, server)) return 'busy'
  const outcome = visit(view, client, server, address, how | ADMITS)
  unlockAdmission(view)
  return outcome
}

function admitVisitor (
  view: TableView, client: Client, server: number, address: Address, how: number
): RefreshOutcome | Busy {
  const isAdmitted = (how & ADMITS) !== 0
  let replaced = (how & IS_OWN) !== 0 ? findAddressEntry(view, client, address) : undefined
  if (replaced === 'busy') return 'busy'
  const isLimitedEntry = replaced !== undefined && isLimitedAt(view, commitLoad(replaced.commit))
  // Then it has come in this moment, and is counted by itself.
  if (isLimitedEntry && isAdmitted) replaced = undefined
  const isLeaving = replaced !== undefined && (replaced.commit & COMMIT_LEAVING) !== 0
  if (isLeaving && (how & (OF_PAGE | STAYS)) === 0) return 'unknown'
  if (replaced === undefined && (how & ADDS) === 0) return 'unknown'
  if (isLimitedEntry && !isAdmitted) {
    const adopted = adoptAddressEntry(view, client, address, SEEN_ONCE)
    return adopted === 'busy' ? 'busy' : visit(view, client, server, address, how)
  }
  if (isLimitedAt(view, server)) {
    if (!isAdmitted) return visitLimited(view, client, server, address, how)
    if (!hasRoom(view, server)) return 'server-full'
  }
  const seen = replaced === undefined
    ? SEEN_ONCE
    : seenOnceMore(SEEN_ONCE, replaced.lastSeenMs, wrappedMs(view.now()))
  const commit = withSign(withSeen(withActive(freshCommit(client), server), seen), how)
  const newcomer = { client, address, commit, replaced, reservedUntilMs: NO_DEADLINE_MS }
  const admitted = admit(view, newcomer)
  if (admitted === 'present') return visit(view, client, server, address, how)
  if (admitted === 'uncounted' && isLimited(view)) return 'network'
  if (typeof admitted === 'string') return admitted
  if (replaced === undefined) return 'arrived'
  finishReplacement(view, client, address)
  return commitActive(replaced.commit) === server ? 'seen' : 'moved'
}

/** Of one with an id: whether an entry under its address could still be there on its account. */
function mayHaveAddressEntry (commit: number, how: number): boolean {
  if (commitIsIp(commit)) return false
  return isReplacing(commit) || ((how & IS_OWN) !== 0 && commitSeen(commit) === SEEN_NEVER)
}

function isReplacing (commit: number): boolean {
  return (commit & COMMIT_REPLACES) !== 0
}

/** Marks a user as seen at this server; arriving at the reserved one ends the reservation. */
function noteVisit (
  view: TableView, at: number, slot: number, server: number, address: Address, how: number
): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const now = wrappedMs(view.now())
  const before = words[here]!
  const seen = seenOnceMore(commitSeen(before), words[here + SLOT_LAST_SEEN_MS]!, now)
  // Before the commit word, which may say that the user is confirmed, and the time its last one.
  if (seen !== SEEN_AGAIN) words[here + SLOT_LAST_SEEN_MS] = now
  let commit = withSign(withActive(withSeen(before, seen) & ~COMMIT_LEAVING, server), how)
  // Who comes back elsewhere needs the place no more.
  if (commitReserved(before) === server || commitReturns(before)) {
    commit = withReserved(commit, NO_SERVER)
  }
  if (commit !== before) commitSlot(view, at, slot, commit)
  if ((how & IS_OWN) !== 0) writeAddress(view, at, slot, address)
}

/**
 * Whether the request may be one that the page which left had sent before: on a connection of its
 * own, it can be read any time after the leave. What only keeps who is here then keeps nobody, and
 * an open page of the visitor, which is told that they are unknown, says by POST that they stay.
 * Once the visit has ended, whoever comes in has come anew, though the place is held still.
 */
function isOfPageThatLeft (
  view: TableView, at: number, slot: number, server: number, how: number
): boolean {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const commit = words[here]!
  if ((commit & COMMIT_LEAVING) === 0 || (how & OF_PAGE) !== 0) return false
  if ((how & STAYS) === 0) return true
  return commitActive(commit) === server &&
    wrappedAge(wrappedMs(view.now()), words[here + SLOT_LAST_SEEN_MS]!) < LATE_MS
}

function withSign (commit: number, how: number): number {
  if ((how & OF_BEAT) !== 0) return (commit | COMMIT_BEATS) & ~COMMIT_OPENED
  return (how & OF_PAGE) !== 0 && (commit & COMMIT_BEATS) !== 0 ? commit | COMMIT_OPENED : commit
}

/** How far known after one more request; `lastSeenMs` as the slot holds it. */
export function seenOnceMore (seen: number, lastSeenMs: number, now: number): number {
  if (seen === SEEN_NEVER) return SEEN_ONCE
  if (seen === SEEN_CONFIRMED || wrappedAge(now, lastSeenMs) >= CONFIRM_MS) return SEEN_CONFIRMED
  return SEEN_AGAIN
}
