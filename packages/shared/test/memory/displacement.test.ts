import t from 'tap'
import type { Client } from '@usher/shared/client.ts'
import { addressNumber, clientNumber, reserveFor, testTable } from './test-table.ts'

const NEWCOMER = 10_000_000

/** Fills the table with users seen so often; each from an address of their own. */
function fill (cluster: ReturnType<typeof testTable>, users: number, timesSeen: number): void {
  for (let i = 0; i < users; i++) {
    cluster.clock.nowMs++
    for (let seen = 0; seen < timesSeen; seen++) {
      cluster.table.touch(clientNumber(i), i % 3, addressNumber(i))
    }
  }
}

function isActive (cluster: ReturnType<typeof testTable>, client: Client): boolean {
  return cluster.table.leave(client, 0) === true
}

for (const users of [16, 64, 1024, 131_072]) {
  t.test(`displacement: a table of ${users} admits exactly ${users} and then nobody`, async t => {
    const cluster = testTable({ users })
    fill(cluster, users - 1, 2)
    t.equal(cluster.table.size(), users - 1)
    t.equal(cluster.table.touch(clientNumber(NEWCOMER), 0, addressNumber(NEWCOMER)), 'arrived')
    t.equal(cluster.table.touch(clientNumber(NEWCOMER), 0, addressNumber(NEWCOMER)), 'seen')
    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 1), 0, addressNumber(1)), 'full')
    t.same(reserveFor(cluster, clientNumber(NEWCOMER + 2)), { kind: 'full' })
    t.equal(cluster.table.size(), users)
    t.same(cluster.table.check(), [])
  })

  t.test(`displacement: in a full table of ${users} reservations give way first`, async t => {
    const cluster = testTable({ users })
    fill(cluster, users - 2, 2)
    reserveFor(cluster, clientNumber(NEWCOMER), { address: addressNumber(1) })
    cluster.table.touch(clientNumber(NEWCOMER + 1), 0, addressNumber(NEWCOMER + 1)) // seen once
    const seenTwice = users - 2

    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 2), 0, addressNumber(2)), 'arrived')
    t.same([...cluster.table.usersPerServer().reserved], [0, 0, 0], 'the reservation went first')
    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 2), 0, addressNumber(2)), 'seen')

    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 3), 0, addressNumber(3)), 'arrived')
    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 3), 0, addressNumber(3)), 'seen')
    t.notOk(isActive(cluster, clientNumber(NEWCOMER + 1)), 'then the one seen once')

    t.equal(cluster.table.touch(clientNumber(NEWCOMER + 4), 0, addressNumber(4)), 'full')
    t.equal(cluster.table.size(), users)
    let present = 0
    for (let i = 0; i < seenTwice; i++) {
      if (cluster.table.leave(clientNumber(i), i % 3) === true) present++
    }
    t.equal(present, seenTwice, 'nobody seen twice was displaced')
    t.same(cluster.table.check(), [])
  })
}

t.test('displacement: the oldest goes first', async t => {
  const cluster = testTable({ users: 16 })
  fill(cluster, 16, 1)
  cluster.clock.nowMs++
  for (let i = 0; i < 15; i++) {
    cluster.table.touch(clientNumber(100 + i), 1, addressNumber(100 + i))
    cluster.table.touch(clientNumber(100 + i), 1, addressNumber(100 + i))
    t.equal(cluster.table.leave(clientNumber(i), i % 3), false, `user ${i} gave way`)
    if (i < 14) t.equal(cluster.table.size(), 16)
    cluster.clock.nowMs++
  }
  t.equal(cluster.table.leave(clientNumber(15), 0), true, 'the youngest is still there')
})
