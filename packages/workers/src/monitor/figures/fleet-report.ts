/**
 * How the nodes of the fleet stand, as /stats says it: this one as its link sees the engine, the
 * others by their cards. Computes only.
 */
import type {
  FleetServer, FleetStats, NodeAlerts, NodeFacts, NodeStats, ServerState, Stats
} from '@usher/shared/api/stats.ts'
import type { Wire } from '@usher/shared/api/fields.ts'
import type { FleetReport } from '@usher/shared/messages.ts'
import type { KnownNode } from '../../fleet/node-cards.ts'

export interface OtherNodes {
  readonly nodes: readonly KnownNode[]
  /** False while the engine is away, and with it what is known of the others. */
  readonly isHeard: boolean
}

export type OwnNode = Pick<Stats, 'total_users' | 'up_since' | 'servers'> & {
  readonly node: string
  readonly version: string
}

/** Of other nodes: each event of a stream carries them. */
export const SERVERS_LISTED_MAX = 256

export function reportFleet (
  { state, reason, sinceMs, serverCount }: FleetReport, own: OwnNode, others: OtherNodes
): Wire<typeof FleetStats> {
  const { node, version, total_users: ownUsers, up_since: since } = own
  const here = {
    node,
    state: 'here',
    since,
    version,
    total_users: ownUsers,
    ...loadOf(own.servers),
    servers: {}
  } as const
  let room = SERVERS_LISTED_MAX
  let isTruncated = false
  const nodes = others.nodes.map((other): NodeStats => {
    const servers = Object.entries(other.facts?.servers ?? {})
    const listed = servers.slice(0, room)
    room -= listed.length
    isTruncated ||= listed.length < servers.length
    return nodeStats(other, others.isHeard, Object.fromEntries(listed))
  })
  const isPlacedByFleet = state === 'up' || state === 'warm'
  const servers = [
    ...namedServers(node, own.servers),
    ...(isPlacedByFleet ? others.nodes.filter(({ isThere }) => isThere) : [])
      .flatMap(({ node, facts }) => namedServers(node, facts?.servers ?? {}))
  ]
  const all = [here, ...nodes].sort((one, another) => one.node < another.node ? -1 : 1)
  return {
    node,
    state,
    since: timeOf(sinceMs),
    ...(reason !== undefined && { reason }),
    servers: serverCount,
    total_users: all.filter(({ state }) => state === 'here' || state === 'up')
      .reduce((sum, one) => sum + one.total_users, 0),
    ...balanceOf(servers),
    nodes: all,
    servers_truncated: isTruncated
  }
}

type Balanced = Pick<FleetServer, 'state' | 'load' | 'weight' | 'capacity'>

function namedServers (
  node: string, servers: Readonly<Record<string, Balanced>>
): Array<Balanced & { readonly name: string }> {
  return Object.entries(servers).map(([name, server]) => ({ ...server, name: `${node}/${name}` }))
}

/** Which of equal ones the engine takes is not known here. */
function balanceOf (
  servers: ReadonlyArray<Balanced & { readonly name: string }>
): Pick<Wire<typeof FleetStats>, 'next' | 'all_full' | 'spread'> {
  const available = servers.filter(({ state }) => state === 'up')
  const open = available.filter(({ load, capacity = Infinity }) => load < capacity)
  const loads = available.map(perWeight)
  const least = Math.min(...open.map(perWeight))
  const emptiest = open.filter(server => perWeight(server) === least)
  const [first] = emptiest
  const among = emptiest.length
  return {
    next: first === undefined
      ? null
      : { server: among === 1 ? first.name : null, because: 'fewest users', among },
    all_full: available.length > 0 && open.length === 0,
    ...(loads.length >= 2 && { spread: Math.floor(Math.max(...loads) - Math.min(...loads)) })
  }
}

function perWeight ({ load, weight }: Balanced): number {
  return load / weight
}

function nodeStats (
  { node, facts, isThere, atMs, startedMs }: KnownNode, isHeard: boolean,
  servers: NodeStats['servers']
): NodeStats {
  return {
    node,
    state: isThere ? 'up' : isHeard ? 'away' : 'unknown',
    since: timeOf(isThere ? startedMs : atMs),
    ...(facts !== undefined && { version: facts.version }),
    total_users: facts?.total_users ?? 0,
    ...loadOf(facts?.servers ?? {}),
    servers,
    ...(isThere && facts?.alerts !== undefined && { alerts: facts.alerts })
  }
}

/** As a point of its history is. */
function loadOf (
  servers: Readonly<Record<string, { readonly state: ServerState, readonly load: number }>>
): Pick<NodeStats, 'load'> {
  const running = Object.values(servers)
    .filter(({ state }) => state === 'up' || state === 'draining')
  if (running.length === 0) return {}
  return { load: running.reduce((sum, { load }) => sum + load, 0) }
}

/** What this node tells the others of itself. */
export function factsOf (stats: Stats, version: string): NodeFacts {
  const alerts = alertsOf(stats)
  return {
    version,
    total_users: stats.total_users,
    servers: Object.fromEntries(Object.entries(stats.servers).map(([name, server]) =>
      [name, fleetServer(server)])),
    ...(Object.keys(alerts).length > 0 && { alerts })
  }
}

function alertsOf ({ certificate, table, refused_networks: refused }: Stats): NodeAlerts {
  const [network, ...others] = refused
  return {
    ...(certificate !== undefined && certificate.problem !== 'none' && { certificate }),
    ...(table.nearly_full && { table }),
    ...(network !== undefined && { newcomers: { network, others: others.length } })
  }
}

function fleetServer (server: Stats['servers'][string]): FleetServer {
  const {
    index, kind, state, state_since: since, reason, drain, drained_from: drainedFrom, weight,
    capacity, active_users: activeUsers, reserved, load, requests_per_second: requests,
    p99_ms: p99Ms
  } = server
  return {
    index,
    kind,
    state,
    weight,
    active_users: activeUsers,
    reserved,
    load,
    ...(since !== undefined && { state_since: since }),
    ...(reason !== undefined && { reason }),
    ...(drain !== undefined && { drain }),
    ...(drainedFrom !== undefined && { drained_from: drainedFrom }),
    ...(capacity !== undefined && { capacity }),
    ...(requests !== undefined && { requests_per_second: requests }),
    ...(p99Ms !== undefined && { p99_ms: p99Ms })
  }
}

function timeOf (ms: number): string {
  return new Date(ms).toISOString()
}
