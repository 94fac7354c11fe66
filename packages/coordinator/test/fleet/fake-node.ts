/**
 * A node without ports: a link to a real engine, and servers that are Maps. It places as a router
 * does, and lets in as a server's door does.
 */
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Client } from '@usher/shared/client.ts'
import { clientKey } from '@usher/shared/fleet/packed-texts.ts'
import type { TestEngine } from '../../../shared/test/fleet/engine-kit.ts'
import type { FleetState } from '@usher/shared/messages.ts'
import { FleetLink } from '../../src/fleet/fleet-link.ts'

export const HOLD_MS = 3000

interface FakeServer {
  name: string
  url: string
  weight: number | undefined
  capacity: number | undefined
  weightPercent: number
  isAvailable: boolean
  readonly activeClients: Set<string>
  /** Until when. */
  readonly held: Map<string, number>
}

export interface FakeNode {
  readonly name: string
  readonly link: FleetLink
  readonly servers: FakeServer[]
  readonly states: readonly FleetState[]
  readonly warnings: readonly string[]
  /** Of each visitor who was heard to be elsewhere: whether it is back by now. */
  readonly removals: ReadonlyArray<() => boolean>
  /** NODE/NAME of where the visitor goes; undefined where it is refused. */
  place (client: Client, hint?: string, refusedBy?: string): Promise<string | undefined>
  /** How many were placed without the engine. */
  readonly localCount: number
  /** At the door of a server: false where there is no room. */
  arrive (server: string, client: Client): boolean
  leave (client: Client): void
  /** It has no place here any more. */
  giveBack (client: Client, server: string): void
  /** Active and held, as this node's table would count them. */
  users (server: string): number
  /** No report any more, as after a kill, until it wakes. */
  die (): void
  wake (): void
}

export interface FakeNodeOptions {
  readonly name: string
  readonly capacity?: number | undefined
  readonly serverCount?: number
  /** As ever, 100 ms, if left out. */
  readonly patienceMs?: number
}

/** Closed with the test. Resolves when the link has started. */
export async function startNode (
  t: Test, engine: Pick<TestEngine, 'address'>,
  { name, capacity, serverCount = 3, patienceMs = 100 }: FakeNodeOptions
): Promise<FakeNode> {
  const servers = Array.from({ length: serverCount }, (_, at) => fakeServer(`s${at}`, capacity))
  const states: FleetState[] = []
  const warnings: string[] = []
  const removals: Array<() => boolean> = []
  let isDead = false
  let localCount = 0
  const usersAt = ({ activeClients, held }: FakeServer): number => {
    const now = performance.now()
    const waiting = [...held].filter(([key, until]) => until > now && !activeClients.has(key))
    return activeClients.size + waiting.length
  }
  const warn = (...words: unknown[]): void => { warnings.push(String(words.at(-1))) }
  const link = new FleetLink({
    address: engine.address,
    fleet: 'shop',
    node: name,
    servers: () => servers.map(({ activeClients, ...server }, index) => (
      { ...server, index, active: activeClients.size }
    )),
    holdMs: () => HOLD_MS,
    hasArrived: (index, client) => servers[index]?.activeClients.has(clientKey(client)) === true,
    onHeld: (index, client, holdMs) => {
      servers[index]!.held.set(clientKey(client), performance.now() + holdMs)
    },
    onReleased: (index, client) => { servers[index]!.held.delete(clientKey(client)) },
    onElsewhere: (client, isBack) => {
      removals.push(isBack)
      for (const { activeClients } of servers) activeClients.delete(clientKey(client))
    },
    onState: state => { states.push(state) },
    now: () => performance.now(),
    patienceMs,
    log: { info () {}, warn, error: warn },
    interval: (ms, work) => {
      const timer = setInterval(() => { if (!isDead) work() }, ms)
      return () => { clearInterval(timer) }
    }
  })
  const hold = (at: number, client: Client): string => {
    servers[at]!.held.set(clientKey(client), performance.now() + HOLD_MS)
    return `${name}/${servers[at]!.name}`
  }
  /** By the loads of this node alone. */
  const placeHere = (client: Client, hint: string | undefined): string | undefined => {
    const open = servers.filter(server => server.isAvailable &&
      usersAt(server) < (server.capacity ?? Infinity))
    const best = open.sort((a, b) => usersAt(a) - usersAt(b))[0]
    if (best === undefined) return undefined
    const at = servers.indexOf(best)
    localCount++
    link.placedHere(client, at, hint)
    return hold(at, client)
  }
  t.teardown(() => link.close())
  await link.start()
  return {
    name,
    link,
    servers,
    states,
    warnings,
    removals,
    get localCount () { return localCount },
    async place (client, hint, refusedBy) {
      const place = await link.place(client, { hint, refusedBy })
      if (place.kind === 'local') return placeHere(client, hint)
      if (place.kind !== 'placed') return undefined
      const { ownIndex } = place.server
      return ownIndex === undefined ? place.server.name : hold(ownIndex, client)
    },
    arrive (server, client) {
      const there = servers.find(other => `${name}/${other.name}` === server)!
      const key = clientKey(client)
      const { activeClients, held, capacity = Infinity } = there
      if (activeClients.has(key)) return true
      const isHeld = (held.get(key) ?? 0) > performance.now()
      if ((isHeld ? activeClients.size : usersAt(there)) >= capacity) return false
      held.delete(key)
      activeClients.add(key)
      return true
    },
    leave (client) {
      for (const { activeClients } of servers) activeClients.delete(clientKey(client))
    },
    giveBack (client, server) {
      servers.find(other => `${name}/${other.name}` === server)!.held.delete(clientKey(client))
    },
    users: server => usersAt(servers.find(other => `${name}/${other.name}` === server)!),
    die () { isDead = true },
    wake () { isDead = false }
  }
}

export function fakeServer (name: string, capacity?: number): FakeServer {
  return {
    name,
    url: `http://${name}.example`,
    weight: undefined,
    capacity,
    weightPercent: 100,
    isAvailable: true,
    activeClients: new Set(),
    held: new Map()
  }
}

/** A test that waits in vain is ended by its own time limit. */
export async function until (isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isTrue()) await setTimeout(5)
}

export async function untilUp (nodes: readonly FakeNode[], serverCount: number): Promise<void> {
  await until(() => nodes.every(({ link }) =>
    link.state === 'up' && link.servers.size === serverCount))
}
