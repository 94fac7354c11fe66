/** Visits every slot of the user table, shard by shard, without keeping visitors waiting. */
import { inTimeSlices } from '@usher/shared/time-slices.ts'

/** The longest that a walk blocks the main thread's event loop at a time. */
const SLICE_MS = 2

/**
 * @param step does a part of a shard from a slot on and returns the slot where it stopped, or
 * undefined when it is done with that shard
 * @param now monotonic milliseconds
 */
export async function walkTable (
  shardCount: number, now: () => number,
  step: (shard: number, fromSlot: number) => Promise<number | undefined> | number | undefined
): Promise<void> {
  let shard = 0
  let slot = 0
  const goOnAt = (next: number | undefined): boolean => {
    slot = next ?? 0
    if (next === undefined) shard++
    return shard === shardCount
  }
  await inTimeSlices(() => {
    const next = step(shard, slot)
    return next instanceof Promise ? next.then(goOnAt) : goOnAt(next)
  }, { sliceMs: SLICE_MS, now })
}
