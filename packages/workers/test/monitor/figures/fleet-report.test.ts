/** What a node says of its whole fleet, by what it hears of the others. */
import t from 'tap'
import type { FleetServer, NodeFacts, Stats } from '@usher/shared/api/stats.ts'
import type { FleetReport } from '@usher/shared/messages.ts'
import { factsOf, reportFleet } from '../../../src/monitor/figures/fleet-report.ts'
import { emptyStats } from '../fixtures/empty-stats.ts'

const UP: FleetReport = { state: 'up', reason: undefined, sinceMs: 0, serverCount: 4 }
const NOW = '2026-11-30T12:00:00.000Z'

function server (load: number, facts: Partial<FleetServer> = {}): FleetServer {
  return {
    index: 0, kind: 'own', state: 'up', weight: 1, active_users: load, reserved: 0, load, ...facts
  }
}

type Servers = Readonly<Record<string, FleetServer>>

function report (own: Servers, others: Readonly<Record<string, Servers>>, {
  state = UP, isThere = true, alerts = undefined as NodeFacts['alerts']
} = {}) {
  const nodes = Object.entries(others).map(([node, servers]) => ({
    node,
    atMs: 0,
    startedMs: 0,
    isThere,
    facts: { version: '1', total_users: 1, servers, ...(alerts !== undefined && { alerts }) }
  }))
  const servers = own as unknown as Stats['servers']
  return reportFleet(state,
    { node: 'oak', version: '1', total_users: 0, up_since: NOW, servers }, { nodes, isHeard: true })
}

t.test('fleet report: the next visitor and the spread are of the servers of all nodes', async t => {
  const check = (own: Servers, elm: Servers, wanted: object): void => {
    t.match(report(own, { elm }), wanted)
  }
  check({ a: server(5) }, { a: server(3), b: server(9) },
    { next: { server: 'elm/a', because: 'fewest users', among: 1 }, spread: 6, all_full: false })
  check({ a: server(5) }, { a: server(9, { weight: 3 }) }, { next: { server: 'elm/a' }, spread: 2 })
  check({ a: server(3) }, { a: server(3) },
    { next: { server: null, among: 2 }, spread: 0 })
  check({ a: server(5) }, { a: server(3, { state: 'draining' }), b: server(1, { capacity: 1 }) },
    { next: { server: 'oak/a' }, spread: 4, all_full: false })
  check({ a: server(2, { capacity: 2 }) }, { b: server(1, { capacity: 1 }) },
    { next: null, all_full: true })
  check({ a: server(2, { state: 'down' }) }, {}, { next: null, all_full: false, spread: undefined })
})

t.test('fleet report: only nodes that are there take visitors, and only while the engine does', async t => {
  const own = { a: server(5) }
  const elm = { a: server(0) }
  t.match(report(own, { elm }, { isThere: false }), { next: { server: 'oak/a' }, spread: undefined })
  t.match(report(own, { elm }, { state: { ...UP, state: 'away' } }), { next: { server: 'oak/a' } })
  t.match(report(own, { elm }, { state: { ...UP, state: 'warm' } }), { next: { server: 'elm/a' } })
})

t.test('fleet report: the load of a node is of servers that run, however many are listed', async t => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`s${at}`, server(1)]))
  const own = { a: server(4, { state: 'draining' }), b: server(2, { state: 'down' }) }
  const { nodes, servers_truncated: isTruncated } = report(own, { elm: many, fir: { a: server(3, { state: 'down' }) } })
  t.match(nodes, [
    { node: 'elm', load: 300 }, { node: 'fir', load: undefined }, { node: 'oak', load: 4 }
  ])
  t.equal(isTruncated, true)
})

t.test('fleet report: what is the matter at a node is told, and shown while it is there', async t => {
  const network = { network: '192.0.2.0/24', newcomers: 7, since: NOW, last: NOW }
  const table = { used: 95, size: 100, nearly_full: true }
  const certificate = { valid_from: NOW, valid_to: NOW, problem: 'expired' } as const
  const { alerts } = factsOf(
    emptyStats({ table, certificate, refused_networks: [network, network, network] }), '1')
  t.strictSame(alerts, { table, certificate, newcomers: { network, others: 2 } })
  t.notOk('alerts' in factsOf(emptyStats({ certificate: { ...certificate, problem: 'none' } }), '1'))
  t.match(report({}, { elm: {} }, { alerts }).nodes[0], { alerts })
  t.notOk('alerts' in report({}, { elm: {} }, { alerts, isThere: false }).nodes[0]!)
})
