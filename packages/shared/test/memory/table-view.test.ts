import t from 'tap'
import { SHARD_LOCK, TABLE } from '@usher/shared/memory/layout.ts'
import { ownerWord } from '@usher/shared/memory/lock.ts'
import {
  allocateTable, lockShard, MAIN_THREAD_PATIENCE, shardAt, unlockShard, viewTable, WORKER_PATIENCE
} from '@usher/shared/memory/table-view.ts'
import { wrappedAge, wrappedMs } from '@usher/shared/memory/wrapped-time.ts'
import { testTable, TIMES } from './test-table.ts'

t.test('table view: refuses sizes that no table has', async t => {
  for (const [users, servers] of [[15, 3], [4_194_305, 3], [64, 0], [64, 257]] as const) {
    t.throws(() => allocateTable(users, servers, TIMES, () => 1), RangeError)
  }
})

t.test('table view: refuses a table of another layout', async t => {
  const { memory } = testTable()
  new Int32Array(memory.buffer)[TABLE.VERSION] = 999
  const options = { threadTag: 2, patience: MAIN_THREAD_PATIENCE, now: () => 0 }
  t.throws(() => viewTable(memory, options), /another layout: 999/)
})

t.test('table view: a worker that waits in vain for a shard throws, the main thread goes on', async t => {
  const { memory, view } = testTable()
  const at = shardAt(view.layout, 0)
  view.words[at + SHARD_LOCK] = ownerWord(7)
  t.equal(lockShard(view, at), false)
  const patience = { waitMs: 2, thenThrow: true }
  const worker = viewTable(memory, { threadTag: 2, patience, now: () => 0 })
  t.throws(() => lockShard(worker, at), { code: 'USHER_TABLE_STUCK' })
})

t.test('table view: who left a section without an unlock waits for no shard any more', async t => {
  const { memory, view: main } = testTable()
  const [first, second] = [0, 1].map(shard => shardAt(main.layout, shard)) as [number, number]
  const steps: string[] = []
  const worker = viewTable(memory, {
    threadTag: 2,
    patience: WORKER_PATIENCE,
    now: () => 0,
    onStep: step => { steps.push(step) },
    onLockWaited: () => { t.fail('waited') }
  })
  lockShard(worker, first)
  for (const at of [first, second]) {
    t.throws(() => lockShard(worker, at), { code: 'USHER_TABLE_STUCK' })
  }
  t.same(steps, ['CS'], 'and enters none')
  t.equal(main.words[second + SHARD_LOCK], 0)
  unlockShard(worker, first)
  t.ok(lockShard(worker, second), 'a section that ends leaves nothing behind')
})

t.test('table view: tells of waits for a shard', async t => {
  const { memory } = testTable()
  const waits: number[] = []
  const view = viewTable(memory, {
    threadTag: 2,
    patience: { waitMs: 3, thenThrow: false },
    now: () => 0,
    onLockWaited: ms => { waits.push(ms) }
  })
  const at = shardAt(view.layout, 0)
  lockShard(view, at)
  unlockShard(view, at)
  t.same(waits, [], 'none when it is free')
  view.words[at + SHARD_LOCK] = ownerWord(7)
  lockShard(view, at)
  t.equal(waits.length, 1)
  t.ok(waits[0]! >= 3)
})

t.test('table view: an age is right across the wrap of the clock, and may be negative', async t => {
  t.equal(wrappedAge(wrappedMs(2 ** 32 + 5), wrappedMs(2 ** 32 - 5)), 10)
  t.equal(wrappedAge(wrappedMs(2 ** 31 + 5), wrappedMs(2 ** 31 - 5)), 10)
  t.equal(wrappedAge(wrappedMs(999), wrappedMs(1000)), -1)
})
