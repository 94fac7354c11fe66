/** Visitors of the running program: how they are spread, counted, moved and forgotten. */
import t from 'tap'
import { performance } from 'node:perf_hooks'
import { spread, startCluster, until, Visitor } from './cluster.ts'

const crowd = (size: number): Visitor[] => Array.from({ length: size }, () => new Visitor())

t.test('cluster: 300 visitors at once are spread exactly, and again when all reload', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0.35' })
  const visitors = crowd(300)
  const startMs = performance.now()
  const ports = await Promise.all(visitors.map(visitor => visitor.knock(cluster)))
  const elapsedMs = performance.now() - startMs
  t.same(spread(cluster, ports), [100, 100, 100])
  t.ok(elapsedMs >= 350, 'each waited')
  t.ok(elapsedMs < 350 * 20, `side by side, not one after another: ${elapsedMs.toFixed(0)} ms`)

  await Promise.all(visitors.map((visitor, index) => visitor.ask(ports[index]!)))
  const again = await Promise.all(visitors.map(visitor => visitor.enter(cluster)))
  t.same(again, ports, 'everybody is back where they were')
  const [first] = visitors
  t.equal(await first!.beat(ports[0]!), 100, 'each counts once')
})

t.test('cluster: 400 visitors at once are spread exactly by weight; the log says why', async t => {
  const cluster = await startCluster(t, {
    SERVER_NAMES: 'red,green,blue', WEIGHTS: '1,1,2', LOG_LEVEL: 'debug'
  })
  const visitors = crowd(400)
  const ports = await Promise.all(visitors.map(visitor => visitor.knock(cluster)))
  t.same(spread(cluster, ports), [100, 100, 200])
  await Promise.all(visitors.map((visitor, index) => visitor.ask(ports[index]!)))
  const again = await Promise.all(visitors.map(visitor => visitor.enter(cluster)))
  t.same(again, ports, 'everybody is back where they were')

  // The first line of each: where the log's reader is slow, some are missing, and everybody comes
  // back to where they were.
  const lines = cluster.log.filter(({ msg }) => msg === 'visitor routed')
  const routed = [...new Map(lines.toReversed().map(line => [line['client'], line])).values()]
  t.equal(routed.length, 400)
  for (const { server, because } of routed) {
    const reason = server === 'blue' ? 'fewest users for its weight' : 'fewest users'
    if (because !== reason && because !== `${reason}, first in the settings`) t.fail(`${server}: ${because}`)
  }
  t.same(['red', 'green', 'blue'].map(name => routed.filter(({ server }) => server === name).length),
    [100, 100, 200])
  t.ok(cluster.log.some(({ server, msg }) => server === 'blue' && msg === 'server is up'))
  t.ok(cluster.log.some(({ thread, msg }) => thread === 'server blue' && msg === 'user arrived'))
})

t.test('cluster: round-robin goes on to the next server, whoever is where', async t => {
  const cluster = await startCluster(t, { POLICY: 'round-robin', DELAY_BETWEEN_ROUTING: '0' })
  const visitor = new Visitor()
  const ports: number[] = []
  for (let visit = 0; visit < 4; visit++) ports.push(await visitor.enter(cluster))
  t.same(ports, [...cluster.ports, cluster.ports[0]])
})

t.test('cluster: one visitor after another takes the servers in turn', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0' })
  const ports: number[] = []
  for (const visitor of crowd(6)) ports.push(await visitor.enter(cluster))
  t.same(ports, [...cluster.ports, ...cluster.ports])
})

t.test('cluster: a returning visitor goes back to their server on a tie', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0' })
  const visitors = crowd(3)
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(cluster))
  for (const [index, visitor] of visitors.entries()) {
    t.equal(await visitor.enter(cluster), ports[index])
  }
})

t.test('cluster: a user seen on another server moves and counts once', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0' })
  const [visitor, other] = crowd(2) as [Visitor, Visitor]
  const [here, there] = cluster.ports as [number, number]
  visitor.cookie = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  other.cookie = 'client_id=7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'
  t.equal(await visitor.beat(here), 1)
  t.equal(await visitor.beat(there), 1)
  t.equal(await other.beat(here), 1, 'only the other one is left')
})

t.test('cluster: an abandoned redirect stops counting after RESERVATION_TTL', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0', RESERVATION_TTL: '0.4' })
  const [first] = cluster.ports
  const startMs = performance.now()
  t.equal(await new Visitor().knock(cluster), first)
  t.not(await new Visitor().knock(cluster), first, 'the place is held')
  // Visitors without a place of their own: they see where one would go and change nothing.
  const foreign = { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }
  const peek = (): Promise<number> => new Visitor().ask(cluster.routingPort, '/', foreign)
    .then(answer => Number(new URL(answer.headers.location!).port))
  t.not(await peek(), first)
  await until(peek, port => port === first)
  t.ok(performance.now() - startMs >= 400, 'not before its time')
})

t.test('cluster: users time out, leave at once, leave twice harmlessly, and come back', async t => {
  const cluster = await startCluster(t, {
    TIMEOUT_THRESHOLD: '1', HEARTBEAT_INTERVAL: '0.1', DELAY_BETWEEN_ROUTING: '0'
  })
  const [port] = cluster.ports as [number]
  const [ana, ben] = crowd(2) as [Visitor, Visitor]
  ana.cookie = 'client_id=00000000-0000-4000-8000-00000000000a'
  ben.cookie = 'client_id=00000000-0000-4000-8000-00000000000b'
  await ana.beat(port)
  t.equal(await ben.beat(port), 2)
  t.same((await ana.ask(port, '/leave', { method: 'POST' })).body, '{"response":"leave received"}')
  t.equal(await ben.beat(port), 1, 'a leave counts at once')
  await ana.ask(port, '/leave', { method: 'POST' })
  t.equal(await ben.beat(port), 1, 'twice is once')
  t.equal(await ana.beat(port), 2, 'a beat revives')
  await until(() => ben.beat(port), users => users === 1)
  t.pass('Ana timed out while Ben kept beating')
  await cluster.logged(/^active users$/)
})

t.test('cluster: closed with no cookie, the same address is one user; an id replaces it', async t => {
  const cluster = await startCluster(t)
  const [port] = cluster.ports as [number]
  const visitor = new Visitor()
  const first = await visitor.ask(port)
  t.match(first.headers['set-cookie']?.[0], /^client_id=.*HttpOnly; SameSite=Lax/)
  t.equal(first.headers['cache-control'], 'private, no-store')
  t.equal(await visitor.beat(port), 1, 'the id took the place of the address')
})
