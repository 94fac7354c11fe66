import t from 'tap'
import { SHARD_LOCK } from '@usher/shared/memory/layout.ts'
import { ownerWord } from '@usher/shared/memory/lock.ts'
import { shardAt, WORKER_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import {
  clientNumber, HOME, removedByWalk, reserveFor, testTable, type TestTable
} from './test-table.ts'

/** As another thread has it: what it changes is not known to the first one at once. */
function otherThread ({ memory, clock }: TestTable): UserTable {
  return new UserTable(memory, {
    threadTag: 2, patience: WORKER_PATIENCE, now: () => clock.nowMs
  })
}

t.test('known loads: what this thread changes is known at once, whatever it is', async t => {
  const cluster = testTable()
  const { table, clock } = cluster
  const known = (): number[] => [...table.knownLoads().values]
  const holds = (what: string, loads: number[]): void => {
    t.same(known(), loads, what)
    t.same([...table.loads()], loads)
  }
  holds('nobody', [0, 0, 0])
  for (let i = 0; i < 4; i++) reserveFor(cluster, clientNumber(i), { ttlMs: 10 })
  holds('places', [2, 1, 1])
  table.touch(clientNumber(1), 1, HOME)
  table.touch(clientNumber(9), 2, HOME)
  holds('arrivals', [2, 1, 2])
  table.touch(clientNumber(9), 0, HOME)
  holds('a move', [3, 1, 1])
  table.leave(clientNumber(9), 0)
  holds('a leave', [2, 1, 1])
  table.remove(clientNumber(1))
  holds('a removal', [2, 0, 1])
  clock.nowMs += 11
  removedByWalk(cluster, (shard, slot) => table.sweepShard(shard, 60_000, slot))
  holds('a sweep', [0, 0, 0])
})

t.test('known loads: what another thread changes is known a millisecond later', async t => {
  const cluster = testTable()
  const { table, clock } = cluster
  const other = otherThread(cluster)
  table.knownLoads()
  for (let i = 0; i < 6; i++) other.touch(clientNumber(i), 0, HOME)
  t.match(reserveFor(cluster, clientNumber(10)), { server: 0 }, 'not yet')
  t.same([...table.knownLoads().values], [1, 0, 0])
  clock.nowMs += 1
  t.same([...table.knownLoads().values], [7, 0, 0])
  t.match(reserveFor(cluster, clientNumber(11)), { server: 1 })
})

t.test('known loads: a death and a state of a server make them anew at once', async t => {
  const cluster = testTable({ users: 64 })
  const { table, view } = cluster
  const other = otherThread(cluster)
  const { reading } = table.knownLoads()
  other.touch(clientNumber(1), 1, HOME)
  view.words[shardAt(view.layout, 0) + SHARD_LOCK] = ownerWord(2)
  table.recover(2)
  t.same([...table.knownLoads().values], [0, 1, 0])
  other.touch(clientNumber(2), 2, HOME)
  table.setServerState(0, 'up')
  const known = table.knownLoads()
  t.same([...known.values], [0, 1, 1])
  t.equal(known.reading, reading + 2, 'which those who follow them see')
})

t.test('known loads: changes are told in order, and not without end', async t => {
  const cluster = testTable({ users: 20_000 })
  const { table } = cluster
  const before = table.knownLoads()
  const { reading } = before
  for (let i = 0; i < 3; i++) table.touch(clientNumber(i), i, HOME)
  table.leave(clientNumber(1), 1)
  t.same(table.knownLoads().changes, [0, 1, 2, 1])
  for (let i = 0; i < 10_000; i++) table.touch(clientNumber(10 + i), 0, HOME)
  t.ok(before.changes.length < 5000, 'they are not kept without end')
  const known = table.knownLoads()
  t.equal(known.reading, reading + 1)
  t.same(known.changes, [])
  t.same([...known.values], [...table.loads()])
})
