/**
 * What becomes of the place of one who has left: at a server with a capacity it is held for a
 * while, as a reservation, so that nobody loses it by a reload. Any thread.
 */
import { isLimitedAt } from './capacity.ts'
import {
  COMMIT_LEAVING, COMMIT_PAGES, NO_SERVER, SLOT_LAST_SEEN_MS, SLOT_RESERVED_UNTIL_MS, TABLE,
  commitActive, commitReserved, withActive, withReserved
} from './layout.ts'
import { commitSlot, endActivity } from './shard.ts'
import { slotAt, type TableView } from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/**
 * Takes a user who left at LAST_SEEN_MS off its server. The place is held until RETURN_GRACE_MS
 * after that, unless one is reserved for it anyway. The lock is held.
 * @param commit of the slot, but for how far the user is known
 */
export function endVisit (view: TableView, at: number, slot: number, commit: number): void {
  const { words } = view
  const here = slotAt(view.layout, at, slot)
  const server = commitActive(commit)
  const until = (words[here + SLOT_LAST_SEEN_MS]! + words[TABLE.RETURN_GRACE_MS]!) | 0
  const isHeld = isLimitedAt(view, server) && commitReserved(commit) === NO_SERVER &&
    wrappedAge(until, wrappedMs(view.now())) > 0
  if (!isHeld) return endActivity(view, at, slot, commit)
  // Before the commit word: a place is never held with another's deadline.
  words[here + SLOT_RESERVED_UNTIL_MS] = until
  const left = (commit & ~COMMIT_PAGES) | COMMIT_LEAVING
  commitSlot(view, at, slot, withReserved(withActive(left, NO_SERVER), server))
}
