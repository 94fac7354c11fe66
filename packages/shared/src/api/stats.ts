/** `GET /stats`, and what every event of `/events` carries: the load of each server now. */
import { CERTIFICATE_PROBLEMS } from '../certificate.ts'
import {
  byName, count, countText, figure, flag, integer, listOf, nullable, objectOf, oneOf, optional,
  text, time, type Wire
} from './fields.ts'

export const ServerState = oneOf(['starting', 'up', 'draining', 'down', 'maintenance'])
export type ServerState = Wire<typeof ServerState>

export const ServerSource = oneOf(['settings', 'console'])

export const StatsQuery = objectOf({ limit: optional(countText) })

/** Of a server that drains, or will once it is up. */
const drain = optional(objectOf({
  /** Empty for none. */
  note: text,
  /** From when those who are left are moved at their next request; null: they stay. */
  moves_from: nullable(time)
}))

/** A figure that nobody measured is left out. */
export const ServerStats = objectOf({
  /** From 0, in the order of the settings, then of adding; JSON has names like numbers first. */
  index: count,
  /** A thread of this program, or a program that runs elsewhere. */
  kind: oneOf(['own', 'external']),
  /** Of an own server. */
  port: optional(integer),
  /** Of an external server: where visitors are sent to. */
  url: optional(text),
  /** Of an external server: who names it, and may change or remove it. */
  source: optional(ServerSource),
  /** How much of all users it is to have: load is balanced by weight. */
  weight: count,
  /** Users that it admits, as `load` counts them; left out where as many as come. */
  capacity: optional(count),
  active_users: count,
  /** Places held for others: until they arrive, and after a leave for their return. */
  reserved: count,
  /** What is balanced: active users and reservations. */
  load: count,
  state: ServerState,
  /** All who had a page open there have stopped beating at once: it may be down unnoticed. */
  suspect: flag,
  /** Why it is down, as a health check found. */
  reason: optional(text),
  /** The latest health check of an external server: `status 200`, `connection refused`. */
  last_check: optional(objectOf({ found: text, took_ms: figure, at: time })),
  /** Of an own server. */
  folder: optional(text),
  state_since: optional(time),
  /** Active users when the drain began; only of a server that drains. */
  drained_from: optional(count),
  drain,
  /** Ids, as many as were asked for. */
  users: listOf(text),
  users_truncated: flag,
  /** Of an own server. */
  restarts: optional(count),
  up_since: optional(time),
  connections: optional(count),
  requests_per_second: optional(figure),
  beats_per_second: optional(figure),
  errors_per_second: optional(figure),
  p50_ms: optional(figure),
  p99_ms: optional(figure)
})
export type ServerStats = Wire<typeof ServerStats>

/** One whose newcomers are served, but not counted, because there are too many of them. */
export const RefusedNetwork = objectOf({
  /** An address or a range, as `/deny` and TRUSTED_NETWORKS take it. */
  network: text,
  /** Their requests since then; the first that was not counted. */
  newcomers: count,
  since: time,
  /** The latest. */
  last: time
})
export type RefusedNetwork = Wire<typeof RefusedNetwork>

/** Of HTTPS on every port. */
export const CertificateState = objectOf({
  /** Of the whole chain. */
  valid_from: time,
  valid_to: time,
  problem: oneOf(CERTIFICATE_PROBLEMS)
})

/** A server as other nodes of the fleet know it. */
export const FleetServer = objectOf({
  /** In the order of its node. */
  index: count,
  kind: oneOf(['own', 'external']),
  state: ServerState,
  state_since: optional(time),
  /** Why it is down. */
  reason: optional(text),
  drain,
  drained_from: optional(count),
  weight: count,
  capacity: optional(count),
  active_users: count,
  reserved: count,
  /** Both together. */
  load: count,
  requests_per_second: optional(figure),
  p99_ms: optional(figure)
})
export type FleetServer = Wire<typeof FleetServer>

const tableUse = objectOf({ used: count, size: count, nearly_full: flag })

/** What a node's own console warns of, besides its servers: only what is the matter there. */
export const NodeAlerts = objectOf({
  certificate: optional(CertificateState),
  /** Nearly full. */
  table: optional(tableUse),
  /** The network of which most are not counted, and how many others there are. */
  newcomers: optional(objectOf({ network: RefusedNetwork, others: count }))
})
export type NodeAlerts = Wire<typeof NodeAlerts>

/** What a node tells the others of itself, each second. */
export const NodeFacts = objectOf({
  version: text,
  total_users: count,
  servers: byName(FleetServer),
  /** Left out where nothing is the matter. */
  alerts: optional(NodeAlerts)
})
export type NodeFacts = Wire<typeof NodeFacts>

export const NodeStats = objectOf({
  node: text,
  /** here: this one; away: not heard of for 3 s; unknown: nor of others, without the engine. */
  state: oneOf(['here', 'up', 'away', 'unknown']),
  /** When it was started; of one that is away, when it was last heard. */
  since: time,
  version: optional(text),
  /** As last heard. */
  total_users: count,
  /** Of its servers that are up or drain; left out where none does. */
  load: optional(count),
  /** Those of this node are in `servers` of the whole. */
  servers: byName(FleetServer),
  /** Of this node they are in the whole; left out where nothing is the matter. */
  alerts: optional(NodeAlerts)
})
export type NodeStats = Wire<typeof NodeStats>

/** Of a program that is a node of one. */
export const FleetStats = objectOf({
  node: text,
  /** away: the engine does not answer, and visitors are placed at this node's servers. */
  state: oneOf(['away', 'joining', 'warm', 'up']),
  since: time,
  /** Why it is not up. */
  reason: optional(text),
  /** Of all nodes. */
  servers: count,
  /** Of all nodes that are there. */
  total_users: count,
  /**
   * As `next` of the whole, among the servers of all nodes; of this node's own while the engine
   * is away. A server is NODE/NAME; where several are alike it is null, and which the engine says.
   */
  next: nullable(objectOf({
    server: nullable(text),
    because: text,
    /** How many have the fewest users. */
    among: count
  })),
  all_full: flag,
  spread: optional(count),
  /** By name; one that is away stays for a day. */
  nodes: listOf(NodeStats),
  /** There are more servers at other nodes than are listed. */
  servers_truncated: flag
})

export const Stats = objectOf({
  timestamp: time,
  /** When the program started. */
  up_since: time,
  /** By the names of the servers. */
  servers: byName(ServerStats),
  /** Where the next newcomer goes; null while no server takes visitors, or all are full. */
  next: nullable(objectOf({
    /** Null where a policy goes by turns: only the router knows then. */
    server: nullable(text),
    because: text
  })),
  /** No server that takes visitors has a place left for a newcomer. */
  all_full: flag,
  /** Between fullest and emptiest, as load for a weight of 1; only where two take visitors. */
  spread: optional(count),
  total_users: count,
  denied_users: count,
  redirects_per_second: optional(figure),
  wait_ms: optional(objectOf({ p50: figure, p99: figure })),
  table: tableUse,
  /** The one with most first; of the last 10 minutes. */
  refused_networks: listOf(RefusedNetwork),
  /** Only with TLS. */
  certificate: optional(CertificateState),
  /** Only with CLUSTER_URL. */
  fleet: optional(FleetStats)
}, {
  description: 'Load now, and figures of the last 10 seconds',
  headers: { 'X-Active-Users': { type: 'string', description: 'The total' } }
})
export type Stats = Wire<typeof Stats>
