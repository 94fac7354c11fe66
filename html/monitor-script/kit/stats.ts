/**
 * What the console makes of the servers' load. A figure that was not measured is undefined all the
 * way to the page. Pure.
 */
import type { ServerState, ServerStats, Stats } from '@usher/shared/api/stats.ts'

export interface Server extends ServerStats {
  readonly name: string
  /** Active users and reservations. */
  readonly load: number
}

type Measured = 'connections' | 'requests_per_second' | 'beats_per_second'

/** From here on the user table is called nearly full. */
const NEARLY_FULL = 0.9
const COLOUR_COUNT = 8

/** In the order of the settings, which their colours follow. */
export function serversOf (stats: Stats): Server[] {
  return Object.entries(stats.servers)
    .map(([name, server]) => ({ ...server, name, load: server.active_users + server.reserved }))
    .sort((a, b) => a.index - b.index)
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

/** Where the router sends the next newcomer: the lowest load, on a tie the lowest port. */
export function nextServer (servers: readonly Server[]): Server | undefined {
  return available(servers).reduce<Server | undefined>(
    (best, server) => best === undefined || server.load < best.load ? server : best, undefined)
}

/** Between the fullest and the emptiest that take visitors; undefined for fewer than two. */
export function spread (servers: readonly Server[]): number | undefined {
  const loads = available(servers).map(({ load }) => load)
  return loads.length < 2 ? undefined : Math.max(...loads) - Math.min(...loads)
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

export function isNearlyFull ({ used, size }: Stats['table']): boolean {
  return used >= size * NEARLY_FULL
}

export type Trouble =
  | { readonly kind: 'none-available' }
  | {
    readonly kind: 'down'
    readonly name: string
    readonly sinceMs: number | undefined
    readonly restarts: number
  }
  | { readonly kind: 'nearly-full', readonly used: number, readonly size: number }

/** What an operator should know of, worst first. */
export function troublesOf (stats: Stats): Trouble[] {
  const servers = serversOf(stats)
  const { table } = stats
  return [
    ...(available(servers).length === 0 ? [{ kind: 'none-available' } as const] : []),
    ...servers.filter(({ state }) => state === 'down')
      .map(({ name, state_since: since, restarts }) => ({
        kind: 'down', name, sinceMs: since === undefined ? undefined : Date.parse(since), restarts
      } as const)),
    ...(isNearlyFull(table)
      ? [{ kind: 'nearly-full', ...table } as const]
      : [])
  ]
}

/** The servers whose state is another one than before; none when there was no before. */
export function changedServers (before: Stats | undefined, after: Stats): Server[] {
  if (before === undefined) return []
  return serversOf(after).filter(({ name, state }) => {
    const earlier = before.servers[name]
    return earlier !== undefined && earlier.state !== state
  })
}
