/** The operator's journey on a whole cluster: from the first password to a denied visitor. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { startCluster, until, Visitor, type Cluster, workingFolder } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
const QUICK = { DELAY_BETWEEN_ROUTING: '0', HEARTBEAT_INTERVAL: '0.5' }
const SETTINGS = { ...QUICK, ADMIN_PASSWORD: PASSWORD }

async function admin (cluster: Cluster, password = PASSWORD): Promise<Operator> {
  const operator = new Operator(cluster)
  const { status } = await operator.logIn('admin', password)
  if (status !== 200) throw new Error(`${status} instead of a session`)
  return operator
}

function idOf ({ cookie }: Visitor): string {
  return cookie!.split('=')[1]!
}

t.test('operator: the first password is printed once, and must be changed before anything else', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, QUICK, { cwd })
  await until(async () => cluster.said(), said => said.includes('choose your own'))
  const [, printed = ''] = /^ +password +(\S+)$/m.exec(cluster.said()) ?? []
  const operator = await admin(cluster, printed)
  t.match(await operator.get('/user-info'), { json: { username: 'admin', must_change_password: true } })
  for (const path of ['/stats', '/users', '/audit', '/metrics', '/events']) {
    t.match(await operator.get(path), {
      status: 403, json: { error: 'password_change_required' }
    }, path)
  }
  t.match(await operator.get('/'), { status: 302, headers: { location: '/password.html' } })
  const other = await admin(cluster, printed)
  const weak = await operator.post('/password', { current: printed, next: 'too short' })
  t.match(weak, { status: 400, json: { error: 'bad_request', message: /12/ } })
  const before = new Operator(cluster)
  before.cookie = operator.cookie
  t.equal((await operator.changePassword(printed, PASSWORD)).status, 200)
  t.equal((await operator.get('/stats')).status, 200)
  t.equal((await before.get('/user-info')).status, 401, 'its token is another one now')
  t.equal((await other.get('/user-info')).status, 401, 'every other session has ended')
  t.equal((await new Operator(cluster).logIn('admin', printed)).status, 401)

  await cluster.stop()
  const log = readFileSync(join(cwd, 'server.log'), 'utf8')
  for (const secret of [printed, PASSWORD, operator.cookie!.split('=')[1]!]) {
    t.notOk(log.includes(secret), 'the log has no secret')
  }
  const again = await startCluster(t, QUICK, { cwd })
  t.notMatch(again.said(), /password/i, 'and is not printed again')
})

t.test('operator: a first password that nobody changed in time opens nothing; the next start shows another', async t => {
  const cwd = workingFolder(t)
  const shown = ({ said }: Cluster): string => /^ +password +(\S+)$/m.exec(said())![1]!
  const cluster = await startCluster(t, QUICK, { cwd })
  await until(async () => cluster.said(), said => said.includes('choose your own'))
  const first = shown(cluster)
  const database = new Database(join(cwd, 'db/usher.db'))
  t.teardown(() => database.close())
  const { changes } = database.prepare('UPDATE UserPassPerm SET PasswordUntil = 1').run()
  t.equal(changes, 1)
  t.match(await new Operator(cluster).logIn('admin', first), {
    status: 403, json: { error: 'password_expired', message: /Start the program again.*passwd admin/ }
  })
  await cluster.stop()
  const again = await startCluster(t, QUICK, { cwd })
  await until(async () => again.said(), said => said.includes('choose your own'))
  t.equal((await new Operator(again).logIn('admin', first)).status, 401)
  const owner = await admin(again, shown(again))
  t.equal((await owner.changePassword(shown(again), PASSWORD)).status, 200)
})

t.test('operator: sees users move, disconnects one, who is refused everywhere, also after a restart', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, SETTINGS, { cwd })
  const operator = await admin(cluster)
  const [guest, other] = [new Visitor(), new Visitor()]
  const port = await guest.enter(cluster)
  await other.enter(cluster)
  const stats = await operator.get('/stats')
  t.match(stats.json, { total_users: 2, denied_users: 0, servers: { [port]: { active_users: 1, users: [idOf(guest)], state: 'up' } } })
  t.equal(stats.headers['x-active-users'], '2')
  t.match((await operator.get(`/users?q=${idOf(guest).slice(0, 8)}`)).json, {
    matched: 1, users: [{ id: idOf(guest), kind: 'id', server: String(port), address: '127.0.0.1' }]
  })

  const done = await operator.post('/disconnect', { userId: idOf(guest), reason: '<b>rude</b>' })
  t.match(done, { status: 200, json: { response: 'disconnect received' } })
  for (const each of cluster.ports) t.equal((await guest.ask(each, '/heartbeat')).status, 403)
  t.equal((await guest.ask(cluster.routingPort)).status, 403)
  t.equal((await other.ask(cluster.ports[0]!)).status, 200)
  t.match((await operator.get('/stats')).json, { total_users: 1, denied_users: 1 })
  t.equal((await operator.post('/disconnect', { userId: idOf(guest) })).status, 404)
  t.match((await operator.get('/denied')).json, {
    denied: [{ userId: idOf(guest), reason: '<b>rude</b>', by: 'admin', until: null }]
  })

  await cluster.stop()
  const again = await startCluster(t, SETTINGS, { cwd })
  const returned = new Operator(again)
  returned.cookie = operator.cookie
  t.equal((await returned.get('/stats')).status, 200, 'sessions survive a restart')
  for (const each of [again.routingPort, ...again.ports]) {
    t.equal((await guest.ask(each)).status, 403, 'and so does the denial')
  }
  t.equal((await returned.post('/allow', { userId: idOf(guest) })).status, 200)
  await guest.enter(again)
  t.equal((await returned.post('/allow', { userId: idOf(guest) })).status, 404)
  const { entries } = (await returned.get('/audit')).json as { entries: Array<Record<string, unknown>> }
  t.match(entries.map(({ who, action, target }) => [who, action, target]), [
    ['admin', 'allow', idOf(guest)],
    ['admin', 'disconnect', idOf(guest)],
    ['admin', 'login', null]
  ])
})

t.test('operator: a disconnected user without a denial comes back at once', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = await admin(cluster)
  const guest = new Visitor()
  const port = await guest.enter(cluster)
  await operator.post('/disconnect', { userId: idOf(guest), deny: false })
  t.match((await operator.get('/stats')).json, { total_users: 0, denied_users: 0 })
  t.equal(await guest.beat(port), 1)
})

t.test('operator: a denied address refuses new ids, a denied range all of its users', async t => {
  const cluster = await startCluster(t, { ...SETTINGS, TRUST_PROXY: '127.0.0.1' })
  const operator = await admin(cluster)
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
  const [a, b] = [new Visitor(), new Visitor()]
  // The second request brings the id that the first one was given.
  for (let visit = 0; visit < 2; visit++) {
    await a.ask(cluster.ports[0]!, '/', from('198.51.100.7'))
    await b.ask(cluster.ports[1]!, '/', from('203.0.113.9'))
  }
  await operator.post('/disconnect', { userId: idOf(a), address: true, minutes: 1 })
  t.equal((await new Visitor().ask(cluster.routingPort, '/', from('198.51.100.7'))).status, 403)
  t.equal((await new Visitor().ask(cluster.routingPort, '/', from('198.51.100.8'))).status, 302)
  t.equal((await operator.post('/deny', { address: '203.0.113.0/24' })).status, 200)
  t.equal((await b.ask(cluster.ports[1]!, '/heartbeat', from('203.0.113.9'))).status, 403)
  t.match((await operator.get('/users?q=203.0.113')).json, { matched: 0 })
  const own = await operator.post('/deny', { address: '127.0.0.0/8' })
  t.match(own, { status: 409, json: { message: /127\.0\.0\.1/ } })
})

t.test('operator: a draining server keeps its users and gets no new ones', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = await admin(cluster)
  const [first, second, third] = cluster.ports as [number, number, number]
  const guest = new Visitor()
  await guest.ask(first)
  t.equal((await operator.post(`/servers/${first}/drain`)).status, 200)
  t.match((await operator.get('/stats')).json, { servers: { [first]: { state: 'draining', active_users: 1 } } })
  t.ok(await guest.beat(first) >= 1, 'who is there stays')
  const arrivals: number[] = []
  for (let visit = 0; visit < 6; visit++) arrivals.push(await new Visitor().knock(cluster))
  t.notOk(arrivals.includes(first))
  t.not(await guest.knock(cluster), first, 'who comes by the router is placed anew')
  t.equal((await operator.post(`/servers/${second}/drain`)).status, 200)
  t.match(await operator.post(`/servers/${third}/drain`), { status: 409 })
  t.equal((await operator.post(`/servers/${third}/drain`, { force: true })).status, 200)
  t.equal((await new Visitor().ask(cluster.routingPort)).status, 503)
  t.equal((await operator.get('/readyz')).status, 503)
  t.equal((await operator.post(`/servers/${first}/ready`)).status, 200)
  t.equal(await new Visitor().knock(cluster), first)
  t.equal((await operator.post('/servers/1/drain')).status, 404)
})

t.test('operator: servers are called by their names everywhere', async t => {
  const cluster = await startCluster(t, {
    ...SETTINGS,
    SERVER_NAMES: 'red,7,blue',
    WEIGHTS: '1,1,2',
    ROUTER_URL: 'https://www.example.org/shop/'
  })
  const operator = await admin(cluster)
  const guest = new Visitor()
  for (let visit = 0; visit < 2; visit++) await guest.ask(cluster.ports[2]!)
  t.match((await operator.get('/stats')).json, {
    servers: {
      red: { index: 0, port: cluster.ports[0], weight: 1, active_users: 0, state: 'up' },
      7: { index: 1 },
      blue: { index: 2, weight: 2, active_users: 1, users: [idOf(guest)] }
    },
    next: { because: /^fewest users/ }
  })
  t.match((await operator.get('/users?server=blue')).json, { matched: 1, users: [{ server: 'blue' }] })
  t.match((await operator.get('/users?server=red')).json, { matched: 0 })
  t.match(await operator.get(`/users?server=${cluster.ports[2]}`), {
    status: 400, json: { message: 'server must be one of red, 7, blue.' }
  })
  const metrics = (await operator.get('/metrics')).text
  t.match(metrics, /^usher_users\{server="blue"\} 1$/m)
  t.match(metrics, /^usher_worker_restarts_total\{thread="server red"\} 0$/m)

  t.equal((await operator.post('/servers/red/drain')).status, 200)
  t.match((await operator.get('/stats')).json, { servers: { red: { state: 'draining' } } })
  t.match(await operator.post(`/servers/${cluster.ports[0]}/ready`), {
    status: 404, json: { message: /there are red, 7, blue/ }
  })
  t.equal((await operator.post('/disconnect', { userId: idOf(guest) })).status, 200)
  t.match((await operator.get('/audit')).json, {
    entries: [{ action: 'disconnect', detail: { server: 'blue' } }, { action: 'drain', target: 'red' }]
  })
  const { json } = await until(() => operator.get('/history?minutes=5'),
    ({ text }) => text.includes('"drain"'))
  t.same(Object.keys(json['servers'] as object).sort(), ['7', 'blue', 'red'])
  t.match((json['events'] as object[]).at(-1), { type: 'drain', server: 'red' })
  const script = (await new Visitor().ask(cluster.ports[0]!, '/usher.js')).body
  t.match(script, 'https://www.example.org/shop')
  t.notMatch(script, '__ROUTER_URL__')
})

t.test('operator: events follow what happens, and end with the session', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = await admin(cluster)
  const stream = await operator.events()
  t.equal(stream.status, 200)
  await stream.next(({ total_users: users }) => users === 0)
  await new Visitor().enter(cluster)
  await stream.next(({ total_users: users }) => users === 1)
  t.ok(stream.events.every(({ event }) => event === 'stats'))
  await operator.post('/logout')
  await stream.ended
  t.equal((await operator.get('/stats')).status, 401)
})

t.test('operator: a stop ends the streams and answers with 0', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = await admin(cluster)
  const stream = await operator.events()
  await stream.next(() => true)
  t.equal(await cluster.stop(), 0)
  await stream.ended
})

t.test('operator: history is there from the start, and after a restart', async t => {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, SETTINGS, { cwd })
  const operator = await admin(cluster)
  const history = await until(() => operator.get('/history?minutes=5'), ({ text }) => text.includes('"start"'))
  t.equal(history.status, 200)
  await cluster.stop()
  const again = await startCluster(t, SETTINGS, { cwd })
  const returned = await admin(again)
  const { text } = await until(() => returned.get('/history?minutes=5'),
    ({ text }) => (text.match(/"start"/g) ?? []).length >= 2)
  t.ok(text)
})

t.test('operator: metrics speak of visitors, requests and logins', async t => {
  const cluster = await startCluster(t, { ...SETTINGS, METRICS_TOKEN: 'a-token-of-sixteen-or-more' })
  await new Visitor().enter(cluster)
  await admin(cluster)
  await new Operator(cluster).logIn('admin', 'a wrong one')
  const { text, status } = await new Operator(cluster).get('/metrics', {
    authorization: 'Bearer a-token-of-sixteen-or-more'
  })
  t.equal(status, 200)
  for (const line of [
    /^# TYPE usher_\w*users\w* gauge$/m, /^usher_\w*redirects_total\b.* 1$/m, /^usher_\w*logins_total\{.*\} 1$/m,
    /^# TYPE usher_\w+_seconds histogram$/m, /^usher_build_info\{.*version="/m
  ]) t.match(text, line)
})
