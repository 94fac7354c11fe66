/** What each permission allows on a running cluster, and when a change of it counts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { ROOT, startCluster, Visitor, type Cluster, workingFolder } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }

async function account (cwd: string, ...words: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [join(ROOT, 'dist/account.js'), ...words], { cwd })
  child.stdin.end(`${PASSWORD}\n`)
  const [code] = await once(child, 'close') as [number | null]
  return code
}

async function loggedIn (cluster: Cluster, username: string): Promise<Operator> {
  const operator = new Operator(cluster)
  const { status } = await operator.logIn(username, PASSWORD)
  if (status !== 200) throw new Error(`${status} instead of a session`)
  return operator
}

t.test('permissions: a viewer views, a change counts at once, and ends open streams', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, SETTINGS, { cwd })
  t.equal(await account(cwd, 'add', 'desk', '--permission', '0'), 0, 'beside the program')
  const desk = await loggedIn(cluster, 'desk')
  const guest = new Visitor()
  await guest.enter(cluster)
  const userId = guest.cookie!.split('=')[1]
  t.equal((await desk.get('/stats')).status, 200)
  t.match(await desk.post('/disconnect', { userId }), { status: 403, json: { error: 'forbidden' } })
  t.equal((await desk.get('/audit')).status, 403)
  t.match((await desk.get('/stats')).json, { total_users: 1 }, 'nobody was disconnected')

  const stream = await desk.events()
  await stream.next(() => true)
  t.equal(await account(cwd, 'permission', 'desk', '-1'), 0)
  t.equal((await desk.get('/stats')).status, 403, 'the very next request')
  t.equal((await desk.get('/user-info')).status, 200)
  await stream.ended
  t.equal(await account(cwd, 'permission', 'desk', '1'), 0)
  t.equal((await desk.post('/disconnect', { userId })).status, 200)

  t.equal(await account(cwd, 'passwd', 'desk'), 0)
  t.equal((await desk.get('/user-info')).status, 401, 'a new password ends its sessions')
  const again = await loggedIn(cluster, 'desk')
  t.equal(await account(cwd, 'remove', 'desk'), 0)
  t.equal((await again.get('/user-info')).status, 401)
})

t.test('permissions: a disconnect has closed the open connections before it is answered', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const admin = await loggedIn(cluster, 'admin')
  const guest = new Visitor()
  await guest.enter(cluster)
  const places = [...cluster.ports, cluster.routingPort]
  const agents = places.map(() => new http.Agent({ keepAlive: true }))
  for (const [at, port] of places.entries()) await guest.ask(port, '/', { agent: agents[at]! })
  const sockets = agents.flatMap(agent => Object.values(agent.freeSockets).flat())
  t.equal(sockets.length, places.length, 'idle and open')
  let isAnswered = false
  const closedBefore = sockets.map(socket => new Promise<boolean>(resolve => {
    socket!.once('close', () => resolve(!isAnswered))
  }))
  const { status } = await admin.post('/disconnect', { userId: guest.cookie!.split('=')[1] })
  isAnswered = true
  t.equal(status, 200)
  t.strictSame(await Promise.all(closedBefore), places.map(() => true))
  for (const port of places) t.equal((await guest.ask(port)).status, 403)
})

t.test('permissions: a locked database is 503 for a while, and visitors notice nothing', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, SETTINGS, { cwd })
  const admin = await loggedIn(cluster, 'admin')
  const other = new Database(join(cwd, 'db/usher.db'))
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const denied = admin.post('/deny', { address: '198.51.100.7' })
  const login = new Operator(cluster).logIn('admin', PASSWORD)
  await new Visitor().enter(cluster)
  t.equal((await admin.get('/stats')).status, 200, 'who only reads is answered')
  t.match(await denied, { status: 503, json: { error: 'database_unavailable' } })
  t.match(await login, { status: 503, headers: { 'retry-after': '2' } })
  other.exec('COMMIT')
  t.equal((await admin.post('/deny', { address: '198.51.100.7' })).status, 200)
  await loggedIn(cluster, 'admin')
})
