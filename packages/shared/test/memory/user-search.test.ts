/** Searches of the table against a plain list that is filtered, sorted and cut. */
import fc from 'fast-check'
import t from 'tap'
import { formatAddress, formatClient } from '@usher/shared/client.ts'
import { CONFIRM_MS } from '@usher/shared/memory/layout.ts'
import {
  isCursor, type SearchOptions, type SearchResult
} from '@usher/shared/memory/user-search.ts'
import { searchRun } from './search-run.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable, type TestTable
} from './test-table.ts'

const EVERYBODY: SearchOptions = {
  server: undefined, prefix: undefined, sort: 'place', cursor: undefined, limit: 10
}

function search ({ table }: TestTable, options: Partial<SearchOptions> = {}): SearchResult {
  const search = table.search({ ...EVERYBODY, ...options })
  let steps = 0
  while (!search.step()) if (++steps > 10_000) throw new Error('no end')
  return search.result()
}

/** All pages, one after the other; the clock goes on in between. */
function searchAll (cluster: TestTable, options: Partial<SearchOptions>): string[] {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = search(cluster, { ...options, cursor })
    names.push(...page.users.map(({ client }) => formatClient(client)))
    if (page.nextCursor !== undefined && !isCursor(page.nextCursor)) throw new Error('no cursor')
    cursor = page.nextCursor
    cluster.clock.nowMs += 777
  } while (cursor !== undefined)
  return names
}

t.test('user search: finds the active ones, tells how many, and where to go on', async t => {
  const cluster = testTable()
  for (let i = 0; i < 25; i++) cluster.table.touch(clientNumber(i), i % 3, HOME)
  reserveFor(cluster, clientNumber(99))
  const first = search(cluster)
  t.equal(first.matched, 25, 'a place that is only held is nobody yet')
  t.equal(first.users.length, 10)
  t.match(first.users[0], { address: HOME, isConfirmed: false })
  t.equal(new Set(searchAll(cluster, {})).size, 25)
  t.equal(search(cluster, { server: 1 }).matched, 8)
  t.equal(search(cluster, { limit: 25 }).nextCursor, undefined, 'exactly one page')
  t.ok(search(cluster, { limit: 24 }).nextCursor)
  t.same(search(cluster, { prefix: 'nobody' }), { users: [], matched: 0, nextCursor: undefined })
})

t.test('user search: by addresses, in place of a prefix', async t => {
  const cluster = testTable()
  for (let i = 0; i < 25; i++) cluster.table.touch(clientNumber(i), 0, addressNumber(i % 5))
  t.equal(search(cluster, { addresses: [addressNumber(1), addressNumber(4)] }).matched, 10)
  t.equal(search(cluster, { addresses: [] }).matched, 0)
})

t.test('user search: newest first by when they were seen, last or first', async t => {
  const cluster = testTable()
  const { table, clock } = cluster
  for (let i = 0; i < 5; i++) {
    table.touch(clientNumber(i), 0, HOME)
    clock.nowMs += 2000
  }
  table.touch(clientNumber(1), 0, HOME)
  const names = (numbers: number[]): string[] => numbers.map(i => formatClient(clientNumber(i)))
  for (const limit of [1, 2, 5]) {
    t.same(searchAll(cluster, { sort: 'last_seen', limit }), names([1, 4, 3, 2, 0]))
    t.same(searchAll(cluster, { sort: 'first_seen', limit }), names([4, 3, 2, 1, 0]))
  }
})

t.test('user search: sorts over the wrap of the clock', async t => {
  const cluster = testTable({ nowMs: 2 ** 32 - 1000 })
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.clock.nowMs += 2000
  cluster.table.touch(clientNumber(2), 0, HOME)
  t.same(searchAll(cluster, { sort: 'last_seen', limit: 1 }),
    [clientNumber(2), clientNumber(1)].map(formatClient))
})

t.test('user search: one step looks at 1,024 slots at most', async t => {
  const cluster = testTable({ users: 65_536 })
  for (let i = 0; i < 65_536; i++) cluster.table.touch(clientNumber(i), 0, addressNumber(i))
  const walk = cluster.table.search(EVERYBODY)
  let before = 0
  let isDone = false
  while (!isDone) {
    isDone = walk.step()
    const { matched } = walk.result()
    if (matched - before > 1024) return t.fail(`${matched - before} in one step`)
    before = matched
  }
  t.equal(before, 65_536)
})

t.test('user search: a page by how many come before it, in every order', async t => {
  const cluster = testTable({ users: 2048 })
  for (let i = 0; i < 1500; i++) {
    cluster.table.touch(clientNumber(i), i % 3, HOME)
    if (i % 4 === 0) cluster.clock.nowMs += 700
  }
  const names = ({ users }: SearchResult): string[] =>
    users.map(({ client }) => formatClient(client))
  for (const sort of ['place', 'last_seen', 'first_seen'] as const) {
    const all = names(search(cluster, { sort, limit: 1500 }))
    for (const offset of [0, 1, 10, 777, 1495, 1500, 5000]) {
      const page = search(cluster, { sort, offset })
      t.same(names(page), all.slice(offset, offset + 10), `${sort}, ${offset}`)
      t.equal(page.matched, 1500)
      t.equal(page.nextCursor === undefined, offset >= 1490)
    }
  }
  const [first] = search(cluster, { server: 2, offset: 499 }).users
  t.equal(first?.server, 2, 'counted among those that match')
  t.equal(search(cluster, { server: 2, offset: 500 }).users.length, 0)
})

interface ModelUser {
  readonly server: number
  readonly address: string
  readonly last: number
  readonly first: number
  readonly isConfirmed: boolean
}

t.test('user search: is what a plain list would be, whatever is asked', async t => {
  const user = fc.record({
    server: fc.nat(2), address: fc.nat(30), client: fc.nat(200), waitMs: fc.nat(3000)
  })
  const question = fc.record({
    server: fc.option(fc.nat(2), { nil: undefined }),
    prefix: fc.constantFrom(undefined, '0', '00', '000000', '2001:db8::1', 'x'),
    sort: fc.constantFrom('place' as const, 'last_seen' as const, 'first_seen' as const),
    limit: fc.integer({ min: 1, max: 12 })
  })
  fc.assert(fc.property(fc.array(user, { maxLength: 80 }), question, (users, asked) => {
    const cluster = testTable({ users: 512 })
    const model = new Map<string, ModelUser>()
    for (const { server, address, client: number, waitMs } of users) {
      cluster.clock.nowMs += waitMs
      const client = clientNumber(number)
      const name = formatClient(client)
      cluster.table.touch(client, server, addressNumber(address))
      const { nowMs } = cluster.clock
      const before = model.get(name)
      const isConfirmed = before !== undefined &&
        (before.isConfirmed || nowMs - before.last >= CONFIRM_MS)
      model.set(name, {
        server,
        address: formatAddress(addressNumber(address)),
        // Until it confirms, a second request does not count.
        last: before === undefined || isConfirmed ? nowMs : before.last,
        first: before?.first ?? Math.floor(nowMs / 1000),
        isConfirmed
      })
    }
    const { server, prefix, sort } = asked
    const wanted = [...model].filter(([name, { server: on, address }]) =>
      (server === undefined || on === server) &&
      (prefix === undefined || name.startsWith(prefix) || address.startsWith(prefix)))
    if (search(cluster, asked).matched !== wanted.length) throw new Error('matched')
    const found = searchAll(cluster, asked)
    same([...found].sort(), wanted.map(([name]) => name).sort())
    if (sort === 'place') return
    const times = found.map(name => model.get(name)![sort === 'last_seen' ? 'last' : 'first'])
    same(times, [...times].sort((a, b) => b - a))
  }), { numRuns: 300 })
  t.pass('300 tables')
})

t.test('user search: exact while threads touch and leave, and users are removed', async t => {
  const run = await searchRun(t.testdir(), 200, 10_000)
  t.same(run.violations, [])
  t.equal(run.left, 0)
  t.ok(run.operations >= 10_000, `${run.operations} operations beside`)
})

function same (found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`)
  }
}
