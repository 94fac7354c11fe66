/** The running program with capacities: no server ever has too many, and nobody loses a place. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { Operator } from '../scripts/kit/operator.ts'
import {
  ask, samePorts, startCluster, until, Visitor, workingFolder, type Answer, type Cluster
} from './cluster.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { ADMIN_PASSWORD: PASSWORD, DELAY_BETWEEN_ROUTING: '0' }
const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
const CAPACITY = 10
const CLIENTS = 60
/** Of each client. */
const DEEDS = isLong ? 300 : 20
const RETURN_GRACE_MS = 2000

interface ServerFigures {
  readonly index: number
  readonly capacity?: number
  readonly active_users: number
  readonly reserved: number
  readonly load: number
  readonly state: string
}

async function figures (operator: Operator): Promise<readonly ServerFigures[]> {
  const servers = (await operator.get('/stats')).json['servers']
  return Object.values(servers as Record<string, ServerFigures>).sort((a, b) => a.index - b.index)
}

/** What each server admits, and what of that is taken. */
async function fullness (operator: Operator): Promise<Array<[number | undefined, number]>> {
  return (await figures(operator)).map(({ capacity, load }) => [capacity, load])
}

/** Of its own id from the first request on: without one it is its address, as all others here. */
function known (): Visitor {
  const visitor = new Visitor()
  visitor.cookie = `client_id=${randomUUID()}`
  return visitor
}

async function start (
  t: Test, settings: Record<string, string> = {}, cwd = workingFolder(t), nodeOptions = ''
): Promise<{ cluster: Cluster, operator: Operator, cwd: string }> {
  const cluster = await startCluster(t, { ...SETTINGS, ...settings }, { cwd, nodeOptions })
  return { cluster, operator: await Operator.loggedIn(cluster, 'admin', PASSWORD), cwd }
}

const portOf = ({ headers }: Answer): number => Number(new URL(headers.location!).port)

/** Follows redirects as a browser does, with the query, and for so many hops at most. */
async function follow (visitor: Visitor, port: number, hopsMax = 6, path = '/'): Promise<{ status: number, port: number, hops: number }> {
  for (let hops = 0; ; hops++) {
    const answer = await visitor.ask(port, path)
    if (answer.status !== 302 || hops === hopsMax) return { status: answer.status, port, hops }
    const { pathname, search } = new URL(answer.headers.location!)
    port = portOf(answer)
    path = pathname + search
  }
}

/** Comes, reloads, moves and leaves at random; what must not be is told. */
async function live (
  visitor: Visitor, cluster: Cluster, tell: (what: string) => void
): Promise<void> {
  let at: number | undefined
  const pick = (count: number): number => Math.floor(Math.random() * count)
  for (let deed = 0; deed < DEEDS; deed++) {
    await setTimeout(pick(40))
    if (at === undefined) {
      const { status, port, hops } = await follow(visitor, cluster.routingPort)
      if (status !== 200 && status !== 503) tell(`${status} to one who comes`)
      if (status === 200 && hops > 1) tell('sent on from a place that was held')
      at = status === 200 ? port : undefined
      tell(status === 200 ? 'came' : 'found all full')
      continue
    }
    const what = pick(6)
    if (what <= 2) {
      const leftMs = performance.now()
      await visitor.ask(at, what === 0 ? '/leave' : '/leave?page', { method: 'POST' })
      if (what === 2) await setTimeout(pick(600))
      const { status } = await visitor.ask(at)
      // On a machine that halts the time may be over: then the place may be another's.
      if (status === 200) tell('reloaded')
      else if (performance.now() - leftMs < RETURN_GRACE_MS / 2) tell(`${status} to a reload`)
      if (status !== 200) at = undefined
    } else if (what === 3) {
      const target = cluster.ports[pick(cluster.ports.length)]!
      const { status, port } = await follow(visitor, target)
      if (status !== 200) tell(`${status} to one who moves`)
      at = port
      tell(port === target ? 'moved' : 'was sent back')
    } else if (what === 4) {
      const { status } = await visitor.ask(at, '/heartbeat', { method: 'POST' })
      if (status !== 204) tell(`${status} to a beat`)
    } else {
      await visitor.ask(at, '/leave', { method: 'POST' })
      at = undefined
      tell('left')
    }
  }
}

const EXPECTED = new Set(['came', 'found all full', 'reloaded', 'moved', 'was sent back', 'left'])

t.test('capacity: 60 who come, reload, move and leave; no sample shows too many, and no reload costs a place', async t => {
  const { cluster, operator } = await start(t, {
    CAPACITY: String(CAPACITY), RETURN_GRACE: String(RETURN_GRACE_MS / 1000), LEAVE_GRACE: '0.2'
  })
  const told = new Map<string, number>()
  const tell = (what: string): void => { told.set(what, (told.get(what) ?? 0) + 1) }
  const over = new AbortController()
  let [samples, most, sum] = [0, 0, 0]
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const servers = await figures(operator)
      samples++
      sum = Math.max(sum, servers.reduce((all, { load }) => all + load, 0))
      for (const { load, active_users: active, reserved } of servers) {
        most = Math.max(most, load, active + reserved)
      }
      await setTimeout(10)
    }
  })()
  await Promise.all(Array.from({ length: CLIENTS }, () => live(new Visitor(), cluster, tell)))
  over.abort()
  await sampling
  t.equal(most, CAPACITY, `at most ${most} in ${samples} samples`)
  t.ok(sum > CAPACITY * 2, `${sum} at once`)
  t.same([...told.keys()].filter(what => !EXPECTED.has(what)), [])
  for (const what of EXPECTED) t.ok(told.get(what)! > 0, `${what}: ${told.get(what)}`)
})

t.test('capacity: when all are full it is said everywhere, until a place is free', async t => {
  const { cluster, operator } = await start(t, {
    CAPACITY: '1,2,1', RETURN_GRACE: '0', METRICS_TOKEN: 'a token for a test'.replaceAll(' ', '-')
  })
  const visitors = Array.from({ length: 4 }, () => new Visitor())
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(cluster))
  const inOrder = [...cluster.ports].sort((a, b) => a - b)
  t.same(cluster.ports.map(port => ports.filter(other => other === port).length), [1, 2, 1])
  t.ok(inOrder.includes(ports[0]!))

  const refused = await ask(cluster.routingPort)
  t.match(refused, { status: 503, headers: { 'retry-after': '5', 'x-usher-reason': 'full' } })
  t.match(refused.body, /This site is full right now/)
  t.match(await operator.get('/readyz'), { status: 503, text: /all servers are full/ })
  t.match((await operator.get('/healthz')).status, 200)
  const { json } = await operator.get('/stats')
  t.match(json, { all_full: true, next: null })
  t.same(await fullness(operator), [[1, 1], [2, 2], [1, 1]])
  const { body } = await ask(cluster.monitoringPort, '/metrics', {
    headers: { authorization: 'Bearer a-token-for-a-test' }
  })
  t.match(body, /^usher_all_full 1$/m)
  t.match(body, new RegExp(`^usher_server_capacity\\{server="${cluster.ports[1]}"\\} 2$`, 'm'))

  await visitors[0]!.ask(ports[0]!, '/leave', { method: 'POST' })
  t.equal((await operator.get('/readyz')).status, 200)
  t.equal(await new Visitor().enter(cluster), ports[0])
})

t.test('capacity: who comes straight to a full server finds another, and nobody goes in circles', async t => {
  const { cluster, operator } = await start(t, { CAPACITY: '2', RETURN_GRACE: '0', RESERVATION_TTL: '60' })
  const [first, second, third] = cluster.ports as [number, number, number]
  for (const port of [first, first, second]) t.equal((await known().ask(port)).status, 200)
  t.match(await follow(known(), first), { status: 200, port: third, hops: 2 })

  // Without a cookie it comes as another stranger each time, and is one user at the end: by its
  // address. The last place of a server is the one that the router holds for it.
  const blind = { ask: (port: number, path?: string) => ask(port, path) } as Visitor
  t.match(await follow(blind, cluster.routingPort), { status: 200, hops: 1 })
  t.same((await figures(operator)).map(({ load }) => load).sort(), [1, 2, 2])
  for (const port of [first, cluster.routingPort, first]) {
    const { status, hops } = await follow(blind, port)
    t.equal(status, 200)
    t.ok(hops <= 2, `${hops} hops`)
  }
  for (const { load } of await figures(operator)) t.ok(load <= 2, `${load} at a server`)
  await until(() => follow(known(), cluster.routingPort), ({ status }) => status === 503)
  for (const port of [...cluster.ports, cluster.routingPort]) {
    const { status, hops } = await follow(blind, port)
    t.ok(status === 200 || status === 503, String(status))
    t.ok(hops <= 2, `${hops} hops`)
  }
  const sent = await ask(first, '/?usher_ticket=a.b.c')
  t.ok(sent.status === 200 || sent.status === 503, 'who was sent there once is not sent away again')
})

t.test('capacity: a client without cookies that comes again and again takes no room of others', async t => {
  const { cluster, operator } = await start(t, { CAPACITY: '5', RESERVATION_TTL: '60' })
  const blind = { ask: (port: number, path?: string) => ask(port, path) } as Visitor
  for (let visit = 1; visit <= 20; visit++) {
    t.equal((await follow(blind, cluster.routingPort)).status, 200)
  }
  const load = (await figures(operator)).reduce((sum, { load }) => sum + load, 0)
  t.equal(load, 2, 'its own place, and the one that was held when nothing was known of it')
})

t.test('capacity: a lower one throws out nobody and takes nobody, until there are fewer', async t => {
  const cwd = workingFolder(t)
  const write = (capacity: string): void => { writeFileSync(join(cwd, 'usher.env'), `CAPACITY=${capacity}\n`) }
  write('')
  const { cluster, operator } = await start(t, { RETURN_GRACE: '0' }, cwd)
  const reload = async (capacity: string): Promise<void> => {
    write(capacity)
    cluster.process.kill('SIGHUP')
    // The log says so before it is done.
    const wanted = capacity === '' ? undefined : Number(capacity)
    await until(() => fullness(operator), all => all.every(([given]) => given === wanted))
  }
  const visitors = Array.from({ length: 9 }, () => new Visitor())
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(cluster))
  t.same(await fullness(operator), [[undefined, 3], [undefined, 3], [undefined, 3]])
  await reload('2')
  t.same(await fullness(operator), [[2, 3], [2, 3], [2, 3]])
  for (const [index, visitor] of visitors.entries()) {
    t.equal(await visitor.beat(ports[index]!), 3)
    t.equal((await visitor.ask(ports[index]!)).status, 200)
    t.equal(await visitor.enter(cluster), ports[index], 'also by the router')
  }
  t.equal((await ask(cluster.routingPort)).status, 503)
  const leave = async (index: number): Promise<void> => {
    await visitors[index]!.ask(ports[index]!, '/leave', { method: 'POST' })
  }
  await leave(0)
  t.equal((await ask(cluster.routingPort)).status, 503, 'as many as there may be')
  const next = ports.indexOf(ports[0]!, 1)
  await leave(next)
  t.equal(await new Visitor().enter(cluster), ports[0])
  await reload('')
  t.match(await new Visitor().enter(cluster), Number, 'and without one as before')
  t.same((await fullness(operator)).map(([capacity]) => capacity), Array(3).fill(undefined))
})

t.test('capacity: drains, a restart and a thread\'s death change nothing of it', async t => {
  const cwd = workingFolder(t)
  const { cluster, operator } = await start(t, { CAPACITY: '3', CRASH_DIR: cwd }, cwd, PRELOAD)
  const [first, second] = cluster.ports as [number, number, number]
  const visitors = Array.from({ length: 9 }, () => new Visitor())
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(cluster))
  const everybodyStays = async (why: string): Promise<void> => {
    for (const [index, visitor] of visitors.entries()) {
      const { status } = await until(
        () => visitor.ask(ports[index]!).catch(() => ({ status: 0 })), ({ status }) => status !== 0)
      t.equal(status, 200, why)
    }
    t.same((await figures(operator)).map(({ load }) => load), [3, 3, 3], why)
    t.equal((await ask(cluster.routingPort)).status, 503, why)
  }
  t.equal((await operator.post(`/servers/${first}/drain`)).status, 200)
  await everybodyStays('a drain')
  t.match((await operator.get('/stats')).json, { all_full: true }, 'the others are full')
  t.equal((await operator.post(`/servers/${first}/ready`)).status, 200)
  t.equal((await operator.post(`/servers/${second}/restart`)).status, 200)
  await everybodyStays('a restart')
  writeFileSync(join(cwd, `server ${first} exit`), '')
  await cluster.logged(/worker is up again/)
  await everybodyStays('a death')
})

t.test('capacity: after a restart as many users are restored as there are places', async t => {
  const { cluster, cwd } = await start(t)
  const visitors = Array.from({ length: 9 }, () => new Visitor())
  for (const visitor of visitors) await visitor.enter(cluster)
  const ports = samePorts(cluster)
  t.equal(await cluster.stop(), 0)
  const again = await start(t, { ...ports, CAPACITY: '2' }, cwd)
  t.same((await figures(again.operator)).map(({ load }) => load), [2, 2, 2])
  t.equal((await ask(again.cluster.routingPort)).status, 503)
})
