/** One address and a table that is nearly full. */
import t from 'tap'
import { clientOfAddress, parseAddress, UNKNOWN_ADDRESS, type Address } from '@usher/shared/client.ts'
import { addressQuota } from '@usher/shared/per-address-quota.ts'
import { addressNumber, clientNumber, HOME, reserveFor, testTable, type TestTable } from './test-table.ts'

/** Ids from here on are a flooder's. */
const FLOOD = 1_000_000

/** Lets users come one after the other, each from an address of their own, seen so often. */
function crowd ({ table, clock }: TestTable, from: number, to: number, times = 2): void {
  for (let number = from; number < to; number++) {
    clock.nowMs++
    for (let seen = 0; seen < times; seen++) {
      table.touch(clientNumber(number), number % 3, addressNumber(number))
    }
  }
}

/** New ids from one address, seen so often; how many of them got in. */
function flood (
  { table }: TestTable, count: number, { address = HOME as Address, times = 2, from = 0 } = {}
): number {
  let admitted = 0
  for (let number = from; number < from + count; number++) {
    const outcome = table.touch(clientNumber(FLOOD + number), 0, address)
    if (outcome === 'arrived') admitted++
    for (let seen = 1; seen < times; seen++) table.touch(clientNumber(FLOOD + number), 0, address)
  }
  return admitted
}

for (const users of [400, 4096, 131_072]) {
  const share = addressQuota(users)
  const mark = Math.ceil(users * 0.9)

  t.test(`address share: in a table of ${users} that is nearly full an address gets its share`, async t => {
    const cluster = testTable({ users })
    crowd(cluster, 0, mark)
    const admitted = flood(cluster, users)
    t.ok(admitted <= share, `${admitted} of ${share}`)
    t.ok(admitted >= share * 0.9, 'which is not much less for other addresses in its buckets')
    t.equal(cluster.table.touch(clientNumber(FLOOD - 1), 0, HOME), 'address-full')
    t.same(reserveFor(cluster, clientNumber(FLOOD - 2)), { kind: 'address-full' })
    const before = cluster.table.size()
    crowd(cluster, mark, mark + 20)
    t.equal(cluster.table.size(), before + 20, 'others come as ever')
    t.same(cluster.table.check(), [])
  })

  t.test(`address share: below the mark an address of a table of ${users} may have all`, async t => {
    const cluster = testTable({ users })
    t.equal(flood(cluster, mark), mark, 'up to the mark')
    t.equal(flood(cluster, 5, { from: mark }), 0, 'and no further')
    t.equal(cluster.table.touch(clientNumber(FLOOD), 1, HOME), 'moved', 'who is in stays in')
  })

  t.test(`address share: a table of ${users} full of one address makes room for others`, async t => {
    const cluster = testTable({ users })
    flood(cluster, mark)
    const others = Math.min(users - share, users - mark + 2000)
    crowd(cluster, 0, others)
    t.equal(cluster.table.size(), users)
    let present = 0
    for (let number = 0; number < others; number++) {
      if (cluster.table.leave(clientNumber(number), number % 3) === true) present++
    }
    t.ok(present >= others * 0.99, `${present} of ${others} others are in`)
    t.same(cluster.table.check(), [])
  })
}

t.test('address share: a /64 is one address, its neighbour another', async t => {
  const cluster = testTable({ users: 400 })
  crowd(cluster, 0, 360)
  const inside = (host: number): Address => ({ ...parseAddress('2001:db8:f:1::')!, w3: host })
  let admitted = 0
  for (let host = 1; host <= 40; host++) {
    admitted += flood(cluster, 1, { address: inside(host), from: host })
  }
  t.equal(admitted, 20)
  t.equal(flood(cluster, 1, { address: parseAddress('2001:db8:f:2::1')!, from: 99 }), 1)
})

t.test('address share: the /64s of one /56, and the /56s of one /48, have a share together', async t => {
  for (const [step, share] of [[1, 40], [0x100, 80]] as const) {
    const cluster = testTable({ users: 400 })
    crowd(cluster, 0, 250)
    const inside = (number: number): Address => {
      const { w0, w1, w2 } = parseAddress('2001:db8:ffff::')!
      return { w0, w1: w1 | number * step, w2, w3: 1 }
    }
    for (let number = 0; number < 200; number++) {
      flood(cluster, 1, { address: inside(number), from: number })
    }
    t.equal(cluster.table.size(), 360, 'up to the mark everybody comes')
    t.equal(cluster.table.touch(clientNumber(FLOOD + 999), 0, inside(201)), 'address-full')
    crowd(cluster, 1000, 1050)
    let strangers = 0
    for (let number = 1000; number < 1050; number++) {
      if (cluster.table.leave(clientNumber(number), number % 3) === true) strangers++
    }
    t.equal(strangers, 50, `of 50 strangers, by a share of ${share}`)
    t.same(cluster.table.check(), [])
  }
})

t.test('address share: IPv4 addresses are one each, however alike', async t => {
  const cluster = testTable({ users: 400 })
  crowd(cluster, 0, 360)
  for (let host = 1; host <= 40; host++) {
    t.equal(flood(cluster, 1, { address: parseAddress(`198.51.100.${host}`)!, from: host }), 1)
  }
})

t.test('address share: who leaves, moves on or times out makes room in the share', async t => {
  const cluster = testTable({ users: 400 })
  const { table, clock } = cluster
  crowd(cluster, 0, 370)
  t.equal(flood(cluster, 30), 20)
  table.leave(clientNumber(FLOOD), 0)
  t.equal(flood(cluster, 2, { from: 100 }), 1, 'one left')
  table.touch(clientNumber(FLOOD + 1), 0, addressNumber(9999))
  t.equal(flood(cluster, 2, { from: 200 }), 1, 'one is somewhere else now')
  clock.nowMs += 60_000
  for (let number = 0; number < 370; number++) {
    table.touch(clientNumber(number), number % 3, addressNumber(number))
  }
  for (let shard = 0; shard < table.shardCount; shard++) table.sweepShard(shard, 30_000)
  t.equal(flood(cluster, 30, { from: 300 }), 20, 'all were silent for too long')
  t.same(table.check(), [])
})

t.test('address share: the entry under an address may become one under an id', async t => {
  const { table, ...cluster } = testTable({ users: 400 })
  crowd({ table, ...cluster }, 0, 380)
  const last = addressNumber(5000)
  t.equal(flood({ table, ...cluster }, 19, { address: last }), 19)
  t.equal(table.touch(clientOfAddress(last), 0, last), 'arrived', 'the last of the share')
  t.equal(table.touch(clientNumber(77_777), 0, last), 'seen', 'takes its place')
  t.equal(table.touch(clientNumber(77_778), 0, last), 'address-full')
  t.same(table.check(), [])
})

t.test('address share: unknown addresses are nobody\'s', async t => {
  const cluster = testTable({ users: 400 })
  for (let number = 0; number < 400; number++) {
    const user = { client: clientNumber(number), address: UNKNOWN_ADDRESS, isConfirmed: true }
    t.ok(cluster.table.restore({ ...user, firstSeenAgoMs: 0, lastSeenAgoMs: 0 }, 0))
  }
  t.same(cluster.table.check(), [])
})
