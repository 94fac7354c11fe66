import t, { type Test } from 'tap'
import type { SavedUser } from '../../src/database/rows.ts'
import { CURRENT_SESSION } from '../../src/database/statements.ts'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { ANNA, testDatabase } from '../fixtures/test-database.ts'

const BERT: SavedUser = {
  ...ANNA, kind: 'ip', client: '2001:db8::1', address: '2001:db8::1', isConfirmed: 0
}
const CARL: SavedUser = { ...ANNA, client: '00000000-0000-0000-0000-000000000001', server: 'blue' }

async function save (database: UsherDatabase, users: Iterable<SavedUser>): Promise<void> {
  await database.write(sql => sql.saveUsers(users))
}

async function checkSaved (
  t: Test, database: UsherDatabase, expected: readonly SavedUser[], label = 'saved'
): Promise<void> {
  const users = await database.read(sql => [...sql.savedUsers()])
  t.strictSame(users.sort((a, b) => a.client < b.client ? -1 : 1), expected, label)
}

/** How SQLite goes about a statement, a line for each table. */
function planOf (other: ReturnType<typeof testDatabase>['other'], sql: string): string[] {
  const rows = other.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('x') as Array<{ detail: string }>
  return rows.map(({ detail }) => detail)
}

t.test('sql: saved users come back as they were, until they are forgotten', async t => {
  const { database, reopen } = testDatabase(t)
  await checkSaved(t, database, [])
  await save(database, [ANNA, BERT])
  await checkSaved(t, database, [BERT, ANNA])
  const later = reopen()
  await checkSaved(t, later, [BERT, ANNA], 'after another opening')
  await later.write(sql => sql.forgetUsers())
  await checkSaved(t, later, [])
  await checkSaved(t, database, [])
})

t.test('sql: a run is noted from its start to its clean stop', async t => {
  const { database, reopen } = testDatabase(t)
  t.equal(await database.read(sql => sql.isRunning()), false, 'at the very first start')
  await database.write(sql => sql.setRunning(true))
  const later = reopen()
  t.equal(await later.read(sql => sql.isRunning()), true, 'after a crash')
  await later.write(sql => sql.setRunning(false))
  t.equal(await database.read(sql => sql.isRunning()), false)
})

t.test('sql: an id and an address of the same text are two users', async t => {
  const { database } = testDatabase(t)
  await save(database, [ANNA, { ...ANNA, kind: 'ip' }])
  t.equal(await database.read(sql => [...sql.savedUsers()].length), 2)
})

t.test('sql: a saved list replaces the one before', async t => {
  const { database } = testDatabase(t)
  await save(database, [ANNA, BERT])
  await save(database, [CARL])
  await checkSaved(t, database, [CARL])
  await save(database, [])
  await checkSaved(t, database, [])
})

t.test('sql: a list that fails half-way leaves the one before', async t => {
  const { database } = testDatabase(t)
  await save(database, [ANNA, BERT])
  const failing = function * (): Generator<SavedUser> {
    yield CARL
    throw new Error('the table stays busy')
  }
  await t.rejects(save(database, failing()), { message: 'the table stays busy' })
  await checkSaved(t, database, [BERT, ANNA])
  const malformed = { ...CARL, kind: 'cookie' as 'id' }
  await t.rejects(save(database, [CARL, malformed]), { message: /CHECK constraint failed/ })
  await checkSaved(t, database, [BERT, ANNA])
})

t.test('sql: the permissions are those of the contract', async t => {
  const { other } = testDatabase(t)
  t.same(other.prepare('SELECT * FROM Permissions ORDER BY PermissionNum').all(), [
    { PermissionNum: -1, CanView: 0, CanDisconnect: 0 },
    { PermissionNum: 0, CanView: 1, CanDisconnect: 0 },
    { PermissionNum: 1, CanView: 1, CanDisconnect: 1 }
  ])
})

t.test('sql: what every request asks is found by primary keys alone', async t => {
  const { other } = testDatabase(t)
  const plan = planOf(other, CURRENT_SESSION)
  t.equal(plan.length, 3)
  t.match(plan[0], /^SEARCH Sessions USING PRIMARY KEY \(TokenHash=\?\)/)
  t.match(plan[1], /^SEARCH UserPassPerm USING INTEGER PRIMARY KEY \(rowid=\?\)/)
  t.match(plan[2], /^SEARCH Permissions USING INTEGER PRIMARY KEY \(rowid=\?\)/)
  t.match(planOf(other, 'SELECT * FROM Sessions WHERE UserAgent = ?'), [/^SCAN/], 'and it could say else')
})

t.test('sql: another tool may add an account with the columns of the contract', async t => {
  const { database, other } = testDatabase(t)
  other.exec("INSERT INTO UserPassPerm (Username, Password, Perm) VALUES ('Anna', '$argon2id$x', 0)")
  t.match(await database.read(sql => sql.accountNamed('anna')), {
    username: 'Anna', passwordHash: '$argon2id$x', permission: 0, mustChange: 0
  })
  t.throws(() => other.exec("INSERT INTO UserPassPerm (Username, Password, Perm) VALUES ('ANNA', 'x', 0)"),
    { code: 'SQLITE_CONSTRAINT_UNIQUE' })
})
