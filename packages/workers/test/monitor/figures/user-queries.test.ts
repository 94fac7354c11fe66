/** The users as JSON, page by page, and ids per server. */
import t from 'tap'
import { clientOfAddress, formatClient, parseAddress, parseClientId } from '@usher/shared/client.ts'
import { MAIN_THREAD_PATIENCE, allocateTable } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { LoopTurns, stepClock } from '../../../../shared/test/fixtures/event-loop.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { NAMED_SERVERS } from '../../../../shared/test/settings/test-servers.ts'
import {
  countReached, countSharing, findUsers, parsePrefix, userIds
} from '../../../src/monitor/figures/user-queries.ts'
import { writtenTarget } from '../../../src/records/deny-target.ts'

const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
const WALL_NOW_MS = Date.parse('2026-11-23T14:31:00.000Z')
const HOME = parseAddress('192.0.2.1')!
const EVERYBODY = {
  server: undefined, prefix: undefined, sort: 'place', cursor: undefined, limit: 10
} as const

function testTable (users = 1024) {
  const clock = { nowMs: 5_000_000 }
  const table = new UserTable(allocateTable(users, NAMED_SERVERS.length, TIMES, () => 7), {
    threadTag: 1, patience: MAIN_THREAD_PATIENCE, now: () => clock.nowMs
  })
  return { table, clock }
}

function client (number: number) {
  return parseClientId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`)!
}

t.test('users: who, from where, on which server, since when', async t => {
  const { table, clock } = testTable()
  table.touch(client(1), 1, HOME)
  clock.nowMs += 60_000
  table.touch(client(1), 1, HOME)
  table.touch(clientOfAddress(parseAddress('2001:db8::7')!), 2, parseAddress('2001:db8::7')!)
  clock.nowMs += 1500
  const answer = await findUsers(table, EVERYBODY, NAMED_SERVERS, WALL_NOW_MS)
  t.equal(answer.matched, 2)
  t.equal(answer.next_cursor, null)
  t.strictSame([...answer.users].sort((a, b) => b.server.localeCompare(a.server)), [
    {
      id: formatClient(client(1)),
      kind: 'id',
      address: '192.0.2.1',
      server: 'green',
      first_seen: '2026-11-23T14:29:58.500Z',
      last_seen: '2026-11-23T14:30:58.500Z'
    },
    {
      id: '2001:db8::7',
      kind: 'ip',
      address: '2001:db8::7',
      server: 'blue',
      first_seen: '2026-11-23T14:30:58.500Z',
      last_seen: '2026-11-23T14:30:58.500Z'
    }
  ])
})

t.test('users: was first seen at the same moment, whenever one asks', async t => {
  const { table, clock } = testTable()
  table.touch(client(1), 0, HOME)
  const moments = new Set<string>()
  for (let lookMs = 0; lookMs < 3000; lookMs += 370) {
    const { users: [user] } = await findUsers(table, EVERYBODY, NAMED_SERVERS, WALL_NOW_MS + lookMs)
    moments.add(user!.first_seen)
    clock.nowMs += 370
  }
  t.strictSame([...moments], [new Date(WALL_NOW_MS).toISOString()])
})

t.test('users: who was at a server that is no more is on the way, and not listed', async t => {
  const { table } = testTable()
  for (let i = 0; i < 30; i++) table.touch(client(i), i % 3, HOME)
  const servers = (NAMED_SERVERS as readonly Slot[]).with(1, { kind: 'removed', index: 1, name: 'gone' })
  const answer = await findUsers(table, EVERYBODY, servers, WALL_NOW_MS)
  t.equal(answer.matched, 20)
  const names = [NAMED_SERVERS[0]!.name, NAMED_SERVERS[2]!.name]
  t.strictSame(new Set(answer.users.map(({ server }) => server)), new Set(names))
})

t.test('users: thousands, in pages', async t => {
  const { table } = testTable(8192)
  for (let i = 0; i < 5000; i++) table.touch(client(i), i % 3, HOME)
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const query = { ...EVERYBODY, limit: 700, cursor }
    const page = await findUsers(table, query, NAMED_SERVERS, WALL_NOW_MS)
    t.equal(page.matched, 5000)
    for (const { id } of page.users) seen.add(id)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  t.equal(seen.size, 5000)
  const query = { ...EVERYBODY, offset: 4995 }
  const { users } = await findUsers(table, query, NAMED_SERVERS, WALL_NOW_MS)
  t.strictSame(users.map(({ id }) => id), [...seen].slice(4995), 'by their number, too')
})

t.test('users: how many share an address, those without an id among them', async t => {
  const { table, clock } = testTable(8192)
  const [office, other] = ['2001:db8::7', '192.0.2.9'].map(text => parseAddress(text)!)
  for (let i = 0; i < 3000; i++) table.touch(client(i), i % 3, i % 10 === 0 ? office! : HOME)
  table.touch(clientOfAddress(other!), 0, other!)
  const untilMs = clock.nowMs + 1
  table.reserve({
    client: client(9999),
    address: other!,
    isReturning: false,
    untilMs,
    choose: () => ({ server: 1, because: '' })
  })
  t.equal(await countSharing(table, [office!]), 300)
  t.equal(await countSharing(table, [office!, HOME]), 3000)
  t.equal(await countSharing(table, [other!]), 1)
  t.equal(await countSharing(table, [parseAddress('192.0.2.2')!]), 0)
})

t.test('reach: how many a denial of an address or a range would refuse', async t => {
  const { table } = testTable()
  const addresses = ['198.51.100.1', '198.51.100.2', '2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:2::1']
  for (const [number, text] of addresses.entries()) {
    table.touch(client(number), 0, parseAddress(text)!)
  }
  table.touch(clientOfAddress(parseAddress('198.51.100.3')!), 0, parseAddress('198.51.100.3')!)
  const check = async (written: string, users: number): Promise<void> => {
    t.equal(await countReached(table, writtenTarget(written)), users, written)
  }
  await check('198.51.100.1', 1)
  await check('198.51.100.0/24', 3)
  await check('2001:db8:0:1::1', 2)
  await check('2001:db8:0:1::1/128', 1)
  await check('2001:db8::/48', 3)
  await check('0.0.0.0/0', 3)
  await check('203.0.113.0/24', 0)
})

t.test('user ids: so many per server, and whether there are more', async t => {
  const { table } = testTable()
  for (let i = 0; i < 30; i++) table.touch(client(i), i < 20 ? 0 : 2, HOME)
  const check = async (limit: number, lengths: number[], truncated: boolean[]): Promise<void> => {
    const found = await userIds(table, limit)
    t.strictSame(found.map(({ ids }) => ids.length), lengths, `limit ${limit}`)
    t.strictSame(found.map(({ isTruncated }) => isTruncated), truncated, `limit ${limit}`)
    t.equal(new Set(found.flatMap(({ ids }) => ids)).size, lengths.reduce((a, b) => a + b))
  }
  await check(1000, [20, 0, 10], [false, false, false])
  await check(10, [10, 0, 10], [true, false, false])
  await check(9, [9, 0, 9], [true, false, true])
  await check(0, [0, 0, 0], [true, false, true])
})

t.test('user ids: who leaves while they are read does not make a list look cut short', async t => {
  const { table } = testTable()
  for (let i = 0; i < 31; i++) table.touch(client(i), 0, HOME)
  const found = await userIds({
    activeUsersPerServer: () => {
      const counts = table.activeUsersPerServer()
      table.leave(client(3), 0)
      table.leave(client(4), 0)
      return counts
    },
    readUsers: (cursor, limit) => table.readUsers(cursor, limit)
  }, 30)
  t.equal(found[0]!.ids.length, 29)
  t.equal(found[0]!.isTruncated, false)
})

t.test('users: a place that is only held is not listed, by page or by id', async t => {
  const { table, clock } = testTable()
  table.touch(client(1), 0, HOME)
  table.reserve({
    client: client(2),
    address: HOME,
    isReturning: false,
    untilMs: clock.nowMs + 10_000,
    choose: () => ({ server: 1, because: '' })
  })
  const { users, matched } = await findUsers(table, EVERYBODY, NAMED_SERVERS, WALL_NOW_MS)
  t.same(users.map(({ id }) => id), [formatClient(client(1))])
  t.equal(matched, 1)
  t.same((await userIds(table, 10)).map(({ ids }) => ids.length), [1, 0, 0])
})

t.test('users: what to begin with may have 64 characters, not one more', async t => {
  t.equal(parsePrefix(''), '')
  t.equal(parsePrefix('2001:DB8'), '2001:DB8')
  t.equal(parsePrefix('x'.repeat(64)), 'x'.repeat(64))
  t.equal(parsePrefix('x'.repeat(65)), undefined)
})

t.test('users: the loop has its turn after every slice, and before the page is decoded', async t => {
  stepClock(t, 0.5)
  const loop = new LoopTurns()
  let turnsAtLastStep = 0
  let turnsBeforeResult = 0
  let stepsLeft = 100
  const { table } = testTable()
  for (let i = 0; i < 400; i++) table.touch(client(i), 0, HOME)
  const options = { ...EVERYBODY, limit: 400 }
  const whole = table.search(options)
  while (!whole.step());
  const search = {
    step: () => {
      turnsAtLastStep = loop.turns
      return --stepsLeft === 0
    },
    result: () => {
      turnsBeforeResult = loop.turns
      return whole.result()
    }
  }
  const { users } = await findUsers(
    { search: () => search as ReturnType<UserTable['search']> }, options, NAMED_SERVERS, WALL_NOW_MS
  )
  loop.stop()
  t.equal(users.length, 400)
  t.ok(turnsBeforeResult > turnsAtLastStep, 'the last slice is over before the page is decoded')
  t.ok(turnsBeforeResult >= 45, `${turnsBeforeResult} turns for 100 steps`)
  const turnsAfter = loop.turns - turnsBeforeResult
  t.ok(turnsAfter >= 3, `${turnsAfter} turns for 8 pieces of a page`)
})
