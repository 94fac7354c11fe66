import t from 'tap'
import { clientOfAddress, formatClient } from '@usher/shared/client.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable, type TestTable
} from './test-table.ts'

function readAll ({ table }: TestTable, limit: number): User[] {
  const users: User[] = []
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const page = table.readUsers(cursor, limit)
    if (page === 'busy') throw new Error('busy')
    if (page.users.length > limit) throw new Error('more than asked for')
    users.push(...page.users)
    cursor = page.nextCursor
  }
  return users
}

for (const limit of [1, 7, 10_000]) {
  t.test(`snapshot: pages of ${limit} list every user once`, async t => {
    const cluster = testTable({ users: 4096 })
    for (let i = 0; i < 2500; i++) cluster.table.touch(clientNumber(i), i % 3, addressNumber(i))
    for (let i = 0; i < 2500; i += 5) cluster.table.leave(clientNumber(i), i % 3)
    const names = readAll(cluster, limit).map(user => formatClient(user.client))
    t.equal(names.length, 2000)
    t.equal(new Set(names).size, 2000)
  })
}

t.test('snapshot: tells who, where, from where, since when', async t => {
  const cluster = testTable()
  cluster.table.touch(clientNumber(1), 2, HOME)
  cluster.clock.nowMs += 5000
  cluster.table.touch(clientNumber(1), 2, addressNumber(9))
  cluster.clock.nowMs += 250
  t.same(readAll(cluster, 10), [{
    client: clientNumber(1),
    address: addressNumber(9),
    server: 2,
    reservedServer: undefined,
    isConfirmed: true,
    isLeaving: false,
    firstSeenAgoMs: 5250,
    lastSeenAgoMs: 250
  }])
})

t.test('snapshot: shows a reservation, and a client known by address', async t => {
  const cluster = testTable()
  reserveFor(cluster, clientNumber(1))
  cluster.table.touch(clientOfAddress(HOME), 1, HOME)
  const users = readAll(cluster, 10)
  t.same(users.map(user => [formatClient(user.client), user.server, user.reservedServer]).sort(), [
    [formatClient(clientNumber(1)), undefined, 0],
    ['192.0.2.1', 1, undefined]
  ].sort())
})

t.test('snapshot: a restored user is the one that was saved', async t => {
  const before = testTable()
  before.table.touch(clientNumber(4), 1, HOME)
  before.clock.nowMs += 3000
  before.table.touch(clientNumber(4), 1, HOME)
  before.clock.nowMs += 400
  const [saved] = readAll(before, 10)
  const after = testTable({ nowMs: 77_400 })
  t.equal(after.table.restore(saved!, 1), true)
  t.equal(after.table.restore(saved!, 1), false, 'not twice')
  t.same(readAll(after, 10), [saved])
  t.same(after.table.check(), [])
})
