/** Servers that drain, in the running cluster: no newcomers, nobody lost, nothing forgotten. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import {
  ask, samePorts, startCluster, until, Visitor, workingFolder, type Answer, type Cluster
} from './cluster.ts'

const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD, RESERVATION_TTL: '1' }

interface Drained {
  readonly cluster: Cluster
  readonly operator: Operator
  readonly cwd: string
}

async function start (
  t: Test, cwd = workingFolder(t), settings: Record<string, string> = {}
): Promise<Drained> {
  const cluster = await startCluster(t, { ...SETTINGS, CRASH_DIR: cwd, ...settings },
    { cwd, nodeOptions: PRELOAD })
  return { cluster, operator: await Operator.loggedIn(cluster, 'admin', PASSWORD), cwd }
}

type Order = { readonly note?: string, readonly minutes?: number, readonly force?: boolean }

const drain = (operator: Operator, port: number, order: Order = {}) =>
  operator.post(`/servers/${port}/drain`, order)
const ready = (operator: Operator, port: number) => operator.post(`/servers/${port}/ready`, {})

interface ServerFigures {
  readonly state: string
  readonly active_users: number
  readonly reserved: number
  readonly drain?: { readonly note: string, readonly moves_from: string | null }
}

async function figures (operator: Operator, port: number): Promise<ServerFigures> {
  const { servers } = (await operator.get('/stats')).json as { servers: Record<string, ServerFigures> }
  return servers[port]!
}

/** Comes straight to the port, as a browser without a cookie. */
function sentToRouter (answer: Answer, { routingPort }: Cluster, path = '/'): boolean {
  return answer.status === 302 && answer.headers['cache-control'] === 'no-store' &&
    answer.headers['set-cookie'] === undefined &&
    answer.headers.location === `http://127.0.0.1:${routingPort}${path}`
}

t.test('drain: a server takes no visitors, those who were there stay; then it takes them again', async t => {
  const { cluster, operator } = await start(t)
  const ana = new Visitor()
  const hers = await ana.enter(cluster)
  t.equal((await drain(operator, hers)).status, 200)
  t.equal(await ana.beat(hers), 1, 'it keeps its users')
  t.equal((await ana.ask(hers)).status, 200)
  for (let newcomer = 0; newcomer < 9; newcomer++) {
    t.not(await new Visitor().knock(cluster), hers)
  }
  const elsewhere = await ana.enter(cluster)
  t.not(elsewhere, hers, 'who comes by the router again is placed anew')
  t.ok(sentToRouter(await ana.ask(hers, '/?a=1'), cluster, '/?a=1'), 'and is a newcomer here from then on')
  t.equal((await ready(operator, hers)).status, 200)
  t.equal((await ana.ask(hers)).status, 200)
  t.match((await operator.get('/audit')).json, {
    entries: [{ action: 'ready', target: String(hers) }, { action: 'drain', target: String(hers) }]
  })
})

t.test('drain: newcomers at the port are sent to the router, by both doors, and counted nowhere', async t => {
  const { cluster, operator } = await start(t)
  const [port] = cluster.ports as [number]
  t.equal((await drain(operator, port)).status, 200)
  const stranger = { cookie: 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61' }
  for (const headers of [{}, stranger]) {
    for (const method of ['GET', 'HEAD']) {
      for (const [path, more] of [['/', {}], ['/index.html?b', {}], ['/', { 'x-one': 'y'.repeat(9000) }]] as const) {
        const answer = await ask(port, path, { method, headers: { ...headers, ...more } })
        t.ok(sentToRouter(answer, cluster, path), `${method} ${path}`)
      }
    }
    t.equal((await ask(port, '/heartbeat', { headers })).status, 404)
    t.match(await ask(port, '/heartbeat', { method: 'POST', headers }),
      { status: 503, body: /"error":"draining"/ })
    t.equal((await ask(port, '/usher.js', { headers })).status, 200)
  }
  t.equal((await ask(port, '/healthz')).status, 503)
  t.match((await operator.get('/stats')).json, { total_users: 0, table: { used: 0 } })
  const visitor = new Visitor()
  const first = await visitor.ask(port)
  const second = await visitor.ask(Number(new URL(first.headers.location!).port))
  const there = Number(new URL(second.headers.location!).port)
  t.not(there, port, 'and the router sends them on')
  t.equal((await visitor.ask(there)).status, 200)
})

t.test('drain: the last available server only by force; two at once leave one', async t => {
  const { cluster, operator } = await start(t)
  const other = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const [first, second, third] = cluster.ports as [number, number, number]
  t.equal((await drain(operator, first)).status, 200)
  const both = await Promise.all([drain(operator, second), drain(other, third)])
  t.strictSame(both.map(({ status }) => status).sort(), [200, 409])
  const last = both[0].status === 409 ? second : third
  t.match(await drain(operator, last), {
    status: 409, json: { error: 'not_acceptable_here', message: /last available.*"force": true/ }
  })
  t.equal(await new Visitor().knock(cluster), last)
  t.equal((await drain(operator, first, { note: 'again' })).status, 200, 'it drains already')
  t.equal((await drain(operator, last, { force: true, minutes: 0 })).status, 200)
  t.equal((await ask(cluster.routingPort)).status, 503)
  t.equal((await operator.get('/readyz')).status, 503)
  t.equal((await ready(operator, first)).status, 200)
  t.equal(await new Visitor().knock(cluster), first)
})

t.test('drain: what is wrong in an order is said, and changes nothing', async t => {
  const { cluster, operator } = await start(t)
  const [port] = cluster.ports as [number]
  const wrong: ReadonlyArray<[order: object, message: RegExp]> = [
    [{ minutes: -1 }, /minutes.* 0/],
    [{ minutes: 10_081 }, /minutes.* 10080/],
    [{ minutes: 1.5 }, /minutes.*integer/],
    [{ minutes: '5' }, /minutes.*integer/],
    [{ note: 'x'.repeat(201) }, /note.* 200/],
    [{ note: 'a\nb' }, /note/],
    [{ note: 7 }, /note.*string/],
    [{ force: 'yes' }, /force.*boolean/],
    [{ hours: 1 }, /hours|additional/i]
  ]
  for (const [order, message] of wrong) {
    t.match(await operator.post(`/servers/${port}/drain`, order),
      { status: 400, json: { error: 'bad_request', message } }, JSON.stringify(order))
  }
  t.match(await drain(operator, 1), { status: 404, json: { message: /No server has the name 1; there are/ } })
  t.match(await figures(operator, port), { state: 'up' })
  t.equal((await drain(operator, port, { note: 'x'.repeat(200), minutes: 10_080 })).status, 200)
})

t.test('drain: outlives the server\'s thread', async t => {
  const { cluster, operator, cwd } = await start(t)
  const [victim] = cluster.ports as [number]
  t.equal((await drain(operator, victim)).status, 200)
  writeFileSync(join(cwd, `server ${victim} exit`), '')
  await cluster.logged(/worker is up again/)
  for (let newcomer = 0; newcomer < 6; newcomer++) {
    t.not(await new Visitor().knock(cluster), victim)
  }
  t.ok(sentToRouter(await ask(victim), cluster), 'it serves all the same')
  const said = cluster.log.filter(({ server }) => server === String(victim)).map(({ msg }) => msg)
  t.same(said, ['up', 'draining', 'down', 'draining'].map(state => `server is ${state}`))
  t.equal((await ready(operator, victim)).status, 200)
  t.equal((await new Visitor().ask(victim)).status, 200)
})

for (const [how, signal] of [['a stop', 'SIGTERM'], ['kill -9', 'SIGKILL']] as const) {
  t.test(`drain: is kept over ${how}, with note and time, from the first moment on`, async t => {
    const { cluster, operator, cwd } = await start(t)
    const [port, other] = cluster.ports as [number, number]
    t.equal((await drain(operator, port, { note: 'new disk', minutes: 60 })).status, 200)
    t.equal((await drain(operator, other)).status, 200)
    t.equal((await ready(operator, other)).status, 200)
    const before = await figures(operator, port)
    await cluster.stop(signal)
    const again = await start(t, cwd, samePorts(cluster))
    t.match(await figures(again.operator, port), { state: 'draining', drain: before.drain })
    t.equal(before.drain?.note, 'new disk')
    t.match(await figures(again.operator, other), { state: 'up', drain: undefined })
    t.ok(sentToRouter(await ask(port), again.cluster))
    const said = again.cluster.log.filter(({ server }) => server === String(port))
      .map(({ msg }) => msg)
    t.strictSame(said, ['server is draining'], 'it was never up')
    t.equal((await ready(again.operator, port)).status, 200)
    await again.cluster.stop(signal)
    const third = await start(t, cwd, samePorts(cluster))
    t.match(await figures(third.operator, port), { state: 'up' }, 'and so is its end')
  })
}

t.test('drain: kill -9 while orders come leaves each of them done or not', async t => {
  const { cluster, operator, cwd } = await start(t)
  const [port] = cluster.ports as [number]
  const answered: string[] = []
  const orders = (async () => {
    for (let order = 0; ; order++) {
      const note = `order ${order}`
      const { status } = await drain(operator, port, { note })
      if (status !== 200) return
      answered.push(note)
    }
  })().catch(() => {})
  await until(async () => answered.length, count => count >= 20)
  await cluster.stop('SIGKILL')
  await orders
  const again = await start(t, cwd, samePorts(cluster))
  const { state, drain: kept } = await figures(again.operator, port)
  t.equal(state, 'draining')
  const lastAnswered = answered.length - 1
  t.ok([`order ${lastAnswered}`, `order ${lastAnswered + 1}`].includes(kept!.note),
    `${kept!.note} after ${answered.at(-1)}`)
})

t.test('drain: when its time is over everybody moves at the next request, and nobody is lost', async t => {
  const { cluster, operator, cwd } = await start(t)
  const ana = new Visitor()
  const port = await ana.enter(cluster)
  t.equal((await drain(operator, port, { minutes: 60, note: 'new disk' })).status, 200)
  t.equal((await ana.ask(port)).status, 200, 'not before')
  t.equal((await drain(operator, port, { minutes: 0 })).status, 200)
  for (const method of ['GET', 'POST']) {
    t.match(await ana.ask(port, '/heartbeat', { method }), { status: 409, body: /"error":"moved"/ })
  }
  t.ok(sentToRouter(await ana.ask(port, '/?x'), cluster, '/?x'))
  t.match((await operator.get('/stats')).json, { total_users: 1 })
  const elsewhere = await ana.enter(cluster)
  t.not(elsewhere, port)
  t.match((await operator.get('/stats')).json, { total_users: 1 })

  t.equal((await drain(operator, port, { minutes: 60 })).status, 200)
  const ben = new Visitor()
  t.ok(sentToRouter(await ben.ask(port), cluster))
  await cluster.stop('SIGKILL')
  const database = new Database(join(cwd, 'db/usher.db'))
  t.equal(database.prepare('UPDATE Drains SET MovesFrom = MovesFrom - 3600000').run().changes, 1)
  database.close()
  const again = await start(t, cwd, samePorts(cluster))
  t.match(await ana.ask(port, '/heartbeat'), { status: 409 }, 'the time has come while it did not run')
  t.equal((await ready(again.operator, port)).status, 200)
  t.equal((await ana.ask(port)).status, 200)
})
