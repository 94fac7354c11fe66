/**
 * Compares the program with the plain model at a moment without requests: the table's own
 * invariants, who is where, who is refused, which sessions stand. Says what is wrong.
 */
import { portOfServer } from './apps.ts'
import { DECIDE_PATH } from './browser.ts'
import { GONE } from './ledger.ts'
import type { Load } from './load.ts'
import type { ListedUsers, Stats } from './operators.ts'
import type { Found } from './orders.ts'
import type { World } from './world.ts'

/** Denied clients who are tried at every port. */
const REFUSED_LOOKS = 3

/** The load must be paused, and all workers up. Afterwards the model knows where everybody is. */
export async function checkWhole (world: World, load: Load): Promise<string[]> {
  const { program, ledger } = world
  const found = await program.look('look-at-table')
  if (found === undefined) return ['the main thread does not answer']
  if (found.broken.length > 0) return [...found.broken]
  const listed = await load.operators.users()
  if (listed === undefined) return ['the monitor does not list its users']
  const stats = await load.operators.stats()
  if (stats === undefined) return ['the monitor does not say its figures']
  const ports = portsByIndex(stats)
  const isServer = (port: number): boolean => [...ports.values()].includes(port)
  const whereabouts = withGone(listed, found, ports)
  const wrong = [
    ...listed.twice.map(key => `${key} is listed twice`),
    ...ledger.differences(whereabouts, isServer),
    ...load.changes.differences(stats),
    ...countsApart(found, listed, ports),
    ...statsApart(stats, load, listed),
    ...await load.operators.wrongSessions(),
    ...await servedAlthoughDenied(world, load)
  ]
  ledger.settle(whereabouts, isServer)
  return wrong
}

/** When every reservation has ended: each user counts where it is, and nowhere else. */
export function leftOver ({ loads, activeUsers, reserved }: Found): string[] {
  const wrong = reserved.flatMap((count, server) =>
    count === 0 ? [] : [`server ${server} still holds ${count} places`])
  if (String(loads) !== String(activeUsers)) {
    wrong.push(`loads ${loads.join()} are not the active users ${activeUsers.join()}`)
  }
  return wrong
}

/** Servers with more users than each admits, places that are held included. */
export function tooFull ({ activeUsers, reserved }: Found, capacity: number): string[] {
  return activeUsers.flatMap((active, server) => {
    const places = active + reserved[server]!
    return places > capacity ? [`server ${server} has ${places} users, and admits ${capacity}`] : []
  })
}

/** Of the servers that there are; those that were removed have an index still. */
function portsByIndex ({ servers }: Stats): ReadonlyMap<number, number> {
  return new Map(Object.entries(servers).map(([name, { index }]) => [index, portOfServer(name)]))
}

/** Users of a server that was removed are in the table alone, and listed again if it comes back. */
function withGone (
  { users }: ListedUsers, found: Found, ports: ReadonlyMap<number, number>
): ReadonlyMap<string, number> {
  const gone = found.users.filter(({ server }) => server !== undefined && !ports.has(server))
  return new Map([...users, ...gone.map(({ key }) => [key, GONE] as const)])
}

/** @param ports by index */
function countsApart (
  { users, activeUsers, loads }: Found, listed: ListedUsers, ports: ReadonlyMap<number, number>
): string[] {
  const wrong: string[] = []
  const keys = new Set<string>()
  for (const { key, server } of users) {
    if (keys.has(key)) wrong.push(`${key} is in the table twice`)
    keys.add(key)
    const port = server === undefined ? undefined : ports.get(server)
    if (listed.users.get(key) !== port) wrong.push(`${key} is at ${port}, and is listed otherwise`)
  }
  for (const server of activeUsers.keys()) {
    const port = ports.get(server)
    const active = users.filter(user => user.server === server).length
    const load = users.filter(user => (user.reservedServer ?? user.server) === server).length
    if (activeUsers[server] !== active) {
      wrong.push(`server ${port} says ${activeUsers[server]} active users and has ${active}`)
    }
    if (loads[server] !== load) wrong.push(`server ${port} says load ${loads[server]}, not ${load}`)
  }
  return wrong
}

function statsApart (stats: Stats, load: Load, { users }: ListedUsers): string[] {
  const wrong: string[] = []
  if (stats.total_users !== users.size) {
    wrong.push(`/stats says ${stats.total_users} users, /users has ${users.size}`)
  }
  for (const [name, { active_users: said }] of Object.entries(stats.servers)) {
    const port = portOfServer(name)
    const listed = [...users.values()].filter(server => server === port).length
    if (said !== listed) wrong.push(`/stats says ${said} users at ${port}, /users has ${listed}`)
  }
  const denied = load.operators.denied.length
  if (stats.denied_users !== denied) {
    wrong.push(`/stats says ${stats.denied_users} are denied, it should be ${denied}`)
  }
  return wrong
}

async function servedAlthoughDenied ({ program }: World, load: Load): Promise<string[]> {
  const wrong: string[] = []
  for (const client of load.operators.denied.slice(-REFUSED_LOOKS)) {
    for (const port of [program.routingPort, ...program.ports]) {
      const isRefused = await client.isRefusedAt(port, '/')
      if (!isRefused) wrong.push(`${client.id} is denied, and served at ${port}`)
    }
    const isRefused = await client.isRefusedAt(program.decisionPort, DECIDE_PATH)
    if (!isRefused) wrong.push(`${client.id} is denied, and a decision lets it in`)
  }
  return wrong
}
