/** Health checks of servers that run elsewhere: who is down gets nobody, who is back a few. */
import t from 'tap'
import { startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'
import { startElsewhere, type Elsewhere } from './elsewhere.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
/** Whoever is counted by a place that is held is counted for as long as a test takes. */
const QUICK = {
  DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD, HEALTH_INTERVAL: '0.1', RESERVATION_TTL: '600'
}

interface Shown {
  readonly state: string
  readonly reason?: string
  readonly drain?: { readonly note: string }
  readonly last_check?: { readonly found: string }
}

async function admin (cluster: Cluster): Promise<Operator> {
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  return operator
}

async function shownOf (operator: Operator, name: string): Promise<Shown> {
  const { servers } = (await operator.get('/stats')).json as unknown as { servers: Record<string, Shown> }
  return servers[name]!
}

/** The monitor hears of a state and of its reason one after the other. */
function isDown (operator: Operator, name: string): Promise<Shown> {
  return until(() => shownOf(operator, name),
    ({ state, reason }) => state === 'down' && reason !== undefined)
}

function isUp (operator: Operator, name: string): Promise<Shown> {
  return until(() => shownOf(operator, name),
    ({ state, last_check: check }) => state === 'up' && check !== undefined)
}

/** Newcomers, one after another, and how many were sent to the server. */
async function sendTo (cluster: Cluster, { url }: Elsewhere, newcomers: number): Promise<number> {
  let sent = 0
  for (let newcomer = 0; newcomer < newcomers; newcomer++) {
    const { headers } = await new Visitor().ask(cluster.routingPort)
    if (headers.location === `${url}/`) sent++
  }
  return sent
}

t.test('external health: nobody is sent to a server that was killed, and its people go elsewhere', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK, PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`
  })
  const operator = await admin(cluster)
  t.match(await isUp(operator, 'shop-a'), { last_check: { found: 'status 200' } })
  const visitor = new Visitor()
  t.equal((await visitor.ask(cluster.routingPort)).headers.location, `${a.url}/`)
  await a.close()
  t.match(await isDown(operator, 'shop-a'), {
    reason: 'connection refused', last_check: { found: 'connection refused' }
  })
  t.equal(await sendTo(cluster, a, 20), 0)
  t.equal((await visitor.ask(cluster.routingPort)).headers.location, `${b.url}/`, 'is placed anew')
  t.ok(cluster.log.some(({ server, msg, reason }) =>
    server === 'shop-a' && msg === 'server is down' && reason === 'connection refused'))
  const { text } = await operator.get('/metrics')
  t.match(text, /^usher_health_checks_total\{server="shop-a",result="bad"\} ([3-9]|\d\d+)$/m)
  t.match(text, /^usher_health_check_duration_seconds\{server="shop-b"\} 0/m)
  t.match(text, /^usher_server_state\{server="shop-a",state="down"\} 1$/m)
  t.match(text, /^usher_server_suspect\{server="shop-a"\} 0$/m)
  b.status = 503
  t.match(await isDown(operator, 'shop-b'), { reason: 'status 503' })
  t.match(await new Visitor().ask(cluster.routingPort), { status: 503 })
  t.match(await operator.get('/readyz'), { status: 503 })
})

t.test('external health: who comes back gets newcomers little by little, never at the first up', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK,
    PORTS: '',
    HEALTH_RISE: '1',
    HEALTH_FALL: '1',
    EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}`
  })
  const operator = await admin(cluster)
  t.equal(await sendTo(cluster, a, 100), 50, 'at the first up they are alike')
  a.status = 500
  await isDown(operator, 'shop-a')
  t.equal(await sendTo(cluster, a, 300), 0)
  // Here 50, there 350: without a slow start the next 300 would all go here.
  const startMs = Date.now()
  a.status = 200
  await isUp(operator, 'shop-a')
  const sent = await sendTo(cluster, a, 50)
  const percent = Math.min(100, (Date.now() - startMs) / 100 + 1)
  const most = Math.max(0, (350 + 50) * percent / 100 - 50) + 2
  t.ok(sent <= most, `${sent} of 50 were sent there within ${percent.toFixed(0)} % of the slow start`)
  // Once it is over, it is the emptiest and gets all.
  await until(() => sendTo(cluster, a, 1), sent => sent === 1)
  await until(() => sendTo(cluster, a, 10), sent => sent === 10)
})

t.test('external health: the program starts where a server cannot be reached, and marks it down', async t => {
  const [a, gone] = [await startElsewhere(t), await startElsewhere(t)]
  await gone.close()
  const cluster = await startCluster(t, {
    ...QUICK,
    PORTS: '0',
    EXTERNAL_SERVERS: `shop-a=${a.url},gone=${gone.url},nowhere=http://nowhere.invalid`
  })
  const operator = await admin(cluster)
  await isUp(operator, 'shop-a')
  t.match(await isDown(operator, 'gone'), { reason: 'connection refused' })
  t.match(await isDown(operator, 'nowhere'), { reason: /host name/ })
  t.equal(await sendTo(cluster, a, 10), 5)
  const back = await startElsewhere(t, Number(new URL(gone.url).port))
  await isUp(operator, 'gone')
  t.ok(await sendTo(cluster, back, 10) >= 5, 'its first up: no slow start')
})

t.test('external health: in maintenance a server gets nobody, over a restart too, until it is made ready', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const settings = { ...QUICK, PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}` }
  const cwd = workingFolder(t)
  const before = await startCluster(t, settings, { cwd })
  const order = { maintenance: true, note: 'new disk' }
  t.equal((await (await admin(before)).post('/servers/shop-a/drain', order)).status, 200)
  t.equal(await sendTo(before, a, 10), 0)
  t.equal(await before.stop(), 0)
  const cluster = await startCluster(t, settings, { cwd })
  const operator = await admin(cluster)
  t.match(await shownOf(operator, 'shop-a'), { state: 'maintenance', drain: { note: 'new disk' } })
  t.equal(await sendTo(cluster, a, 10), 0)
  t.equal((await operator.post('/servers/shop-a/ready')).status, 200)
  await isUp(operator, 'shop-a')
  await until(() => sendTo(cluster, a, 1), sent => sent === 1)
})

t.test('external health: each server may be checked in its own way', async t => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  a.status = 401
  const cluster = await startCluster(t, {
    ...QUICK,
    PORTS: '',
    EXTERNAL_SERVERS: `shop-a=${a.url}/shop,shop-b=${b.url}`,
    HEALTH_PATH: '/up?deep=1,/',
    HEALTH_STATUS: '401,200-299'
  })
  const operator = await admin(cluster)
  t.match(await isUp(operator, 'shop-a'), { last_check: { found: 'status 401' } })
  await isUp(operator, 'shop-b')
  t.strictSame([...new Set(a.asked)], ['/shop/up?deep=1'])
  t.strictSame([...new Set(b.asked)], ['/'])
  a.status = 200
  t.match(await isDown(operator, 'shop-a'), { reason: 'status 200' })
})
