/** How many newcomers of a network are counted, on a clock that the test moves. */
import t from 'tap'
import { clientOfAddress, parseAddress, type Address } from '@usher/shared/client.ts'
import { allocateNewcomers, ROUTER, Newcomers } from '@usher/shared/memory/newcomers.ts'
import { newcomerSettings } from '@usher/shared/newcomer-settings.ts'
import {
  addressNumber, chooseLowest, clientNumber, testTable, type TestTable
} from './test-table.ts'

const PER_MINUTE = 120
const HOME = parseAddress('203.0.113.7')!
const SETTINGS = newcomerSettings(
  { newcomersPerMinute: PER_MINUTE, trustedNetworks: [], trustProxy: [] }, ROUTER)

function limited ({
  users = 65_536, trustedNetworks = [] as string[], trustProxy = [] as string[]
} = {}) {
  const newcomers = newcomerSettings(
    { newcomersPerMinute: PER_MINUTE, trustedNetworks, trustProxy }, ROUTER)
  return testTable({ users, newcomers })
}

let nextClient = 1

/** So many ids that were never here, from addresses in turn; how many of them were counted. */
function come ({ table }: TestTable, count: number, ...addresses: readonly Address[]): number {
  let counted = 0
  for (let index = 0; index < count; index++) {
    const address = addresses[index % addresses.length]!
    if (table.touch(clientNumber(nextClient++), 0, address) === 'arrived') counted++
  }
  return counted
}

/** So many addresses that differ in the bits before `bit`, counted from the left. */
function spread (network: string, bit: number, count: number): Address[] {
  const { w0, w1, w2, w3 } = parseAddress(network)!
  return Array.from({ length: count }, (_, index) =>
    bit <= 64 ? { w0, w1: w1 | index << (64 - bit), w2, w3 } : { w0, w1, w2, w3: w3 | index })
}

t.test('newcomers: a network has its allowance, and the others theirs', async t => {
  const given = limited()
  t.equal(come(given, 800, HOME), PER_MINUTE)
  t.equal(given.table.touch(clientNumber(nextClient++), 0, HOME), 'uncounted')
  t.equal(come(given, 50, parseAddress('198.51.100.9')!), 50)
  t.equal(given.table.size(), PER_MINUTE + 50)
})

t.test('newcomers: the allowance is refilled steadily, up to a minute\'s', async t => {
  const given = limited()
  come(given, 800, HOME)
  given.clock.nowMs += 499
  t.equal(come(given, 10, HOME), 0)
  given.clock.nowMs += 1
  t.equal(come(given, 10, HOME), 1)
  given.clock.nowMs += 10_000
  t.equal(come(given, 100, HOME), 20)
  given.clock.nowMs += 3_600_000
  t.equal(come(given, 800, HOME), PER_MINUTE)
})

t.test('newcomers: wider networks have theirs, so that many narrow ones gain little', async t => {
  const cases: ReadonlyArray<[addresses: Address[], times: number, network: string]> = [
    [spread('203.0.113.0', 120, 256), 8, '203.0.113.0/24'],
    [spread('2001:db8:7:100::1', 64, 256), 4, '2001:db8:7:100::/56'],
    [spread('2001:db8:7::1', 56, 256), 16, '2001:db8:7::/48'],
    [spread('2001:db8:7:1::', 128, 200), 1, '2001:db8:7:1::/64']
  ]
  for (const [addresses, times, network] of cases) {
    const given = limited()
    const counted = come(given, 5000, ...addresses)
    t.ok(counted <= PER_MINUTE * times, `${counted} of ${network}`)
    t.ok(counted >= PER_MINUTE * times * 0.95, 'and hardly less, whoever shares its cells')
    t.equal(given.table.refusedNetworks()[0]!.network, network)
  }
})

t.test('newcomers: a tenth of all active users, where that is more', async t => {
  const given = limited()
  for (let number = 0; number < 20_000; number++) {
    given.table.restore({
      client: clientNumber(5_000_000 + number),
      address: addressNumber(number),
      isConfirmed: true,
      firstSeenAgoMs: 0,
      lastSeenAgoMs: 0
    }, number % 3)
  }
  const counted = come(given, 5000, HOME)
  t.ok(counted >= 2000 && counted <= 2250, `${counted}`) // They count as users themselves.
})

t.test('newcomers: whoever is known, moves, comes back or takes the place of an address is none', async t => {
  const given = limited()
  const { table } = given
  const known = nextClient
  table.touch(clientOfAddress(HOME), 0, HOME)
  come(given, 800, HOME)
  t.equal(table.touch(clientNumber(known), 0, HOME), 'seen', 'in place of the address')
  t.equal(table.touch(clientNumber(known + 5), 2, HOME), 'moved')
  t.equal(table.touch(clientNumber(known + 200), 0, HOME), 'uncounted')
})

t.test('newcomers: a place that is reserved is counted once, and an uncounted one holds none', async t => {
  const { table, clock } = limited()
  const ask = (number: number) => table.reserve({
    client: clientNumber(number),
    address: HOME,
    isReturning: false,
    untilMs: clock.nowMs + 10_000,
    choose: chooseLowest
  })
  const kinds = Array.from({ length: 200 }, (_, index) => ask(7_000_000 + index).kind)
  t.equal(kinds.filter(kind => kind === 'reserved').length, PER_MINUTE)
  t.equal(kinds.at(-1), 'uncounted')
  t.equal(table.size(), PER_MINUTE)
  t.equal(table.touch(clientNumber(7_000_000), 0, HOME), 'arrived')
})

t.test('newcomers: loopback, trusted proxies and trusted networks have no limit', async t => {
  const given = limited({
    trustedNetworks: ['192.0.2.0/24', '2001:db8:5::/48', '198.51.100.4'], trustProxy: ['10.0.0.1']
  })
  for (const text of ['127.0.0.1', '127.9.9.9', '::1', '192.0.2.77', '2001:db8:5:1::1',
    '198.51.100.4', '10.0.0.1']) {
    t.equal(come(given, 125, parseAddress(text)!), 125, text)
  }
  t.equal(come(given, 300, parseAddress('198.51.100.5')!), PER_MINUTE)
  t.equal(come(given, 300, parseAddress('10.0.0.2')!), PER_MINUTE)
})

t.test('newcomers: ten times as many for a while after a crash', async t => {
  const given = limited()
  given.table.allowMoreNewcomersFor(1_800_000)
  t.equal(come(given, 5000, HOME), PER_MINUTE * 10)
  given.clock.nowMs += 1_800_000
  const later = come(given, 5000, HOME)
  t.ok(later <= PER_MINUTE * 1.2, `${later}: a minute's, or a tenth of those who are here by now`)
})

t.test('newcomers: who finds the table full has used up nothing', async t => {
  const given = limited({ users: 16 })
  for (let number = 1; number <= 16; number++) {
    for (let times = 0; times < 2; times++) {
      given.table.touch(clientNumber(100 + number), 0, addressNumber(number))
    }
  }
  t.equal(come(given, 300, HOME), 0)
  for (let number = 1; number <= 16; number++) given.table.leave(clientNumber(100 + number), 0)
  t.equal(come(given, 14, HOME), 14)
})

t.test('newcomers: two threads count into one sketch, and of what each refused both tell', async t => {
  const memory = allocateNewcomers(2, 77)
  const now = (): number => 5_000_000
  const threads = [ROUTER, 0, 1].map(thread => new Newcomers(memory, { ...SETTINGS, thread, now }))
  let counted = 0
  for (let index = 0; index < 600; index++) {
    const thread = threads[index % 3]!
    const charges = thread.admit(HOME, 0)
    if (charges === undefined) continue
    thread.charge(charges)
    counted++
  }
  t.equal(counted, PER_MINUTE)
})

t.test('newcomers: addresses without end take no more memory, and harm few others', async t => {
  const given = limited({ users: 262_144 })
  for (let flood = 0; flood < 100_000; flood++) {
    const address = { w0: 0x20020000 + flood, w1: 0, w2: 0, w3: 1 }
    given.table.touch(clientNumber(9_000_000 + flood), 0, address)
  }
  let counted = 0
  for (let number = 0; number < 100; number++) {
    counted += come(given, 1, parseAddress(`198.51.${number}.1`)!)
  }
  t.equal(counted, 100)
})
