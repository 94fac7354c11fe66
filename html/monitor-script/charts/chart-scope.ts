/**
 * What the charts are of: the servers of this node, those of another one, or all nodes of the
 * fleet. Reads each in what the monitor has kept and in what it says now. Pure.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { NodeStats, ServerState, ServerStats, Stats } from '@usher/shared/api/stats.ts'
import { isRunning, serversOf } from '../kit/console-servers.ts'

/** Null: nothing was measured, or the server was down. */
export type Load = number | null

export type ChartScope =
  | { readonly kind: 'own' }
  | { readonly kind: 'node', readonly node: string }
  | { readonly kind: 'nodes' }

export const OWN: ChartScope = { kind: 'own' }

export type ChartedState = ServerState | 'away' | 'unknown'

/** A server or a node, as it is now. */
export interface Charted {
  readonly name: string
  readonly state: ChartedState
  readonly load: Load
  /** Undefined of a node: loads of nodes are not to be alike. */
  readonly weight: number | undefined
}

export interface LoadEvent {
  /** Milliseconds since 1970, by the monitor's clock. */
  readonly atMs: number
  readonly type: string
  /** Its name; undefined for what concerns them all. */
  readonly server: string | undefined
}

/** What was kept of one that is charted. */
interface PastLoad {
  readonly name: string
  readonly loads: readonly Load[]
  readonly isRemoved: boolean
}

export interface Past {
  readonly series: readonly PastLoad[]
  readonly events: readonly LoadEvent[]
}

/** What the monitor says now. */
export interface ChartNews {
  readonly timestamp: string
  readonly charted: readonly Charted[]
  /** By name, of all whose changes are events. */
  readonly states: ReadonlyMap<string, ChartedState>
}

/** An answer without a fleet is of servers, whatever was wanted. */
export function pastOf (scope: ChartScope, answer: History): Past {
  if (scope.kind === 'nodes' && answer.fleet !== undefined) return pastOfNodes(answer.fleet)
  return {
    series: Object.entries(answer.servers)
      .sort(([, a], [, b]) => a.index - b.index)
      .map(([name, load]) => ({ name, loads: summed(load), isRemoved: load.removed })),
    events: answer.events.map(({ at, type, server }) =>
      ({ atMs: Date.parse(at), type, server: server ?? undefined }))
  }
}

function pastOfNodes ({ loads, events }: NonNullable<History['fleet']>): Past {
  return {
    series: Object.entries(loads).sort(byName)
      .map(([name, load]) => ({ name, loads: summed(load), isRemoved: false })),
    events: events.map(({ at, type, node, server }) => ({
      atMs: Date.parse(at),
      ...(server === null
        ? { type: `node-${type}`, server: node }
        : { type, server: `${node}/${server}` })
    }))
  }
}

function summed (
  { active_users: active, reserved }: Pick<History['servers'][string], 'active_users' | 'reserved'>
): Load[] {
  return active.map((value, at) => value === null ? null : value + (reserved[at] ?? 0))
}

export function newsOf (scope: ChartScope, stats: Stats): ChartNews {
  const { timestamp } = stats
  const charted = chartedNow(scope, stats)
  const states = new Map(charted.map(({ name, state }) => [name, state]))
  if (scope.kind === 'nodes') {
    for (const { node, servers } of stats.fleet?.nodes ?? []) {
      const all = node === stats.fleet!.node ? stats.servers : servers
      for (const [name, { state }] of Object.entries(all)) states.set(`${node}/${name}`, state)
    }
  }
  return { timestamp, charted, states }
}

/** In the order of their lines. */
export function chartedNow (scope: ChartScope, stats: Stats): readonly Charted[] {
  if (scope.kind === 'own') return serversOf(stats).map(chartedServer)
  const nodes = stats.fleet?.nodes ?? []
  if (scope.kind === 'nodes') return nodes.map(chartedNode)
  return nodes.filter(({ node }) => node === scope.node).flatMap(({ state, servers }) =>
    Object.entries(servers).sort(([, a], [, b]) => a.index - b.index)
      .map(([name, server]) => chartedServer({ ...server, name }))
      .map(server => state === 'up' ? server : { ...server, state: awayState(state), load: null }))
}

function chartedServer (
  { name, state, load, weight }:
  Pick<ServerStats, 'state' | 'load' | 'weight'> & { readonly name: string }
): Charted {
  return { name, state, weight, load: isRunning(state) ? load : null }
}

function chartedNode ({ node, state, load }: NodeStats): Charted {
  const isThere = state === 'here' || state === 'up'
  return {
    name: node,
    state: isThere ? 'up' : awayState(state),
    load: isThere ? load ?? null : null,
    weight: undefined
  }
}

function awayState (state: NodeStats['state']): ChartedState {
  return state === 'unknown' ? 'unknown' : 'away'
}

function byName ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1
}
