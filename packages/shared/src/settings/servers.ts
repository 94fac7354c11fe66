/**
 * A server as one value: what settings and console say of it, for every part of the program. Made
 * once the settings are complete, and anew when the kernel has chosen a port or something is
 * changed (server-list.ts). Computes only.
 */
import type { ServerLimits } from '../memory/capacity.ts'
import type { StatusRange } from './server-kinds.ts'
import type { SettingName, SettingValues } from './setting-table.ts'

export type Server = OwnServer | ExternalServer

/** What an index stands for: lists of these are by index, and never get shorter. */
export type Slot = Server | RemovedServer

interface AnyServer {
  /** In the user table, in messages and in meters; own ones first. */
  readonly index: number
  /** What people and other programs call it. */
  readonly name: string
  /** As it is given; undefined when it is not. */
  readonly weight: number | undefined
  /** Users that it admits, as it is given; undefined: as many as come. */
  readonly capacity: number | undefined
}

/** A thread of this program. */
export interface OwnServer extends AnyServer {
  readonly kind: 'own'
  readonly port: number
  /** Absolute path. */
  readonly folder: string
  /** Without a slash at its end; undefined for its port under the visitor's host name. */
  readonly publicUrl: string | undefined
}

/** Somebody else's program, which visitors are sent to. */
export interface ExternalServer extends AnyServer {
  readonly kind: 'external'
  /** Among them, as settings and console name them now. */
  readonly place: number
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly check: HealthCheck
  /** Who names it, and may change or remove it. */
  readonly source: ServerSource
}

export type ServerSource = 'settings' | 'console'

/** It is gone, but users may still count there, until they come back and go elsewhere. */
export interface RemovedServer {
  readonly kind: 'removed'
  readonly index: number
  /** As it was called. */
  readonly name: string
}

/** An external server as the console names it. */
export interface StoredServer extends Omit<AnyServer, 'index'> {
  readonly publicUrl: string
  /** What is left out is as for those of the settings. */
  readonly check: Partial<HealthCheck>
}

/** How it is found out whether a server is up, and how many times in a row it takes. */
export interface HealthCheck {
  /** After the URL; with a query, perhaps. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Good ones, after a down. */
  readonly rise: number
  /** Bad ones, after an up. */
  readonly fall: number
  readonly statuses: StatusRange
}

/** The settings that say something of each server. */
export const SERVER_SETTINGS = [
  'SERVER_URLS', 'PORTS', 'SERVER_NAMES', 'WEIGHTS', 'CAPACITY', 'HTML_DIRS', 'EXTERNAL_SERVERS',
  'HEALTH_PATH', 'HEALTH_INTERVAL', 'HEALTH_TIMEOUT', 'HEALTH_RISE', 'HEALTH_FALL', 'HEALTH_STATUS'
] as const satisfies SettingName[]

export type ServerSettingName = typeof SERVER_SETTINGS[number]

export function serversOf (
  values: Pick<SettingValues, ServerSettingName>
): readonly Server[] {
  const { SERVER_URLS: urls, PORTS: ports, SERVER_NAMES: names, WEIGHTS: weights } = values
  const { CAPACITY: capacities } = values
  const capacityOf = (index: number): number | undefined =>
    capacities[capacities.length === 1 ? 0 : index]
  const own = ports.map((port, index): OwnServer => ({
    kind: 'own',
    index,
    name: names[index] ?? String(port),
    port,
    folder: values.HTML_DIRS[index]!,
    publicUrl: urls[index],
    weight: weights[index],
    capacity: capacityOf(index)
  }))
  const external = values.EXTERNAL_SERVERS.map(({ name, url }, at): ExternalServer => {
    const index = own.length + at
    return {
      kind: 'external',
      index,
      place: at,
      name,
      publicUrl: url,
      weight: weights[index],
      capacity: capacityOf(index),
      check: healthCheckOf(values, at),
      source: 'settings'
    }
  })
  return [...own, ...external]
}

/** Each setting says one for all, or one for each of them. */
function healthCheckOf (
  values: Pick<SettingValues, ServerSettingName>, at: number
): HealthCheck {
  const of = <T>(list: readonly T[]): T => list[list.length === 1 ? 0 : at]!
  return {
    path: of(values.HEALTH_PATH),
    intervalMs: of(values.HEALTH_INTERVAL),
    timeoutMs: of(values.HEALTH_TIMEOUT),
    rise: of(values.HEALTH_RISE),
    fall: of(values.HEALTH_FALL),
    statuses: of(values.HEALTH_STATUS)
  }
}

/** Those that there are: own ones, then the others as settings and console name them. */
export function presentServers (servers: readonly Slot[]): readonly Server[] {
  const external = externalServers(servers)
  return [...ownServers(servers), ...external.toSorted((one, other) => one.place - other.place)]
}

/** They come first: the index of each is its place among them, too. */
export function ownServers (servers: readonly Slot[]): readonly OwnServer[] {
  return servers.filter(server => server.kind === 'own')
}

export function externalServers (servers: readonly Slot[]): readonly ExternalServer[] {
  return servers.filter(server => server.kind === 'external')
}

/**
 * What each server admits and how it is weighed. A weight that is not given is the capacity, where
 * every server has one: all fill up together then. Only their ratio counts, so common factors are
 * left out, and servers that are alike have weight 1.
 */
export function limitsOf (
  servers: ReadonlyArray<Pick<Server, 'weight' | 'capacity'> | RemovedServer>
): readonly ServerLimits[] {
  const present = servers.filter(server => 'weight' in server)
  const factor = present.reduce((all, { capacity }) => commonFactor(all, capacity ?? 1), 0)
  const isAll = present.every(({ capacity }) => capacity !== undefined)
  return servers.map(server => {
    if (!('weight' in server)) return { capacity: undefined, weight: 1 }
    const { weight, capacity } = server
    return { capacity, weight: weight ?? (isAll ? capacity! / factor : 1) }
  })
}

/** The greatest, by Euclid. */
function commonFactor (a: number, b: number): number {
  return b === 0 ? a : commonFactor(b, a % b)
}

/**
 * The same servers with the ports that are really bound; a server named by its port is named by the
 * new one.
 */
export function withPorts (
  servers: readonly Slot[], ports: readonly number[]
): readonly Slot[] {
  return servers.map(server => {
    if (server.kind !== 'own') return server
    const port = ports[server.index]!
    const name = server.name === String(server.port) ? String(port) : server.name
    return { ...server, name, port }
  })
}

/** The server that a stored record names: by its name, or by its port if it had no name then. */
export function serverKnownAs (
  servers: readonly Slot[], nameOrPort: string
): Server | undefined {
  return presentServers(servers).find(({ name }) => name === nameOrPort) ??
    ownServers(servers).find(({ port }) => String(port) === nameOrPort)
}

/** The server that a choice has given, which is none of those that are gone. */
export function chosenServer (servers: readonly Slot[], index: number): Server {
  return servers[index] as Server
}

/** The names of all, for an error message, or that there are none. */
export function namesOf (servers: readonly Slot[]): string {
  return presentServers(servers).map(({ name }) => name).join(', ') || 'none'
}
