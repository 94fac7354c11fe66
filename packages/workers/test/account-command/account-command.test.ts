import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { runAccountCommand } from '../../src/account-command/account-command.ts'
import { verifyPassword } from '../../src/credentials/password-hash.ts'
import { openDatabase } from '../../src/database/open.ts'
import { Accounts, type Account } from '../../src/accounts/accounts.ts'
import type { AuditRecord } from '../../src/records/audit-event.ts'
import { AuditLog } from '../../src/records/audit-log.ts'
import { SessionStore } from '../../src/accounts/session-store.ts'
import { silentLog } from '@usher/shared/log.ts'
import { pipe, terminal, type TestStreams } from '../fixtures/account-streams.ts'
import { MIGRATIONS } from '../fixtures/test-database.ts'

const PASSWORD = 'correct horse battery'
const OTHER = 'staple of another kind'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface TestCommand {
  readonly dbPath: string
  readonly logText: () => string
  /** @param line its words, separated by blanks */
  run (line: string, io?: TestStreams): Promise<Ended>
  accounts (): Promise<readonly Account[]>
  /** Newest first. */
  audit (): Promise<readonly AuditRecord[]>
}

function testCommand (t: Test): TestCommand {
  const cwd = t.testdir({ program: { db: t.fixture('symlink', MIGRATIONS) }, html: {} })
  const dbPath = `${cwd}/usher.db`
  openDatabase(dbPath, MIGRATIONS).close()
  return {
    dbPath,
    logText: () => readFileSync(`${cwd}/server.log`, 'utf8'),
    async run (line, io = pipe()) {
      const source = { argv: line.split(' '), env: { DB_PATH: 'usher.db', HTML_DIRS: 'html' }, cwd }
      const code = await runAccountCommand({ ...source, programDir: `${cwd}/program` }, io.streams)
      // Said before all else; see the test on which database is written.
      const stderr = io.complained().replace(`Database: ${dbPath}\n`, '')
      return { code, stdout: io.printed(), stderr }
    },
    accounts: () => inside(dbPath, database => new Accounts(database).list()),
    audit: () => inside(dbPath, async database => {
      const audit = new AuditLog(database, { log: silentLog(), wallNow: Date.now })
      return (await audit.page(undefined, 100)).entries
    })
  }
}

async function inside<T> (
  path: string, look: (database: ReturnType<typeof openDatabase>) => Promise<T>
): Promise<T> {
  const database = openDatabase(path, MIGRATIONS)
  try {
    return await look(database)
  } finally {
    database.close()
  }
}

t.test('account command: from the first account to the last', async t => {
  const { run, accounts, audit, logText } = testCommand(t)
  t.match(await run('list'), { code: 0, stdout: /^There is no account/, stderr: '' })
  t.same(await run('add admin --permission 1', pipe(`${PASSWORD}\n`)), {
    code: 0, stdout: 'Added "admin" with permission 1.\n', stderr: ''
  })
  t.match(await run('add Anna --permission 0', pipe(`${PASSWORD}\n`)), { code: 0, stderr: '' })
  t.same(await run('permission anna -1'), {
    code: 0, stdout: '"Anna" has permission -1 now.\n', stderr: ''
  })
  t.equal((await run('list')).stdout, [
    'NAME   PERMISSION  MAY',
    'admin  1           view and disconnect',
    'Anna   -1          nothing',
    ''
  ].join('\n'))
  t.match(await run('passwd ANNA', pipe(OTHER)), { code: 0, stdout: /^"Anna" has a new password/ })
  const [admin, anna] = await accounts()
  t.match([admin, anna], [
    { username: 'admin', permission: 1, mustChange: false },
    { username: 'Anna', permission: -1, mustChange: false }
  ])
  t.equal(verifyPassword(admin!.passwordHash, PASSWORD), 'right')
  t.equal(verifyPassword(anna!.passwordHash, OTHER), 'right')
  t.match(await run('remove anna'), { code: 0, stdout: /^Removed "Anna"/, stderr: '' })
  t.match(await accounts(), [{ username: 'admin' }])

  const by = { who: 'command line', address: 'local' }
  t.match(await audit(), [
    { ...by, action: 'account-removed', target: 'Anna' },
    { ...by, action: 'password-changed', target: 'Anna' },
    { ...by, action: 'permission-changed', target: 'Anna', detail: { from: 0, permission: -1 } },
    { ...by, action: 'account-added', target: 'Anna', detail: { permission: 0 } },
    { ...by, action: 'account-added', target: 'admin', detail: { permission: 1 } }
  ])
  t.equal(logText().trim().split('\n').length, 5)
  t.match(logText(), /"action":"account-added","target":"admin"/)
  t.notMatch(logText() + JSON.stringify(await audit()), /horse|staple|argon2/)
})

t.test('account command: asks at a terminal, and shows nothing of the password', async t => {
  const { run, accounts } = testCommand(t)
  const { code, stdout, stderr } = await run('add anna --permission 1', terminal(`${PASSWORD}\r`, `${PASSWORD}\r`))
  t.equal(code, 0)
  t.match(stderr, /New password for anna: .*\n.*Repeat the password: /)
  t.notMatch(stdout + stderr, /horse/)
  t.equal(verifyPassword((await accounts())[0]!.passwordHash, PASSWORD), 'right')
  t.match(await run('passwd anna', terminal('\u0003')), { code: 1, stderr: /No password was given/ })
})

t.test('account command: a new password and a removed account end their sessions', async t => {
  const { run, accounts, dbPath } = testCommand(t)
  await run('add anna --permission 1', pipe(PASSWORD))
  const options = { idleTimeoutMs: 60_000, lifetimeMs: 60_000, now: Date.now }
  for (const line of ['passwd anna', 'remove anna --force']) {
    const [anna] = await accounts()
    await inside(dbPath, async database => {
      const sessions = new SessionStore(database, options)
      const token = await sessions.open(anna!, { address: '192.0.2.7', userAgent: '' })
      t.match(await sessions.current(token), { username: 'anna' })
      t.equal((await run(line, pipe(OTHER))).code, 0)
      t.equal(await sessions.current(token), undefined, 'in a program that runs, at its next request')
    })
  }
})

t.test('account command: ends the sessions of one account, or of everybody', async t => {
  const { run, accounts, audit, dbPath } = testCommand(t)
  for (const name of ['anna', 'bert', 'carl']) await run(`add ${name} --permission 1`, pipe(PASSWORD))
  await inside(dbPath, async database => {
    const options = { idleTimeoutMs: 60_000, lifetimeMs: 60_000, now: Date.now }
    const sessions = new SessionStore(database, options)
    const tokens: string[] = []
    for (const account of await accounts()) tokens.push(await sessions.open(account, { address: '::1', userAgent: '' }))
    const standing = async (): Promise<boolean[]> =>
      await Promise.all(tokens.map(async token => await sessions.current(token) !== undefined))
    t.same(await run('logout ANNA'), { code: 0, stdout: '"anna" is logged out; sessions ended: 1.\n', stderr: '' })
    t.same(await standing(), [false, true, true])
    t.match(await run('logout dora'), { code: 1, stderr: /no account "dora"/ })
    t.same(await run('logout --all'), { code: 0, stdout: 'Everybody is logged out; sessions ended: 2.\n', stderr: '' })
    t.same(await standing(), [false, false, false])
  })
  t.match((await audit()).slice(0, 2), [
    { action: 'all-sessions-ended', target: undefined, detail: { sessions: 2 } },
    { action: 'sessions-ended', target: 'anna', detail: { sessions: 1 } }
  ])
  t.equal(verifyPassword((await accounts())[0]!.passwordHash, PASSWORD), 'right', 'and no password is changed')
})

t.test('account command: what is refused changes nothing and is not on record', async t => {
  const { run, accounts, audit } = testCommand(t)
  await run('add admin --permission 1', pipe(PASSWORD))
  await run('add anna --permission 0', pipe(PASSWORD))
  const [before, recorded] = [await accounts(), await audit()]
  const cases: ReadonlyArray<[line: string, input: string, code: number, complaint: RegExp]> = [
    ['add bert --permission 0', 'short', 1, /shorter than 12 characters/],
    ['add administrator --permission 0', 'Administrator', 1, /is the account's name/],
    ['add bert --permission 0', '', 1, /No password came/],
    ['add ANNA --permission 0', PASSWORD, 1, /an account named "ANNA" exists already/],
    ['add bert --permission 7', PASSWORD, 2, /there is no permission 7/],
    ['add \u202ebert --permission 0', PASSWORD, 2, /1 to 64 printable characters/],
    [`add ${'x'.repeat(65)} --permission 0`, PASSWORD, 2, /1 to 64 printable characters/],
    ['passwd bert', PASSWORD, 1, /There is no account "bert"; list shows all/],
    ['passwd anna', 'short', 1, /shorter than 12 characters/],
    ['permission anna 7', '', 2, /there is no permission 7/],
    ['permission bert 0', '', 1, /There is no account "bert"/],
    ['permission admin 0', '', 1, /"admin" is the last account that may view and disconnect.*--force/],
    ['remove ADMIN', '', 1, /"admin" is the last account that may view and disconnect.*--force/],
    ['remove bert', '', 1, /There is no account "bert"/],
    ['remove', '', 2, /remove takes NAME.*\n\nusage:/],
    ['rename anna bert', '', 2, /^account: .*\n\nusage:/],
    ['list --settings nowhere.env', '', 2, /nowhere\.env/]
  ]
  for (const [line, input, code, complaint] of cases) {
    const ended = await run(line, pipe(input))
    t.match(ended, { code, stdout: '', stderr: complaint }, line)
    t.match(ended.stderr, /^account: /)
    t.notMatch(ended.stderr, /\n {4}at /, 'no stack')
  }
  t.same(await accounts(), before)
  t.same(await audit(), recorded)
})

t.test('account command: the last who administers goes by force only, and with a note', async t => {
  const { run, accounts } = testCommand(t)
  const note = 'Note: no account may view and disconnect.\n'
  t.match(await run('add viewer --permission 0', pipe(PASSWORD)), { code: 0, stderr: note })
  await run('add one --permission 1', pipe(PASSWORD))
  await run('add two --permission 1', pipe(PASSWORD))
  t.match(await run('permission one 0'), { code: 0, stderr: '' }, 'there is another')
  t.match(await run('permission two 1'), { code: 0, stderr: '' }, 'it stays what it is')
  t.match(await run('permission two 0'), { code: 1 })
  t.match(await run('remove viewer'), { code: 0 }, 'it never was one')
  t.match(await run('permission two 0 --force'), { code: 0, stderr: note })
  t.match(await run('permission two 1'), { code: 0, stderr: '' })
  t.match(await run('remove two --force'), { code: 0, stderr: note })
  t.match(await accounts(), [{ username: 'one', permission: 0 }])
})

t.test('account command: who administers is what the table of permissions says', async t => {
  const { run, dbPath } = testCommand(t)
  await run('add one --permission 1', pipe(PASSWORD))
  const db = new Database(dbPath)
  db.exec('INSERT INTO Permissions VALUES (7, 1, 1), (8, 0, 1)')
  t.match(await run('add seven --permission 7', pipe(PASSWORD)), { code: 0, stderr: '' })
  t.match(await run('list'), { stdout: /seven +7 +view and disconnect\n/ })
  t.match(await run('permission one 8'), { code: 0, stderr: '' }, 'seven is another')
  t.match(await run('remove seven'), { code: 1, stderr: /last account that may view and disconnect/ })
  t.match(await run('permission seven 0'), { code: 1 })
  db.exec('UPDATE Permissions SET CanView = 1 WHERE PermissionNum = 8')
  db.close()
  t.match(await run('remove seven'), { code: 0, stderr: '' }, 'now one is another')
  t.match(await run('permission one 9'), { code: 2, stderr: /there is no permission 9; there are -1, 0, 1, 7, 8$/m })
})

t.test('account command: names that others put into the file cannot steer the terminal', async t => {
  const { run, dbPath } = testCommand(t)
  await run('list')
  const other = new Database(dbPath)
  t.teardown(() => other.close())
  other.prepare('INSERT INTO UserPassPerm (Username, Password, Perm, MustChange) VALUES (?, ?, 1, 1)')
    .run('evil\u001b[2J\n', 'x')
  const { stdout } = await run('list')
  t.match(stdout, /^evil\\u001b\[2J\\n +1 +view and disconnect \(must change the password first\)$/m)
  t.notMatch(stdout, '\u001b')
})

t.test('account command: says which database it writes, and makes none', async t => {
  const cwd = t.testdir({ program: { db: t.fixture('symlink', MIGRATIONS) }, html: {}, 'empty.db': '' })
  const run = async (dbPath: string, line: string) => {
    const io = pipe(PASSWORD)
    const source = { argv: line.split(' '), env: { DB_PATH: dbPath, HTML_DIRS: 'html' }, cwd }
    const code = await runAccountCommand({ ...source, programDir: `${cwd}/program` }, io.streams)
    return { code, stdout: io.printed(), stderr: io.complained() }
  }
  for (const name of ['usher.db', 'deeper/usher.db', 'empty.db']) {
    for (const line of ['list', 'add anna --permission 1']) {
      const { code, stdout, stderr } = await run(name, line)
      t.same([code, stdout], [1, ''], name)
      t.ok(stderr.startsWith(`account: there is no database at ${cwd}/${name}.`), stderr)
      t.match(stderr, /--db-path/)
    }
  }
  t.same(readdirSync(cwd).filter(name => !name.startsWith('server.log')).sort(), ['empty.db', 'html', 'program'])
  t.equal(readFileSync(`${cwd}/empty.db`, 'utf8'), '')
  openDatabase(`${cwd}/usher.db`, MIGRATIONS).close()
  t.same(await run('usher.db', 'add anna --permission 1'), {
    code: 0, stdout: 'Added "anna" with permission 1.\n', stderr: `Database: ${cwd}/usher.db\n`
  })
})

t.test('account command: two that were started together leave an administrator', async t => {
  const { run, accounts, dbPath } = testCommand(t)
  for (const name of ['one', 'two']) await run(`add ${name} --permission 1`, pipe(PASSWORD))
  const other = new Database(dbPath)
  t.teardown(() => other.close())
  // Both have looked, and wait to write.
  other.exec('BEGIN IMMEDIATE')
  const both = Promise.all([run('permission one 0'), run('remove two')])
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  other.exec('COMMIT')
  const codes = (await both).map(({ code }) => code)
  t.same(codes.sort(), [0, 1])
  t.equal((await accounts()).filter(({ permission }) => permission === 1).length, 1)
})

t.test('account command: help is no failure', async t => {
  const { run } = testCommand(t)
  t.match(await run('--help'), { code: 0, stdout: /^usage:/, stderr: '' })
})

t.test('account command: beside a locked database it reads, and gives up writing after a while', async t => {
  const { run, accounts, dbPath } = testCommand(t)
  await run('add admin --permission 1', pipe(PASSWORD))
  const other = new Database(dbPath)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  t.match(await run('list'), { code: 0, stdout: /admin/ })
  t.match(await run('passwd admin', pipe(OTHER)), {
    code: 1, stderr: 'account: the database is locked by another program\n'
  })
  other.exec('ROLLBACK')
  t.match(await run('passwd admin', pipe(OTHER)), { code: 0 })
  t.equal(verifyPassword((await accounts())[0]!.passwordHash, OTHER), 'right')
})
