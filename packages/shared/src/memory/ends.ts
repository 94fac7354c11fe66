/**
 * When users end who have a time of their own: unconfirmed ones, those whose page has said that it
 * leaves, and those whose place is held for their return. Each run of slots carries a word that
 * says when its first end may be due. Writers lower it before they store a commit word; only a look
 * at the whole run, under the shard's lock, raises it (end-sweep.ts). So a pass several times a
 * second looks only at runs in which a user is about to end, in a table of any size. Any thread.
 */
import {
  COMMIT_LEAVING, END, NO_END, SEEN_CONFIRMED, SLOT_LAST_SEEN_MS, SLOT_RESERVED_UNTIL_MS, TABLE,
  commitHasEnd, commitReturns, commitSeen
} from './layout.ts'
import { slotAt, type TableView } from './table-view.ts'
import { wrappedAge } from './wrapped-time.ts'

/** Lowers the word of the slot's run to this end; `end` as endOfSlot says it. The lock is held. */
export function noteEnd (view: TableView, at: number, slot: number, end: number): void {
  const word = endWordAt(view, at, Math.floor(slot / END.SLOTS))
  const noted = view.words[word]!
  const earlier = earlierEnd(noted, end)
  if (earlier !== noted) Atomics.store(view.words, word, earlier)
}

/** The end of a user with this commit word, in the time of LAST_SEEN_MS. */
export function endOfSlot ({ words }: TableView, here: number, commit: number): number {
  if (commitReturns(commit)) return words[here + SLOT_RESERVED_UNTIL_MS]!
  const grace = words[TABLE.LEAVE_GRACE_MS]!
  const unconfirmed = words[TABLE.UNCONFIRMED_MS]!
  const isLeaving = (commit & COMMIT_LEAVING) !== 0
  const isConfirmed = commitSeen(commit) === SEEN_CONFIRMED
  const stays = !isLeaving ? unconfirmed : isConfirmed ? grace : Math.min(grace, unconfirmed)
  return (words[here + SLOT_LAST_SEEN_MS]! + stays) | 0
}

/** The earlier one, in a form that is not taken for none. */
export function earlierEnd (noted: number, end: number): number {
  if (noted !== NO_END && wrappedAge(end, noted) >= 0) return noted
  return end === NO_END ? NO_END - 1 : end
}

export function endWordAt ({ layout }: TableView, at: number, run: number): number {
  return at + layout.endsAt + run
}

/** For each run of the shard at `at` below `highWater`, the word as its slots give it. */
export function endsOf (view: TableView, at: number, highWater: number): Int32Array {
  const ends = new Int32Array(view.layout.bucketsAt - view.layout.endsAt).fill(NO_END)
  for (let slot = 0; slot < highWater; slot++) {
    const here = slotAt(view.layout, at, slot)
    const commit = view.words[here]!
    if (!commitHasEnd(commit)) continue
    const run = Math.floor(slot / END.SLOTS)
    ends[run] = earlierEnd(ends[run]!, endOfSlot(view, here, commit))
  }
  return ends
}
