/** The decision port of the running program: a burst over servers of both kinds, and after it. */
import http from 'node:http'
import t from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import { startCluster, until, Visitor, type Cluster } from './cluster.ts'
import { startElsewhere } from './elsewhere.ts'

const COUNT = 3_000
const PASSWORD = 'correct horse battery'
/** Nobody is taken for gone because the machine halts. */
const PATIENT = { TIMEOUT_THRESHOLD: '600', UNCONFIRMED_TIMEOUT: '600' }
const NAMES = ['one', 'two', 'three']

/** The name of the server that a decision gives; `undefined` where there is none. */
async function homeOf ({ decisionPort }: Cluster, visitor: Visitor): Promise<string> {
  return String((await visitor.ask(decisionPort!, '/decide')).headers['x-usher-server'])
}

function countsOf (homes: readonly string[]): number[] {
  return NAMES.map(name => homes.filter(home => home === name).length)
}

/** How many were at each server at most, places that are held included. */
async function sampleMost (admin: Operator, signal: AbortSignal): Promise<number[]> {
  const most = NAMES.map(() => 0)
  while (!signal.aborted) {
    const servers = (await admin.get('/stats')).json['servers'] as Record<string, { load: number }>
    for (const [at, name] of NAMES.entries()) most[at] = Math.max(most[at]!, servers[name]!.load)
  }
  return most
}

t.test('decisions: 3,000 at once are spread exactly by weight, and stay', async t => {
  const [three, four] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ADMIN_PASSWORD: PASSWORD,
    PORTS: '0,0',
    SERVER_NAMES: 'one,two',
    EXTERNAL_SERVERS: `three=${three.url},four=${four.url}`,
    WEIGHTS: '1,1,2,1',
    DECISION_PORT: '0'
  })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  await until(() => admin.get('/stats'), ({ text }) => text.match(/"state":"up"/g)?.length === 4)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 })
  t.teardown(() => { agent.destroy() })
  const decide = async (visitor: Visitor): Promise<string> => {
    const { status, headers } = await visitor.ask(cluster.decisionPort!, '/decide', { agent })
    if (status !== 200) throw new Error(`answered ${status}`)
    return String(headers['x-usher-server'])
  }
  const visitors = Array.from({ length: COUNT }, () => new Visitor())
  const homes = await Promise.all(visitors.map(decide))
  t.strictSame(['one', 'two', 'three', 'four'].map(name =>
    homes.filter(home => home === name).length), [600, 600, 1200, 600])
  t.equal(new Set(visitors.map(({ cookie }) => cookie)).size, COUNT)
  t.strictSame(await Promise.all(visitors.map(decide)), homes)
})

t.test('decisions: a server that was killed gets nobody, its people go elsewhere, and nobody else moves', async t => {
  const apps = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)] as const
  const cluster = await startCluster(t, {
    ADMIN_PASSWORD: PASSWORD,
    PORTS: '',
    EXTERNAL_SERVERS: apps.map(({ url }, at) => `${NAMES[at]}=${url}`).join(','),
    ...PATIENT,
    HEALTH_INTERVAL: '0.1',
    DECISION_PORT: '0'
  })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const untilState = async (name: string, state: string): Promise<void> => {
    await until(() => admin.get('/stats'), ({ json }) =>
      (json['servers'] as Record<string, { state: string }>)[name]!.state === state)
  }
  for (const name of NAMES) await untilState(name, 'up')
  const visitors = Array.from({ length: 30 }, () => new Visitor())
  const homes = await Promise.all(visitors.map(visitor => homeOf(cluster, visitor)))
  t.strictSame(countsOf(homes), [10, 10, 10])

  await apps[0].close()
  await untilState('one', 'down')
  const meanwhile = await Promise.all(visitors.map(visitor => homeOf(cluster, visitor)))
  t.strictSame(countsOf(meanwhile), [0, 15, 15], 'its people are placed anew, evenly')
  t.strictSame(meanwhile.filter((_, at) => homes[at] !== 'one'), homes.filter(home => home !== 'one'))
  const newcomers = await Promise.all(Array.from({ length: 10 }, () =>
    homeOf(cluster, new Visitor())))
  t.strictSame(countsOf(newcomers), [0, 5, 5])

  await startElsewhere(t, Number(new URL(apps[0].url).port))
  await untilState('one', 'up')
  t.strictSame(await Promise.all(visitors.map(visitor => homeOf(cluster, visitor))), meanwhile,
    'who was placed anew stays there')
  await until(() => homeOf(cluster, new Visitor()), home => home === 'one')
})

t.test('decisions: no server ever gets more than its capacity, and who finds none hears where to ask again', async t => {
  const app = await startElsewhere(t)
  const cluster = await startCluster(t, {
    ADMIN_PASSWORD: PASSWORD,
    PORTS: '0,0',
    SERVER_NAMES: 'one,two',
    EXTERNAL_SERVERS: `three=${app.url}`,
    CAPACITY: '10,20,30',
    ...PATIENT,
    RETURN_GRACE: '0',
    DECISION_PORT: '0'
  })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  await until(() => admin.get('/stats'), ({ text }) => text.match(/"state":"up"/g)?.length === 3)
  const over = new AbortController()
  const sampling = sampleMost(admin, over.signal)
  const visitors = Array.from({ length: 100 }, () => new Visitor())
  const answers = await Promise.all(visitors.map(visitor =>
    visitor.ask(cluster.decisionPort!, '/decide', { headers: { 'x-original-uri': '/a?b' } })))
  over.abort()
  const most = await sampling
  const homes = answers.map(({ headers }) => String(headers['x-usher-server']))
  t.strictSame(countsOf(homes), [10, 20, 30])
  for (const [at, capacity] of [10, 20, 30].entries()) {
    t.ok(most[at]! <= capacity, `${most[at]} at ${NAMES[at]}`)
  }
  const refused = answers.filter(({ status }) => status !== 200)
  t.equal(refused.length, 40)
  t.match(refused[0], {
    status: 503,
    headers: {
      'x-usher-reason': 'full',
      'x-usher-location': `http://127.0.0.1:${cluster.routingPort}/a?b`,
      'retry-after': '5',
      'set-cookie': undefined
    },
    body: /This site is full right now/
  })
  t.strictSame(new Set(refused.map(({ status }) => status)), new Set([503]))
  t.equal((await new Visitor().ask(cluster.decisionPort!, '/decide?full=401')).status, 401)

  // Whoever is there stays, and a place that comes free is given once.
  const [guest] = visitors.filter((_, at) => homes[at] === 'one')
  t.equal(await homeOf(cluster, guest!), 'one')
  await guest!.ask(cluster.ports[0]!, '/leave', { method: 'POST' })
  const next = await Promise.all([new Visitor(), new Visitor()].map(visitor =>
    homeOf(cluster, visitor)))
  t.strictSame(next.sort(), ['one', 'undefined'])
})
