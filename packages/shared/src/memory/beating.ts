/**
 * Whose pages beat: how many active users of each server have been seen lately among those with an
 * open page that beats. For a hint only: plain reads without any lock, so that a user who moves or
 * comes in the meantime may be missed. Any thread.
 */
import {
  COMMIT_BEATS, NO_SERVER, SHARD_HIGH_WATER, SLOT_LAST_SEEN_MS, commitActive
} from './layout.ts'
import { shardAt, slotAt, type TableView } from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/**
 * Adds those of one of `shardCount` shards.
 * @param withinMs by index of the server
 * @param counts by index of the server
 */
export function addBeating (
  view: TableView, shard: number, withinMs: readonly number[], counts: Int32Array
): void {
  const { words, layout } = view
  const at = shardAt(layout, shard)
  const now = wrappedMs(view.now())
  for (let slot = 0; slot < words[at + SHARD_HIGH_WATER]!; slot++) {
    const here = slotAt(layout, at, slot)
    const commit = words[here]!
    if ((commit & COMMIT_BEATS) === 0) continue
    const server = commitActive(commit)
    if (server === NO_SERVER) continue
    if (wrappedAge(now, words[here + SLOT_LAST_SEEN_MS]!) < withinMs[server]!) counts[server]!++
  }
}
