/** How a visitor leaves a server: at once, or after a grace. Any thread, mostly a server's. */
import type { Client } from '../client.ts'
import { isLimitedAt } from './capacity.ts'
import {
  COMMIT_BEATS, COMMIT_LEAVING, COMMIT_OPENED, NO_SLOT, SLOT_LAST_SEEN_MS, TABLE, commitActive,
  commitSeen, withSeen
} from './layout.ts'
import { endVisit } from './returns.ts'
import { commitSlot, endActivity, findSlot } from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type TableView
} from './table-view.ts'
import { seenOnceMore } from './visits.ts'
import { wrappedMs } from './wrapped-time.ts'

/**
 * The client leaves this server: at once, or when LEAVE_GRACE_MS are over and it has not been seen
 * by then. False when it was not active here, which changes nothing. At a server with a capacity
 * its place is then held for RETURN_GRACE_MS from the leave.
 * @param hasGrace a page says so
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
  else if (isHere) leaveNow(view, at, slot, commit)
  unlockShard(view, at)
  return isHere
}

function leaveNow (view: TableView, at: number, slot: number, commit: number): void {
  if (!isLimitedAt(view, commitActive(commit))) endActivity(view, at, slot, commit)
  else endVisit(view, at, slot, seenLeaving(view, at, slot))
}

/**
 * From when the grace counts is LAST_SEEN_MS; a leave brings the id back as any request does. A
 * page that has sent beats, and from which a link was followed, leaves after the next page's
 * request: then that page is open, and may be one without the script, of which nothing more comes.
 */
function markLeaving (view: TableView, at: number, slot: number): void {
  const commit = view.words[slotAt(view.layout, at, slot)]!
  if ((commit & COMMIT_OPENED) !== 0) {
    commitSlot(view, at, slot, commit & ~(COMMIT_BEATS | COMMIT_OPENED))
    return
  }
  if ((commit & COMMIT_LEAVING) !== 0) return
  commitSlot(view, at, slot, seenLeaving(view, at, slot) | COMMIT_LEAVING)
}

/** Notes the time of a leave. @returns the commit word with how far the user is known by it */
function seenLeaving (view: TableView, at: number, slot: number): number {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const commit = words[here]!
  const now = wrappedMs(view.now())
  const seen = seenOnceMore(commitSeen(commit), words[here + SLOT_LAST_SEEN_MS]!, now)
  // Written before the commit word: a leave never stands with an earlier request's time.
  words[here + SLOT_LAST_SEEN_MS] = now
  return withSeen(commit, seen)
}
