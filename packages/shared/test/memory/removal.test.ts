import t from 'tap'
import { clientOfAddress, type Address, type Client } from '@usher/shared/client.ts'
import { NO_SERVER, SHARD_LOCK } from '@usher/shared/memory/layout.ts'
import { shardAt } from '@usher/shared/memory/table-view.ts'
import {
  addressNumber, clientNumber, HOME, removedByWalk, reserveFor, testTable, type TestTable
} from './test-table.ts'

function removeAll (
  cluster: TestTable, isMatch: (client: Client, address: Address) => boolean
): number {
  return removedByWalk(cluster, (shard, slot) => cluster.table.removeMatching(shard, slot, isMatch))
}

t.test('removal: a user goes from wherever they are, with the place that was held', async t => {
  const cluster = testTable()
  const { table } = cluster
  table.touch(clientNumber(1), 2, HOME)
  reserveFor(cluster, clientNumber(1))
  reserveFor(cluster, clientNumber(2))
  table.touch(clientOfAddress(HOME), 0, HOME)
  for (const client of [clientNumber(1), clientNumber(2), clientOfAddress(HOME)]) {
    t.equal(table.remove(client), true)
    t.equal(table.remove(client), false, 'not twice')
  }
  t.same([...table.loads()], [0, 0, 0])
  t.same([...table.usersPerServer().reserved], [0, 0, 0])
  t.equal(table.size(), 0)
  t.same(table.check(), [])
})

t.test('removal: an id and an address of equal bits are two clients', async t => {
  const { table } = testTable()
  const address = clientOfAddress(HOME)
  table.touch(address, 0, HOME)
  t.equal(table.remove({ ...address, kind: 'id' }), false)
  t.equal(table.size(), 1)
})

t.test('removal: all who match go, by client or by the address last seen from', async t => {
  const cluster = testTable({ users: 8192 })
  const { table } = cluster
  for (let i = 0; i < 6000; i++) table.touch(clientNumber(i), i % 3, addressNumber(i % 100))
  t.equal(removeAll(cluster, (_client, address) => address.w1 === addressNumber(7).w1), 60)
  t.equal(removeAll(cluster, (_client, address) => address.w1 === addressNumber(7).w1), 0)
  t.equal(removeAll(cluster, client => client.w0 % 2 === 0), 3000)
  t.equal(table.size(), 2940)
  t.same(table.check(), [])
})

t.test('removal: one step asks about 64 users at most, and says who went', async t => {
  const { table } = testTable({ users: 65_536 })
  for (let i = 0; i < 65_536; i++) table.touch(clientNumber(i), 1, addressNumber(i))
  let asked = 0
  const none = table.removeMatching(0, 0, () => {
    asked++
    return false
  })
  t.match(none, { removed: [], nextSlot: 64 })
  t.equal(asked, 64)
  const step = table.removeMatching(0, 0, () => true)
  if (step === 'busy') return t.fail('busy')
  t.equal(step.removed.length, 64)
  t.equal(step.nextSlot, 64)
  t.equal(step.removed[0]!.server, 1)
})

t.test('removal: nothing is asked under the lock about a user who is as the scan saw', async t => {
  const { table, view } = testTable({ users: 16 })
  const lock = shardAt(view.layout, 0) + SHARD_LOCK
  for (let i = 0; i < 3; i++) table.touch(clientNumber(i), 1, addressNumber(i))
  const held: number[] = []
  table.removeMatching(0, 0, () => {
    held.push(view.words[lock]!)
    return true
  })
  t.same(held, [0, 0, 0])
  t.equal(table.size(), 0)
})

t.test('removal: who took a slot between the scan and the lock is asked about anew', async t => {
  const check = (isNextWanted: boolean, left: number): void => {
    const { table } = testTable({ users: 16 })
    table.touch(clientNumber(1), 1, addressNumber(1))
    const step = table.removeMatching(0, 0, client => {
      if (client.w0 !== 1) return isNextWanted
      table.leave(clientNumber(1), 1)
      table.touch(clientNumber(2), 2, addressNumber(2))
      return true
    })
    if (step === 'busy') throw new Error('busy')
    t.equal(table.size(), left)
    t.same(step.removed, isNextWanted ? [{ client: clientNumber(2), server: 2 }] : [])
    t.same(table.check(), [])
  }
  check(true, 0)
  check(false, 1)
})

t.test('removal: who left between the scan and the lock is not removed again', async t => {
  const { table } = testTable({ users: 16 })
  table.touch(clientNumber(1), 1, HOME)
  t.same(table.removeMatching(0, 0, () => table.leave(clientNumber(1), 1) === true), {
    removed: [], nextSlot: undefined
  })
  t.same(table.check(), [])
})

t.test('removal: a place that is only held belongs to no server', async t => {
  const cluster = testTable({ users: 16 })
  reserveFor(cluster, clientNumber(1))
  t.match(cluster.table.removeMatching(0, 0, () => true), {
    removed: [{ server: NO_SERVER }], nextSlot: undefined
  })
})
