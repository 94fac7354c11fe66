/**
 * Ends users whose own time is over: unconfirmed ones who have not come back, those whose page has
 * left and who have not been seen since, and places held for a return. Looks without a lock at one
 * word for each run of slots; only a run with a user who is due is locked. Main thread.
 */
import { earlierEnd, endOfSlot, endWordAt } from './ends.ts'
import {
  COMMIT_LEAVING, END, NO_END, SHARD_HIGH_WATER, commitActive, commitHasEnd, commitReturns
} from './layout.ts'
import type { RemovedUser } from './removal.ts'
import { endVisit } from './returns.ts'
import { clientOfSlot, endActivity, removeSlot } from './shard.ts'
import { lockShard, shardAt, slotAt, unlockShard, type Busy, type TableView } from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

export interface EndedUser extends RemovedUser {
  /** A page of theirs said so; or they never came back. */
  readonly hasLeft: boolean
}

export interface EndStep {
  readonly removed: readonly EndedUser[]
  /** Where to go on in this shard; undefined at its end. */
  readonly nextSlot: number | undefined
}

/** What nearly every step comes to, many times a second. */
const NOBODY_DUE: EndStep = { removed: [], nextSlot: undefined }

/**
 * Ends the users who are due in one shard, from a slot on, for one hold of its lock at most: the
 * caller may give way to its loop between two steps. Busy: come back at the next pass.
 */
export function endDue (view: TableView, shard: number, fromSlot: number): EndStep | Busy {
  const at = shardAt(view.layout, shard)
  const runs = Math.ceil(Atomics.load(view.words, at + SHARD_HIGH_WATER) / END.SLOTS)
  const run = nextDueRun(view, at, Math.floor(fromSlot / END.SLOTS), runs)
  if (run === runs) return NOBODY_DUE
  if (!lockShard(view, at)) return 'busy'
  const removed = endInRun(view, at, run)
  unlockShard(view, at)
  const next = nextDueRun(view, at, run + 1, runs)
  return { removed, nextSlot: next === runs ? undefined : next * END.SLOTS }
}

/** A reading without the lock. */
function nextDueRun (view: TableView, at: number, from: number, runs: number): number {
  const now = wrappedMs(view.now())
  let run = from
  while (run < runs) {
    const noted = Atomics.load(view.words, endWordAt(view, at, run))
    if (noted !== NO_END && isOver(noted, now)) return run
    run++
  }
  return run
}

function endInRun (view: TableView, at: number, run: number): EndedUser[] {
  const { words, layout } = view
  const now = wrappedMs(view.now())
  const to = Math.min((run + 1) * END.SLOTS, words[at + SHARD_HIGH_WATER]!)
  const removed: EndedUser[] = []
  let first: number = NO_END
  for (let slot = run * END.SLOTS; slot < to; slot++) {
    const here = slotAt(layout, at, slot)
    const commit = words[here]!
    if (!commitHasEnd(commit)) continue
    if (isOver(endOfSlot(view, here, commit), now)) {
      // The place that was held for one who has not returned: who left is told already.
      if (commitReturns(commit)) removeSlot(view, at, slot)
      else removed.push(endUser(view, at, slot, commit))
    }
    const left = words[here]!
    if (commitHasEnd(left)) first = earlierEnd(first, endOfSlot(view, here, left))
  }
  // After the last removal: a death in between leaves it too early, and the run is seen again.
  Atomics.store(words, endWordAt(view, at, run), first)
  return removed
}

function endUser (view: TableView, at: number, slot: number, commit: number): EndedUser {
  const here = slotAt(view.layout, at, slot)
  const client = clientOfSlot(view, here)
  const hasLeft = (commit & COMMIT_LEAVING) !== 0
  if (hasLeft) endVisit(view, at, slot, commit)
  else endActivity(view, at, slot, commit)
  return { client, server: commitActive(commit), hasLeft }
}

/** Times are cut to whole milliseconds: with one more, no user ends before their time. */
function isOver (end: number, now: number): boolean {
  return wrappedAge(now, end) > 0
}
