import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { Accounts } from '../../src/accounts/accounts.ts'
import { ensureFirstAdmin, makeUpPassword } from '../../src/accounts/first-admin.ts'
import { Permissions } from '../../src/accounts/permissions.ts'
import { silentLog } from '@usher/shared/log.ts'
import { linesLog } from '../fixtures/lines-log.ts'
import { readOnly, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const DAY_MS = 86_400_000
const hashPassword = async (password: string): Promise<string> => `hash of ${password}`

interface TestStart extends TestDatabase {
  readonly accounts: Accounts
  readonly permissions: Permissions
  readonly printed: string[]
  readonly clock: { nowMs: number }
  start (adminPassword: string): Promise<void>
}

function testStart (t: Test): TestStart {
  const opened = testDatabase(t)
  const accounts = new Accounts(opened.database)
  const permissions = new Permissions(opened.database)
  const printed: string[] = []
  const clock = { nowMs: 0 }
  return {
    ...opened,
    clock,
    accounts,
    permissions,
    printed,
    start (adminPassword) {
      return ensureFirstAdmin({
        accounts,
        permissions,
        adminPassword,
        hashPassword,
        print: text => { printed.push(text) },
        log: silentLog(),
        now: () => clock.nowMs
      })
    }
  }
}

t.test('first admin: a made-up password is printed once and must be changed', async t => {
  const { accounts, printed, start } = testStart(t)
  await start('')
  const [admin, ...others] = await accounts.list()
  t.same(others, [])
  t.match(admin, { username: 'admin', permission: 1, mustChange: true })
  const password = admin!.passwordHash.slice('hash of '.length)
  t.equal(printed.length, 1)
  t.ok(printed[0]!.split('\n').some(line => line.endsWith(` ${password}`)), 'easy to copy')
  await start('')
  await start('another password')
  t.equal(printed.length, 1)
  t.same(await accounts.list(), [admin])
})

t.test('first admin: a made-up password that nobody changed in a day is made up anew', async t => {
  const { accounts, printed, clock, start } = testStart(t)
  await start('')
  const [first] = await accounts.list()
  t.match(printed[0], /within 24 hours/)
  clock.nowMs = DAY_MS - 1
  await start('')
  t.same(await accounts.list(), [first], 'while it can be used')
  clock.nowMs = DAY_MS
  await start('')
  t.equal(printed.length, 2)
  const [second] = await accounts.list()
  t.match(second, { id: first!.id, username: 'admin', mustChange: true, passwordUntilMs: 2 * DAY_MS })
  t.ok(printed[1]!.includes(second!.passwordHash.slice('hash of '.length)))
  clock.nowMs = 2 * DAY_MS
  await start('correct horse battery')
  t.match(await accounts.list(), [{ mustChange: false, passwordUntilMs: undefined }])
  clock.nowMs = 9 * DAY_MS
  await start('')
  t.equal(printed.length, 2, 'one that was chosen stands')
})

t.test('first admin: a password from the settings is printed nowhere and stands', async t => {
  const { accounts, printed, start } = testStart(t)
  await start('correct horse battery')
  t.match(await accounts.list(), [{
    username: 'admin', permission: 1, mustChange: false, passwordHash: 'hash of correct horse battery'
  }])
  t.same(printed, [])
})

t.test('first admin: has the permission that allows everything, whatever its number', async t => {
  const { accounts, path, start } = testStart(t)
  const other = new Database(path)
  t.teardown(() => other.close())
  other.exec('DELETE FROM Permissions WHERE PermissionNum = 1')
  await start('correct horse battery')
  t.same(await accounts.list(), [], 'no permission would do')
  other.exec('INSERT INTO Permissions VALUES (9, 1, 1)')
  await start('correct horse battery')
  t.match(await accounts.list(), [{ username: 'admin', permission: 9 }])
})

t.test('first admin: is not made where there is any account', async t => {
  const { accounts, printed, start } = testStart(t)
  await accounts.add('anna', 'hash', -1, false)
  await start('')
  t.match(await accounts.list(), [{ username: 'anna' }])
  t.same(printed, [])
})

t.test('first admin: where somebody else is quicker, theirs stands, whatever its name', async t => {
  const { accounts, permissions, printed } = testStart(t)
  await ensureFirstAdmin({
    accounts,
    permissions,
    adminPassword: '',
    hashPassword: async () => {
      await accounts.add('Anna', 'theirs', 0, false)
      return 'ours'
    },
    print: text => { printed.push(text) },
    log: silentLog(),
    now: () => 0
  })
  t.match(await accounts.list(), [{ username: 'Anna', passwordHash: 'theirs' }])
  t.same(printed, [])
})

t.test('first admin: a password that could not be stored is not printed', async t => {
  const { path } = testStart(t)
  const { log } = linesLog()
  const database = readOnly(t, path, log)
  const [accounts, permissions] = [new Accounts(database), new Permissions(database)]
  const printed: string[] = []
  await t.rejects(ensureFirstAdmin({
    accounts, permissions, adminPassword: '', hashPassword, print: text => { printed.push(text) }, log, now: () => 0
  }), { code: 'USHER_DATABASE_FAILED' })
  t.same(printed, [])
})

t.test('first admin: where no password can be shown none is left, and the log says what to do', async t => {
  const { accounts, permissions, printed, start } = testStart(t)
  const { log, lines } = linesLog()
  const print = (): void => { throw new Error('the console is closed') }
  await ensureFirstAdmin({ accounts, permissions, adminPassword: '', hashPassword, print, log, now: () => 0 })
  t.same(await accounts.list(), [])
  t.match(lines, [{ msg: /ADMIN_PASSWORD.*npm run account/ }])
  t.notMatch(JSON.stringify(lines), /hash of/)
  await ensureFirstAdmin({ accounts, permissions, adminPassword: 'a good one', hashPassword, print, log, now: () => 0 })
  t.match(await accounts.list(), [{ mustChange: false }], 'one from the settings needs no console')
  await accounts.remove((await accounts.list())[0]!.id, { isForced: true })
  await start('')
  t.equal(printed.length, 1, 'the next start shows another')
})

t.test('first admin: a made-up password is long, easy to type and never the same', async t => {
  const passwords = Array.from({ length: 1000 }, makeUpPassword)
  t.equal(new Set(passwords).size, 1000)
  for (const password of passwords) {
    if (!/^[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}$/.test(password)) t.fail(password)
  }
  t.equal(new Set(passwords.join('')).size, 32, 'every letter occurs')
})
