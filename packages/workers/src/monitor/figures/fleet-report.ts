/**
 * How the nodes of the fleet stand, as /stats says it: this one as its link sees the engine, the
 * others by their cards. Computes only.
 */
import type {
  FleetServer, FleetStats, NodeFacts, NodeStats, ServerState, Stats
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
  const all = [here, ...nodes].sort((one, another) => one.node < another.node ? -1 : 1)
  return {
    node,
    state,
    since: timeOf(sinceMs),
    ...(reason !== undefined && { reason }),
    servers: serverCount,
    total_users: all.filter(({ state }) => state === 'here' || state === 'up')
      .reduce((sum, one) => sum + one.total_users, 0),
    nodes: all,
    servers_truncated: isTruncated
  }
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
    servers
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
export function factsOf ({ total_users: totalUsers, servers }: Stats, version: string): NodeFacts {
  return {
    version,
    total_users: totalUsers,
    servers: Object.fromEntries(Object.entries(servers).map(([name, server]) =>
      [name, fleetServer(server)]))
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
