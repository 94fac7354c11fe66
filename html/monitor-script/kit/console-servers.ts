/**
 * What the console makes of the servers' load. A figure that was not measured is undefined all the
 * way to the page. Pure.
 */
import type { NodeAlerts, NodeStats, ServerState, ServerStats, Stats } from '@usher/shared/api/stats.ts'

export interface Server extends ServerStats {
  readonly name: string
  /** Of another node's server, whose name is then NODE/NAME. */
  readonly node?: string
}

type Measured = 'connections' | 'requests_per_second' | 'beats_per_second'

const COLOUR_COUNT = 8

/** In the order of the settings, then of adding, which colours follow: the index has no gaps. */
export function serversOf (stats: Stats): Server[] {
  return Object.entries(stats.servers)
    .map(([name, server]) => ({ ...server, name }))
    .sort((a, b) => a.index - b.index)
    .map((server, index) => ({ ...server, index }))
}

/** Those of other nodes that are there, node by node. */
export function serversElsewhere ({ fleet }: Stats): Server[] {
  return nodesOf(fleet).filter(({ state }) => state === 'up').flatMap(({ node, servers }) =>
    Object.entries(servers).sort(([, a], [, b]) => a.index - b.index).map(([name, server]) => (
      { ...server, name: `${node}/${name}`, node, suspect: false, users: [], users_truncated: true })))
}

/** Among which visitors are spread: this node's, and those of other nodes that are there. */
export function allServers (stats: Stats): Server[] {
  return [...serversOf(stats), ...serversElsewhere(stats)]
}

function nodesOf (fleet: Stats['fleet']): readonly NodeStats[] {
  return fleet?.nodes ?? []
}

/** What changes when somebody adds, changes or removes a server that runs elsewhere. */
export function elsewhereNews (stats: Stats): string {
  return JSON.stringify(serversOf(stats).filter(({ kind }) => kind === 'external')
    .map(({ name, url, source, weight, capacity }) => [name, url, source, weight, capacity]))
}

/** What was kept of servers that there are not any more is forgotten. */
export function forgetOthers (kept: Map<string, unknown>, servers: readonly Server[]): void {
  const names = new Set(servers.map(({ name }) => name))
  for (const name of kept.keys()) if (!names.has(name)) kept.delete(name)
}

/** What visitors find there: the folder, or the URL of an external one. */
export function placeOf ({ folder, url = '' }: Server): string {
  return folder ?? url
}

/** The class that gives a server its colour, and the name of the colour in the style sheet. */
export function colourClass (index: number): string {
  return `s${index % COLOUR_COUNT + 1}`
}

/** The ninth server has the colour of the first, and is told apart by its dashes. */
export function isDashed (index: number): boolean {
  return index >= COLOUR_COUNT
}

/** It has users, whether or not it takes more. */
export function isRunning (state: ServerState): boolean {
  return state === 'up' || state === 'draining'
}

export function available (servers: readonly Server[]): Server[] {
  return servers.filter(({ state }) => state === 'up')
}

/** It is the last available server: without it no visitor could be placed. */
export function isLastAvailable ({ name }: Server, servers: readonly Server[]): boolean {
  const [first, ...others] = available(servers)
  return others.length === 0 && first?.name === name
}

/** Over all servers that measured it; undefined when none has. */
export function sum (servers: readonly Server[], key: Measured): number | undefined {
  const values = servers.map(server => server[key]).filter(value => value !== undefined)
  return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0)
}

/** Of everybody's load; 0 while nobody is here. */
export function shareOf (server: Server, servers: readonly Server[]): number {
  const total = servers.reduce((load, each) => load + each.load, 0)
  return total === 0 ? 0 : server.load / total
}

export type Trouble =
  | { readonly kind: 'no-servers' | 'none-available' | 'all-full' }
  | {
    readonly kind: 'down'
    readonly name: string
    readonly sinceMs: number | undefined
    readonly restarts: number
    /** Of an external server: what a health check found. */
    readonly reason?: string
  }
  | {
    readonly kind: 'certificate'
    readonly problem: Exclude<NonNullable<Stats['certificate']>['problem'], 'none'>
    /** When it ends, or begins. */
    readonly atMs: number
    readonly nowMs: number
    /** Another one, whose certificate it is; so with the next two. */
    readonly node?: string
  }
  | { readonly kind: 'fleet-away', readonly sinceMs: number, readonly reason: string }
  /** The one that went last, and how many more are. */
  | {
    readonly kind: 'node-away'
    readonly node: string
    readonly sinceMs: number
    readonly others: number
  }
  | {
    readonly kind: 'nearly-full'
    readonly used: number
    readonly size: number
    readonly node?: string
  }
  | {
    readonly kind: 'newcomers'
    readonly network: string
    readonly requests: number
    readonly sinceMs: number
    /** Networks of which the same is true. */
    readonly others: number
    /** They are not served either: some server has a capacity. */
    readonly isRefused?: boolean
    readonly node?: string
  }

/** What the notices tell an operator, of all nodes of a fleet, worst first. */
export function troublesOf (stats: Stats): Trouble[] {
  const servers = allServers(stats)
  const alerts = alertsOf(stats)
  return [
    ...(available(servers).length === 0
      ? [{ kind: servers.length === 0 ? 'no-servers' : 'none-available' } as const]
      : []),
    ...servers.filter(({ state }) => state === 'down')
      .map(({ name, kind, state_since: since, restarts = 0, reason = '' }) => ({
        kind: 'down',
        name,
        sinceMs: since === undefined ? undefined : Date.parse(since),
        restarts,
        ...(kind === 'external' && { reason })
      } as const)),
    ...((stats.fleet ?? stats).all_full ? [{ kind: 'all-full' } as const] : []),
    ...fleetTroubles(stats),
    ...alerts.flatMap(alert => certificateTroubles(alert, stats.timestamp)),
    ...alerts.flatMap(({ of, table }) => table?.nearly_full === true
      ? [{ kind: 'nearly-full', used: table.used, size: table.size, ...of } as const]
      : []),
    ...alerts.flatMap(newcomerTroubles)
  ]
}

/** What is the matter at a node besides its servers; `of` is its name, unless it is this one. */
interface Alerts extends NodeAlerts {
  readonly of: { readonly node?: string }
  readonly servers: ReadonlyArray<Pick<ServerStats, 'capacity'>>
}

/** Those of this node first. */
function alertsOf (stats: Stats): Alerts[] {
  const [network, ...others] = stats.refused_networks
  const own = {
    ...stats,
    of: {},
    servers: Object.values(stats.servers),
    ...(network !== undefined && { newcomers: { network, others: others.length } })
  }
  return [own, ...nodesOf(stats.fleet).flatMap(({ node, alerts, servers }) =>
    alerts === undefined ? [] : [{ ...alerts, of: { node }, servers: Object.values(servers) }])]
}

function newcomerTroubles ({ newcomers, servers, of }: Alerts): Trouble[] {
  if (newcomers === undefined) return []
  const { network: { network, newcomers: requests, since }, others } = newcomers
  return [{
    kind: 'newcomers',
    network,
    requests,
    sinceMs: Date.parse(since),
    others,
    ...(servers.some(({ capacity }) => capacity !== undefined) && { isRefused: true }),
    ...of
  }]
}

function fleetTroubles ({ fleet }: Stats): Trouble[] {
  if (fleet?.state === 'away') {
    const { since, reason = '' } = fleet
    return [{ kind: 'fleet-away', sinceMs: Date.parse(since), reason }]
  }
  const away = nodesOf(fleet).filter(({ state }) => state === 'away')
    .sort((a, b) => b.since < a.since ? -1 : 1)
  return away.slice(0, 1).map(({ node, since }) => (
    { kind: 'node-away', node, sinceMs: Date.parse(since), others: away.length - 1 }))
}

function certificateTroubles ({ certificate, of }: Alerts, timestamp: string): Trouble[] {
  if (certificate === undefined || certificate.problem === 'none') return []
  const { problem, valid_from: from, valid_to: to } = certificate
  const atMs = Date.parse(problem === 'not_yet_valid' ? from : to)
  return [{ kind: 'certificate', problem, atMs, nowMs: Date.parse(timestamp), ...of }]
}

/** The servers whose state is another one than before; none when there was no before. */
export function changedServers (before: Stats | undefined, after: Stats): Server[] {
  if (before === undefined) return []
  return serversOf(after).filter(({ name, state }) => {
    const earlier = before.servers[name]
    return earlier !== undefined && earlier.state !== state
  })
}
