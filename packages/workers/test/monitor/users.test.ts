/** The users as JSON, page by page, and ids per server. */
import t from 'tap'
import { clientOfAddress, formatClient, parseAddress, parseClientId } from '@usher/shared/client.ts'
import { MAIN_THREAD_PATIENCE, allocateTable } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { findUsers, userIds } from '../../src/monitor/users.ts'

const PORTS = [8000, 8001, 8002]
const WALL_NOW_MS = Date.parse('2026-11-23T14:31:00.000Z')
const HOME = parseAddress('192.0.2.1')!
const EVERYBODY = {
  server: undefined, prefix: undefined, sort: 'place', cursor: undefined, limit: 10
} as const

function testTable (users = 1024) {
  const clock = { nowMs: 5_000_000 }
  const table = new UserTable(allocateTable(users, PORTS.length, () => 7), {
    threadTag: 1, patience: MAIN_THREAD_PATIENCE, now: () => clock.nowMs
  })
  return { table, clock }
}

function client (number: number) {
  return parseClientId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`)!
}

t.test('users: who, from where, on which port, since when', async t => {
  const { table, clock } = testTable()
  table.touch(client(1), 1, HOME)
  clock.nowMs += 60_000
  table.touch(client(1), 1, HOME)
  table.touch(clientOfAddress(parseAddress('2001:db8::7')!), 2, parseAddress('2001:db8::7')!)
  clock.nowMs += 1500
  const answer = await findUsers(table, EVERYBODY, PORTS, WALL_NOW_MS)
  t.equal(answer.matched, 2)
  t.equal(answer.next_cursor, null)
  t.strictSame([...answer.users].sort((a, b) => a.server - b.server), [
    {
      id: formatClient(client(1)),
      kind: 'id',
      address: '192.0.2.1',
      server: 8001,
      first_seen: '2026-11-23T14:29:59.000Z',
      last_seen: '2026-11-23T14:30:58.500Z'
    },
    {
      id: '2001:db8::7',
      kind: 'ip',
      address: '2001:db8::7',
      server: 8002,
      first_seen: '2026-11-23T14:30:59.000Z',
      last_seen: '2026-11-23T14:30:58.500Z'
    }
  ])
})

t.test('users: thousands, in pages', async t => {
  const { table } = testTable(8192)
  for (let i = 0; i < 5000; i++) table.touch(client(i), i % 3, HOME)
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await findUsers(table, { ...EVERYBODY, limit: 700, cursor }, PORTS, WALL_NOW_MS)
    t.equal(page.matched, 5000)
    for (const { id } of page.users) seen.add(id)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  t.equal(seen.size, 5000)
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

t.test('users: the loop has its turn while a large table is searched', async t => {
  const { table } = testTable(262_144)
  for (let i = 0; i < 200_000; i++) table.touch(client(i), i % 3, HOME)
  let turns = 0
  const timer = setInterval(() => { turns++ }, 0)
  const options = { ...EVERYBODY, prefix: '192.0', sort: 'last_seen' } as const
  const { matched } = await findUsers(table, options, PORTS, WALL_NOW_MS)
  clearInterval(timer)
  t.equal(matched, 200_000)
  t.ok(turns > 0)
})
