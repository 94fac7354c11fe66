/**
 * Real threads that touch and leave without pause, while this one searches the table and removes
 * users from it, over and over. Says how much was done and what was wrong.
 */
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { formatClient } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { retryWhileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG
} from '@usher/shared/memory/table-view.ts'
import type { SearchResult } from '@usher/shared/memory/user-search.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { bundleWorker } from './crash-run.ts'
import type { TableWorkerData } from './fixtures/table-worker-data.ts'
import { clientNumber, HOME, randomWords, TIMES } from './test-table.ts'

export interface SearchRun {
  readonly operations: number
  readonly violations: readonly string[]
  /** Users who are left when everybody was removed and the threads are gone. */
  readonly left: number
}

const THREADS = 2
const CLIENTS_PER_THREAD = 100
const SERVERS = 3
/** Room for all: nobody is displaced. */
const USERS = 1024
/** These stay all the time: every search finds each of them once. */
const STAYING = { from: 10_000, to: 10_150 }
/** These are put in and removed again in every round. */
const REMOVED = { from: 20_000, to: 20_100 }
/** Their ids, and nobody else's, begin with this: see clientNumber. */
const STAYING_PREFIX = '000027'
const TRIES_MAX = 1_000_000

export async function searchRun (
  dir: string, rounds: number, operationsMin: number
): Promise<SearchRun> {
  const memory = allocateTable(USERS, SERVERS, TIMES, randomWords(3))
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now: monotonicNowMs
  })
  const signal = new Int32Array(new SharedArrayBuffer(12))
  const violations: string[] = []
  await touchAll(table, STAYING)
  const file = bundleWorker(dir)
  const workers = Array.from({ length: THREADS }, (_, index) =>
    startWorker(file, memory, signal, index))

  let tries = 0
  for (let round = 0; round < rounds || Atomics.load(signal, 1) < operationsMin; round++) {
    if (++tries > TRIES_MAX) throw new Error('the threads do nothing')
    await checkSearch(table, violations)
    await checkRemoval(table, violations)
    // Also one of the threads' own, at any moment of theirs.
    await untilFree(() => table.remove(clientNumber(round % (THREADS * CLIENTS_PER_THREAD))))
  }

  const operations = Atomics.load(signal, 1)
  await Promise.all(workers.map(worker => worker.terminate()))
  for (let index = 0; index < THREADS; index++) table.recover(tagOf(index))
  violations.push(...table.check())
  await removeAll(table, () => true)
  violations.push(...table.check())
  return { operations, violations, left: table.size() }
}

/** Every user who stays is found once, while others come and go. */
async function checkSearch (table: UserTable, violations: string[]): Promise<void> {
  for (const sort of ['place', 'last_seen'] as const) {
    const { users, matched } = await search(table, STAYING_PREFIX, sort)
    const names = new Set(users.map(({ client }) => formatClient(client)))
    const count = STAYING.to - STAYING.from
    if (names.size !== count || users.length !== count || matched !== count) {
      violations.push(`${sort}: ${matched} matched, ${users.length} listed, ${names.size} different`)
    }
  }
  const { users } = await search(table, undefined, 'place')
  if (new Set(users.map(({ client }) => formatClient(client))).size !== users.length) {
    violations.push('somebody is listed twice')
  }
}

async function search (
  table: UserTable, prefix: string | undefined, sort: 'place' | 'last_seen'
): Promise<SearchResult> {
  const walk = table.search({ server: undefined, prefix, sort, cursor: undefined, limit: USERS })
  let tries = 0
  while (!walk.step()) {
    if (++tries > TRIES_MAX) throw new Error('no end')
    await setImmediate()
  }
  return walk.result()
}

async function checkRemoval (table: UserTable, violations: string[]): Promise<void> {
  await touchAll(table, REMOVED)
  const removed = await removeAll(table, number => number >= REMOVED.from && number < REMOVED.to)
  if (removed !== REMOVED.to - REMOVED.from) violations.push(`${removed} removed`)
}

async function touchAll (table: UserTable, { from, to }: typeof STAYING): Promise<void> {
  for (let number = from; number < to; number++) {
    await untilFree(() => table.touch(clientNumber(number), number % SERVERS, HOME))
  }
}

async function removeAll (
  table: UserTable, isWanted: (number: number) => boolean
): Promise<number> {
  let removed = 0
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const from: number = slot
      const step = await untilFree(() =>
        table.removeMatching(shard, from, ({ w0 }) => isWanted(w0)))
      removed += step.removed.length
      slot = step.nextSlot
    }
  }
  return removed
}

async function untilFree<T> (operation: () => T | 'busy'): Promise<T> {
  const outcome = await retryWhileBusy(operation)
  if (outcome === 'busy') throw new Error('busy for ever')
  return outcome
}

function startWorker (
  file: string, memory: TableWorkerData['memory'], signal: Int32Array, index: number
): Worker {
  const workerData: TableWorkerData = {
    memory,
    ledger: new SharedArrayBuffer(THREADS * CLIENTS_PER_THREAD * 4),
    signal: signal.buffer as SharedArrayBuffer,
    threadTag: tagOf(index),
    seed: index + 1,
    clients: { from: index * CLIENTS_PER_THREAD, to: (index + 1) * CLIENTS_PER_THREAD },
    servers: SERVERS,
    death: 'none',
    dieAtStep: 0
  }
  return new Worker(file, { workerData, execArgv: [] })
}

function tagOf (index: number): number {
  return MAIN_THREAD_TAG + 1 + index
}
