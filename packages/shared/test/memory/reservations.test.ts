import t from 'tap'
import { clientOfAddress } from '@usher/shared/client.ts'
import {
  addressNumber, chooseServer, clientNumber, HOME, reserveFor, testTable
} from './test-table.ts'

const ANA = clientNumber(1)

t.test('reservations: one visitor after another takes the servers in turn', async t => {
  const cluster = testTable()
  const servers = Array.from({ length: 7 }, (_, i) => reserveFor(cluster, clientNumber(i)))
  t.same(servers.map(reservation => reservation.kind === 'reserved' && reservation.server),
    [0, 1, 2, 0, 1, 2, 0])
  t.same([...cluster.table.loads()], [3, 2, 2])
  t.same([...cluster.table.activeUsersPerServer()], [0, 0, 0], 'nobody has arrived')
})

t.test('reservations: 300 at once never make loads differ by more than 1', async t => {
  const cluster = testTable()
  for (let i = 0; i < 300; i++) {
    reserveFor(cluster, clientNumber(i))
    const loads = [...cluster.table.loads()]
    t.ok(Math.max(...loads) - Math.min(...loads) <= 1, loads.join(' '))
  }
  t.same([...cluster.table.loads()], [100, 100, 100])
})

t.test('reservations: 300 active users who all reload stay spread', async t => {
  const cluster = testTable()
  for (let i = 0; i < 300; i++) cluster.table.touch(clientNumber(i), i % 3, HOME)
  for (let i = 0; i < 300; i++) {
    const reservation = reserveFor(cluster, clientNumber(i))
    t.match(reservation, { kind: 'reserved', server: i % 3 }, 'back to their own server on a tie')
  }
  t.same([...cluster.table.loads()], [100, 100, 100], 'each counts once')
})

t.test('reservations: a user on the move counts once, at the reserved server', async t => {
  const cluster = testTable({ servers: 2 })
  const { table } = cluster
  for (let i = 0; i < 3; i++) table.touch(clientNumber(10 + i), 0, HOME)
  t.match(reserveFor(cluster, clientNumber(10)), { kind: 'reserved', server: 1 })
  t.same([...table.loads()], [2, 1])
  t.same([...table.activeUsersPerServer()], [3, 0], 'active until the arrival')
  t.equal(table.touch(clientNumber(10), 0, HOME), 'seen', 'a beat of the old page keeps the place')
  t.same([...table.loads()], [2, 1])
  t.equal(table.touch(clientNumber(10), 1, HOME), 'moved')
  t.same([...table.loads()], [2, 1])
  t.same([...table.usersPerServer().reserved], [0, 0])
  t.same(table.check(), [])
})

t.test('reservations: an unclaimed place ends when due and not a millisecond before', async t => {
  const cluster = testTable()
  reserveFor(cluster, ANA)
  const confirmed = cluster.table.confirm(ANA, 0, cluster.clock.nowMs + 10_000)
  if (confirmed.kind !== 'held') return t.fail(confirmed.kind)
  cluster.clock.nowMs += 9_999
  t.equal(cluster.table.expireReservation(confirmed.place), false)
  t.same([...cluster.table.loads()], [1, 0, 0])
  cluster.clock.nowMs += 1
  t.equal(cluster.table.expireReservation(confirmed.place), true)
  t.same([...cluster.table.loads()], [0, 0, 0])
  t.equal(cluster.table.size(), 0)
})

t.test('reservations: the place of a newcomer, a user, and an id that replaces an address', async t => {
  const cluster = testTable()
  const { table, clock } = cluster
  const [NEWCOMER, REPLACING] = [clientNumber(2), clientNumber(3)]
  table.touch(ANA, 0, HOME)
  table.touch(clientOfAddress(addressNumber(3)), 0, addressNumber(3))
  for (const [client, address] of [
    [ANA, HOME], [NEWCOMER, HOME], [REPLACING, addressNumber(3)]
  ] as const) {
    const reserved = table.reserve({
      client, address, isReturning: true, untilMs: clock.nowMs + 10, choose: chooseServer(1)
    })
    if (reserved.kind !== 'reserved') return t.fail(reserved.kind)
    t.match(table.find(client), { reservedServer: 1 })
    t.equal(table.expireReservation(reserved.place), false, 'not yet')
    clock.nowMs += 10
    t.equal(table.expireReservation(reserved.place), true)
    t.notMatch(table.find(client), { reservedServer: 1 }, 'it was theirs')
  }
  t.same(table.check(), [])
})

t.test('reservations: a moving user whose place ends counts where they were', async t => {
  const cluster = testTable({ servers: 2 })
  cluster.table.touch(ANA, 0, HOME)
  cluster.table.touch(clientNumber(2), 0, HOME)
  t.match(reserveFor(cluster, ANA), { kind: 'reserved', server: 1 })
  const confirmed = cluster.table.confirm(ANA, 1, cluster.clock.nowMs + 10)
  if (confirmed.kind !== 'held') return t.fail(confirmed.kind)
  cluster.clock.nowMs += 10
  cluster.table.expireReservation(confirmed.place)
  t.same([...cluster.table.loads()], [2, 0])
})

t.test('reservations: confirming again moves the deadline, and arrival ends it', async t => {
  const cluster = testTable()
  reserveFor(cluster, ANA)
  const first = cluster.table.confirm(ANA, 0, cluster.clock.nowMs + 10)
  if (first.kind !== 'held') return t.fail(first.kind)
  cluster.table.confirm(ANA, 0, cluster.clock.nowMs + 20)
  cluster.clock.nowMs += 10
  t.equal(cluster.table.expireReservation(first.place), false, 'the later deadline holds')
  cluster.table.touch(ANA, 0, HOME)
  t.same(cluster.table.confirm(ANA, 0, cluster.clock.nowMs + 20), { kind: 'arrived' })
  t.same(cluster.table.confirm(ANA, 1, cluster.clock.nowMs + 20), { kind: 'lost' })
  t.same(cluster.table.confirm(clientNumber(9), 1, 0), { kind: 'lost' })
})

t.test('reservations: an id the client brought takes over its address entry', async t => {
  const cluster = testTable()
  cluster.table.touch(clientOfAddress(HOME), 1, HOME)
  t.match(reserveFor(cluster, ANA, { isReturning: true }), { kind: 'reserved', server: 1 },
    'it is the visitor themself, so the loads are equal and their own server wins')
  t.same([...cluster.table.loads()], [0, 1, 0])
  t.same([...cluster.table.activeUsersPerServer()], [0, 1, 0])
  t.equal(cluster.table.size(), 1)
  t.same(cluster.table.check(), [])
})

t.test('reservations: without an available server nothing is written', async t => {
  const { table, clock } = testTable()
  const request = {
    client: ANA, address: HOME, isReturning: false, untilMs: clock.nowMs, choose: () => undefined
  }
  t.same(table.reserve(request), { kind: 'unavailable' })
  t.equal(table.size(), 0)
  table.touch(ANA, 0, HOME)
  t.same(table.reserve(request), { kind: 'unavailable' })
  t.same([...table.loads()], [1, 0, 0])
})
