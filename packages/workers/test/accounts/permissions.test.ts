/** Permissions are what the database says at this moment. */
import Database from 'better-sqlite3'
import t from 'tap'
import { isAdministrator, Permissions } from '../../src/accounts/permissions.ts'
import { testDatabase } from '../fixtures/test-database.ts'

t.test('permissions: come in the order of their numbers, and a change counts at once', async t => {
  const { database, path } = testDatabase(t)
  const permissions = new Permissions(database)
  t.strictSame(await permissions.list(), [
    { permission: -1, canView: false, canDisconnect: false },
    { permission: 0, canView: true, canDisconnect: false },
    { permission: 1, canView: true, canDisconnect: true }
  ])
  const other = new Database(path)
  t.teardown(() => other.close())
  other.exec('INSERT INTO Permissions VALUES (7, 1, 1), (-5, 0, 1); UPDATE Permissions SET CanDisconnect = 0 WHERE PermissionNum = 1')
  const known = await permissions.list()
  t.strictSame(known.map(({ permission }) => permission), [-5, -1, 0, 1, 7])
  t.strictSame(known.filter(isAdministrator).map(({ permission }) => permission), [7])
})
