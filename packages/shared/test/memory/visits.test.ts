import t from 'tap'
import { clientOfAddress } from '@usher/shared/client.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
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

t.test('visits: a refresh keeps and moves who is here, and brings nobody in', async t => {
  const { table } = testTable()
  t.equal(table.refresh(ANA, 0, HOME), 'unknown')
  t.equal(table.refresh(clientOfAddress(HOME), 0, HOME), 'unknown')
  t.equal(table.size(), 0)
  table.touch(ANA, 0, HOME)
  t.equal(table.refresh(ANA, 0, HOME), 'seen')
  t.equal(table.refresh(ANA, 2, HOME), 'moved')
  table.remove(ANA)
  t.equal(table.refresh(ANA, 2, HOME), 'unknown', 'whoever was removed stays away')
  t.equal(table.size(), 0)
})

t.test('visits: a refresh is the arrival at a place that is held', async t => {
  const given = testTable()
  const made = reserveFor(given, ANA)
  t.match(made, { kind: 'reserved', server: 0 })
  t.equal(given.table.refresh(ANA, 0, HOME), 'arrived')
  t.same([...given.table.usersPerServer().reserved], [0, 0, 0])
})

t.test('visits: a refresh with the id that an address was given takes its entry over', async t => {
  const { table } = testTable()
  table.touch(clientOfAddress(HOME), 1, HOME)
  t.equal(table.refresh(ANA, 1, HOME, { isOwn: false }), 'unknown', 'anybody can write an id')
  t.equal(table.refresh(ANA, 1, HOME), 'seen')
  t.equal(table.size(), 1)
  t.same(table.find(clientOfAddress(HOME)), undefined)
  t.same(table.check(), [])
})

t.test('visits: an id that is not proved to be one\'s own writes no address, and takes no entry', async t => {
  const given = testTable()
  const { table } = given
  table.touch(ANA, 0, HOME)
  reserveFor(given, BEN)
  table.touch(clientOfAddress(addressNumber(9)), 0, addressNumber(9))
  for (const client of [ANA, BEN]) {
    table.refresh(client, 0, addressNumber(9), { isOwn: false })
    t.match(table.find(client), { server: 0, address: HOME })
  }
  t.match(table.find(clientOfAddress(addressNumber(9))), { server: 0 })
  t.equal(table.touch(clientNumber(3), 0, addressNumber(9), { isOwn: false }), 'arrived')
  t.match(table.find(clientNumber(3)), { address: addressNumber(9) }, 'whoever comes in has one')
  t.equal(table.size(), 4)
  t.same(table.check(), [])
})

t.test('visits: a touch in place is a touch where the visitor is active, and nothing else', async t => {
  const test = testTable()
  const { table, clock } = test
  const asked: number[] = []
  const mayStay = (server: number): boolean => {
    asked.push(server)
    return server !== 2
  }
  const touchInPlace = (client = ANA): unknown =>
    table.touchInPlace(client, addressNumber(5), mayStay)
  t.equal(touchInPlace(), NO_SERVER, 'not in the table')
  t.equal(table.size(), 0)
  table.touch(ANA, 1, HOME)
  clock.nowMs += 5000
  t.equal(touchInPlace(), 1)
  t.match(table.find(ANA),
    { server: 1, lastSeenAgoMs: 0, address: addressNumber(5), isConfirmed: true })
  clock.nowMs += 5000
  reserveFor(test, ANA)
  t.equal(touchInPlace(), NO_SERVER, 'on the move')
  table.touch(BEN, 2, HOME)
  clock.nowMs += 5000
  t.equal(touchInPlace(BEN), NO_SERVER, 'may not stay')
  t.match(table.find(BEN), { server: 2, lastSeenAgoMs: 5000, address: HOME })
  t.strictSame(asked, [1, 2], 'and is asked only of where the visitor is')
  t.same(table.check(), [])
})

t.test('visits: a touch in place leaves what stands under the address to a whole touch', async t => {
  const test = testTable()
  const { table } = test
  reserveFor(test, ANA)
  table.touch(clientOfAddress(HOME), 1, HOME)
  t.equal(table.touchInPlace(ANA, HOME, () => true), NO_SERVER)
  t.equal(table.touch(ANA, 0, HOME), 'arrived')
  t.equal(table.touchInPlace(ANA, HOME, () => true), 0)
  t.equal(table.size(), 1)
})
