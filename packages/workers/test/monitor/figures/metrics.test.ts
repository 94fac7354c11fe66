import t from 'tap'
import { RefusalBlock } from '@usher/shared/memory/refused-networks.ts'
import type { HealthReport } from '@usher/shared/messages.ts'
import { clientNumber, HOME, reserveFor, testTable } from '../../../../shared/test/memory/test-table.ts'
import { testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import { renderMetrics, type MetricsParts } from '../../../src/monitor/figures/metrics.ts'
import { parseMetrics, type Family } from '../fixtures/parse-metrics.ts'
import { testMeters, times } from '../fixtures/test-meters.ts'

function testMetrics () {
  const meters = testMeters(2)
  const test = testTable({ servers: 2, users: 64 })
  test.table.setServerState(0, 'up')
  test.table.setServerState(1, 'draining')
  const parts: MetricsParts = {
    table: test.table,
    rates: meters.startRates(),
    servers: testServers([8000, 8001], [{ name: 'red' }, { name: 'blue' }]),
    health: () => undefined,
    isSuspect: () => false,
    usersMax: 64,
    deniedUsers: () => 4,
    logins: { ok: 3, failed: 2, throttled: 1 },
    streamCount: () => 5,
    version: '1.2.3',
    process: {
      version: 'v20.0.0',
      cpuUsage: () => ({ user: 1_500_000, system: 250_000 }),
      memoryUsage: { rss: () => 123_456 }
    }
  }
  return { ...test, meters, parts }
}

/** The values of a family by their labels. */
function valuesOf (families: ReadonlyMap<string, Family>, name: string): Record<string, number> {
  const { samples } = families.get(name)!
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

t.test('metrics: keep Prometheus\' rules, whether or not anything has happened', async t => {
  const { parts, meters } = testMetrics()
  parseMetrics(renderMetrics(parts))
  meters.servers[0]!.answered(200, 0.3)
  meters.router.answered(302, 350)
  meters.monitor.loopDelayed(12)
  parseMetrics(renderMetrics(parts))
})

t.test('metrics: of an external server its users and its state, since no thread of ours serves it', async t => {
  const { parts } = testMetrics()
  const [own] = testServers([8000], [{ name: 'red' }])
  const families = parseMetrics(renderMetrics({ ...parts, servers: [own!, ...testExternal(1, ['shop'])] }))
  t.same(valuesOf(families, 'usher_users'), { red: 0, shop: 0 })
  t.equal(valuesOf(families, 'usher_server_state')['shop draining'], 1)
  t.same(Object.keys(valuesOf(families, 'usher_worker_restarts_total')), ['monitor', 'server red'])
})

t.test('metrics: what health checks find of external servers, and who fell silent', async t => {
  const { parts } = testMetrics()
  const [own] = testServers([8000], [{ name: 'red' }])
  const health: HealthReport = {
    server: 1,
    isUp: false,
    found: 'timeout',
    reason: 'timeout',
    goodCount: 7,
    badCount: 3,
    tookMs: 1004,
    atMs: 0
  }
  const families = parseMetrics(renderMetrics({
    ...parts,
    servers: [own!, ...testExternal(1, ['shop', 'new'])],
    health: server => server === 1 ? health : undefined,
    isSuspect: server => server === 0
  }))
  t.same(valuesOf(families, 'usher_health_checks_total'), { 'shop good': 7, 'shop bad': 3 })
  t.same(valuesOf(families, 'usher_health_check_duration_seconds'), { shop: 1.004 })
  t.same(valuesOf(families, 'usher_server_suspect'), { red: 1, shop: 0, new: 0 })
})

t.test('metrics: a server with a capacity is full when it has so many, places that are held included', async t => {
  const test = testMetrics()
  const full = (): unknown => {
    const families = parseMetrics(renderMetrics(test.parts))
    return families.has('usher_server_full') ? valuesOf(families, 'usher_server_full') : undefined
  }
  t.equal(full(), undefined)
  test.table.setLimits([{ weight: 1, capacity: undefined }, { weight: 1, capacity: 2 }], 0)
  test.table.touch(clientNumber(1), 1, HOME)
  t.same(full(), { blue: 0 })
  for (const user of [2, 3, 4]) test.table.touch(clientNumber(user), 0, HOME)
  reserveFor(test, clientNumber(5))
  t.same(full(), { blue: 1 })
})

t.test('metrics: users, places and the table', async t => {
  const test = testMetrics()
  for (const user of [1, 2, 3]) test.table.touch(clientNumber(user), 0, HOME)
  reserveFor(test, clientNumber(4))
  const families = parseMetrics(renderMetrics(test.parts))
  t.same(valuesOf(families, 'usher_users'), { red: 3, blue: 0 })
  t.same(valuesOf(families, 'usher_reserved_users'), { red: 0, blue: 1 })
  t.same(valuesOf(families, 'usher_table_users'), { '': 4 })
  t.same(valuesOf(families, 'usher_table_users_limit'), { '': 64 })
  t.same(valuesOf(families, 'usher_server_state'), {
    'red starting': 0,
    'red up': 1,
    'red draining': 0,
    'red down': 0,
    'blue starting': 0,
    'blue up': 0,
    'blue draining': 1,
    'blue down': 0
  })
})

t.test('metrics: replies of every HTTP server by status, redirects and how long they took', async t => {
  const { parts, meters: { router, monitor, servers, clock } } = testMetrics()
  times(4, () => router.answered(302, 351))
  router.answered(503)
  monitor.answered(401, 2)
  times(2, () => servers[1]!.answered(204, 0.07))
  servers[1]!.connectionsOpen(17, clock.nowMs)
  const families = parseMetrics(renderMetrics(parts))
  t.same(valuesOf(families, 'usher_redirects_total'), { '': 4 })
  t.same(valuesOf(families, 'usher_requests_total'), {
    'router 302': 4, 'router 503': 1, 'monitor 401': 1, 'blue 204': 2
  })
  t.same(valuesOf(families, 'usher_connections'), { blue: 17 }, 'of the others nobody knows')
  t.match(valuesOf(families, 'usher_redirect_wait_seconds'), { 0.35: 0, 0.36: 4, '+Inf': 4 })
  t.match(valuesOf(families, 'usher_request_duration_seconds'), {
    'monitor 0.001': 0, 'monitor 0.0025': 1, 'blue 0.0001': 2, 'red +Inf': 0
  })
})

t.test('metrics: threads, by their names in the log', async t => {
  const { parts, meters: { router, monitor, servers, cluster } } = testMetrics()
  router.lockWaited(1.5)
  times(2, () => servers[0]!.lockWaited(10))
  monitor.loopDelayed(30)
  cluster.setUp(0, 2, 0)
  cluster.setUp(-1, 1, 0)
  cluster.reloaded()
  const families = parseMetrics(renderMetrics(parts))
  t.same(valuesOf(families, 'usher_lock_waits_total'), {
    coordinator: 1, monitor: 0, 'server red': 2, 'server blue': 0
  })
  t.same(valuesOf(families, 'usher_lock_wait_seconds_total'), {
    coordinator: 0.0015, monitor: 0, 'server red': 0.02, 'server blue': 0
  })
  t.same(valuesOf(families, 'usher_worker_restarts_total'), {
    monitor: 1, 'server red': 2, 'server blue': 0
  })
  t.same(valuesOf(families, 'usher_reloads_total'), { '': 1 })
  t.match(valuesOf(families, 'usher_event_loop_delay_seconds'), {
    'monitor 0.025': 0, 'monitor 0.05': 1, 'coordinator +Inf': 0
  })
})

t.test('metrics: logins, the denied, streams, and what runs', async t => {
  const families = parseMetrics(renderMetrics(testMetrics().parts))
  t.same(valuesOf(families, 'usher_logins_total'), { ok: 3, failed: 2, throttled: 1 })
  t.same(valuesOf(families, 'usher_denied'), { '': 4 })
  t.same(valuesOf(families, 'usher_event_streams'), { '': 5 })
  t.same(families.get('usher_build_info')!.samples[0]!.labels, { version: '1.2.3', node: 'v20.0.0' })
  t.same(valuesOf(families, 'process_cpu_seconds_total'), { '': 1.75 })
  t.same(valuesOf(families, 'process_resident_memory_bytes'), { '': 123_456 })
})

t.test('metrics: networks whose newcomers are not counted, and how many that were', async t => {
  const { parts, memory, clock } = testMetrics()
  const values = (): unknown[] => {
    const families = parseMetrics(renderMetrics(parts))
    return ['usher_refused_networks', 'usher_uncounted_newcomers_total'].map(name =>
      valuesOf(families, name)[''])
  }
  t.same(values(), [0, 0])
  const blocks = [0, 1].map(thread => new RefusalBlock(memory.newcomers.refusals, thread))
  for (const block of blocks) block.note(HOME, 0, clock.nowMs)
  t.same(values(), [1, 2])
  clock.nowMs += 11 * 60_000
  t.same(values(), [0, 2], 'a counter never falls')
})
