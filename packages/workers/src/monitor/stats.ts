/**
 * The JSON of GET /stats: load of every server now, and figures measured over the last 10 seconds.
 * A figure that nobody measured is left out. Computes only.
 */
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { Rates } from './rates.ts'
import type { ServerIds } from './users.ts'

export interface StatsParts {
  readonly table: Pick<UserTable,
    'activeUsersPerServer' | 'reservedPerServer' | 'serverState' | 'size'>
  readonly rates: Pick<Rates, 'sample' | 'server' | 'thread' | 'whole'>
  readonly ports: readonly number[]
  readonly usersMax: number
  /** Entries of the deny list that are in force. */
  readonly deniedUsers: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

export interface Stats {
  readonly timestamp: string
  readonly servers: Readonly<Record<number, ServerStats>>
  readonly total_users: number
  readonly denied_users: number
  readonly redirects_per_second?: number
  readonly wait_ms?: { readonly p50: number, readonly p99: number }
  readonly table: { readonly used: number, readonly size: number }
}

export interface ServerStats {
  readonly active_users: number
  readonly reserved: number
  readonly state: ServerState
  readonly users: readonly string[]
  readonly users_truncated: boolean
  readonly restarts: number
  readonly up_since?: string
  readonly connections?: number
  readonly requests_per_second?: number
  readonly beats_per_second?: number
  readonly errors_per_second?: number
  readonly p99_ms?: number
}

/** @param ids by index of the server; none when left out */
export function buildStats (parts: StatsParts, ids: readonly ServerIds[] = []): Stats {
  const { table, rates, ports, usersMax, deniedUsers, wallNow } = parts
  rates.sample()
  const activeUsers = table.activeUsersPerServer()
  const reserved = table.reservedPerServer()
  const servers = ports.map((port, server) => {
    const counts = { active_users: activeUsers[server]!, reserved: reserved[server]! }
    return [port, { ...counts, ...describe(parts, server, counts.active_users, ids[server]) }]
  })
  const { redirectsPerSecond, waitP50Ms, waitP99Ms } = rates.whole()
  return {
    timestamp: new Date(wallNow()).toISOString(),
    servers: Object.fromEntries(servers) as Stats['servers'],
    total_users: activeUsers.reduce((sum, count) => sum + count, 0),
    denied_users: deniedUsers(),
    ...figure('redirects_per_second', redirectsPerSecond, RATE_DIGITS),
    ...(waitP50Ms === undefined || waitP99Ms === undefined
      ? {}
      : { wait_ms: { p50: rounded(waitP50Ms, MS_DIGITS), p99: rounded(waitP99Ms, MS_DIGITS) } }),
    table: { used: table.size(), size: usersMax }
  }
}

const RATE_DIGITS = 1
const MS_DIGITS = 2

function describe (
  { table, rates }: StatsParts, server: number, activeUsers: number, given: ServerIds | undefined
): Omit<ServerStats, 'active_users' | 'reserved'> {
  const state = table.serverState(server)
  const { restarts, upSinceMs, connections } = rates.thread(server)
  const facts = {
    state,
    users: given?.ids ?? [],
    users_truncated: given?.isTruncated ?? activeUsers > 0,
    restarts
  }
  // Nobody measures a server that does not run.
  if (state !== 'up' && state !== 'draining') return facts
  const { requestsPerSecond, beatsPerSecond, errorsPerSecond, p99Ms } = rates.server(server)
  return {
    ...facts,
    ...(upSinceMs === undefined ? {} : { up_since: new Date(upSinceMs).toISOString() }),
    ...figure('connections', connections, 0),
    ...figure('requests_per_second', requestsPerSecond, RATE_DIGITS),
    ...figure('beats_per_second', beatsPerSecond, RATE_DIGITS),
    ...figure('errors_per_second', errorsPerSecond, RATE_DIGITS),
    ...figure('p99_ms', p99Ms, MS_DIGITS)
  }
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
