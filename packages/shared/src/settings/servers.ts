/**
 * A server as one value: what the settings say of it, for every part of the program. Made once the
 * settings are complete, and anew when the kernel has chosen a port. Computes only.
 */
import type { ServerLimits } from '../memory/capacity.ts'
import type { StatusRange } from './server-kinds.ts'
import type { SettingName, SettingValues } from './setting-table.ts'

export type Server = OwnServer | ExternalServer

interface AnyServer {
  /** In the user table, in messages and in meters; in the order of the settings, own ones first. */
  readonly index: number
  /** What people and other programs call it. */
  readonly name: string
  /** As WEIGHTS has it; undefined when it is not given. */
  readonly weight: number | undefined
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
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly check: HealthCheck
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
  'SERVER_URLS', 'PORTS', 'SERVER_NAMES', 'WEIGHTS', 'HTML_DIRS', 'EXTERNAL_SERVERS',
  'HEALTH_PATH', 'HEALTH_INTERVAL', 'HEALTH_TIMEOUT', 'HEALTH_RISE', 'HEALTH_FALL', 'HEALTH_STATUS'
] as const satisfies SettingName[]

export type ServerSettingName = typeof SERVER_SETTINGS[number]

export function serversOf (
  values: Pick<SettingValues, ServerSettingName>
): readonly Server[] {
  const { SERVER_URLS: urls, PORTS: ports, SERVER_NAMES: names, WEIGHTS: weights } = values
  const own = ports.map((port, index): OwnServer => ({
    kind: 'own',
    index,
    name: names[index] ?? String(port),
    port,
    folder: values.HTML_DIRS[index]!,
    publicUrl: urls[index],
    weight: weights[index]
  }))
  const external = values.EXTERNAL_SERVERS.map(({ name, url }, at): ExternalServer => {
    const index = own.length + at
    return {
      kind: 'external',
      index,
      name,
      publicUrl: url,
      weight: weights[index],
      check: healthCheckOf(values, at)
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

/** They come first: the index of each is its place among them, too. */
export function ownServers (servers: readonly Server[]): readonly OwnServer[] {
  return servers.filter(server => server.kind === 'own')
}

export function externalServers (servers: readonly Server[]): readonly ExternalServer[] {
  return servers.filter(server => server.kind === 'external')
}

/**
 * What each server admits and how it is weighed. A weight that is not given is the capacity, where
 * every server has one: all fill up together then. Only their ratio counts, so common factors are
 * left out, and servers that are alike have weight 1.
 * @param capacities none, one for all, or one for each server
 */
export function limitsOf (
  servers: ReadonlyArray<Pick<Server, 'weight'>>, capacities: readonly number[]
): readonly ServerLimits[] {
  const own = servers.map((_, index) => capacities.length === 1 ? capacities[0] : capacities[index])
  const factor = own.reduce<number>((all, capacity) => commonFactor(all, capacity ?? 1), 0)
  const isAll = own.every(capacity => capacity !== undefined)
  return servers.map(({ weight }, index) => {
    const capacity = own[index]
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
  servers: readonly Server[], ports: readonly number[]
): readonly Server[] {
  return servers.map(server => {
    if (server.kind === 'external') return server
    const port = ports[server.index]!
    const name = server.name === String(server.port) ? String(port) : server.name
    return { ...server, name, port }
  })
}

/** The server that a stored record names: by its name, or by its port if it had no name then. */
export function serverKnownAs (
  servers: readonly Server[], nameOrPort: string
): Server | undefined {
  return servers.find(({ name }) => name === nameOrPort) ??
    ownServers(servers).find(({ port }) => String(port) === nameOrPort)
}

/** The names of all, for an error message. */
export function namesOf (servers: readonly Server[]): string {
  return servers.map(({ name }) => name).join(', ')
}
