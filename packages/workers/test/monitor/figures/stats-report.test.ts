import t from 'tap'
import type { HealthReport } from '@usher/shared/messages.ts'
import { networkOf } from '@usher/shared/networks.ts'
import { RefusalBlock } from '@usher/shared/memory/refused-networks.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable
} from '../../../../shared/test/memory/test-table.ts'
import { testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import { buildStats, type StatsParts } from '../../../src/monitor/figures/stats-report.ts'
import { testMeters, times } from '../fixtures/test-meters.ts'

const SERVERS = testServers([8000, 8001], [{ name: 'red' }, { name: 'blue', weight: 2 }])
const NOW = '2026-11-23T14:31:05.250Z'

function testStats () {
  const meters = testMeters(2)
  const test = testTable({ servers: 2, users: 64 })
  test.table.setLimits(SERVERS.map(({ weight = 1 }) => ({ capacity: undefined, weight })), 0)
  for (const server of [0, 1]) {
    test.table.setServerState(server, 'up')
    meters.cluster.setUp(server, 0, Date.parse(NOW) - 60_000)
  }
  const parts: StatsParts = {
    table: test.table,
    rates: meters.startRates(),
    servers: SERVERS,
    policy: 'fewest-users',
    usersMax: 64,
    startedMs: Date.parse(NOW) - 90_000,
    lastChange: () => undefined,
    drain: () => undefined,
    health: () => undefined,
    isSuspect: () => false,
    deniedUsers: () => 4,
    certificate: () => undefined,
    nodeName: '',
    fleet: () => undefined,
    otherNodes: () => ({ nodes: [], isHeard: true }),
    version: '1.2.3',
    wallNow: () => Date.parse(NOW)
  }
  return { ...test, meters, parts }
}

t.test('stats: a certificate and what is wrong with it', async t => {
  const { parts } = testStats()
  const nowMs = Date.parse(NOW)
  const check = (validFromMs: number, validToMs: number, problem: string): void => {
    const certificate = { validFromMs, validToMs, isFor: () => true }
    t.strictSame(buildStats({ ...parts, certificate: () => certificate }).certificate, {
      valid_from: new Date(validFromMs).toISOString(),
      valid_to: new Date(validToMs).toISOString(),
      problem
    })
  }
  check(nowMs - 1000, nowMs + 1e11, 'none')
  check(nowMs - 1000, nowMs + 1000, 'expires_soon')
  check(nowMs - 1000, nowMs, 'expired')
  check(nowMs + 1000, nowMs + 1e11, 'not_yet_valid')
})

t.test('stats: how the fleet is seen from this node', async t => {
  const { parts } = testStats()
  t.notOk('fleet' in buildStats(parts), 'a program that is alone says nothing of one')
  const report = { state: 'away', reason: 'closed', sinceMs: Date.parse(NOW), serverCount: 9 } as const
  const node = 'oak'
  const since = new Date(Date.parse(NOW) - 90_000).toISOString()
  const alone = {
    total_users: 0,
    next: { server: null, because: 'fewest users', among: 2 },
    all_full: false,
    spread: 0,
    nodes: [{ node, state: 'here', since, version: '1.2.3', total_users: 0, load: 0, servers: {} }],
    servers_truncated: false
  }
  t.strictSame(buildStats({ ...parts, nodeName: node, fleet: () => report }).fleet,
    { node, state: 'away', since: NOW, reason: 'closed', servers: 9, ...alone })
  t.strictSame(buildStats({ ...parts, nodeName: node, fleet: () => ({ ...report, state: 'up', reason: undefined }) }).fleet,
    { node, state: 'up', since: NOW, servers: 9, ...alone })
})

t.test('stats: the whole of a quiet cluster', async t => {
  const { parts } = testStats()
  const quiet = {
    active_users: 0,
    reserved: 0,
    load: 0,
    state: 'up',
    suspect: false,
    users: [],
    users_truncated: false,
    restarts: 0,
    up_since: '2026-11-23T14:30:05.000Z'
  }
  t.strictSame(buildStats(parts), {
    timestamp: NOW,
    up_since: '2026-11-23T14:29:35.250Z',
    servers: {
      red: { index: 0, kind: 'own', port: 8000, weight: 1, ...quiet, folder: 'site-1' },
      blue: { index: 1, kind: 'own', port: 8001, weight: 2, ...quiet, folder: 'site-2' }
    },
    total_users: 0,
    next: { server: 'red', because: 'fewest users, first in the settings' },
    all_full: false,
    spread: 0,
    denied_users: 4,
    table: { used: 0, size: 64, nearly_full: false },
    refused_networks: []
  }, 'nothing has been measured yet, so no figure is given')
})

t.test('stats: counts users where they are active and where a place is held', async t => {
  const test = testStats()
  const { table, parts } = test
  table.touch(clientNumber(1), 0, HOME)
  table.touch(clientNumber(2), 0, HOME)
  reserveFor(test, clientNumber(3))
  t.match(buildStats(parts, [{ ids: ['one'], isTruncated: true }, { ids: [], isTruncated: false }]), {
    servers: {
      red: { active_users: 2, reserved: 0, users: ['one'], users_truncated: true },
      blue: { active_users: 0, reserved: 1, load: 1, users: [], users_truncated: false }
    },
    total_users: 2,
    next: { server: 'blue', because: 'fewest users for its weight' },
    spread: 1,
    table: { used: 3, size: 64 }
  })
})

t.test('stats: what each server admits, and that all are full', async t => {
  const test = testStats()
  const { table, parts } = test
  table.setLimits([{ capacity: 2, weight: 1 }, { capacity: undefined, weight: 1 }], 20_000)
  table.touch(clientNumber(1), 0, HOME)
  t.match(buildStats(parts), {
    servers: { red: { capacity: 2, load: 1 }, blue: { capacity: undefined } },
    next: { server: 'blue' },
    all_full: false
  })
  table.setLimits([{ capacity: 2, weight: 2 }, { capacity: 1, weight: 1 }], 20_000)
  table.touch(clientNumber(2), 0, HOME)
  table.touch(clientNumber(3), 1, HOME)
  table.leave(clientNumber(1), 0)
  t.match(buildStats(parts), {
    servers: {
      red: { weight: 2, capacity: 2, active_users: 1, reserved: 1, load: 2 },
      blue: { weight: 1, capacity: 1, active_users: 1, reserved: 0, load: 1 }
    },
    next: null,
    all_full: true
  }, 'a place that is held for a return counts')
  table.setServerState(1, 'down')
  t.match(buildStats(parts), { next: null, all_full: true }, 'of those that take visitors')
  table.setServerState(0, 'draining')
  t.match(buildStats(parts), { next: null, all_full: false }, 'of which there are none')
})

t.test('stats: without ids says whether there are any', async t => {
  const { table, parts } = testStats()
  table.touch(clientNumber(1), 1, HOME)
  t.match(buildStats(parts).servers, {
    red: { users: [], users_truncated: false }, blue: { users: [], users_truncated: true }
  })
})

t.test('stats: since when a server drains, and from how many users', async t => {
  const { table, parts } = testStats()
  const change = { atMs: Date.parse(NOW) - 5000, activeUsers: 12 }
  const changed = { ...parts, lastChange: (server: number) => server === 1 ? change : undefined }
  table.setServerState(1, 'draining')
  const [first, draining] = Object.values(buildStats(changed).servers)
  t.match(draining, { state_since: '2026-11-23T14:31:00.250Z', drained_from: 12 })
  t.notHas(first, 'state_since')
  table.setServerState(1, 'down')
  const [, down] = Object.values(buildStats(changed).servers)
  t.match(down, { state_since: '2026-11-23T14:31:00.250Z' })
  t.notHas(down, 'drained_from')
})

t.test('stats: why a server drains and when those who are left are moved, up or down', async t => {
  const { table, parts } = testStats()
  const sinceMs = Date.parse(NOW) - 60_000
  const drains = [
    { note: '', sinceMs, movesFromMs: undefined },
    { note: 'new disk', sinceMs, movesFromMs: Date.parse(NOW) }
  ]
  const drained = { ...parts, drain: (server: number) => drains[server] }
  table.setServerState(0, 'draining')
  table.setServerState(1, 'down')
  const { red, blue } = buildStats(drained).servers
  t.strictSame(red!.drain, { note: '', moves_from: null })
  t.equal(red!.state_since, '2026-11-23T14:30:05.250Z', 'from before this monitor')
  t.strictSame(blue!.drain, { note: 'new disk', moves_from: NOW })
  t.notHas(blue, 'state_since', 'it is not known since when it is down')
})

t.test('stats: figures of the last 10 seconds', async t => {
  const { parts, meters } = testStats()
  const { servers: [first], router, clock } = meters
  times(33, () => first!.answered(204, 0.031))
  first!.answered(500, 12.345)
  times(7, () => router.answered(302, 355.4))
  first!.connectionsOpen(9, clock.nowMs + 10_000)
  clock.pass(10_000)
  const { servers, redirects_per_second: redirects, wait_ms: wait } = buildStats(parts)
  t.match(servers['red'], {
    connections: 9,
    requests_per_second: 3.4,
    beats_per_second: 3.3,
    errors_per_second: 0.1,
    p99_ms: 12.66
  })
  t.match(servers['blue'], { requests_per_second: 0, beats_per_second: 0, errors_per_second: 0 })
  t.notOk('p99_ms' in servers['blue']!, 'no request, no percentile')
  t.notOk('connections' in servers['blue']!, 'never counted')
  t.equal(redirects, 0.7)
  t.same(wait, { p50: 355, p99: 359.9 })
})

t.test('stats: are of this moment, not of the last sample', async t => {
  const { parts, meters } = testStats()
  meters.clock.pass(5000)
  times(40, () => meters.servers[0]!.answered(200, 1))
  t.equal(buildStats(parts).servers['red']!.requests_per_second, 8)
})

t.test('stats: nobody measures a server that does not run', async t => {
  const { parts, meters, table } = testStats()
  meters.servers[0]!.answered(200, 1)
  meters.servers[0]!.connectionsOpen(1, meters.clock.nowMs)
  meters.clock.pass(2000)
  for (const state of ['starting', 'down'] as const) {
    table.setServerState(0, state)
    t.strictSame(buildStats(parts).servers['red'], {
      index: 0,
      kind: 'own',
      port: 8000,
      weight: 1,
      active_users: 0,
      reserved: 0,
      load: 0,
      state,
      suspect: false,
      folder: 'site-1',
      users: [],
      users_truncated: false,
      restarts: 0
    })
  }
  table.setServerState(0, 'draining')
  t.match(buildStats(parts).servers['red'], {
    state: 'draining', up_since: '2026-11-23T14:30:05.000Z', connections: 1, requests_per_second: 0.5
  })
})

t.test('stats: an external server has an address and no figures of ours', async t => {
  const { parts, table } = testStats()
  const [own] = SERVERS
  table.setLimits(SERVERS.map(() => ({ capacity: undefined, weight: 1 })), 0)
  table.touch(clientNumber(1), 1, HOME)
  const { servers } = buildStats({ ...parts, servers: [own!, ...testExternal(1, ['shop'])] })
  t.strictSame(servers['shop'], {
    index: 1,
    kind: 'external',
    weight: 1,
    active_users: 1,
    reserved: 0,
    load: 1,
    state: 'up',
    suspect: false,
    users: [],
    users_truncated: true,
    url: 'https://shop.example',
    source: 'settings'
  })
})

t.test('stats: an external server has the beats that the router took for it, while it runs', async t => {
  const { parts, meters: { router, servers: [own], clock }, table } = testStats()
  const external = { ...parts, servers: [SERVERS[0]!, ...testExternal(1, ['shop'])] }
  times(40, () => router.beatAnsweredFor(1))
  times(10, () => router.beatAnsweredFor(0))
  times(5, () => own!.answered(204, 0.1))
  clock.pass(10_000)
  t.match(buildStats(external).servers, {
    red: { beats_per_second: 1.5 }, shop: { beats_per_second: 4 }
  })
  table.setServerState(1, 'down')
  t.notHas(buildStats(external).servers['shop'], 'beats_per_second')
})

t.test('stats: what health checks say of an external server, and that its people fell silent', async t => {
  const { parts, table } = testStats()
  const report = {
    server: 1,
    isUp: false,
    found: 'status 200',
    reason: 'timeout',
    goodCount: 9,
    badCount: 3,
    tookMs: 12,
    atMs: Date.parse(NOW)
  }
  const shop = (health: HealthReport): object | undefined => buildStats({
    ...parts,
    servers: [SERVERS[0]!, ...testExternal(1, ['shop'])],
    health: server => server === 1 ? health : undefined,
    isSuspect: server => server === 1
  }).servers['shop']
  table.setServerState(1, 'down')
  t.match(shop(report), {
    state: 'down',
    suspect: true,
    reason: 'timeout',
    last_check: { found: 'status 200', took_ms: 12, at: NOW }
  })
  table.setServerState(1, 'up')
  t.notMatch(shop({ ...report, isUp: true, reason: undefined }), { reason: /./ })
})

t.test('stats: names the networks whose newcomers are not counted, and since when', async t => {
  const { parts, clock, memory } = testStats()
  const noteAt = (number: number, times: number): void => {
    const block = new RefusalBlock(memory.newcomers.refusals, 0)
    const network = networkOf(addressNumber(number))
    for (let time = 0; time < times; time++) block.note(network, 0, clock.nowMs)
  }
  noteAt(1, 5)
  clock.nowMs += 2000
  for (let number = 1; number < 20; number++) noteAt(number, 1)
  const { refused_networks: networks } = buildStats(parts)
  t.equal(networks.length, 16)
  t.strictSame(networks[0], {
    network: '2001:db8:1::/64', newcomers: 6, since: '2026-11-23T14:31:03.250Z', last: NOW
  })
})
