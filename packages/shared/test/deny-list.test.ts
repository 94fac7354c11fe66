import t from 'tap'
import { clientOfAddress, parseAddress, parseClientId } from '@usher/shared/client.ts'
import { DenyList, RANGES_MAX, type DenyEntry } from '@usher/shared/deny-list.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const OTHER_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'
const HOME = '192.0.2.7'
const NOW_MS = 1_790_000_000_000

type Case = readonly [
  kind: DenyEntry['kind'], text: string, id: string | undefined, address: string, isDenied: boolean
]

function entry (kind: DenyEntry['kind'], text: string, untilMs?: number): DenyEntry {
  return { kind, text, untilMs }
}

function listOf (entries: readonly DenyEntry[], clock = { nowMs: NOW_MS }): DenyList {
  const list = new DenyList(() => clock.nowMs)
  list.replace(entries)
  return list
}

function check (list: DenyList, id: string | undefined, address: string): boolean {
  const client = id === undefined ? undefined : parseClientId(id)
  return list.isDenied(client, parseAddress(address)!)
}

t.test('deny list: an empty one denies nobody', async t => {
  for (const list of [new DenyList(() => NOW_MS), listOf([])]) {
    t.notOk(check(list, ID, HOME))
    t.notOk(check(list, undefined, '::'))
  }
})

t.test('deny list: denies what its one entry says and its neighbours not', async t => {
  const cases: readonly Case[] = [
    ['id', ID, ID, HOME, true],
    ['id', ID.toUpperCase(), ID, HOME, true],
    ['id', ID, ID.toUpperCase(), '2001:db8::1', true],
    ['id', ID, OTHER_ID, HOME, false],
    ['id', ID, undefined, HOME, false],
    ['address', HOME, undefined, HOME, true],
    ['address', HOME, ID, HOME, true],
    ['address', HOME, ID, '192.0.2.8', false],
    ['address', `::ffff:${HOME}`, undefined, HOME, true],
    ['address', HOME, undefined, `::ffff:${HOME}`, true],
    ['address', '2001:DB8::0:1', undefined, '2001:db8::1', true],
    ['address', '2001:db8::1', undefined, '2001:db8::2', false],
    ['address', 'fe80::1%eth0', undefined, 'fe80::1', true],
    ['address', '::192.0.2.7', undefined, HOME, false],
    ['range', '192.0.2.0/24', undefined, '192.0.1.255', false],
    ['range', '192.0.2.0/24', undefined, '192.0.2.0', true],
    ['range', '192.0.2.0/24', ID, '192.0.2.255', true],
    ['range', '192.0.2.0/24', undefined, '::ffff:192.0.2.255', true],
    ['range', '192.0.2.0/24', undefined, '192.0.3.0', false],
    ['range', '192.0.2.99/24', undefined, '192.0.2.1', true],
    ['range', '192.0.2.7/32', undefined, '192.0.2.7', true],
    ['range', '192.0.2.7/32', undefined, '192.0.2.6', false],
    ['range', '192.0.2.128/25', undefined, '192.0.2.127', false],
    ['range', '192.0.2.128/25', undefined, '192.0.2.128', true],
    ['range', '0.0.0.0/0', undefined, '255.255.255.255', true],
    ['range', '0.0.0.0/0', undefined, '2001:db8::1', false],
    ['range', '::ffff:192.0.2.0/120', undefined, '192.0.2.255', true],
    ['range', '::ffff:c000:200/120', undefined, '192.0.3.0', false],
    ['range', '::ffff:0:0/96', undefined, '203.0.113.9', true],
    ['range', '::ffff:0:0/96', undefined, '::fffe:1:1', false],
    ['range', '::ffff:0:0/95', undefined, '::fffe:1:1', true],
    ['range', '::ffff:0:0/95', undefined, '203.0.113.9', false],
    ['range', '2001:db8::/33', undefined, '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff', true],
    ['range', '2001:db8::/33', undefined, '2001:db8:8000::', false],
    ['range', '2001:db8::1/128', undefined, '2001:db8::1', true],
    ['range', '2001:db8::1/128', undefined, '2001:db8::', false],
    ['range', '::/0', undefined, '2001:db8::1', true],
    ['range', '::/0', undefined, '192.0.2.7', false]
  ]
  for (const [kind, text, id, address, isDenied] of cases) {
    const list = listOf([entry(kind, text)])
    t.equal(check(list, id, address), isDenied, `${kind} ${text}, visitor ${id} at ${address}`)
  }
})

t.test('deny list: an id is not an address of the same bits', async t => {
  const address = parseAddress('2001:db8::1')!
  const id = parseClientId('20010db8-0000-0000-0000-000000000001')!
  const ids = listOf([entry('id', '20010db8-0000-0000-0000-000000000001')])
  t.ok(ids.isDenied(id, parseAddress(HOME)!))
  t.notOk(ids.isDenied(clientOfAddress(address), address))
  const addresses = listOf([entry('address', '2001:db8::1')])
  t.notOk(addresses.isDenied(id, parseAddress(HOME)!))
  t.ok(addresses.isDenied(clientOfAddress(address), address))
})

t.test('deny list: an entry ends at its deadline, not before', async t => {
  const cases: ReadonlyArray<[kind: DenyEntry['kind'], text: string]> = [
    ['id', ID], ['address', HOME], ['range', '192.0.2.0/24'], ['range', '::ffff:192.0.2.0/120']
  ]
  for (const [kind, text] of cases) {
    const clock = { nowMs: NOW_MS }
    const list = listOf([entry(kind, text, NOW_MS + 60_000)], clock)
    for (const [nowMs, isDenied] of [
      [NOW_MS, true], [NOW_MS + 59_999, true], [NOW_MS + 60_000, false], [NOW_MS + 60_001, false]
    ] as const) {
      clock.nowMs = nowMs
      t.equal(check(list, ID, HOME), isDenied, `${kind} ${text} after ${nowMs - NOW_MS} ms`)
    }
    clock.nowMs = Number.MAX_SAFE_INTEGER
    t.ok(check(listOf([entry(kind, text)], clock), ID, HOME), `${kind} ${text} for good`)
  }
})

t.test('deny list: of entries for the same client or address the longest counts', async t => {
  const cases: ReadonlyArray<readonly [DenyEntry['kind'], first: string, second: string]> = [
    ['id', ID, ID.toUpperCase()], ['address', HOME, `::ffff:${HOME}`],
    ['range', '192.0.2.0/24', '192.0.0.0/16']
  ]
  for (const [kind, first, second] of cases) {
    const long = NOW_MS + 2000
    const short = NOW_MS + 1000
    for (const [untilFirst, untilSecond] of [[long, short], [short, long]]) {
      const clock = { nowMs: NOW_MS + 1500 }
      const list = listOf([entry(kind, first, untilFirst), entry(kind, second, untilSecond)], clock)
      t.ok(check(list, ID, HOME), `${kind} until ${untilFirst} and ${untilSecond}`)
      clock.nowMs = long
      t.notOk(check(list, ID, HOME), kind)
    }
  }
})

t.test('deny list: ids, addresses and ranges stand side by side', async t => {
  const clock = { nowMs: NOW_MS }
  const list = listOf([
    entry('id', ID, NOW_MS + 1000), entry('address', '203.0.113.9', NOW_MS + 2000),
    entry('range', '192.0.2.0/24', NOW_MS + 3000), entry('range', '2001:db8::/32')
  ], clock)
  const visitors = [
    [ID, '198.51.100.1'], [undefined, '203.0.113.9'], [OTHER_ID, HOME], [ID, '2001:db8::9'],
    [OTHER_ID, '198.51.100.1']
  ] as const
  const denied = (): boolean[] => visitors.map(([id, address]) => check(list, id, address))
  t.same(denied(), [true, true, true, true, false])
  clock.nowMs = NOW_MS + 1000
  t.same(denied(), [false, true, true, true, false])
  clock.nowMs = NOW_MS + 2000
  t.same(denied(), [false, false, true, true, false])
  clock.nowMs = NOW_MS + 3000
  t.same(denied(), [false, false, false, true, false])
})

t.test('deny list: a new list replaces the old one as a whole', async t => {
  const list = listOf([entry('id', ID), entry('address', HOME), entry('range', '10.0.0.0/8')])
  list.replace([entry('id', OTHER_ID)])
  t.notOk(check(list, ID, HOME))
  t.notOk(check(list, undefined, '10.1.1.1'))
  t.ok(check(list, OTHER_ID, HOME))
  list.replace([])
  t.notOk(check(list, OTHER_ID, HOME))
})

t.test('deny list: a malformed entry is named, and the list from before stays', async t => {
  const cases: ReadonlyArray<readonly [DenyEntry['kind'], text: string]> = [
    ['id', ''], ['id', 'x'], ['id', HOME], ['id', '00000000-0000-0000-0000-000000000000'],
    ['id', `${ID} `], ['id', 'evil\u001b[2J'],
    ['address', ''], ['address', ID], ['address', '192.0.2.0/24'], ['address', '192.0.2'],
    ['address', '0300.0.2.1'], ['address', 'localhost'],
    ['range', ''], ['range', HOME], ['range', '192.0.2.0/33'], ['range', '192.0.2.0/'],
    ['range', '192.0.2.0/-1'], ['range', '192.0.2.0/1e1'], ['range', '192.0.2.0/08'],
    ['range', '192.0.2.0/ 8'], ['range', '192.0.2.0/8/8'], ['range', '/8'], ['range', '10.1/16'],
    ['range', '010.0.0.0/8'], ['range', '0x0a.0.0.0/8'], ['range', '10/8'],
    ['range', '2001:db8::/129'], ['range', '2001:db8::/999'], ['range', 'fe80::%eth0/64'],
    ['range', 'fe80::/64%eth0'], ['range', '::ffff:010.0.0.0/104'], ['range', '10.0.0.0/8\n']
  ]
  const list = listOf([entry('id', ID), entry('address', '203.0.113.9'), entry('range', '10.0.0.0/8')])
  for (const [kind, text] of cases) {
    const label = `${kind} ${JSON.stringify(text)}`
    const fine = entry('id', OTHER_ID)
    for (const entries of [[fine, entry(kind, text)], [entry(kind, text), fine]]) {
      t.throws(() => list.replace(entries), {
        code: 'USHER_DENY_ENTRY_INVALID', message: JSON.stringify(text)
      }, label)
    }
    t.ok(check(list, ID, HOME) && check(list, undefined, '203.0.113.9'), label)
    t.ok(check(list, undefined, '10.0.0.1'), label)
    t.notOk(check(list, OTHER_ID, HOME), label)
  }
})

t.test('deny list: takes as many ranges as it may and not one more', async t => {
  const ranges = Array.from({ length: RANGES_MAX + 1 }, (_, index) => {
    return entry('range', `10.${index >> 8}.${index & 255}.0/24`, index % 3 === 0 ? NOW_MS + 1 : undefined)
  })
  const addresses = Array.from({ length: 2 * RANGES_MAX }, (_, index) => {
    return entry('address', `2001:db8::${index.toString(16)}`)
  })
  const list = listOf([...ranges.slice(0, RANGES_MAX), ...addresses])
  const last = `10.${(RANGES_MAX - 1) >> 8}.${(RANGES_MAX - 1) & 255}.9`
  t.ok(check(list, undefined, '10.0.0.1'))
  t.ok(check(list, undefined, last))
  t.ok(check(list, undefined, `2001:db8::${(2 * RANGES_MAX - 1).toString(16)}`))
  t.throws(() => list.replace(ranges), {
    code: 'USHER_DENY_ENTRY_INVALID', message: `more than ${RANGES_MAX} ranges`
  })
  t.ok(check(list, undefined, last))
})
