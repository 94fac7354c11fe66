/** The account command on a real database: what it does, says and refuses. */
import { cpSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { runAccountCommand } from '../../src/accounts/account-command.ts'
import { isPasswordOf } from '../../src/credentials/password-hash.ts'
import { openDatabase } from '../../src/database.ts'
import { Accounts } from '../../src/monitor/accounts.ts'
import { Audit } from '../../src/monitor/audit.ts'

const MIGRATIONS = resolve(import.meta.dirname, '../../../../db/migrations')
const PASSWORD = 'correct horse battery'

interface Ran {
  readonly code: number
  readonly out: string
  readonly complaint: string
}

function testCommand (t: Test) {
  const cwd = t.testdir()
  const programDir = join(cwd, 'program')
  cpSync(MIGRATIONS, join(programDir, 'db'), { recursive: true })
  for (const site of ['site-1', 'site-2', 'site-3']) {
    cpSync(MIGRATIONS, join(programDir, 'html', site), { recursive: true })
  }
  const dbPath = join(cwd, 'db/usher.db')
  const run = async (line: string, password: string | Error = PASSWORD): Promise<Ran> => {
    let out = ''
    let complaint = ''
    const code = await runAccountCommand({
      argv: line === '' ? [] : line.split(' '),
      env: {},
      cwd,
      programDir,
      askPassword: async () => {
        if (password instanceof Error) throw password
        return password
      },
      out: text => { out += text },
      complain: text => { complaint += text }
    })
    return { code, out, complaint }
  }
  const inspect = async <T>(look: (accounts: Accounts, audit: Audit) => Promise<T>): Promise<T> => {
    const database = openDatabase(dbPath, MIGRATIONS)
    try {
      const log = { info () {} }
      return await look(new Accounts(database), new Audit(database, { log, wallNow: Date.now }))
    } finally {
      database.close()
    }
  }
  return { cwd, dbPath, run, inspect }
}

t.test('account command: adds, lists, changes and removes', async t => {
  const { run, inspect } = testCommand(t)
  t.match(await run('list'), { code: 0, out: /no account yet/ })
  t.match(await run('add ana --permission 1'), { code: 0, out: /ana may now log in: 1 \(view and/ })
  t.match(await run('add desk --permission -1'), { code: 0 })
  t.match(await run('list'), { code: 0, out: /^ana +1 \(view and disconnect\)\ndesk +-1 \(nothing\)\n$/ })
  t.match(await run('permission desk 0'), { code: 0, out: /0 \(view\)/ })
  t.match(await run('passwd desk', 'another and long enough'), { code: 0, out: /sessions have ended/ })
  const desk = await inspect(accounts => accounts.find('DESK'))
  t.match(desk, { username: 'desk', permission: 0, mustChange: false })
  t.equal(isPasswordOf(desk!.passwordHash, 'another and long enough'), true)
  t.match(await run('remove desk'), { code: 0 })
  t.equal(await inspect(accounts => accounts.find('desk')), undefined)
  const { entries } = await inspect((_accounts, audit) => audit.page(undefined, 10))
  t.match(entries.map(({ who, action, target, address }) => [who, action, target, address]), [
    ['command line', 'account-removed', 'desk', 'local'],
    ['command line', 'password-changed', 'desk', 'local'],
    ['command line', 'permission-changed', 'desk', 'local'],
    ['command line', 'account-added', 'desk', 'local'],
    ['command line', 'account-added', 'ana', 'local']
  ])
})

t.test('account command: refuses weak passwords, and changes nothing', async t => {
  const { run, inspect } = testCommand(t)
  t.match(await run('add ana --permission 1', 'short'), { code: 1, complaint: /fewer than 12/ })
  t.match(await run('add operator-name --permission 1', 'Operator-Name'), { code: 1, complaint: /name/ })
  t.match(await run('add ana --permission 1', new Error('The two passwords differ.')), {
    code: 1, complaint: /differ/
  })
  t.equal(await inspect(accounts => accounts.isEmpty()), true)
})

t.test('account command: says who is not there, and who is there already', async t => {
  const { run } = testCommand(t)
  await run('add ana --permission 1')
  t.match(await run('add ANA --permission 0'), { code: 1, complaint: /there already/ })
  for (const line of ['passwd bo', 'permission bo 1', 'remove bo']) {
    t.match(await run(line), { code: 1, complaint: /No account has the name bo\. There is: ana\./ })
  }
})

t.test('account command: keeps one who may do everything, unless forced', async t => {
  const { run } = testCommand(t)
  await run('add ana --permission 1')
  await run('add bo --permission 0')
  t.match(await run('remove ana'), { code: 1, complaint: /the last account with permission 1/ })
  t.match(await run('permission ana 0'), { code: 1, complaint: /--force/ })
  t.equal((await run('permission ana 1')).code, 0)
  await run('permission bo 1')
  t.equal((await run('remove ana')).code, 0, 'bo is there')
  t.equal((await run('remove bo --force')).code, 0)
})

t.test('account command: wrong words and wrong settings end with 2, a damaged database with 1', async t => {
  const { run, dbPath } = testCommand(t)
  t.match(await run(''), { code: 2, complaint: /name a command[^]*npm run account -- COMMAND/ })
  t.match(await run('--help'), { code: 0, out: /permission NAME N/ })
  t.match(await run('list --settings nowhere.env'), { code: 2, complaint: /nowhere\.env/ })
  await run('list')
  writeFileSync(dbPath, 'this is no database, but long enough to have a header'.repeat(4))
  t.match(await run('list'), { code: 1, complaint: /is damaged, or no SQLite database/ })
})
