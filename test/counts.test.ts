/** Who the running program counts: newcomers, pages that leave, ids that never come back. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { ask, startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'

/** What an end may be late by. */
const LATE_MS_MAX = 250
/** For a busy machine, and the request that looks. */
const SLACK_MS = 400
const FLOOD_AT_ONCE = 50
const PROXY = { TRUST_PROXY: '127.0.0.1', DELAY_BETWEEN_ROUTING: '0' }

function from (address: string): { readonly headers: Record<string, string> } {
  return { headers: { 'x-forwarded-for': address } }
}

/** Active users of the server, by a request that changes nothing. */
async function usersAt (port: number): Promise<number> {
  const { headers } = await ask(port, `/heartbeat?client_id=${randomUUID()}`, { method: 'POST' })
  return Number(headers['x-active-users'])
}

/** Invented ids that beat at one server, many at a time. */
async function flood (
  port: number, count: number, addressOf: (index: number) => string
): Promise<void> {
  for (let index = 0; index < count; index += FLOOD_AT_ONCE) {
    await Promise.all(Array.from({ length: FLOOD_AT_ONCE }, (_, at) => {
      const beat = { method: 'POST', ...from(addressOf(index + at)) }
      return ask(port, `/heartbeat?client_id=${randomUUID()}`, beat)
    }))
  }
}

/** Where so many visitors from all over the world are sent. */
async function placesOf (cluster: Cluster, count: number): Promise<number[]> {
  const counts = cluster.ports.map(() => 0)
  for (let index = 0; index < count; index++) {
    const address = `198.${18 + (index >> 8)}.${index & 255}.9`
    const { status, headers } = await ask(cluster.routingPort, '/', from(address))
    if (status !== 302) throw new Error(`${status} instead of a redirect`)
    counts[cluster.ports.indexOf(Number(new URL(headers.location!).port))]!++
  }
  return counts
}

t.test('counts: a flood of invented ids moves nobody by more than its allowance', async t => {
  const cluster = await startCluster(t, { ...PROXY, NEWCOMERS_PER_MINUTE: '30' })
  await flood(cluster.ports[0]!, 800, () => '203.0.113.7')
  const line = await cluster.logged(/more newcomers than NEWCOMERS_PER_MINUTE/)
  t.match(line, { network: '203.0.113.7', level: 40 })
  t.match(line.msg, /deny it.*TRUSTED_NETWORKS/)
  const counts = await placesOf(cluster, 300)
  for (const count of counts) {
    t.ok(Math.abs(count - 100) <= 30, `${counts.join()}: an even share, give or take the allowance`)
  }
})

t.test('counts: so does one from the /64s of one /48', async t => {
  const cluster = await startCluster(t, { ...PROXY, NEWCOMERS_PER_MINUTE: '2' })
  await flood(cluster.ports[0]!, 800, index => `2001:db8:7:${index.toString(16)}::1`)
  t.match(await cluster.logged(/more newcomers/), { network: /^2001:db8:7:.*\/(48|56)$/ })
  const counts = await placesOf(cluster, 150)
  t.ok(counts[0]! >= 50 - 32, `${counts.join()}`)
})

t.test('counts: 21 /64s of one /56 cannot fill the table against 50 strangers', async t => {
  const cluster = await startCluster(t, {
    ...PROXY, MAX_USERS: '400', NEWCOMERS_PER_MINUTE: '1000000'
  })
  const [port] = cluster.ports as [number]
  // Twice each, or they would give way to anybody.
  const ids = Array.from({ length: 21 * 20 }, () => randomUUID())
  for (const round of [1, 2]) {
    const answers = await Promise.all(ids.map((id, index) =>
      ask(port, `/heartbeat?client_id=${id}`, {
        method: 'POST', ...from(`2001:db8:7:${(index % 21).toString(16)}::1`)
      })))
    const refused = answers.filter(({ status }) => status === 503).length
    // 60 where nobody's time is over before the last has come.
    t.ok(refused >= 40, `round ${round}: ${refused} of ${ids.length} refused, at 90 % of the table`)
  }
  await placesOf(cluster, 50)
})

t.test('counts: a trusted network is counted whole, and who is not counted beats seldom', async t => {
  const cluster = await startCluster(t, {
    ...PROXY, NEWCOMERS_PER_MINUTE: '5', TRUSTED_NETWORKS: '192.0.2.0/24', TIMEOUT_THRESHOLD: '1800'
  })
  const [port] = cluster.ports as [number]
  await flood(port, 50, () => '192.0.2.9')
  t.equal(await usersAt(port), 51)
  await flood(port, 50, () => '203.0.113.7')
  const users = await usersAt(port)
  t.ok(users >= 57 && users <= 65, `${users}: five more, and on a slow machine what comes meanwhile`)
  const beat = await ask(port, '/heartbeat', { method: 'POST', ...from('203.0.113.7') })
  t.strictSame([beat.status, beat.headers['x-heartbeat-interval']], [204, '450'])
  t.equal((await ask(port, '/', from('203.0.113.7'))).status, 200, 'and is served')
})

t.test('counts: ten times as many are counted after a crash, and not after a clean stop', async t => {
  const cwd = workingFolder(t)
  const settings = { ...PROXY, NEWCOMERS_PER_MINUTE: '5' }
  const counted = async (): Promise<number> => {
    const cluster = await startCluster(t, settings, { cwd })
    const before = await usersAt(cluster.ports[0]!)
    await flood(cluster.ports[0]!, 100, () => '203.0.113.7')
    const users = await usersAt(cluster.ports[0]!) - before - 1
    await end(cluster)
    return users
  }
  let end = async (cluster: Cluster): Promise<unknown> => await cluster.stop('SIGKILL')
  t.ok(await counted() < 40, 'the very first start is none after a crash')
  end = async cluster => await cluster.stop()
  t.ok(await counted() >= 50)
  end = async cluster => await cluster.stop('SIGKILL')
  t.ok(await counted() < 40, 'five, or a tenth of those who were saved, and what comes meanwhile')
})

t.test('counts: a page that leaves counts until the grace is over, a visitor who leaves does not', async t => {
  const graceMs = 1000
  const cluster = await startCluster(t, {
    DELAY_BETWEEN_ROUTING: '0', LEAVE_GRACE: String(graceMs / 1000), HEARTBEAT_INTERVAL: '60'
  })
  const [port] = cluster.ports as [number]
  const [witness, ana, ben] = [new Visitor(), new Visitor(), new Visitor()]
  for (const visitor of [witness, ana, ben]) visitor.cookie = `client_id=${randomUUID()}`
  for (const visitor of [witness, ana, ben]) await visitor.ask(port)
  t.equal(await witness.beat(port), 3)
  await ben.ask(port, '/leave', { method: 'POST' })
  t.equal(await witness.beat(port), 2, 'a plain leave is at once')

  await ana.ask(port, '/leave?page', { method: 'POST' })
  await setTimeout(graceMs / 2)
  t.equal(await ana.beat(port), 2, 'seen again')
  await setTimeout(graceMs + LATE_MS_MAX)
  t.equal(await witness.beat(port), 2, 'and the leave is forgotten')

  const leftMs = performance.now()
  await ana.ask(port, '/leave?page', { method: 'POST' })
  await until(() => witness.beat(port), users => users === 1)
  const tookMs = performance.now() - leftMs
  t.ok(tookMs >= graceMs, `${tookMs}`)
  t.ok(tookMs <= graceMs + LATE_MS_MAX + SLACK_MS, `${tookMs}`)
})

t.test('counts: an id that never comes back goes after UNCONFIRMED_TIMEOUT, not at the next sweep', async t => {
  const timeoutMs = 4000
  const cluster = await startCluster(t, {
    DELAY_BETWEEN_ROUTING: '0', UNCONFIRMED_TIMEOUT: String(timeoutMs / 1000), HEARTBEAT_INTERVAL: '60'
  })
  const [port] = cluster.ports as [number]
  const [witness, five] = [new Visitor(), Array.from({ length: 5 }, () => new Visitor())]
  for (const visitor of [witness, ...five]) visitor.cookie = `client_id=${randomUUID()}`
  await witness.ask(port)
  await setTimeout(500)
  const firstMs = performance.now()
  await Promise.all(five.map(visitor => visitor.ask(port)))
  const answeredMs = performance.now()
  t.equal(await witness.beat(port), 6, 'five tabs at once')
  await setTimeout(answeredMs + 510 - performance.now())
  t.equal(await five[4]!.beat(port), 6, 'one of them has come back')
  await until(() => witness.beat(port), users => users === 2)
  t.ok(performance.now() - firstMs >= timeoutMs)
  const tookMs = performance.now() - answeredMs
  t.ok(tookMs <= timeoutMs + LATE_MS_MAX + SLACK_MS, `${tookMs}`)
  await setTimeout(timeoutMs)
  t.equal(await witness.beat(port), 2)
})
