/** Builders for tests of the user table: a small table, a clock that a test moves, clients. */
import type { Choice, ChoiceRequest, Choose } from '@usher/shared/balancing/policies.ts'
import { parseAddress, type Address, type Client } from '@usher/shared/client.ts'
import { NO_SERVER, SLOT_WORDS } from '@usher/shared/memory/layout.ts'
import type { NewcomerSettings } from '@usher/shared/memory/newcomers.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, viewTable, type TableMemory,
  type TableTimes, type TableView
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'

export interface TestTable {
  readonly table: UserTable
  readonly view: TableView
  readonly memory: TableMemory
  /** The clock of the table; a test moves it. */
  readonly clock: { nowMs: number }
}

/** As the settings have them. */
export const TIMES: TableTimes = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }

export function testTable ({
  users = 1024, servers = 3, times = TIMES, nowMs = 1_000_000, seed = 1,
  onStep = undefined as ((step: string) => void) | undefined,
  newcomers = undefined as NewcomerSettings | undefined,
  /** Of each server; 0 for none. */
  capacities = [] as readonly number[], returnGraceMs = 20_000
} = {}): TestTable {
  const memory = allocateTable(users, servers, times, randomWords(seed))
  const clock = { nowMs }
  const options = {
    threadTag: MAIN_THREAD_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: () => clock.nowMs,
    onStep,
    ...(newcomers !== undefined && { newcomers })
  }
  const table = new UserTable(memory, options)
  limit(table, capacities, returnGraceMs)
  return { table, view: viewTable(memory, options), memory, clock }
}

/** Sets the capacities as a reload does; 0 for none. */
export function limit (
  table: UserTable, capacities: readonly number[], returnGraceMs = 20_000
): void {
  const limits = capacities.map(capacity =>
    ({ capacity: capacity === 0 ? undefined : capacity, weight: 1 }))
  table.setLimits(limits, returnGraceMs)
}

/** A repeatable source of words (xorshift32). */
export function randomWords (seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state | 0
  }
}

export function clientNumber (number: number): Client {
  return { kind: 'id', w0: number | 0, w1: 0x40008000, w2: 7, w3: number ^ 0x5bd1e995 }
}

export const HOME: Address = parseAddress('192.0.2.1')!

/** Each in a /48 of its own. */
export function addressNumber (number: number): Address {
  return { w0: 0x20010db8 + (number >>> 16), w1: number << 16, w2: 0, w3: 1 }
}

/** The words of a user's slot, as the table itself writes them. */
export function slotWords (client: Client, address: Address): Int32Array {
  const { table, view } = testTable({ users: 16 })
  table.touch(client, 0, address)
  const here = view.layout.shardsAt + view.layout.slotsAt
  return view.words.slice(here, here + SLOT_WORDS)
}

/** Users removed by a walk over all shards, by a step as `sweepShard` and `removeMatching` are. */
export function removedByWalk (
  { table }: TestTable,
  step: (shard: number, slot: number) =>
    { readonly removed: readonly unknown[], readonly nextSlot: number | undefined } | 'busy'
): number {
  let removed = 0
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const done = step(shard, slot)
      if (done === 'busy') throw new Error('busy')
      removed += done.removed.length
      slot = done.nextSlot
    }
  }
  return removed
}

export function chooseLowest ({ loads, current }: ChoiceRequest): Choice {
  const others = [...loads.values].map((load, server) => server === current ? load - 1 : load)
  return lowestOf(others, current)
}

/** The lowest load; the visitor's own server on a tie, then the lowest index. */
export function lowestOf (loads: readonly number[], current: number): Choice {
  const lowest = Math.min(...loads)
  const isStaying = current !== NO_SERVER && loads[current] === lowest
  return { server: isStaying ? current : loads.indexOf(lowest), because: 'lowest' }
}

export function chooseServer (server: number): Choose {
  return () => ({ server, because: 'told to' })
}

export function reserveFor (
  { table, clock }: TestTable, client: Client,
  { ttlMs = 10_000, address = HOME, isReturning = false } = {}
): ReturnType<UserTable['reserve']> {
  return table.reserve({
    client, address, isReturning, untilMs: clock.nowMs + ttlMs, choose: chooseLowest
  })
}
