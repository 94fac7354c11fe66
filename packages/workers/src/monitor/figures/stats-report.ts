/**
 * What GET /stats says: load of every server now, and figures measured over the last 10 seconds. A
 * figure that was not measured is left out. Computes only.
 */
import { basename } from 'node:path'
import type { RefusedNetwork, ServerStats, Stats } from '@usher/shared/api/stats.ts'
import { problemOf, type Certificate } from '@usher/shared/certificate.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { FleetReport, HealthReport } from '@usher/shared/messages.ts'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import { presentServers, type OwnServer, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import { reportFleet, type OtherNodes } from './fleet-report.ts'
import { describeBalance, isNearlyFull, type BalanceParts } from './balance.ts'
import type { StoredDrain } from '../../records/drains.ts'
import type { Rates } from './rates.ts'
import type { StateChange } from './state-changes.ts'
import type { ServerIds } from './user-queries.ts'

export interface StatsParts {
  readonly table: Pick<UserTable,
    'usersPerServer' | 'capacity' | 'weight' | 'serverState' | 'weightPercent' | 'size' |
    'refusedNetworks'>
  readonly rates: Pick<Rates, 'sample' | 'server' | 'routerBeatsPerSecond' | 'thread' | 'whole'>
  readonly servers: readonly Slot[]
  readonly policy: BalanceParts['policy']
  readonly usersMax: number
  /** When the program started, in milliseconds since 1970. */
  readonly startedMs: number
  /** Of the state of a server; undefined when it is not known. */
  readonly lastChange: (server: number) => StateChange | undefined
  /** Undefined of a server that takes visitors. */
  readonly drain: (server: number) => StoredDrain | undefined
  /** Of an external server; undefined before the first check. */
  readonly health: (server: number) => HealthReport | undefined
  readonly isSuspect: (server: number) => boolean
  /** Entries of the deny list that are in force. */
  readonly deniedUsers: () => number
  /** Undefined without TLS. */
  readonly certificate: () => Certificate | undefined
  readonly nodeName: string
  /** Undefined where the program is alone. */
  readonly fleet: () => FleetReport | undefined
  /** Of the fleet. */
  readonly otherNodes: () => OtherNodes
  /** Of this program. */
  readonly version: string
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

/** @param ids by index of the server; none when left out */
export function buildStats (parts: StatsParts, ids: readonly ServerIds[] = []): Stats {
  const { table, rates, policy, usersMax, startedMs, deniedUsers, wallNow } = parts
  rates.sample()
  const { active: activeUsers, reserved } = table.usersPerServer()
  const load = (server: number): number => activeUsers[server]! + reserved[server]!
  const present = presentServers(parts.servers)
  const servers = present.map((server): [string, ServerStats] => {
    const { index, name, kind } = server
    const counts = {
      weight: table.weight(index),
      ...figure('capacity', table.capacity(index), 0),
      active_users: activeUsers[index]!,
      reserved: reserved[index]!,
      load: load(index)
    }
    const described = describe(parts, server, counts.active_users, ids[index])
    return [name, { index, kind, ...counts, ...described }]
  })
  const used = table.size()
  const totalUsers = present.reduce((sum, { index }) => sum + activeUsers[index]!, 0)
  const upSince = new Date(startedMs).toISOString()
  const report = parts.fleet()
  const own = {
    node: parts.nodeName,
    version: parts.version,
    total_users: totalUsers,
    up_since: upSince,
    servers: Object.fromEntries(servers)
  }
  const fleet = report === undefined ? undefined : reportFleet(report, own, parts.otherNodes())
  const { redirectsPerSecond, waitP50Ms, waitP99Ms } = rates.whole()
  return {
    timestamp: new Date(wallNow()).toISOString(),
    up_since: upSince,
    servers: Object.fromEntries(servers),
    ...describeBalance({
      policy,
      servers: present.map(server => ({ ...server, weight: table.weight(server.index) })),
      isAvailable: server => table.serverState(server) === 'up',
      isFull: server => load(server) >= (table.capacity(server) ?? Infinity),
      weightPercent: server => table.weightPercent(server)
    }, activeUsers.map((_, server) => load(server))),
    total_users: totalUsers,
    denied_users: deniedUsers(),
    ...figure('redirects_per_second', redirectsPerSecond, RATE_DIGITS),
    ...(waitP50Ms === undefined || waitP99Ms === undefined
      ? {}
      : { wait_ms: { p50: rounded(waitP50Ms, MS_DIGITS), p99: rounded(waitP99Ms, MS_DIGITS) } }),
    table: { used, size: usersMax, nearly_full: isNearlyFull(used, usersMax) },
    refused_networks: refusedNetworks(parts),
    ...certificateState(parts),
    ...fleet !== undefined && { fleet }
  }
}

/** More than anybody would deny one by one. */
const REFUSED_MAX = 16

function refusedNetworks ({ table, wallNow }: StatsParts): RefusedNetwork[] {
  const at = (agoMs: number): string => new Date(wallNow() - agoMs).toISOString()
  return table.refusedNetworks().slice(0, REFUSED_MAX)
    .map(({ network, notCounted, sinceAgoMs, lastAgoMs }) =>
      ({ network, newcomers: notCounted, since: at(sinceAgoMs), last: at(lastAgoMs) }))
}

function certificateState ({ certificate, wallNow }: StatsParts): Pick<Stats, 'certificate'> {
  const used = certificate()
  if (used === undefined) return {}
  const at = (ms: number): string => new Date(ms).toISOString()
  return {
    certificate: {
      valid_from: at(used.validFromMs),
      valid_to: at(used.validToMs),
      problem: problemOf(used, wallNow())
    }
  }
}

const RATE_DIGITS = 1
const MS_DIGITS = 2

function describe (
  { table, rates, lastChange, drain: drainOf, health, isSuspect }: StatsParts,
  server: Server, activeUsers: number, given: ServerIds | undefined
): Omit<ServerStats,
    'index' | 'kind' | 'weight' | 'capacity' | 'active_users' | 'reserved' | 'load'> {
  const { index } = server
  const state = table.serverState(index)
  const change = lastChange(index)
  const drain = drainOf(index)
  // A change that this monitor did not see: the server has drained since before it started.
  const sinceMs = change?.atMs ?? (state === 'draining' ? drain?.sinceMs : undefined)
  const facts = {
    state,
    suspect: isSuspect(index),
    ...(sinceMs === undefined ? {} : { state_since: new Date(sinceMs).toISOString() }),
    ...(change === undefined || state !== 'draining' ? {} : { drained_from: change.activeUsers }),
    ...(drain === undefined ? {} : reportDrain(drain)),
    users: given?.ids ?? [],
    users_truncated: given?.isTruncated ?? activeUsers > 0
  }
  if (server.kind === 'external') {
    const { publicUrl: url, source } = server
    // Of the rest of what is asked there nothing comes to Usher.
    const beats = isRunning(state) ? rates.routerBeatsPerSecond(index) : undefined
    return {
      ...facts,
      url,
      source,
      ...describeHealth(health(index)),
      ...figure('beats_per_second', beats, RATE_DIGITS)
    }
  }
  return { ...facts, ...describeOwn(rates, server, isRunning(state)) }
}

function describeHealth (
  report: HealthReport | undefined
): Pick<ServerStats, 'reason' | 'last_check'> {
  if (report === undefined) return {}
  const { found, reason, tookMs, atMs } = report
  return {
    ...(reason === undefined ? {} : { reason }),
    last_check: { found, took_ms: tookMs, at: new Date(atMs).toISOString() }
  }
}

function isRunning (state: ServerState): boolean {
  return state === 'up' || state === 'draining'
}

/** What its thread measures. */
function describeOwn (
  rates: StatsParts['rates'], { index, port, folder }: OwnServer, isRunning: boolean
): Pick<ServerStats, 'port' | 'folder' | 'restarts'> & Partial<ServerStats> {
  const { restarts, upSinceMs, connections } = rates.thread(index)
  const facts = { port, folder: basename(folder), restarts }
  // A server that does not run has no figures.
  if (!isRunning) return facts
  const { requestsPerSecond, beatsPerSecond, errorsPerSecond, p50Ms, p99Ms } = rates.server(index)
  return {
    ...facts,
    ...(upSinceMs === undefined ? {} : { up_since: new Date(upSinceMs).toISOString() }),
    ...figure('connections', connections, 0),
    ...figure('requests_per_second', requestsPerSecond, RATE_DIGITS),
    ...figure('beats_per_second', beatsPerSecond, RATE_DIGITS),
    ...figure('errors_per_second', errorsPerSecond, RATE_DIGITS),
    ...figure('p50_ms', p50Ms, MS_DIGITS),
    ...figure('p99_ms', p99Ms, MS_DIGITS)
  }
}

function reportDrain ({ note, movesFromMs: fromMs }: StoredDrain): Pick<ServerStats, 'drain'> {
  const from = fromMs === undefined ? null : new Date(fromMs).toISOString()
  return { drain: { note, moves_from: from } }
}

function figure<N extends string> (
  name: N, value: number | undefined, digits: number
): { readonly [name in N]?: number } {
  if (value === undefined) return {}
  return { [name]: rounded(value, digits) } as { readonly [name in N]: number }
}

function rounded (value: number, digits: number): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
