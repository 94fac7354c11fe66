/**
 * What the monitor does at the same time has bounds for an account and an address: nobody who asks
 * too much ends its thread, or keeps another from working.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { Operator, type Reply } from '../scripts/kit/operator.ts'
import { samePorts, startCluster, until, workingFolder, type Cluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'
const NEXT_PASSWORD = 'staple of another kind'
const USERS = 30_000
const VIEWERS = ['desk', 'night', 'day', 'spare', 'guest']

/** With a crowd as a clean stop saves it, and viewers with the administrator's password. */
async function startCrowded (t: Test): Promise<Cluster> {
  const cwd = workingFolder(t)
  const first = await startCluster(t, { ADMIN_PASSWORD: PASSWORD }, { cwd })
  await first.stop()
  const db = new Database(join(cwd, 'db/usher.db'))
  const addUser = db.prepare(`INSERT INTO SavedUsers
    (Kind, Client, Address, Server, Confirmed, FirstSeen, LastSeen)
    VALUES ('id', ?, '192.0.2.7', ?, 1, ?, ?)`)
  const addViewer = db.prepare(`INSERT INTO UserPassPerm (Username, Password, Perm)
    SELECT ?, Password, 0 FROM UserPassPerm WHERE Username = 'admin'`)
  const nowMs = Date.now()
  db.transaction(() => {
    for (const name of VIEWERS) addViewer.run(name)
    for (let each = 0; each < USERS; each++) {
      addUser.run(randomUUID(), String(first.ports[each % first.ports.length]), nowMs, nowMs)
    }
  })()
  db.close()
  return await startCluster(t, samePorts(first), { cwd })
}

function statusesOf (replies: readonly Reply[]): number[] {
  return [...new Set(replies.map(({ status }) => status))].sort()
}

t.test('bounds: 150 of the largest questions at once end no thread and hold up nobody else', async t => {
  const cluster = await startCrowded(t)
  const viewer = await Operator.loggedIn(cluster, 'desk', PASSWORD)
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const over = new AbortController()
  const flood = Promise.all(Array.from({ length: 150 }, () => viewer.get('/stats?limit=10000')))
    .finally(() => { over.abort() })
  let answered = 0
  while (!over.signal.aborted) {
    t.match(await admin.get('/stats?limit=0'), { status: 200, json: { total_users: USERS } })
    answered++
  }
  const replies = await flood
  t.ok(answered > 3, `${answered} answered meanwhile`)
  t.strictSame(statusesOf(replies).filter(status => ![200, 429, 503].includes(status)), [])
  t.ok(replies.some(({ status }) => status === 200))
  const refused = replies.find(({ status }) => status === 429)!
  t.match(refused, { headers: { 'retry-after': '1' }, json: { error: 'too_many_at_once' } })
  t.equal(cluster.log.some(({ msg }) => /ended|memory/.test(msg)), false, 'the thread lives')
  for (let each = 0; each < 30; each++) {
    t.equal((await viewer.get('/stats?limit=1000')).status, 200, 'one after another')
  }
})

t.test('bounds: one account takes its share of the streams, and no address all of them', async t => {
  const cluster = await startCrowded(t)
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const statuses: number[] = []
  for (const name of VIEWERS) {
    const viewer = await Operator.loggedIn(cluster, name, PASSWORD)
    const streams = await Promise.all(Array.from({ length: 25 }, () => viewer.events()))
    statuses.push(streams.filter(({ status }) => status === 200).length)
  }
  t.strictSame(statuses, [20, 20, 0, 0, 0])
  t.match(await admin.get('/events'), { status: 429, json: { error: 'too_many_at_once' } })
  t.equal((await admin.get('/stats?limit=0')).status, 200)
})

/** Login after login of a stranger; each has another name, so that no throttle is met. */
function floodLogins (
  cluster: Cluster, addressOf: (each: number) => string
): () => Promise<number> {
  const over = new AbortController()
  let each = 0
  const attempt = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const at = each++
      const guess = { username: `stranger ${at}`, password: 'a wrong password' }
      const headers = { 'x-forwarded-for': addressOf(at) }
      await new Operator(cluster).post('/login', guess, { headers })
    }
  }
  const all = Promise.all(Array.from({ length: 60 }, attempt))
  return async () => {
    over.abort()
    await all
    return each
  }
}

t.test('bounds: a flood of logins refuses neither the owner\'s login nor a change of the password', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD, TRUST_PROXY: '127.0.0.1' })
  const headers = { 'x-forwarded-for': '198.51.100.7' }
  const logIn = (): Promise<Reply> => new Operator(cluster).post('/login',
    { username: 'admin', password: PASSWORD }, { headers })
  const stopOne = floodLogins(cluster, () => '203.0.113.9')
  for (let each = 0; each < 10; each++) t.equal((await logIn()).status, 200, 'from one address')
  t.ok(await stopOne() > 60)

  const stopMany = floodLogins(cluster, each => `203.${each % 250}.113.9`)
  for (let each = 0; each < 10; each++) t.equal((await logIn()).status, 200, 'from everywhere')
  const cookie = (await logIn()).headers['set-cookie']![0]!.split(';')[0]!
  const change = { current: PASSWORD, next: NEXT_PASSWORD }
  t.equal((await new Operator(cluster).post('/password', change, { headers: { ...headers, cookie } })).status, 200)
  t.ok(await stopMany() > 60)
})

t.test('bounds: wrong logins leave a password to be changed, and the audit as it was', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const startMinute = Math.floor(Date.now() / 60_000)
  let failed = 0
  await until(async () => {
    const { status } = await new Operator(cluster).logIn('admin', 'a wrong password')
    if (status === 401) failed++
    return status
  }, status => status === 429)
  const change = { current: PASSWORD, next: NEXT_PASSWORD }
  const changed = await admin.post('/password', change)
  t.equal(changed.status, 200)
  admin.cookie = changed.headers['set-cookie']![0]!.split(';')[0]!
  const { json } = await admin.get('/audit')
  const entries = json['entries'] as Array<{ action: string, detail?: { attempts: number } }>
  const sums = entries.filter(({ action }) => action === 'login-failed')
  t.equal(sums.reduce((sum, { detail }) => sum + (detail?.attempts ?? 1), 0), failed)
  t.ok(sums.length <= 1 + Math.floor(Date.now() / 60_000) - startMinute, 'one entry for a minute')
  t.strictSame(entries.filter(({ action }) => action !== 'login-failed').map(({ action }) => action),
    ['password-changed', 'login'])
})
