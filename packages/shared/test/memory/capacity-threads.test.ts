/**
 * Capacities with real threads that come, leave, move and die, beside a main thread that reserves:
 * no reading ever shows more than there are places.
 */
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { POLICIES } from '@usher/shared/balancing/policies.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { isLong } from '../length.ts'
import { bundleWorker } from './crash-run.ts'
import type { CapacityWorkerData } from './fixtures/capacity-worker-data.ts'
import { addressNumber, clientNumber, limit, randomWords, TIMES } from './test-table.ts'

const SERVERS = 3
const CLIENTS = 60
const CAPACITY = 10
const THREADS = 3
/** Enough for several shards. */
const USERS = 1024
const OPERATIONS = isLong ? 10_000_000 : 300_000
const KILLS = isLong ? 60 : 8
const RETURN_GRACE_MS = 5

t.test('capacity: threads that compete for the last places, and die, never give too many', async t => {
  const memory = allocateTable(USERS, SERVERS, TIMES, randomWords(11))
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now: monotonicNowMs
  })
  limit(table, Array(SERVERS).fill(CAPACITY), RETURN_GRACE_MS)
  const file = bundleWorker(t.testdir(), 'capacity-worker')
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const random = randomWords(12)
  const servers = Array.from({ length: SERVERS }, (_, index) => ({ index, weight: 1 }))
  const choose = POLICIES['fewest-users'].make(servers, () => true)
  let nextTag = MAIN_THREAD_TAG + 1
  const threads = await Promise.all(Array.from({ length: THREADS }, start))

  let [readings, full, refused, kills, most] = [0, 0, 0, 0, 0]
  while (Atomics.load(signal, 0) < OPERATIONS || kills < KILLS) {
    for (let round = 0; round < 100; round++) {
      place()
      read()
    }
    for (let shard = 0; shard < table.shardCount; shard++) {
      table.endDue(shard)
      table.sweepShard(shard, 1e9)
    }
    const isTime = Atomics.load(signal, 0) >= OPERATIONS / KILLS * (kills + 1)
    if (isTime && kills < KILLS) await replaceOne()
    await setImmediate()
  }
  await Promise.all(threads.map(({ worker }) => worker.terminate()))
  for (const { tag } of threads) table.recover(tag)
  t.same(table.check(), [])
  t.ok(most <= CAPACITY, `at most ${most} at a server`)
  t.equal(most, CAPACITY, 'and the last places were given')
  t.ok(full > 0, `${full} of ${readings} readings showed a full server`)
  t.ok(refused > 0, `${refused} found all full`)
  t.comment(`${Atomics.load(signal, 0)} operations, ${kills} kills, ${readings} readings`)

  function place (): void {
    const number = (random() >>> 0) % CLIENTS
    const reservation = table.reserve({
      client: clientNumber(number),
      address: addressNumber(number),
      isReturning: (random() & 1) === 0,
      untilMs: monotonicNowMs() + 5,
      choose
    })
    if (reservation.kind === 'unavailable') refused++
  }

  function read (): void {
    const { active, reserved } = table.usersPerServer()
    readings++
    for (const [server, users] of active.entries()) {
      const all = users + reserved[server]!
      most = Math.max(most, all)
      if (all >= CAPACITY) full++
    }
  }

  async function replaceOne (): Promise<void> {
    const victim = threads.shift()!
    await victim.worker.terminate()
    table.recover(victim.tag)
    threads.push(await start())
    kills++
  }

  async function start (): Promise<{ readonly worker: Worker, readonly tag: number }> {
    const tag = nextTag++
    const data: CapacityWorkerData = {
      memory,
      signal: signal.buffer as SharedArrayBuffer,
      threadTag: tag,
      seed: random(),
      clients: CLIENTS,
      servers: SERVERS
    }
    const worker = new Worker(file, { workerData: data, execArgv: [] })
    await new Promise(resolve => { worker.once('message', resolve) })
    return { worker, tag }
  }
})
