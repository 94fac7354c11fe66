/** The database is full, locked or damaged: what needs it says 503, all else goes on. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { ask, startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'
import { Operator, type Reply } from '../scripts/kit/operator.ts'
import { smallDisks } from './small-disk.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', LOG_FILE: '-', ADMIN_PASSWORD: PASSWORD }
const SHUTDOWN_TIMEOUT_MS = 10_000
const UNAVAILABLE = { status: 503, json: { error: 'database_unavailable' } } as const

const REASON = 'x'.repeat(200)

let ids = 0
const newId = (): string => `6f1c2b0e-93d4-4c11-8a77-${String(++ids).padStart(12, '0')}`

async function admin (cluster: Cluster): Promise<Operator> {
  const operator = new Operator(cluster)
  const { status } = await operator.logIn('admin', PASSWORD)
  if (status !== 200) throw new Error(`${status} instead of a session`)
  return operator
}

/** Of the router and of every server. */
function statusesOf ({ routingPort, ports }: Cluster, id: string): Promise<number[]> {
  const headers = { cookie: `client_id=${id}` }
  return Promise.all([routingPort, ...ports].map(async port =>
    (await ask(port, '/', { headers })).status))
}

const WELCOME = [302, 200, 200, 200]
const REFUSED = [403, 403, 403, 403]

async function checkVisitors (t: Test, cluster: Cluster): Promise<void> {
  const visitor = new Visitor()
  const port = await visitor.enter(cluster)
  t.equal((await visitor.ask(port, '/heartbeat')).status, 204)
}

async function deniedIds (operator: Operator): Promise<string[]> {
  const { json } = await operator.get('/denied')
  return (json['denied'] as Array<{ userId: string }>).map(({ userId }) => userId)
}

/** Denies one new id after the other until the answer is another than 200. */
async function denyUntilRefused (
  operator: Operator, acknowledged: string[]
): Promise<{ readonly reply: Reply, readonly userId: string }> {
  for (;;) {
    const userId = newId()
    const reply = await operator.post('/deny', { userId, reason: REASON })
    if (reply.status !== 200) return { reply, userId }
    acknowledged.push(userId)
  }
}

const outages = ({ log }: Cluster): string[] =>
  log.map(({ msg }) => msg).filter(msg => /^the database/.test(msg))

async function stopsInTime (t: Test, cluster: Cluster): Promise<void> {
  const startMs = performance.now()
  t.equal(await cluster.stop(), 0)
  t.ok(performance.now() - startMs < SHUTDOWN_TIMEOUT_MS, 'within SHUTDOWN_TIMEOUT')
}

for (const makeDisk of smallDisks()) {
  t.test('database trouble: on a full disk nothing is half done, and with room all goes on', async t => {
    const cwd = workingFolder(t)
    const disk = makeDisk(t, cwd)
    t.comment(disk.name)
    const dbPath = join(disk.dir, 'usher.db')
    const cluster = await startCluster(t, { ...SETTINGS, DB_PATH: dbPath }, { cwd })
    const pid = cluster.process.pid!
    const operator = await admin(cluster)
    const acknowledged: string[] = []
    const kept = newId()
    await operator.post('/deny', { userId: kept })

    disk.fill(pid)
    const { reply, userId } = await denyUntilRefused(operator, acknowledged)
    t.comment(`${acknowledged.length} more were denied`)
    t.match(reply, { ...UNAVAILABLE, headers: { 'retry-after': '10' } })
    t.same(await statusesOf(cluster, userId), WELCOME, 'who could not be denied is not')
    t.match(await operator.post('/allow', { userId: kept }), UNAVAILABLE)
    t.same(await statusesOf(cluster, kept), REFUSED, 'who could not be allowed is denied')
    t.match(await operator.post('/disconnect', { userId, address: true, force: true }), UNAVAILABLE)
    t.same(await statusesOf(cluster, userId), WELCOME)
    t.same(new Set(await deniedIds(operator)), new Set([kept, ...acknowledged]))
    await checkVisitors(t, cluster)
    const inMemory = await admin(cluster)
    t.equal((await inMemory.get('/stats')).status, 200, 'who logs in now is logged in')
    t.equal(outages(cluster).length, 1)

    disk.makeRoom(pid)
    await until(() => operator.post('/allow', { userId: kept }), ({ status }) => status === 200)
    t.same(await statusesOf(cluster, kept), WELCOME)
    t.equal((await operator.post('/disconnect', { userId })).status, 200)
    t.equal((await inMemory.get('/stats')).status, 200)
    const { entries } = (await operator.get('/audit?q=logged')).json
    t.equal((entries as unknown[]).length, 2, 'what the audit could not take came later')
    disk.fill(pid)
    await denyUntilRefused(operator, acknowledged)
    await stopsInTime(t, cluster)
    t.ok(cluster.log.some(({ msg }) => /users could not be saved/.test(msg)))

    disk.makeRoom()
    checkFile(t, dbPath, [...acknowledged, userId])
  })
}

t.test('database trouble: while another program has it locked, only what writes waits', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, { ...SETTINGS, SHUTDOWN_TIMEOUT: '4' }, { cwd })
  const operator = await admin(cluster)
  const other = new Database(join(cwd, 'db/usher.db'))
  t.teardown(() => other.close())
  const userId = newId()

  other.exec('BEGIN EXCLUSIVE')
  const answered = new AbortController()
  const refusals = Promise.all([
    operator.post('/deny', { userId }), new Operator(cluster).logIn('admin', PASSWORD)
  ]).finally(() => { answered.abort() })
  let served = 0
  while (!answered.signal.aborted) {
    await checkVisitors(t, cluster)
    t.equal((await operator.get('/stats')).status, 200)
    served++
  }
  for (const refusal of await refusals) {
    t.match(refusal, { ...UNAVAILABLE, headers: { 'retry-after': '2' } })
  }
  t.ok(served > 1, `${served} visitors and looks at /stats meanwhile`)
  t.same(await statusesOf(cluster, userId), WELCOME)
  t.equal(outages(cluster).length, 1)

  const soon = operator.post('/deny', { userId })
  await checkVisitors(t, cluster)
  other.exec('COMMIT')
  t.equal((await soon).status, 200, 'who waits when it is released is served')
  t.same(await statusesOf(cluster, userId), REFUSED)

  other.exec('BEGIN EXCLUSIVE')
  await stopsInTime(t, cluster)
  t.ok(cluster.log.some(({ msg }) => /users could not be saved/.test(msg)))
  t.notOk(cluster.log.some(({ msg }) => /was ended/.test(msg)), 'the monitor ended by itself')
})

t.test('database trouble: damaged under the program, it says so once and the next start refuses', async t => {
  const cwd = workingFolder(t)
  const file = join(cwd, 'db/usher.db')
  const cluster = await startCluster(t, { ...SETTINGS, METRICS_TOKEN: 'x'.repeat(32) }, { cwd })
  const operator = await admin(cluster)
  const denied = newId()
  await operator.post('/deny', { userId: denied })
  const stream = await operator.events()
  await stream.next(() => true)
  damage(file)

  t.match(await operator.get('/stats'), UNAVAILABLE)
  t.match(await operator.post('/deny', { userId: newId() }), UNAVAILABLE)
  t.match(await new Operator(cluster).logIn('admin', PASSWORD), UNAVAILABLE)
  await stream.ended
  await checkVisitors(t, cluster)
  t.same(await statusesOf(cluster, denied), REFUSED, 'the deny list is in force as it was')
  const metrics = await operator.get('/metrics', { authorization: `Bearer ${'x'.repeat(32)}` })
  t.equal(metrics.status, 200)
  t.equal((await operator.get('/readyz')).status, 200)
  await stopsInTime(t, cluster)
  const said = outages(cluster).map(msg => /cannot be (read|written)/.exec(msg)![1])
  t.same(said.sort(), ['read', 'written'], 'each is said once')
  t.notOk(cluster.log.some(({ msg }) => /died|request failed/.test(msg)))
  await t.rejects(startCluster(t, SETTINGS, { cwd }), {
    message: new RegExp(`^ended with 1 [^]*${file} is damaged.*Restore it from a copy`)
  })
})

/** Every page but the first, from which one knows whose file it is. */
function damage (file: string): void {
  const other = new Database(file)
  other.pragma('wal_checkpoint(TRUNCATE)')
  const pageBytes = other.pragma('page_size', { simple: true }) as number
  const fd = openSync(file, 'r+')
  const rubbish = randomBytes(fstatSync(fd).size - pageBytes)
  writeSync(fd, rubbish, 0, rubbish.length, pageBytes)
  closeSync(fd)
  // SQLite reads the file again only after a change that it can see.
  other.exec('PRAGMA user_version = 4')
  other.close()
}

function checkFile (t: Test, dbPath: string, denied: readonly string[]): void {
  const db = new Database(dbPath)
  t.equal(db.pragma('integrity_check', { simple: true }), 'ok')
  const found = db.prepare('SELECT Target FROM Denied').pluck().all()
  t.same(new Set(found), new Set(denied))
  db.close()
}
