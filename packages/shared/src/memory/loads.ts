/** Sums of the shards' counters, for each server: readings without any lock. Any thread. */
import type { Loads } from '../balancing/tournament.ts'
import { KnownLoads } from './known-loads.ts'
import { COUNTER_LOAD, COUNTER_PLACES, SERVER, TABLE } from './layout.ts'
import { counterAt } from './shard.ts'
import { serverAt, shardAt, type TableView } from './table-view.ts'

/** The loads to choose by; see known-loads.ts. Main thread only. */
export function knownLoads (view: TableView): Loads {
  const loads = view.loads ??= new KnownLoads(
    view.layout.serverRoom, sums => { sumCounters(view, COUNTER_LOAD, sums) },
    {
      isAny: () => view.words[TABLE.LIMITED] !== 0,
      capacityOf: server => view.words[serverAt(view.layout, server) + SERVER.CAPACITY]!,
      read: sums => { sumCounters(view, COUNTER_PLACES, sums) }
    },
    view.now
  )
  loads.refresh()
  return loads
}

/**
 * Sums one counter of each server that there is over all shards. Plain reads: an aligned word is
 * never half of one, there is no order among shards to keep, and Atomics.load costs four times as
 * much.
 */
export function sumCounters (
  { words, layout }: TableView, counter: number, sums: Int32Array
): Int32Array {
  const serverCount = words[TABLE.SERVER_COUNT]!
  sums.fill(0)
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = counterAt(layout, shardAt(layout, shard), 0, counter)
    for (let server = 0; server < serverCount; server++) sums[server]! += words[at + server]!
  }
  return sums
}

/** Of one server. */
export function sumCounter ({ words, layout }: TableView, server: number, counter: number): number {
  let sum = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    sum += words[counterAt(layout, shardAt(layout, shard), server, counter)]!
  }
  return sum
}
