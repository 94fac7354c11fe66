/** External servers that are added, changed and removed while Usher runs. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { ask, samePorts, startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'
import { startElsewhere, type Elsewhere } from './elsewhere.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
const PASSWORD = 'correct horse battery'
const QUICK = {
  DELAY_BETWEEN_ROUTING: '0',
  RESERVATION_TTL: '600',
  HEALTH_INTERVAL: '0.1',
  ADMIN_PASSWORD: PASSWORD
}

interface Shown {
  readonly index: number
  readonly state: string
  readonly load: number
  readonly url?: string
  readonly source?: string
}

async function admin (cluster: Cluster): Promise<Operator> {
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  return operator
}

async function start (
  t: Test, settings: Record<string, string>, cwd = workingFolder(t), nodeOptions = ''
) {
  const cluster = await startCluster(t, { ...QUICK, ...settings }, { cwd, nodeOptions })
  return { cluster, operator: await admin(cluster) }
}

async function shown (operator: Operator): Promise<Record<string, Shown>> {
  const { status, text, json } = await operator.get('/stats')
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return json['servers'] as Record<string, Shown>
}

function isUp (operator: Operator, name: string): Promise<unknown> {
  return until(() => shown(operator), servers => servers[name]?.state === 'up')
}

async function locationOf (visitor: Visitor, { routingPort }: Cluster): Promise<string> {
  const { status, headers } = await visitor.ask(routingPort)
  return headers.location ?? String(status)
}

async function sendMany (cluster: Cluster, size: number): Promise<string[]> {
  const visitors = Array.from({ length: size }, () => new Visitor())
  return await Promise.all(visitors.map(visitor => locationOf(visitor, cluster)))
}

function count (locations: readonly string[], { url }: Pick<Elsewhere, 'url'>): number {
  return locations.filter(location => location.startsWith(`${url}/`)).length
}

async function loads (operator: Operator): Promise<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(await shown(operator)).map(([name, { load }]) => [name, load]))
}

/** Every server, and who names it. */
async function sources (operator: Operator): Promise<string> {
  return Object.entries(await shown(operator))
    .map(([name, { source }]) => source === undefined ? name : `${name} of ${source}`).join(', ')
}

t.test('changing servers: one is added while 500 come, and the spread is exact', async t => {
  const [a, b, c] = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)]
  const { cluster, operator } = await start(t, {
    PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`
  })
  const first = sendMany(cluster, 250)
  const added = operator.post('/servers', { name: 'shop-c', url: c.url })
  t.match(await added, { status: 200, json: { response: 'server added' } })
  await isUp(operator, 'shop-c')
  const locations = [...await first, ...await sendMany(cluster, 250)]
  const sent = [a, b, c].map(server => count(locations, server))
  t.equal(sent[0]! + sent[1]! + sent[2]!, 500, 'nobody was refused')
  const all = await loads(operator)
  t.strictSame(all, { 'shop-a': sent[0], 'shop-b': sent[1], 'shop-c': sent[2] })
  t.ok(Math.max(...sent) - Math.min(...sent) <= 1, `${sent}: whom the others have too many, it gets`)
  t.match(await shown(operator), {
    'shop-a': { index: 0, source: 'settings' }, 'shop-c': { index: 2, source: 'console', url: c.url }
  })
  t.match((await operator.get('/audit')).json, {
    entries: [{ who: 'admin', action: 'server-added', target: 'shop-c', detail: { url: c.url } }]
  })
  t.match((await operator.get('/metrics')).text, /^usher_server_state\{server="shop-c",state="up"\} 1$/m)
})

t.test('changing servers: weight, capacity and address are in force at once', async t => {
  const [a, b, other] = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)]
  const { cluster, operator } = await start(t, { PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url}` })
  await operator.post('/servers', { name: 'shop-b', url: b.url, weight: 3 })
  await isUp(operator, 'shop-b')
  t.same(count(await sendMany(cluster, 40), b), 30)
  t.equal((await operator.post('/servers/shop-b/change', { weight: 1 })).status, 200)
  t.same(count(await sendMany(cluster, 20), a), 20, 'until it has as many')
  t.equal((await operator.post('/servers/shop-b/change', { capacity: 32 })).status, 200)
  t.same(count(await sendMany(cluster, 10), b), 2, 'up to its capacity')
  t.equal((await operator.post('/servers/shop-b/change', { capacity: null, url: other.url })).status, 200)
  const [after] = [await sendMany(cluster, 20)]
  t.same(count(after, b), 0)
  t.ok(count(after, other) > 0, 'the new address')
  t.equal((await shown(operator))['shop-b']!.index, 1, 'it is the same server')
  await until(async () => other.asked, asked => asked.includes('/'))
  const asked = b.asked.length
  await until(async () => other.asked.length, length => length > 5)
  t.ok(b.asked.length <= asked + 1, 'the old address is asked no more')
  t.equal((await operator.post('/servers/shop-b/change', { health: { path: '/up' } })).status, 200)
  await until(async () => other.asked, asked => asked.includes('/up'))
  other.status = 503
  await until(() => shown(operator), servers => servers['shop-b']!.state === 'down')
  t.equal((await operator.post('/servers/shop-b/change', { health: { status: '503' } })).status, 200)
  await isUp(operator, 'shop-b')
  t.match((await operator.get('/servers')).json, {
    servers: [
      { name: 'shop-a', source: 'settings', url: a.url, weight: null, health: { path: '/', interval: 0.1 } },
      {
        name: 'shop-b',
        source: 'console',
        url: other.url,
        weight: 1,
        capacity: null,
        health: { path: '/up', interval: null, status: '503' },
        in_force: true
      }
    ],
    max: 256
  })
})

t.test('changing servers: one that is removed gets nobody, and its people go elsewhere', async t => {
  const [a, b, c] = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)]
  const { cluster, operator } = await start(t, {
    PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url}`, DECISION_PORT: '0', RESERVATION_TTL: '0.5'
  })
  await operator.post('/servers', { name: 'shop-b', url: b.url, weight: 100 })
  await isUp(operator, 'shop-b')
  t.equal((await operator.post('/servers/shop-b/drain', { note: 'soon gone' })).status, 200)
  await operator.post('/servers/shop-b/ready')
  const visitor = new Visitor()
  await visitor.ask(cluster.routingPort)
  const seated = new Visitor()
  const decide = async (): Promise<unknown> =>
    (await seated.ask(cluster.decisionPort!, '/decide')).headers['x-usher-server']
  t.equal(await decide(), 'shop-b')
  t.match(await operator.post('/servers/shop-b/remove'), { status: 200, json: { response: 'server removed' } })
  t.same(count(await sendMany(cluster, 20), b), 0)
  t.equal(await locationOf(visitor, cluster), `${a.url}/`)
  t.equal(await decide(), 'shop-a')
  t.strictSame(Object.keys(await shown(operator)), ['shop-a'])
  t.notMatch((await operator.get('/metrics')).text, /shop-b/)
  await operator.post('/servers', { name: 'shop-c', url: c.url })
  await isUp(operator, 'shop-c')
  t.equal((await shown(operator))['shop-c']!.load, 0, 'it inherits nobody')
  t.match((await operator.get('/stats')).json, { servers: { 'shop-c': { drain: undefined } } })
  const asked = b.asked.length
  await until(async () => c.asked.length, length => length > 5)
  t.ok(b.asked.length <= asked + 1, 'and it is checked no more')
})

t.test('changing servers: the history keeps the past of one that is gone, and says when it went', async t => {
  const a = await startElsewhere(t)
  const { cluster, operator } = await start(t, { PORTS: '0', SERVER_NAMES: 'red' })
  await operator.post('/servers', { name: 'shop-a', url: a.url, weight: 9 })
  await isUp(operator, 'shop-a')
  await sendMany(cluster, 20)
  interface Past {
    readonly servers: Record<string, { removed: boolean, reserved: Array<number | null> }>
    readonly events: readonly object[]
  }
  const past = async (): Promise<Past> => (await operator.get('/history?minutes=5')).json as unknown as Past
  const most = ({ servers }: Past): number => Math.max(0, ...servers['shop-a']!.reserved.map(Number))
  await until(past, history => most(history) === 18)
  await operator.post('/servers/shop-a/remove', {})
  const { servers, events } = await until(past, ({ events }) =>
    events.some(event => 'type' in event && event.type === 'remove'))
  t.match(servers, { red: { removed: false }, 'shop-a': { removed: true } })
  t.equal(most({ servers, events }), 18)
  t.match(events, [{ type: 'start' }, { type: 'add', server: 'shop-a' }, { type: 'remove', server: 'shop-a' }])
})

t.test('changing servers: they outlive a restart and a kill', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cwd = workingFolder(t)
  const first = await start(t, { PORTS: '0' }, cwd)
  await first.operator.post('/servers', { name: 'shop-a', url: a.url, weight: 5 })
  await first.operator.post('/servers', { name: 'shop-b', url: b.url, health: { interval: 0.2 } })
  await isUp(first.operator, 'shop-a')
  await first.operator.post('/servers/shop-b/drain', { maintenance: true })
  t.equal(count(await sendMany(first.cluster, 12), a), 10)
  const ports = samePorts(first.cluster)
  await first.cluster.stop('SIGKILL')
  const { cluster, operator } = await start(t, ports, cwd)
  t.match(await shown(operator), {
    'shop-a': { weight: 5, source: 'console', state: 'up' }, 'shop-b': { state: 'maintenance' }
  })
  t.ok(count(await sendMany(cluster, 60), a) >= 48)
  t.equal(await cluster.stop(), 0)
  const third = await start(t, ports, cwd)
  t.match(await shown(third.operator), { 'shop-a': { index: 1 }, 'shop-b': { index: 2 } })
})

t.test('changing servers: the settings may name none, and the database alone some', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cwd = workingFolder(t)
  const settings = { PORTS: '', DECISION_PORT: '0', HEALTH_INTERVAL: '0.1' }
  const first = await start(t, settings, cwd)
  t.match(first.cluster.log.find(({ msg }) => /there are no servers/.test(msg)), { level: 40 })
  const { status, headers } = await new Visitor().ask(first.cluster.routingPort)
  t.match({ status, headers }, { status: 503, headers: { 'retry-after': '1' } })
  t.equal((await new Visitor().ask(first.cluster.decisionPort!, '/decide')).status, 503)
  t.match(await first.operator.get('/readyz'), { status: 503, json: { message: 'there are no servers' } })
  t.match((await first.operator.get('/stats')).json, { servers: {}, next: null, all_full: false, total_users: 0 })
  t.equal((await first.operator.post('/servers', { name: 'shop-a', url: a.url })).status, 200)
  await isUp(first.operator, 'shop-a')
  t.equal(await locationOf(new Visitor(), first.cluster), `${a.url}/`)
  t.equal((await first.operator.get('/readyz')).status, 200)
  t.equal(await first.cluster.stop(), 0)
  const next = await start(t, settings, cwd)
  t.equal(next.cluster.log.find(({ msg }) => /there are no servers/.test(msg)), undefined)
  t.equal(await locationOf(new Visitor(), next.cluster), `${a.url}/`, 'who comes at once waits for the first check')
  t.equal((await next.operator.post('/servers/shop-a/remove', { force: true })).status, 200)
  t.equal(await locationOf(new Visitor(), next.cluster), '503')
  await next.operator.post('/servers', { name: 'shop-b', url: b.url })
  await isUp(next.operator, 'shop-b')
  t.equal(await locationOf(new Visitor(), next.cluster), `${b.url}/`)
})

t.test('changing servers: a page of theirs may beat at our own once they are known', async t => {
  const { cluster, operator } = await start(t, { PORTS: '0' })
  const beat = async (): Promise<number> => (await ask(cluster.ports[0]!, '/heartbeat', {
    method: 'POST', headers: { origin: 'https://shop.example' }
  })).status
  t.equal(await beat(), 403)
  await operator.post('/servers', { name: 'shop', url: 'https://shop.example' })
  t.not(await beat(), 403)
  t.equal((await operator.post(`/servers/${cluster.ports[0]!}/restart`, { force: true })).status, 200)
  t.not(await beat(), 403, 'a thread that starts later knows them')
  await operator.post('/servers/shop/remove')
  t.equal(await beat(), 403)
})

t.test('changing servers: what a monitor has stored and told nobody is in force with the next', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cwd = workingFolder(t)
  const { cluster, operator } = await start(t, { PORTS: '0', CRASH_DIR: cwd }, cwd, PRELOAD)
  await operator.post('/servers', { name: 'shop-a', url: a.url })
  await isUp(operator, 'shop-a')
  const visitors = Array.from({ length: 20 }, () => new Visitor())
  for (const visitor of visitors) await visitor.ask(cluster.routingPort)
  const database = new Database(join(cwd, 'db/usher.db'))
  database.exec(`DELETE FROM Servers; INSERT INTO Servers (Name, Url) VALUES ('shop-b', '${b.url}')`)
  database.close()
  writeFileSync(join(cwd, 'monitor exit'), '')
  await cluster.logged(/worker is up again/)
  await isUp(operator, 'shop-b')
  t.match(await shown(operator), { 'shop-b': { index: 2, load: 0 } }, 'those of the one before keep its index')
  t.strictSame(Object.keys(await shown(operator)).sort(), [String(cluster.ports[0]), 'shop-b'].sort())
  for (const visitor of visitors) t.not(await locationOf(visitor, cluster), `${a.url}/`)
  t.equal((await operator.post('/servers/shop-b/remove')).status, 200)
})

t.test('changing servers: a thread that stands still is named, and told again', async t => {
  const a = await startElsewhere(t)
  const cwd = workingFolder(t)
  const { cluster, operator } = await start(t, { PORTS: '0', SERVER_NAMES: 'red', CRASH_DIR: cwd }, cwd, PRELOAD)
  const blocked = join(cwd, 'server red block')
  writeFileSync(blocked, '')
  await until(async () => existsSync(blocked), isThere => !isThere)
  t.match(await operator.post('/servers', { name: 'shop-a', url: a.url, weight: 9 }), {
    status: 202,
    json: { response: 'server added', late: ['server red'], message: /^This is stored, .*threads server red/ }
  })
  t.match(await shown(operator), { 'shop-a': { state: 'starting', source: 'console' } })
  t.match((await operator.get('/audit')).json, { entries: [{ action: 'server-added', target: 'shop-a' }] })
  t.same(a.asked, [], 'nobody is sent there before every thread knows it')
  t.ok(cluster.log.some(({ level, worker }) => level === 50 && worker === 'server red'))
  writeFileSync(join(cwd, 'go on'), '')
  await isUp(operator, 'shop-a')
  t.ok(count(await sendMany(cluster, 20), a) > 0)
  t.match(await operator.post('/servers/shop-a/change', { weight: 2 }), { status: 200 })
})

t.test('changing servers: an index goes from one server to the next, again and again', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const { cluster, operator } = await start(t, { PORTS: '0', RESERVATION_TTL: '0.1' })
  const indexes = new Set<number>()
  for (let round = 0; round < 8; round++) {
    const name = `shop-${round}`
    const { url } = round % 2 === 0 ? a : b
    t.equal((await operator.post('/servers', { name, url, weight: 9 })).status, 200)
    await isUp(operator, name)
    const sent = await sendMany(cluster, 20)
    t.equal(count(sent, a) + count(sent, b), count(sent, { url }), 'nobody goes to the one before')
    indexes.add((await shown(operator))[name]!.index)
    await operator.post(`/servers/${name}/remove`, {})
    await until(async () => (await operator.get('/stats')).json, stats =>
      (stats['table'] as { used: number }).used === 0)
  }
  t.strictSame([...indexes], [1])
})

t.test('changing servers: a reload changes those of the settings, and they win over the console\'s', async t => {
  const [a, b, c] = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)]
  const cwd = workingFolder(t)
  const write = (settings: Record<string, string>): void => {
    writeFileSync(join(cwd, 'usher.env'),
      Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(''))
  }
  write({ EXTERNAL_SERVERS: `shop-a=${a.url}` })
  const { cluster, operator } = await start(t, { PORTS: '0', SERVER_NAMES: 'red' }, cwd)
  const reload = async (settings: Record<string, string>, names: string): Promise<void> => {
    write(settings)
    cluster.process.kill('SIGHUP')
    await until(() => sources(operator), shown => shown === names)
  }
  await operator.post('/servers', { name: 'shop-b', url: b.url })
  await isUp(operator, 'shop-b')
  await reload({ EXTERNAL_SERVERS: `shop-a=${a.url},shop-c=${c.url}`, WEIGHTS: '1,2,7', HEALTH_PATH: '/,/well' },
    'red, shop-a of settings, shop-c of settings, shop-b of console')
  await isUp(operator, 'shop-c')
  t.match(await shown(operator), {
    red: { weight: 1 },
    'shop-a': { weight: 2, index: 1 },
    'shop-b': { weight: 1, index: 2 },
    'shop-c': { weight: 7, index: 3, source: 'settings' }
  })
  t.ok(c.asked.includes('/well'))
  t.ok(!b.asked.includes('/well'), 'what is said for each is not said of the console\'s')
  t.same(count(await sendMany(cluster, 110), c), 70)
  await reload({ EXTERNAL_SERVERS: `shop-b=${a.url}`, HEALTH_PATH: '/ok' }, 'red, shop-b of settings')
  t.match(await shown(operator), { 'shop-b': { url: a.url, index: 2 } })
  t.match(cluster.log.find(({ msg }) => /not in force/.test(msg)), { level: 40, server: 'shop-b' })
  t.match((await operator.get('/servers')).json, {
    servers: [{ name: 'red' }, { name: 'shop-b', source: 'settings' }, { name: 'shop-b', url: b.url, in_force: false }]
  })
  t.match(await operator.post('/servers/shop-b/remove'), {
    status: 409, json: { message: /named by EXTERNAL_SERVERS: remove it in the settings/ }
  })
  await reload({ PORTS: '0', EXTERNAL_SERVERS: '' }, 'red, shop-b of console')
  t.match(await shown(operator), { 'shop-b': { url: b.url, index: 2 } })
  t.match(await operator.get('/readyz'), { status: 200 })
})

t.test('changing servers: a reload may take away the last one', async t => {
  const a = await startElsewhere(t)
  const cwd = workingFolder(t)
  writeFileSync(join(cwd, 'usher.env'), `PORTS=\nEXTERNAL_SERVERS=shop-a=${a.url}\n`)
  const { cluster, operator } = await start(t, { PORTS: '' }, cwd)
  t.equal(await locationOf(new Visitor(), cluster), `${a.url}/`)
  writeFileSync(join(cwd, 'usher.env'), 'PORTS=\n')
  cluster.process.kill('SIGHUP')
  await until(() => sources(operator), shown => shown === '')
  t.equal(await locationOf(new Visitor(), cluster), '503')
})

t.test('changing servers: what cannot be done is said in words, and changes nothing', async t => {
  const a = await startElsewhere(t)
  const { cluster, operator } = await start(t, {
    PORTS: '0,0', SERVER_NAMES: 'red,blue', EXTERNAL_SERVERS: `shop-a=${a.url}`
  })
  const [port] = cluster.ports
  const refused: ReadonlyArray<[path: string, body: object, status: number, message: RegExp]> = [
    ['', { name: 'Shop', url: 'https://b.example' }, 400, /^name is "Shop"; allowed: a name of 1 to 63/],
    ['', { name: 'router', url: 'https://b.example' }, 400, /not router or monitor/],
    ['', { name: 'b', url: 'b.example' }, 400, /^url is "b.example"; allowed: an http or https URL/],
    ['', { name: 'b', url: 'https://b.example', weight: 0 }, 400, /weight/],
    ['', { name: 'b', url: 'https://b.example', health: { path: 'x' } }, 400, /^health.path is "x"/],
    ['', { name: 'b', url: 'https://b.example', health: { status: '999' } }, 400, /^health.status/],
    ['', { name: 'b', url: 'https://b.example', health: { timeout: 0 } }, 400, /timeout/],
    ['', { name: 'b' }, 400, /url/],
    ['', { name: 'red', url: 'https://b.example' }, 409, /^There is a server red already; .* red, blue, shop-a/],
    ['', { name: String(port), url: 'https://b.example' }, 409, /^\d+ is the port of the server red/],
    ['/shop-a/change', { weight: 2 }, 409, /^shop-a is named by EXTERNAL_SERVERS: change it in the settings/],
    ['/shop-a/remove', {}, 409, /named by EXTERNAL_SERVERS/],
    ['/red/remove', {}, 409, /^red is an own server/],
    ['/red/change', { weight: 2 }, 409, /^red is an own server: change it in the settings/],
    ['/nobody/remove', {}, 404, /^No server has the name nobody; there are red, blue, shop-a/],
    ['/nobody/change', { weight: 2 }, 404, /there are red, blue, shop-a/]
  ]
  const before = (await operator.get('/servers')).text
  for (const [path, body, status, message] of refused) {
    const answer = await operator.post(`/servers${path}`, body)
    t.match(answer, { status, json: { message } }, `${path} ${JSON.stringify(body)}: ${answer.text}`)
  }
  t.equal((await operator.get('/servers')).text, before)
  await operator.post('/servers', { name: 'shop-b', url: a.url })
  t.match(await operator.post('/servers', { name: 'shop-b', url: a.url }), { status: 409 })
  await isUp(operator, 'shop-b')
  for (const name of ['red', 'blue', 'shop-a']) await operator.post(`/servers/${name}/drain`, {})
  t.match(await operator.post('/servers/shop-b/remove', {}), {
    status: 409, json: { message: /last available server.*"force": true/ }
  })
  t.equal((await operator.post('/servers/shop-b/remove', { force: true })).status, 200)
})
