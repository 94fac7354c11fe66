import t, { type Test } from 'tap'
import {
  clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId, UNKNOWN_ADDRESS,
  type Client
} from '@usher/shared/client.ts'
import {
  allocateTable, lockShard, MAIN_THREAD_TAG, shardAt, unlockShard, viewTable, type TableMemory,
  type ViewOptions
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { NAMED_SERVERS, testServers } from '../../../shared/test/settings/test-servers.ts'
import { openDatabase } from '../../src/database/open.ts'
import type { SavedUser } from '../../src/database/rows.ts'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { restoreUsers, unconfirmed, usersToSave } from '../../src/records/saved-users.ts'

const MIGRATIONS = new URL('../../../../db/migrations', import.meta.url).pathname
const SILENT_FOR_MS = 1_800_000
const WALL_NOW_MS = 1_790_000_000_000
const HOME = parseAddress('192.0.2.7')!
const DAY_MS = 86_400_000
const ANNA = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
const SAVED: SavedUser = {
  kind: 'id',
  client: ANNA,
  address: '192.0.2.7',
  server: 'red',
  isConfirmed: 1,
  firstSeenMs: WALL_NOW_MS - 60_000,
  lastSeenMs: WALL_NOW_MS - 5000
}

interface TestTable {
  readonly table: UserTable
  readonly memory: TableMemory
  readonly options: ViewOptions
  readonly clock: { nowMs: number }
}

function testTable ({ users = 4096, nowMs = 5_000_000 } = {}): TestTable {
  const memory = allocateTable(
    users, NAMED_SERVERS.length, TIMES, () => (Math.random() * 2 ** 32) | 0)
  const clock = { nowMs }
  const patience = { waitMs: 0, thenThrow: false }
  const options = { threadTag: MAIN_THREAD_TAG, patience, now: () => clock.nowMs }
  return { table: new UserTable(memory, options), memory, options, clock }
}

function testDatabase (t: Test): UsherDatabase {
  const database = openDatabase(`${t.testdir()}/usher.db`, MIGRATIONS)
  t.teardown(() => database.close())
  return database
}

/** One line for each user in the table, in the order of their names. */
function usersIn (table: UserTable): string[] {
  const lines: string[] = []
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const page = table.readUsers(cursor, 500)
    if (page === 'busy') throw new Error('nobody else is here')
    for (const { client, address, server, firstSeenAgoMs, lastSeenAgoMs } of page.users) {
      lines.push([
        formatClient(client), formatAddress(address), server, firstSeenAgoMs, lastSeenAgoMs
      ].join(' '))
    }
    cursor = page.nextCursor
  }
  return lines.sort()
}

function restore (table: UserTable, users: readonly SavedUser[], servers = NAMED_SERVERS): number {
  return restoreUsers(table, users, servers, SILENT_FOR_MS, WALL_NOW_MS)
}

function idNumber (number: number): Client {
  return parseClientId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`)!
}

t.test('saved users: ids and addresses come back on their servers with their times', async t => {
  const { table, clock } = testTable()
  const visits: ReadonlyArray<[client: Client, server: number, address: string]> = [
    [parseClientId(ANNA)!, 0, '192.0.2.7'],
    [parseClientId('ffffffff-ffff-ffff-ffff-ffffffffffff')!, 1, '2001:db8::1'],
    [clientOfAddress(parseAddress('203.0.113.9')!), 2, '203.0.113.9'],
    [clientOfAddress(parseAddress('2001:db8::2')!), 2, '2001:db8::2']
  ]
  for (const [client, server, address] of visits) {
    table.touch(client, server, parseAddress(address)!)
    clock.nowMs += 1000
    table.touch(client, server, parseAddress(address)!) // Confirmed.
    clock.nowMs += 9000
  }
  table.touch(visits[0]![0], 0, HOME)
  clock.nowMs += 1000
  const before = usersIn(table)
  t.same(before, [
    '2001:db8::2 2001:db8::2 2 11000 10000',
    '203.0.113.9 203.0.113.9 2 21000 20000',
    `${ANNA} 192.0.2.7 0 41000 1000`,
    'ffffffff-ffff-ffff-ffff-ffffffffffff 2001:db8::1 1 31000 30000'
  ])
  const database = testDatabase(t)
  await database.write(sql => sql.saveUsers(usersToSave(table, NAMED_SERVERS, WALL_NOW_MS - 3000)))

  const { table: later } = testTable({ nowMs: 7000 }) // The machine was started anew, too.
  t.equal(await database.read(sql => {
    return restoreUsers(later, sql.savedUsers(), NAMED_SERVERS, SILENT_FOR_MS, WALL_NOW_MS)
  }), 4)
  t.same(usersIn(later), [
    '2001:db8::2 2001:db8::2 2 14000 13000',
    '203.0.113.9 203.0.113.9 2 24000 23000',
    `${ANNA} 192.0.2.7 0 44000 4000`,
    'ffffffff-ffff-ffff-ffff-ffffffffffff 2001:db8::1 1 34000 33000'
  ])
  t.same([...later.activeUsersPerServer()], [1, 1, 2])
  t.same([...later.loads()], [1, 1, 2])
  t.same(later.check(), [])
})

t.test('saved users: who is leaving is not saved, and who never came back may come back still', async t => {
  const { table, clock } = testTable()
  const ben = parseClientId('ffffffff-ffff-ffff-ffff-ffffffffffff')!
  table.touch(parseClientId(ANNA)!, 0, HOME)
  table.touch(ben, 1, HOME)
  table.leaveAfterGrace(ben, 1)
  clock.nowMs += TIMES.unconfirmedMs - 1
  const saved = [...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)]
  t.match(saved, [{ client: ANNA, isConfirmed: 0 }])
  t.equal(saved.length, 1)
  const { table: later, clock: laterClock } = testTable()
  restoreUsers(later, saved, NAMED_SERVERS, SILENT_FOR_MS, WALL_NOW_MS + 5000)
  laterClock.nowMs += TIMES.unconfirmedMs
  t.same(later.endDue(0), { removed: [], nextSlot: undefined })
  t.equal(later.size(), 1)
  laterClock.nowMs += 1
  for (let shard = 0; shard < later.shardCount; shard++) later.endDue(shard)
  t.equal(later.size(), 0)
})

t.test('saved users: every active one is saved, once, however many there are', async t => {
  const { table } = testTable()
  const count = 3500
  for (let number = 0; number < count; number++) {
    table.touch(idNumber(number), number % NAMED_SERVERS.length, HOME)
  }
  const saved = [...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)]
  t.equal(saved.length, count)
  t.equal(new Set(saved.map(({ client }) => client)).size, count)
  t.same(new Set(saved.map(({ server }) => server)), new Set(['red', 'green', 'blue']))
})

t.test('saved users: who has only a place reserved is not, who is on the move is', async t => {
  const { table, clock } = testTable()
  const reserve = (client: Client, server: number): void => {
    table.reserve({
      client,
      address: HOME,
      isReturning: false,
      untilMs: clock.nowMs + 10_000,
      choose: () => ({ server, because: '' })
    })
  }
  table.touch(parseClientId(ANNA)!, 1, HOME)
  reserve(parseClientId(ANNA)!, 2)
  reserve(idNumber(1), 0)
  t.equal(table.size(), 2)
  const saved = [...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)]
  t.same(saved.map(({ client, server }) => [client, server]), [[ANNA, 'green']])
})

t.test('saved users: an empty table saves nobody, an empty list brings nobody back', async t => {
  const { table } = testTable()
  t.same([...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)], [])
  t.equal(restore(table, []), 0)
})

t.test('saved users: come back as the saved values allow', async t => {
  const cases: ReadonlyArray<[label: string, changes: Partial<SavedUser>, users: string[]]> = [
    ['as saved', {}, [`${ANNA} 192.0.2.7 0 60000 5000`]],
    ['silent just long enough to stay', { firstSeenMs: WALL_NOW_MS - SILENT_FOR_MS, lastSeenMs: WALL_NOW_MS - SILENT_FOR_MS }, [`${ANNA} 192.0.2.7 0 1800000 1800000`]],
    ['silent for 1 ms too long', { lastSeenMs: WALL_NOW_MS - SILENT_FOR_MS - 1 }, []],
    ['silent for a year', { lastSeenMs: WALL_NOW_MS - 365 * DAY_MS }, []],
    ['here for a year', { firstSeenMs: WALL_NOW_MS - 365 * DAY_MS }, [`${ANNA} 192.0.2.7 0 31536000000 5000`]],
    ['clock set back since they were last seen', { lastSeenMs: WALL_NOW_MS + 1 }, [`${ANNA} 192.0.2.7 0 60000 0`]],
    ['clock set back by a day', { firstSeenMs: WALL_NOW_MS + DAY_MS, lastSeenMs: WALL_NOW_MS + DAY_MS }, [`${ANNA} 192.0.2.7 0 0 0`]],
    ['the last server', { server: 'blue' }, [`${ANNA} 192.0.2.7 2 60000 5000`]],
    ['saved before it had a name', { server: '8002' }, [`${ANNA} 192.0.2.7 2 60000 5000`]],
    ['a server that is gone', { server: 'black' }, []],
    ['a port that is gone', { server: '8003' }, []],
    ['by address', { kind: 'ip', client: '192.0.2.7' }, ['192.0.2.7 192.0.2.7 0 60000 5000']],
    ['from an unknown address', { address: '::' }, [`${ANNA} :: 0 60000 5000`]],
    ['from a malformed address', { address: 'home' }, [`${ANNA} :: 0 60000 5000`]],
    ['a malformed id', { client: 'anna' }, []],
    ['an address as an id', { client: '192.0.2.7' }, []],
    ['an id as an address', { kind: 'ip' }, []]
  ]
  for (const [label, changes, users] of cases) {
    const { table } = testTable()
    t.equal(restore(table, [{ ...SAVED, ...changes }]), users.length, label)
    t.same(usersIn(table), users, label)
    t.same(table.check(), [], label)
  }
})

t.test('saved users: grow older again from the start, after the clock was set back', async t => {
  const { table, clock } = testTable()
  const later = { firstSeenMs: WALL_NOW_MS + DAY_MS, lastSeenMs: WALL_NOW_MS + DAY_MS }
  t.equal(restore(table, [{ ...SAVED, ...later }]), 1)
  clock.nowMs += 5000
  t.same(usersIn(table), [`${ANNA} 192.0.2.7 0 5000 5000`])
})

t.test('saved users: follow the name when order and ports of the servers have changed', async t => {
  const { table } = testTable()
  t.equal(restore(table, [SAVED], testServers([9000, 8000, 9002], [
    { name: 'blue' }, { name: 'green' }, { name: 'red' }
  ])), 1)
  t.same(usersIn(table), [`${ANNA} 192.0.2.7 2 60000 5000`])
})

t.test('saved users: one that is here already stays as it is', async t => {
  const { table } = testTable()
  table.touch(parseClientId(ANNA)!, 1, UNKNOWN_ADDRESS)
  t.equal(restore(table, [SAVED, { ...SAVED, kind: 'ip', client: '192.0.2.7' }]), 1)
  t.same(usersIn(table), ['192.0.2.7 192.0.2.7 0 60000 5000', `${ANNA} :: 1 0 0`])
})

t.test('saved users: as many come back as the table holds', async t => {
  const { table } = testTable({ users: 16 })
  const users = Array.from({ length: 20 }, (_, number) => {
    return { ...SAVED, client: formatClient(idNumber(number)) }
  })
  t.equal(restore(table, users), 16)
  t.equal(table.size(), 16)
})

t.test('saved users: a table that stays busy is an error, not an endless wait', async t => {
  const { table, memory, options } = testTable()
  table.touch(parseClientId(ANNA)!, 0, HOME)
  const other = viewTable(memory, { ...options, threadTag: MAIN_THREAD_TAG + 1 })
  const at = shardAt(other.layout, 0)
  t.ok(lockShard(other, at))
  t.throws(() => [...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)], { code: 'USHER_TABLE_STUCK' })
  unlockShard(other, at)
  t.equal([...usersToSave(table, NAMED_SERVERS, WALL_NOW_MS)].length, 1)
})

t.test('saved users: who does not come back to a node of a fleet goes as newcomers do', async t => {
  const left = (users: Iterable<SavedUser>): number => {
    const { table, clock } = testTable()
    restore(table, [...users])
    clock.nowMs += TIMES.unconfirmedMs + 1
    for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
    return table.size()
  }
  t.equal(left([SAVED]), 1)
  t.equal(left(unconfirmed([SAVED])), 0)
})
