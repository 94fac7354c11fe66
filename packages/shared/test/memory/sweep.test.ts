import t from 'tap'
import {
  addressNumber, clientNumber, HOME, removedByWalk, reserveFor, testTable, type TestTable
} from './test-table.ts'

function sweep (cluster: TestTable, silentForMs: number): number {
  return removedByWalk(cluster, (shard, slot) => cluster.table.sweepShard(shard, silentForMs, slot))
}

t.test('sweep: removes a user silent for longer than the threshold, not one as long', async t => {
  const cluster = testTable()
  cluster.table.touch(clientNumber(1), 2, HOME)
  cluster.clock.nowMs += 1000
  t.equal(sweep(cluster, 1000), 0)
  cluster.clock.nowMs += 1
  t.equal(sweep(cluster, 1000), 1)
  t.equal(cluster.table.size(), 0)
})

t.test('sweep: says who was removed, and from where', async t => {
  const cluster = testTable({ users: 16 })
  cluster.table.touch(clientNumber(7), 2, HOME)
  cluster.clock.nowMs += 5000
  t.same(cluster.table.sweepShard(0, 1000), {
    removed: [{ client: clientNumber(7), server: 2 }], nextSlot: undefined
  })
})

t.test('sweep: removes thousands in several holds and leaves the others', async t => {
  const cluster = testTable({ users: 4096 })
  for (let i = 0; i < 3000; i++) cluster.table.touch(clientNumber(i), 0, addressNumber(i))
  cluster.clock.nowMs += 2000
  for (let i = 0; i < 3000; i += 3) cluster.table.touch(clientNumber(i), 0, addressNumber(i))
  t.equal(sweep(cluster, 1000), 2000)
  t.equal(cluster.table.activeUsers(0), 1000)
  t.same(cluster.table.check(), [])
})

t.test('sweep: one step removes 256 at most and says where to go on', async t => {
  const cluster = testTable({ users: 65_536 })
  for (let i = 0; i < 32_768; i++) cluster.table.touch(clientNumber(i), 0, addressNumber(i))
  cluster.clock.nowMs += 2000
  const step = cluster.table.sweepShard(0, 1000)
  if (step === 'busy') return t.fail('busy')
  t.equal(step.removed.length, 256)
  t.ok(step.nextSlot! >= 256)
  t.equal(sweep(cluster, 1000), 32_768 - 256)
  t.equal(cluster.table.size(), 0)
})

t.test('sweep: ends a reservation that the queue missed, and keeps the active user', async t => {
  const cluster = testTable({ servers: 2 })
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.table.touch(clientNumber(2), 0, HOME)
  reserveFor(cluster, clientNumber(1), { ttlMs: 50 })
  reserveFor(cluster, clientNumber(3), { ttlMs: 50 })
  cluster.clock.nowMs += 50
  t.equal(sweep(cluster, 1000), 0)
  t.same([...cluster.table.loads()], [2, 0])
})

t.test('sweep: a silent user with a place elsewhere keeps the place', async t => {
  const cluster = testTable({ servers: 2 })
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.table.touch(clientNumber(2), 0, HOME)
  reserveFor(cluster, clientNumber(1), { ttlMs: 60_000 })
  cluster.clock.nowMs += 2000
  cluster.table.touch(clientNumber(2), 0, HOME)
  t.equal(sweep(cluster, 1000), 1)
  t.same([...cluster.table.loads()], [1, 1])
  t.same([...cluster.table.activeUsersPerServer()], [1, 0])
})

t.test('sweep: a clock past 2^32 ms neither removes nor keeps anybody wrongly', async t => {
  const cluster = testTable({ nowMs: 2 ** 32 - 500 })
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.clock.nowMs += 1000
  t.equal(sweep(cluster, 1000), 0)
  cluster.clock.nowMs += 1
  t.equal(sweep(cluster, 1000), 1)
})

t.test('sweep: a thread with a clock a moment behind removes nobody', async t => {
  const cluster = testTable()
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.clock.nowMs -= 1
  t.equal(sweep(cluster, 1000), 0)
})
