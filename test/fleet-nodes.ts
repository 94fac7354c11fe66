/** A fleet for tests: programs on addresses of their own, as on several machines; one engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { startEngine, type TestEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { ask, samePorts, startCluster, until, type Answer, type Cluster } from './cluster.ts'

/** A connection of each request's own: one that is kept may be closed when it is taken again. */
export const ONCE = new http.Agent({ keepAlive: false })

export const PASSWORD = 'correct horse battery'

interface FleetState {
  readonly node: string
  readonly state: string
  readonly servers: number
}

interface ServerState {
  readonly port: number
  readonly state: string
  readonly capacity?: number
  readonly active_users: number
  readonly load: number
}

/** A program of the fleet. */
export interface FleetMember {
  readonly node: string
  readonly host: string
  readonly cluster: Cluster
  readonly operator: Operator
  /** The same program once more, in the same place, after it has ended. */
  again (): Promise<FleetMember>
  /** As its own /stats has it. */
  fleet (): Promise<FleetState>
  servers (): Promise<Readonly<Record<string, ServerState>>>
}

export interface TestFleet {
  readonly engine: TestEngine
  readonly members: readonly FleetMember[]
}

/** What every program of a fleet is given. */
export function fleetSettings (engine: TestEngine, number: number) {
  const host = `127.0.0.${number + 1}`
  return {
    HOST: host,
    IP: host,
    MONITORING_HOST: '127.0.0.1',
    ADMIN_PASSWORD: PASSWORD,
    NODE_NAME: `node-${number}`,
    CLUSTER_URL: engine.url,
    CLUSTER_SECRET: 'a secret of the whole fleet'.replaceAll(' ', '-').padEnd(32, '-')
  }
}

/** Three programs, each with three servers, all of which know each other. */
export async function startFleet (
  t: Test, settings: Record<string, string> = {}, given?: TestEngine
): Promise<TestFleet> {
  const engine = given ?? await startEngine(t)
  const members = await Promise.all(
    [1, 2, 3].map(number => startMember(t, engine, number, settings)))
  await untilUp(members, 9)
  return { engine, members }
}

export function startMember (
  t: Test, engine: TestEngine, number: number, settings: Record<string, string> = {}
): Promise<FleetMember> {
  return startIn(t, folderOf(t), { ...fleetSettings(engine, number), ...settings })
}

async function startIn (
  t: Test, cwd: string, settings: Record<string, string>
): Promise<FleetMember> {
  const cluster = await startCluster(t, settings, { cwd })
  const operator = new Operator(cluster)
  const stats = async (): Promise<Record<string, unknown>> =>
    (await operator.getLoggedIn('/stats?limit=0', 'admin', PASSWORD)).json
  await stats()
  return {
    node: settings['NODE_NAME']!,
    host: settings['HOST']!,
    cluster,
    operator,
    again: () => startIn(t, cwd, { ...settings, ...samePorts(cluster) }),
    fleet: async () => (await stats())['fleet'] as FleetState,
    servers: async () => (await stats())['servers'] as Record<string, ServerState>
  }
}

/** A test has but one by itself. */
function folderOf (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  return folder
}

/** All of them have the engine, and so many servers by it. */
export async function untilUp (members: readonly FleetMember[], servers: number): Promise<void> {
  await Promise.all(members.map(({ fleet }) =>
    until(fleet, now => now.state === 'up' && now.servers === servers)))
}

/** The engine has the counts of these members, which are all that there are. */
export async function untilRight ({ engine, members }: TestFleet): Promise<void> {
  const library = new UsherLibrary(engine.call, 'usher')
  await until(async () => {
    const view = await library.view().catch(() => undefined) // It may be away once more.
    const own = await Promise.all(members.map(member => member.servers()))
    const count = own.reduce((sum, servers) => sum + Object.keys(servers).length, 0)
    return view?.servers.length === count && view.servers.every(({ node, name, active, held }) => {
      const there = own[members.findIndex(member => member.node === node)]?.[name]
      return there?.active_users === active && there.load === active + held
    })
  }, isRight => isRight)
}

/** A browser that comes from nowhere and keeps the cookies of each host name. */
export class Person {
  readonly cookies = new Map<string, Map<string, string>>()

  /** Asks a router. @returns where it is sent; throws for anything but a redirect */
  async knock ({ host, cluster: { routingPort } }: FleetMember): Promise<URL> {
    const { status, headers } = await this.ask(new URL(`http://${host}:${routingPort}/`))
    if (status !== 302) throw new Error(`${status} instead of a redirect`)
    return new URL(headers.location!)
  }

  /** Comes in by a router, and to the page. */
  async enter (member: FleetMember): Promise<URL> {
    const place = await this.knock(member)
    const { status } = await this.ask(place)
    if (status !== 200) throw new Error(`${status} instead of the page at ${place.host}`)
    return place
  }

  async ask (url: URL): Promise<Answer> {
    const jar = this.cookies.get(url.hostname) ?? new Map<string, string>()
    this.cookies.set(url.hostname, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await ask(Number(url.port), url.pathname + url.search, {
      agent: ONCE, host: url.hostname, headers: { host: url.host, ...(cookie !== '' && { cookie }) }
    })
    for (const text of answer.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = text.split(';')[0]!.split('=')
      jar.set(name, value)
    }
    return answer
  }
}

/** How many of these there are at each server of these members. */
export function countByHost (places: readonly URL[], members: readonly FleetMember[]): number[] {
  const counts = new Map<string, number>()
  for (const { host, cluster } of members) {
    for (const port of cluster.ports) counts.set(`${host}:${port}`, 0)
  }
  for (const { host } of places) counts.set(host, (counts.get(host) ?? 0) + 1)
  return [...counts.values()]
}

export function spreadOf (counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts)
}
