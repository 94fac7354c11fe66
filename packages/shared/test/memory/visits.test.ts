import t from 'tap'
import { clientOfAddress } from '@usher/shared/client.ts'
import { addressNumber, clientNumber, HOME, reserveFor, testTable } from './test-table.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)

t.test('visits: a visitor arrives once, is seen again, moves, and counts once', async t => {
  const { table } = testTable()
  t.equal(table.touch(ANA, 0, HOME), 'arrived')
  t.equal(table.touch(ANA, 0, HOME), 'seen')
  t.equal(table.touch(ANA, 2, HOME), 'moved')
  t.same([...table.loads()], [0, 0, 1])
  t.equal(table.size(), 1)
})

t.test('visits: a leave counts at once, and twice is once', async t => {
  const { table } = testTable()
  table.touch(ANA, 1, HOME)
  table.touch(BEN, 1, HOME)
  t.equal(table.leave(ANA, 1), true)
  t.equal(table.leave(ANA, 1), false)
  t.equal(table.leave(clientNumber(3), 1), false)
  t.same([...table.activeUsersPerServer()], [0, 1, 0])
  t.same(table.check(), [])
})

t.test('visits: a leave from the page before does not end the visit after a move', async t => {
  const { table } = testTable()
  table.touch(ANA, 0, HOME)
  table.touch(ANA, 1, HOME)
  t.equal(table.leave(ANA, 0), false)
  t.same([...table.loads()], [0, 1, 0])
})

t.test('visits: a heartbeat revives a user who left', async t => {
  const { table } = testTable()
  table.touch(ANA, 0, HOME)
  table.leave(ANA, 0)
  t.equal(table.touch(ANA, 0, HOME), 'arrived')
  t.equal(table.activeUsers(0), 1)
})

t.test('visits: the first id from an address replaces the entry under the address', async t => {
  const { table } = testTable()
  table.touch(clientOfAddress(HOME), 1, HOME)
  t.equal(table.touch(ANA, 1, HOME), 'seen', 'the same visitor, now with an id')
  t.equal(table.size(), 1)
  t.equal(table.touch(BEN, 1, HOME), 'arrived', 'a second id is a second visitor')
  t.same([...table.loads()], [0, 2, 0])
})

t.test('visits: an id that is known already leaves the entry under its address alone', async t => {
  const { table } = testTable()
  table.touch(ANA, 0, HOME)
  table.touch(clientOfAddress(HOME), 1, HOME)
  table.touch(ANA, 0, HOME)
  t.same([...table.loads()], [1, 1, 0])
})

t.test('visits: the entry under an address gives way to a reserved id that arrives', async t => {
  const cluster = testTable()
  cluster.table.touch(clientOfAddress(HOME), 0, HOME)
  const made = reserveFor(cluster, ANA)
  t.match(made, { kind: 'reserved', server: 1 })
  t.equal(cluster.table.touch(ANA, 1, HOME), 'arrived')
  t.same([...cluster.table.loads()], [0, 1, 0])
  t.same(cluster.table.check(), [])
})

t.test('visits: a UUID and an address of the same bits are two clients', async t => {
  const { table } = testTable()
  const address = addressNumber(5)
  table.touch(clientOfAddress(address), 0, address)
  table.touch({ ...clientOfAddress(address), kind: 'id' }, 0, HOME)
  t.equal(table.size(), 2)
})

t.test('visits: the replacement of an address entry fits a full table exactly', async t => {
  const { table } = testTable({ users: 16 })
  for (let i = 0; i < 15; i++) {
    table.touch(clientNumber(100 + i), 0, addressNumber(i))
    table.touch(clientNumber(100 + i), 0, addressNumber(i))
  }
  table.touch(clientOfAddress(HOME), 1, HOME)
  table.touch(clientOfAddress(HOME), 1, HOME)
  t.equal(table.size(), 16)
  t.equal(table.touch(ANA, 1, HOME), 'seen')
  t.equal(table.size(), 16)
  t.equal(table.touch(BEN, 1, HOME), 'full')
  t.same(table.check(), [])
})
