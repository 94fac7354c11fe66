/** The account command as people run it: a process of its own, beside the program or without it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { CredentialsPool } from '@usher/workers/credentials/pool.ts'
import { openDatabase } from '@usher/workers/database/open.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { ROOT, startCluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What the first start of the program makes. */
function makeDatabase (cwd: string): string {
  const path = join(cwd, 'db/usher.db')
  openDatabase(path, join(ROOT, 'db/migrations')).close()
  return path
}

/** What is said before all else is taken off `stderr`. */
async function account (cwd: string, line: string, input = ''): Promise<Ended> {
  const args = [join(ROOT, 'scripts/account.mjs'), ...line.split(' ')]
  const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env['PATH'] } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => { stdout += text.toString() })
  child.stderr.on('data', (text: Buffer) => { stderr += text.toString() })
  child.stdin.on('error', () => {}) // Not every command reads it.
  child.stdin.end(input)
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr: stderr.replace(`Database: ${join(cwd, 'db/usher.db')}\n`, '') }
}

t.test('account: add, list, passwd, permission and remove, without the program', async t => {
  const cwd = t.testdir()
  t.match(await account(cwd, 'add admin --permission 1', `${PASSWORD}\n`), {
    code: 1, stdout: '', stderr: `account: there is no database at ${join(cwd, 'db/usher.db')}.`
  })
  t.equal(existsSync(join(cwd, 'db')), false, 'and none is made')
  makeDatabase(cwd)
  t.match(await account(cwd, 'add admin --permission 1', `${PASSWORD}\n`), { code: 0, stderr: '' })
  t.match(await account(cwd, 'add anna --permission -1', `${PASSWORD}\n`), { code: 0, stderr: '' })
  t.match(await account(cwd, 'permission anna -1'), { code: 0, stderr: '' })
  t.match(await account(cwd, 'passwd anna', 'staple of another kind'), { code: 0, stderr: '' })
  t.match(await account(cwd, 'list'), { code: 0, stdout: /admin .* view and disconnect\nanna .* nothing\n/ })
  t.match(await account(cwd, 'remove anna'), { code: 0, stderr: '' })
  t.match(await account(cwd, 'add anna --permission 0', 'short'), { code: 1, stderr: /12 characters/ })
  t.match(await account(cwd, 'rename anna'), { code: 2, stdout: '', stderr: /usage: npm run account/ })
  t.match(await account(cwd, 'list --settings nowhere'), { code: 2, stderr: /nowhere/ })
})

t.test('account: its hashes are verified by the threads that were built for it', async t => {
  const cwd = t.testdir()
  const path = makeDatabase(cwd)
  await account(cwd, 'add admin --permission 1', PASSWORD)
  const database = new Database(path, { readonly: true })
  const hash = database.prepare<[], string>('SELECT Password FROM UserPassPerm').pluck().get()
  database.close()
  const pool = new CredentialsPool(join(ROOT, 'dist/credentials.js'))
  t.teardown(() => pool.close())
  t.equal(await pool.verify(hash, PASSWORD), true)
  t.equal(await pool.verify(hash, 'staple of another kind'), false)
})

t.test('account: works beside the running program, and never says the password', async t => {
  const cwd = t.testdir()
  const cluster = await startCluster(t, {}, { cwd })
  const added = await account(cwd, 'add anna --permission 1', PASSWORD)
  t.match(added, { code: 0, stdout: 'Added "anna" with permission 1.\n' })
  t.match(await account(cwd, 'list'), { code: 0, stdout: /^anna +1 +view and disconnect$/m })
  t.equal(await cluster.stop(), 0)
  t.match(await account(cwd, 'list'), { code: 0, stdout: /^anna /m })
  const log = readFileSync(join(cwd, 'server.log'), 'utf8')
  t.match(log, /"who":"command line","action":"account-added","target":"anna"/)
  t.notMatch(log + JSON.stringify(added), /horse/)
})

t.test('account: a password that it resets holds, whatever changes the program was verifying', async t => {
  const cwd = t.testdir()
  const OLD = 'the old password of anna'
  const cluster = await startCluster(t, {}, { cwd })
  await account(cwd, 'add anna --permission 1', OLD)
  const sessions: Operator[] = []
  for (let count = 0; count < 4; count++) sessions.push(await Operator.loggedIn(cluster, 'anna', OLD))
  const stream = await sessions[0]!.events()
  // They are verified one after the other, and the reset comes in between.
  const changes = sessions.map((session, at) =>
    session.changePassword(OLD, `what session ${at} has chosen`))
  t.match(await account(cwd, 'passwd anna', PASSWORD), { code: 0 })
  const outcomes = (await Promise.all(changes)).map(({ status }) => status)
  t.ok(outcomes.filter(status => status === 200).length <= 1, `one of them at most was quicker: ${outcomes.join()}`)
  await stream.ended
  for (const session of sessions) t.equal((await session.get('/user-info')).status, 401)
  t.equal((await new Operator(cluster).logIn('anna', PASSWORD)).status, 200)
})

t.test('account: a damaged database is refused and left as it is', async t => {
  const text = 'this is not a database, but somebody may need it'
  const cwd = t.testdir({ db: { 'usher.db': text } })
  t.match(await account(cwd, 'list'), {
    code: 1, stdout: '', stderr: /^account: .*usher\.db is damaged, or no SQLite database\. Nothing was changed/
  })
  t.equal(readFileSync(join(cwd, 'db/usher.db'), 'utf8'), text)
})

t.test('account: beside a locked database it gives up after a while, with a reason', async t => {
  const cwd = t.testdir()
  const other = new Database(makeDatabase(cwd))
  await account(cwd, 'add admin --permission 1', PASSWORD)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  t.match(await account(cwd, 'permission admin 1'), {
    code: 1, stdout: '', stderr: 'account: the database is locked by another program\n'
  })
})
