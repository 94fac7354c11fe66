/**
 * GET /metrics: which figures Prometheus gets, under which names and labels. Computes only.
 *
 * `server` is the name of a server, `router` or `monitor`: one of the HTTP servers. `thread` is
 * named as in the log.
 */
import { MONITOR_METER, ROUTER_METER } from '@usher/shared/memory/meters.ts'
import { SERVER_STATE, type ServerState } from '@usher/shared/memory/layout.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { HealthReport } from '@usher/shared/messages.ts'
import { ownServers, presentServers, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import { areAllFull } from './balance.ts'
import { family, histogram, type Labels, type Sample } from './prometheus-text.ts'
import type { Rates } from './rates.ts'

export interface MetricsParts {
  readonly table: Pick<UserTable,
    'usersPerServer' | 'capacity' | 'serverState' | 'size' | 'refusedNetworks' | 'refusedTotal'>
  readonly rates: Pick<Rates, 'sample' | 'thread' | 'totals'>
  readonly servers: readonly Slot[]
  /** Of an external server; undefined before the first check. */
  readonly health: (server: number) => HealthReport | undefined
  readonly isSuspect: (server: number) => boolean
  readonly usersMax: number
  /** Entries of the deny list that are in force. */
  readonly deniedUsers: () => number
  /** Attempts to log in since this thread started. */
  readonly logins: Readonly<Record<LoginOutcome, number>>
  readonly streamCount: () => number
  readonly version: string
  readonly process: ProcessFacts
}

type LoginOutcome = 'ok' | 'failed' | 'throttled'

/** Without servers that are gone. */
type PresentParts = MetricsParts & { readonly servers: readonly Server[] }

/** Of node's `process`; the figures are of the whole process, whichever thread asks. */
export interface ProcessFacts {
  readonly version: string
  cpuUsage (): { readonly user: number, readonly system: number }
  memoryUsage: { rss (): number }
}

/** A block of the meters with its names. */
interface Place {
  readonly meter: number
  readonly server: string
  readonly thread: string
}

export function renderMetrics (parts: MetricsParts): string {
  const present = { ...parts, servers: presentServers(parts.servers) }
  parts.rates.sample()
  const places = placesOf(parts.servers)
  return [
    ...buildFamilies(parts),
    ...loadFamilies(present),
    ...serverFamilies(present),
    ...httpFamilies(parts.rates, places),
    routerBeatsFamily(present),
    ...operatorFamilies(parts),
    ...threadFamilies(parts.rates, places)
  ].join('')
}

function placesOf (servers: readonly Slot[]): readonly Place[] {
  return [
    { meter: ROUTER_METER, server: 'router', thread: 'coordinator' },
    { meter: MONITOR_METER, server: 'monitor', thread: 'monitor' },
    ...ownServers(servers).map(({ index, name }) => ({ meter: index, server: name, thread: `server ${name}` }))
  ]
}

function buildFamilies ({ version, process }: MetricsParts): string[] {
  const { user, system } = process.cpuUsage()
  const build = { version, node: process.version }
  return [
    family('usher_build_info', 'gauge', 'Always 1; what runs is in the labels.', [[build, 1]]),
    family('process_cpu_seconds_total', 'counter', 'CPU time of the process, all threads together.',
      [[{}, (user + system) / 1e6]]),
    family('process_resident_memory_bytes', 'gauge', 'Memory of the process that is in RAM.',
      [[{}, process.memoryUsage.rss()]])
  ]
}

function loadFamilies ({ table, servers, usersMax }: PresentParts): string[] {
  const { active, reserved } = table.usersPerServer()
  const isAvailable = (server: number): boolean => table.serverState(server) === 'up'
  const isFull = (server: number): boolean =>
    active[server]! + reserved[server]! >= (table.capacity(server) ?? Infinity)
  const perServer = (value: (server: number) => number | undefined): Sample[] =>
    servers.map(({ index, name }) => [{ server: name }, value(index)])
  return [
    family('usher_users', 'gauge', 'Active users of a server.',
      perServer(server => active[server]!)),
    family('usher_reserved_users', 'gauge',
      'Places held at a server: for redirected visitors, and for those who may return.',
      perServer(server => reserved[server]!)),
    family('usher_server_capacity', 'gauge', 'Users that a server admits (CAPACITY).',
      perServer(server => table.capacity(server))),
    family('usher_server_full', 'gauge',
      '1 while a server with a capacity has no place left, whether or not it takes visitors.',
      perServer(server =>
        table.capacity(server) === undefined ? undefined : Number(isFull(server)))),
    family('usher_all_full', 'gauge', '1 while no server that takes visitors has a place left.',
      [[{}, areAllFull({ servers, isAvailable, isFull }) ? 1 : 0]]),
    family('usher_table_users', 'gauge', 'Users in the user table, reservations included.',
      [[{}, table.size()]]),
    family('usher_table_users_limit', 'gauge', 'Users that the table admits (MAX_USERS).',
      [[{}, usersMax]]),
    family('usher_refused_networks', 'gauge',
      'Networks that have had more newcomers than are counted, in the last 10 minutes.',
      [[{}, table.refusedNetworks().length]]),
    family('usher_uncounted_newcomers_total', 'counter',
      'Requests of newcomers that were served but not counted, as their network has had too many.',
      [[{}, table.refusedTotal()]])
  ]
}

/** How the servers are: of external ones by their health checks. */
function serverFamilies ({ table, servers, health, isSuspect }: PresentParts): string[] {
  const states = servers.flatMap(({ index, name, kind }): Sample[] => {
    const current = table.serverState(index)
    return (kind === 'own' ? OWN_STATES : STATES).map(state =>
      [{ server: name, state }, state === current ? 1 : 0])
  })
  const checked = servers.flatMap(({ index, name }) => {
    const report = health(index)
    return report === undefined ? [] : [{ name, report }]
  })
  return [
    family('usher_server_state', 'gauge', '1 for the state that a server is in.', states),
    family('usher_server_suspect', 'gauge',
      '1 while nobody beats on a server any more where people had a page open.',
      servers.map(({ index, name }) => [{ server: name }, Number(isSuspect(index))])),
    family('usher_health_checks_total', 'counter', 'Health checks of an external server.',
      checked.flatMap(({ name, report: { goodCount, badCount } }): Sample[] => [
        [{ server: name, result: 'good' }, goodCount], [{ server: name, result: 'bad' }, badCount]
      ])),
    family('usher_health_check_duration_seconds', 'gauge', 'What the latest health check took.',
      checked.map(({ name, report }) => [{ server: name }, report.tookMs / 1000]))
  ]
}

const STATES = Object.keys(SERVER_STATE) as ServerState[]
/** Of external servers only there is maintenance. */
const OWN_STATES = STATES.filter(state => state !== 'maintenance')

function httpFamilies (
  rates: MetricsParts['rates'], places: readonly Place[]
): string[] {
  const answered = places.flatMap(({ meter, server }) => rates.totals.answeredByStatus(meter)
    .map(([status, count]): Sample => [{ server, status }, count]))
  const timed = places.filter(({ meter }) => meter !== ROUTER_METER)
  return [
    family('usher_redirects_total', 'counter', 'Visitors that the router sent to a server.',
      [[{}, rates.totals.answered(ROUTER_METER, 302)]]),
    family('usher_requests_total', 'counter', 'Replies by status; refused requests included.',
      answered),
    family('usher_connections', 'gauge', 'Open connections.',
      places.map(({ meter, server }) => [{ server }, rates.thread(meter).connections])),
    family('usher_proxy_headers_refused_total', 'counter',
      'Connections from trusted proxies that were closed, as their PROXY header was not as it must be.',
      places.map(({ meter, server }) => [{ server }, rates.totals.proxyHeadersRefused(meter)])),
    histogram('usher_request_duration_seconds', 'From a whole request to its reply.',
      timed.map(({ meter, server }) => [{ server }, rates.totals.durations(meter)])),
    histogram('usher_redirect_wait_seconds', 'From a request at the router to its redirect.',
      [[{}, rates.totals.durations(ROUTER_METER)]])
  ]
}

function routerBeatsFamily ({ rates, servers }: PresentParts): string {
  return family('usher_router_heartbeats_total', 'counter',
    'Heartbeats of the pages of a server that the router took: all of those of servers elsewhere.',
    servers.map(({ index, name }) => [{ server: name }, rates.totals.routerBeats(index)]))
}

function operatorFamilies ({ logins, deniedUsers, streamCount }: MetricsParts): string[] {
  return [
    family('usher_logins_total', 'counter', 'Attempts to log in to the monitor.',
      Object.entries(logins).map(([outcome, count]) => [{ outcome }, count])),
    family('usher_denied', 'gauge', 'Entries of the deny list.', [[{}, deniedUsers()]]),
    family('usher_event_streams', 'gauge', 'Open streams of /events.', [[{}, streamCount()]])
  ]
}

function threadFamilies (
  rates: MetricsParts['rates'], places: readonly Place[]
): string[] {
  const perThread = <T>(value: (place: Place) => T): Array<readonly [Labels, T]> =>
    places.map(place => [{ thread: place.thread }, value(place)])
  const workers = places.filter(({ meter }) => meter !== ROUTER_METER)
  return [
    family('usher_worker_restarts_total', 'counter', 'Replacements of a worker that died.',
      workers.map(place => [{ thread: place.thread }, rates.thread(place.meter).restarts])),
    family('usher_reloads_total', 'counter', 'Times that all servers switched to files read anew.',
      [[{}, rates.totals.reloads()]]),
    family('usher_lock_waits_total', 'counter', 'Times a thread slept for the user table.',
      perThread(({ meter }) => rates.totals.lockWaits(meter).count)),
    family('usher_lock_wait_seconds_total', 'counter', 'For how long, in all.',
      perThread(({ meter }) => rates.totals.lockWaits(meter).ms / 1000)),
    histogram('usher_event_loop_delay_seconds', 'How late a timer fired, looked at 5 times a second.',
      perThread(({ meter }) => rates.totals.loopDelays(meter)))
  ]
}
