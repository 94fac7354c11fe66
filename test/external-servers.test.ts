/** Servers that run elsewhere, beside and instead of our own: the test plays them. */
import t from 'tap'
import { startCluster, until, Visitor, type Cluster } from './cluster.ts'
import { startElsewhere } from './elsewhere.ts'
import type { History } from '../packages/shared/src/api/history.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
const QUICK = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }

const crowd = (size: number): Visitor[] => Array.from({ length: size }, () => new Visitor())

async function admin (cluster: Cluster): Promise<Operator> {
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  return operator
}

/** Where the router sends the visitor; undefined when it does not. */
async function locationOf (visitor: Visitor, cluster: Cluster, path = '/'): Promise<string | undefined> {
  return (await visitor.ask(cluster.routingPort, path)).headers.location
}

function count (locations: ReadonlyArray<string | undefined>, urls: readonly string[]): number[] {
  return urls.map(url => locations.filter(location => location?.startsWith(`${url}/`)).length)
}

t.test('external servers: 400 visitors at once are spread exactly over both kinds, by weight', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK,
    PORTS: '0,0',
    SERVER_NAMES: 'red,blue',
    EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}/base/`,
    WEIGHTS: '1,1,2,4'
  })
  const operator = await admin(cluster)
  await until(() => operator.get('/stats'), ({ text }) => !text.includes('"starting"'))
  t.equal(new URL((await locationOf(new Visitor(), cluster))!).port, String(cluster.ports[0]),
    'on a tie our own come first')
  const locations = await Promise.all(crowd(799).map(visitor =>
    locationOf(visitor, cluster, '/shoes?size=%2043')))
  const own = cluster.ports.slice(0, 2).map(port => `http://127.0.0.1:${port}`)
  t.same(count(locations, [...own, a.url, `${b.url}/base`]), [99, 100, 200, 400])
  t.ok(locations.includes(`${b.url}/base/shoes?size=%2043`), 'path and query follow the base')

  t.match((await operator.get('/stats')).json, {
    servers: {
      red: { index: 0, kind: 'own', port: cluster.ports[0], folder: 'site-1', restarts: 0 },
      'shop-a': { index: 2, kind: 'external', url: a.url, weight: 2, state: 'up', reserved: 200 },
      'shop-b': { index: 3, kind: 'external', url: `${b.url}/base`, reserved: 400 }
    },
    spread: 0
  })
  const metrics = (await operator.get('/metrics')).text
  t.match(metrics, /^usher_reserved_users\{server="shop-b"\} 400$/m)
  t.match(metrics, /^usher_server_state\{server="shop-a",state="up"\} 1$/m)
  t.notMatch(metrics, /thread="server shop-a"/, 'it has no thread of ours')
})

t.test('external servers: alone, without a port of our own', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK, PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`
  })
  t.same(cluster.serverUrls, [a.url, b.url])
  const visitors = crowd(10)
  const locations: Array<string | undefined> = []
  for (const visitor of visitors) locations.push(await locationOf(visitor, cluster))
  t.same(count(locations, [a.url, b.url]), [5, 5])
  t.match(visitors.map(({ cookie }) => cookie), visitors.map(() => /^client_id=/))
  const operator = await admin(cluster)
  t.equal((await operator.get('/readyz')).status, 200)
  t.equal(await cluster.stop(), 0)
})

t.test('external servers: are drained, made ready and watched like others, and restarted elsewhere', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK, PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`
  })
  const operator = await admin(cluster)
  t.equal((await operator.post('/servers/shop-a/drain', { note: 'new disk' })).status, 200)
  const meanwhile = await Promise.all(crowd(4).map(visitor => locationOf(visitor, cluster)))
  t.same(count(meanwhile, [a.url, b.url]), [0, 4])
  t.match((await operator.get('/stats')).json, {
    servers: { 'shop-a': { state: 'draining', drain: { note: 'new disk' } } }
  })
  t.equal((await operator.post('/servers/shop-a/ready')).status, 200)
  t.equal(await locationOf(new Visitor(), cluster), `${a.url}/`)
  t.match(await operator.post('/servers/shop-b/restart'), {
    status: 409, json: { message: /^shop-b is an external server/ }
  })
  t.match((await operator.get('/audit')).json, {
    entries: [{ action: 'ready', target: 'shop-a' }, { action: 'drain', target: 'shop-a' }]
  })
  const { json } = await operator.get('/history?minutes=5')
  t.same(Object.keys(json['servers'] as object), ['shop-a', 'shop-b'])
})

t.test('external servers: the history has their loads, and what became of them', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK,
    PORTS: '',
    EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`,
    RESERVATION_TTL: '600',
    HEALTH_INTERVAL: '0.1'
  })
  const operator = await admin(cluster)
  const history = async (): Promise<History> =>
    (await operator.get('/history?minutes=5')).json as unknown as History
  const heard = async (): Promise<string[]> => (await history()).events
    .flatMap(({ type, server }) => server === null ? [] : [`${type} ${server}`])
  const untilHeard = (event: string): Promise<unknown> =>
    until(heard, events => events.includes(event))
  for (const visitor of crowd(6)) await locationOf(visitor, cluster)
  const { servers } = await until(history, ({ servers }) =>
    Object.values(servers).every(({ reserved }) => reserved.at(-1) === 3))
  t.same(Object.entries(servers).map(([name, { index }]) => [name, index]),
    [['shop-a', 0], ['shop-b', 1]])

  b.status = 500
  await untilHeard('down shop-b')
  await until(history, ({ servers }) => servers['shop-b']!.reserved.at(-1) === null)
  b.status = 200
  await untilHeard('up shop-b')
  await operator.post('/servers/shop-a/drain', { maintenance: true })
  await untilHeard('drain shop-a')
  await operator.post('/servers/shop-a/ready')
  await untilHeard('ready shop-a')
  t.same((await heard()).slice(-4), ['down shop-b', 'up shop-b', 'drain shop-a', 'ready shop-a'])
})
