/**
 * Slow and greedy clients at one address, and what visitors at another notice of them: nothing.
 * The address of the attackers is another one of the loopback range.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { attack, ATTACKS, type AttackName } from '../scripts/bench/attackers.ts'
import { ask, startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'

const ATTACKER = '127.0.0.2'
const MAX_CONNECTIONS = 200
const ATTACKERS = 250
/** What takes the processor rather than connections would take it from this test as well. */
const CONNECTIONS: Partial<Record<AttackName, number>> = {
  'huge heads': 50, 'tiny chunks': 10, 'pipelines without end': 10
}
const VISITS = isLong ? 5 : 2
const METRICS_TOKEN = 'a-token-of-sixteen-or-more'
/** For all of it, heaps that have not been collected included; without bounds it is gigabytes. */
const GROWTH_KB_MAX = 512 * 1024

async function attackedCluster (t: Test, settings: Record<string, string> = {}): Promise<Cluster> {
  const cwd = workingFolder(t, {
    site: { 'index.html': 'the start page', 'large.bin': randomBytes(1 << 20) }
  })
  return startCluster(t, {
    HTML_DIRS: 'site',
    MAX_CONNECTIONS: String(MAX_CONNECTIONS),
    SOCKET_TIMEOUT: '10',
    DELAY_BETWEEN_ROUTING: '0',
    METRICS_TOKEN,
    ...settings
  }, { cwd })
}

function residentKb ({ process: { pid } }: Cluster): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1])
}

t.test('greedy: visitors are served while one address attacks every port', async t => {
  const cluster = await attackedCluster(t)
  const { routingPort, monitoringPort } = cluster
  const [server] = cluster.ports as [number]
  await new Visitor().enter(cluster)
  const beforeKb = residentKb(cluster)
  for (const name of ATTACKS) {
    const attackers = { from: ATTACKER, connections: CONNECTIONS[name] ?? ATTACKERS }
    const { stop } = await attack(name, [
      { ...attackers, port: routingPort },
      { ...attackers, port: server, path: '/large.bin' },
      { ...attackers, port: monitoringPort, path: '/login.html' }
    ])
    t.teardown(stop)
    for (let visit = 0; visit < VISITS; visit++) {
      const visitor = new Visitor()
      await visitor.enter(cluster)
      if ((await visitor.ask(server)).status !== 200) t.fail(`${name}: no page`)
      if ((await ask(monitoringPort, '/healthz')).status !== 200) t.fail(`${name}: not healthy`)
    }
    const sentMb = await stop()
    const growthMb = (residentKb(cluster) - beforeKb) / 1024
    t.pass(`${name}: ${VISITS} visitors served`)
    t.comment(`${name}: ${sentMb.toFixed(0)} MB sent, ${growthMb.toFixed(0)} MB more memory`)
  }
  const growthKb = residentKb(cluster) - beforeKb
  t.ok(growthKb < GROWTH_KB_MAX, `${growthKb} KB`)
  t.equal(cluster.log.filter(line => Number(line['level']) >= 50).length, 0, 'no error is logged')
  t.equal(await cluster.stop(), 0)
})

t.test('greedy: new ids from one address leave a tenth of the table to others', async t => {
  const cluster = await attackedCluster(t, { MAX_USERS: '1000' })
  const { stop } = await flood(t, cluster)
  await cluster.logged(/nearly full and this address has reached its quota/)
  for (let visit = 0; visit < 45; visit++) await new Visitor().enter(cluster)
  t.equal(await sumOf(cluster, 'usher_users'), 45, 'each has a place')
  await stop()
  t.equal(cluster.log.filter(({ msg }) => /this address has reached its quota/.test(msg)).length, 1,
    'and the log says so once')
})

t.test('greedy: redirects that never arrive hold their places evenly, and no longer than RESERVATION_TTL', async t => {
  const cluster = await attackedCluster(t, { RESERVATION_TTL: '1' })
  const { stop } = await flood(t, cluster)
  await until(() => sumOf(cluster, 'usher_reserved_users'), reserved => reserved > 500)
  const ports: number[] = []
  for (let visit = 0; visit < 30; visit++) ports.push(await new Visitor().enter(cluster))
  t.equal(new Set(ports).size, 3, 'no server is taken for a full one')
  await stop()
  t.equal(await until(() => sumOf(cluster, 'usher_reserved_users'), count => count === 0), 0)
  t.equal(await sumOf(cluster, 'usher_users'), 30)
})

/**
 * slowhttptest's own verdict: whether its probes were answered all the time. They come from where
 * its attack comes from, so that must not crowd the port: that address would make room first.
 */
const SLOW_TESTS: Readonly<Record<string, readonly string[]>> = {
  'slow heads': ['-H', '-i', '1'],
  'slow bodies': ['-B', '-i', '1', '-s', '8192'],
  'ranges upon ranges': ['-R'],
  'slow readers': ['-X', '-n', '1', '-k', '3', '-w', '10', '-y', '20', '-z', '5']
}
/** A busy machine lets its probe wait now and then; what an attack does it does each time. */
const SLOW_TEST_TRIES = 3
const slowTests = Object.entries(SLOW_TESTS).slice(0, isLong ? undefined : 1)
const isThere = spawnSync('slowhttptest', ['-h']).error === undefined
const skip = isThere ? false : 'slowhttptest is not installed'

t.test('greedy: slowhttptest finds every port available throughout', { skip }, async t => {
  const cluster = await attackedCluster(t, { MAX_CONNECTIONS: '1000' })
  const { routingPort: router, monitoringPort: monitor } = cluster
  const ports = { router, server: cluster.ports[0]!, monitor }
  for (const [name, options] of slowTests) {
    await Promise.all(Object.entries(ports).map(async ([which, port]) => {
      const path = which === 'monitor' ? '/login.html' : '/large.bin'
      const said = await unavailable([...options, '-c', '300', '-r', '200', '-l', '6', '-p', '3',
        '-u', `http://127.0.0.1:${port}${path}`])
      t.equal(said, undefined, `${which}: ${name}`)
    }))
  }
})

/** Undefined when it found the port available; otherwise what it said the last time. */
async function unavailable (options: readonly string[]): Promise<string | undefined> {
  let said = ''
  for (let tries = 0; tries < SLOW_TEST_TRIES; tries++) {
    said = await slowTest(options)
    if (/service available: *YES/.test(said) && !/service available: *NO/.test(said)) return undefined
  }
  return said
}

async function slowTest (options: readonly string[]): Promise<string> {
  const child = spawn('slowhttptest', options, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => { said += bytes.toString() })
  }
  await once(child, 'close')
  // Its display is drawn in colours.
  // eslint-disable-next-line no-control-regex
  return said.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
}

/** New visitors from one address who never go where they are sent. */
async function flood (t: Test, { routingPort }: Cluster): ReturnType<typeof attack> {
  const attacking = await attack('new ids', [{ port: routingPort, from: ATTACKER, connections: 20 }])
  t.teardown(attacking.stop)
  return attacking
}

/** The sum over all servers of a figure that the monitor tells. */
async function sumOf ({ monitoringPort }: Cluster, metric: string): Promise<number> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` }
  const { body } = await ask(monitoringPort, '/metrics', { headers })
  const values = body.split('\n').filter(line => line.startsWith(`${metric}{`))
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
