/** What the console makes of the servers' figures; every case differs from three servers up. */
import type { Stats } from '@usher/shared/api/stats.ts'
import t from 'tap'
import {
  changedServers, colourClass, serversElsewhere, serversOf, shareOf, sum, troublesOf
} from '../../../monitor-script/kit/console-servers.ts'
import { summaryText, totalsOf } from '../../../monitor-script/servers/overview-texts.ts'
import { testFleet, testFleetServer, testNode, testStats } from '../fixtures/test-stats.ts'

t.test('stats: servers come in the order of the settings, whatever order they were sent in', async t => {
  const servers = serversOf(testStats({
    servers: { 8000: { index: 1, active_users: 1 }, b: { index: 0, active_users: 2, reserved: 3 } }
  }))
  t.strictSame(servers.map(({ name, load }) => [name, load]), [['b', 5], ['8000', 1]])
})

t.test('stats: the ninth server starts the colours again', async t => {
  t.strictSame([0, 7, 8].map(colourClass), ['s1', 's8', 's1'])
})

t.test('stats: a sum leaves out what was not measured, and is none without any', async t => {
  const servers = serversOf(testStats({ servers: { 1: { connections: 3 }, 2: {} } }))
  t.equal(sum(servers, 'connections'), 3)
  t.equal(sum(servers, 'beats_per_second'), undefined)
})

t.test('stats: shares are of everybody, and nobody has one of nothing', async t => {
  const servers = serversOf(testStats({ servers: { 1: { active_users: 3 }, 2: { reserved: 1 } } }))
  t.strictSame(servers.map(server => shareOf(server, servers)), [0.75, 0.25])
  const empty = serversOf(testStats({ servers: { 1: {} } }))
  t.equal(shareOf(empty[0]!, empty), 0)
})

t.test('stats: troubles, worst first', async t => {
  t.strictSame(troublesOf(testStats({ table: { used: 89, size: 100, nearly_full: false } })), [])
  t.strictSame(troublesOf(testStats({
    servers: {
      1: { state: 'down', state_since: '2026-11-23T14:23:12Z', restarts: 4 },
      2: { state: 'draining' },
      3: { state: 'down' }
    },
    table: { used: 90, size: 100, nearly_full: true }
  })), [
    { kind: 'none-available' },
    { kind: 'down', name: '1', sinceMs: Date.parse('2026-11-23T14:23:12Z'), restarts: 4 },
    { kind: 'down', name: '3', sinceMs: undefined, restarts: 0 },
    { kind: 'nearly-full', used: 90, size: 100 }
  ])
})

t.test('stats: no servers at all is another trouble than none that is available', async t => {
  t.strictSame(troublesOf(testStats({ servers: {} })), [{ kind: 'no-servers' }])
})

t.test('stats: that all servers are full is a trouble', async t => {
  t.strictSame(troublesOf(testStats({ all_full: true })), [{ kind: 'all-full' }])
})

t.test('stats: a node says of which fleet it is, and that it is away from it', async t => {
  const since = '2026-11-23T14:23:12.000Z'
  const fleet = { ...testFleet([]), since, servers: 9 }
  const stats = testStats({ fleet })
  t.strictSame(troublesOf(stats), [])
  const nowMs = Date.parse(stats.timestamp)
  t.match(summaryText(stats, serversOf(stats), nowMs), /, node oak of a fleet with 9 servers and 0 users$/)
  t.notMatch(summaryText(testStats(), serversOf(testStats()), nowMs), /fleet/)
  const reason = 'no answer within 1000 ms'
  t.strictSame(troublesOf(testStats({ fleet: { ...fleet, state: 'away', reason } })),
    [{ kind: 'fleet-away', sinceMs: Date.parse(since), reason }])
})

t.test('stats: the servers of other nodes that are there, and the node that went last', async t => {
  const since = '2026-11-23T14:23:12.000Z'
  const server = (index: number) => ({
    index, kind: 'own', state: 'up', weight: 1, active_users: 2, reserved: 0, load: 2
  } as const)
  const node = (name: string, state: 'here' | 'up' | 'away', servers = {}, at = since) =>
    ({ node: name, state, since: at, total_users: 2, servers })
  const stats = testStats({
    fleet: testFleet([
      node('elm', 'up', { 8000: server(1), red: server(0) }),
      node('fir', 'away', { 8000: server(0) }),
      node('oak', 'here'),
      node('yew', 'away', {}, '2026-11-23T14:24:00.000Z')
    ])
  })
  t.strictSame(serversElsewhere(stats).map(({ name, node }) => [name, node]),
    [['elm/red', 'elm'], ['elm/8000', 'elm']])
  t.strictSame(serversElsewhere(testStats()), [])
  t.strictSame(troublesOf(stats), [
    { kind: 'node-away', node: 'yew', sinceMs: Date.parse('2026-11-23T14:24:00.000Z'), others: 1 }
  ])
})

t.test('stats: what is the matter at another node is said with its name', async t => {
  const since = '2026-11-24T14:23:12.000Z'
  const validTo = '2026-11-25T14:31:30.000Z'
  const alerts = {
    certificate: { valid_from: since, valid_to: validTo, problem: 'expires_soon' },
    table: { used: 95, size: 100, nearly_full: true },
    newcomers: { network: { network: '192.0.2.0/24', newcomers: 7, since, last: since }, others: 2 }
  } as const
  const down = testFleetServer({ state: 'down', capacity: 5 })
  const stats = testStats({
    fleet: testFleet([testNode('elm', { alerts, servers: { red: down } }), testNode('oak')])
  })
  t.strictSame(troublesOf(stats), [
    { kind: 'down', name: 'elm/red', sinceMs: undefined, restarts: 0 },
    { kind: 'certificate', problem: 'expires_soon', atMs: Date.parse(validTo), nowMs: Date.parse(stats.timestamp), node: 'elm' },
    { kind: 'nearly-full', used: 95, size: 100, node: 'elm' },
    { kind: 'newcomers', network: '192.0.2.0/24', requests: 7, sinceMs: Date.parse(since), others: 2, isRefused: true, node: 'elm' }
  ])
})

t.test('stats: in a fleet it is another node that takes visitors, or none', async t => {
  const servers = { a: { state: 'draining' }, b: { state: 'draining' } } as const
  const up = testFleetServer({ active_users: 4, load: 4 })
  const elm = testNode('elm', { total_users: 4, servers: { a: up } })
  const stats = testStats({ servers, all_full: true, fleet: testFleet([elm, testNode('oak')]) })
  t.strictSame(troublesOf(stats), [], 'its own servers are drained, and nobody is refused')
  t.strictSame(troublesOf({ ...stats, fleet: { ...stats.fleet!, all_full: true } }), [{ kind: 'all-full' }])
  t.strictSame(troublesOf({ ...stats, fleet: testFleet([{ ...elm, state: 'away' }]) })[0],
    { kind: 'none-available' })
})

t.test('stats: totals of a fleet are of all nodes, or say that they are of this one', async t => {
  const elm = testNode('elm', { total_users: 4, servers: { a: testFleetServer({ active_users: 4, reserved: 2 }) } })
  const fleet = { ...testFleet([elm, testNode('oak')]), spread: 3 }
  const stats = testStats({ fleet, spread: 0, total_users: 1 })
  const totals = new Map(totalsOf(stats, serversOf(stats)).map(total => [total.key, total]))
  t.match(totals.get('active'), { value: '4', unit: '2 more on their way, 1 on this node' })
  t.match(totals.get('spread'), { label: 'Spread in the fleet', value: '3' })
  t.match(totals.get('next'), { value: 'nowhere' })
  for (const key of ['wait', 'redirects', 'beats', 'connections', 'table']) {
    t.match(totals.get(key)?.label, /, this node$/)
  }
  const because = 'fewest users'
  const next = (server: string | null, among: number) =>
    totalsOf(testStats({ fleet: { ...fleet, next: { server, because, among } } }), [])
      .find(({ key }) => key === 'next')
  t.match(next('elm/a', 1), { value: 'elm/a', unit: because })
  t.match(next(null, 4), { value: 'one of 4', unit: because })
})

t.test('stats: a network whose newcomers are not counted is a trouble, the others a number', async t => {
  const since = '2026-11-23T14:23:12.000Z'
  const networks = ['203.0.113.7', '2001:db8::/56', '198.51.100.1'].map((network, index) =>
    ({ network, newcomers: 770 - index, since, last: since }))
  t.strictSame(troublesOf(testStats({ refused_networks: networks })), [{
    kind: 'newcomers', network: '203.0.113.7', requests: 770, sinceMs: Date.parse(since), others: 2
  }])
  const limited = testStats({ servers: { 1: { capacity: 5 }, 2: {} }, refused_networks: networks })
  t.match(troublesOf(limited), [{ others: 2, isRefused: true }], 'where some server has a capacity')
})

t.test('stats: an external server that is down is a trouble with a reason, and restarts nowhere here', async t => {
  const servers = {
    1: { kind: 'external', state: 'down', reason: 'status 503' }, 2: {}, 3: { kind: 'external', state: 'down' }
  } as const
  t.strictSame(troublesOf(testStats({ servers })), [
    { kind: 'down', name: '1', sinceMs: undefined, restarts: 0, reason: 'status 503' },
    { kind: 'down', name: '3', sinceMs: undefined, restarts: 0, reason: '' }
  ])
})

t.test('stats: a certificate that browsers refuse or will soon is a trouble', async t => {
  const [from, to] = ['2026-01-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z']
  const nowMs = Date.parse(testStats().timestamp)
  const check = (problem: NonNullable<Stats['certificate']>['problem'], troubles: object[]): void => {
    const certificate = { valid_from: from, valid_to: to, problem }
    t.strictSame(troublesOf(testStats({ certificate })), troubles, problem)
  }
  check('none', [])
  check('expires_soon', [{ kind: 'certificate', problem: 'expires_soon', atMs: Date.parse(to), nowMs }])
  check('expired', [{ kind: 'certificate', problem: 'expired', atMs: Date.parse(to), nowMs }])
  check('not_yet_valid', [{ kind: 'certificate', problem: 'not_yet_valid', atMs: Date.parse(from), nowMs }])
})

t.test('stats: a change of state is news, the first look is not', async t => {
  const before = testStats({ servers: { 1: {}, 2: {} } })
  const after = testStats({ servers: { 1: { state: 'down' }, 2: {}, 3: {} } })
  t.strictSame(changedServers(undefined, after), [])
  t.strictSame(changedServers(before, after).map(({ name }) => name), ['1'])
})

t.test('stats: totals say a dash for what was not measured', async t => {
  const bare = totalsOf(testStats(), serversOf(testStats()))
  t.equal(bare.find(({ key }) => key === 'redirects')?.value, '–')
  t.equal(bare.find(({ key }) => key === 'wait')?.value, '–')
})

t.test('stats: who is next and why is what the monitor says', async t => {
  const next = { server: 'b', because: 'fewest users' }
  const check = (stats: Parameters<typeof testStats>[0], value: string, unit: string): void => {
    const all = testStats(stats)
    t.match(totalsOf(all, serversOf(all)).find(({ key }) => key === 'next'), { value, unit })
  }
  check({ next }, 'b', 'fewest users')
  check({ next: null }, 'nowhere', 'no server is available')
  check({ next, redirects_per_second: 1.1 }, 'all in turn', '')
  check({ next: { server: null, because: 'round robin' } }, 'all in turn', '')
})
