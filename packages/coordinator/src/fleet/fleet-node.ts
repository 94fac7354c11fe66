/**
 * This program as a node of its fleet: tells the link of its own servers and users, does to the
 * user table what the link hears of other nodes, and tells the monitor how things stand. Loaded
 * with CLUSTER_URL only. Main thread.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { Client } from '@usher/shared/client.ts'
import { parseEngineUrl, type EngineAddress } from '@usher/shared/fleet/engine-url.ts'
import { fleetName } from '@usher/shared/fleet/fleet-name.ts'
import { startInterval } from '@usher/shared/interval.ts'
import { retryWhileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Newcomers } from '@usher/shared/memory/newcomers.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { FleetReport, FleetState, Order } from '@usher/shared/messages.ts'
import { presentServers, type Server } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import { HeldPlaces } from '../held-places.ts'
import type { Placer, PlacingParts } from '../placing.ts'
import { FleetLink } from './fleet-link.ts'
import { fleetPlacer } from './fleet-placer.ts'
import type { FleetServer, NodeServer } from './fleet-servers.ts'

export interface FleetNodeParts {
  readonly settings: Settings
  readonly table: UserTable
  readonly newcomers: Newcomers
  readonly tellMonitor: (order: Order) => Promise<void>
  readonly log: Logger
}

/**
 * So long the servers of a node that stops go on to serve those whom others have sent there: their
 * wait, the report by which the others hear of it, and the way.
 */
const LEAVE_MS = 1000
const LOOK_MS = 1000

export class FleetNode {
  readonly #parts: FleetNodeParts
  readonly #held: HeldPlaces
  readonly #link: FleetLink
  #isLeaving = false
  #state: FleetState = 'away'
  #reason: string | undefined
  #sinceMs = Date.now()
  #toldServerCount = 0
  #stopLooking = (): void => {}

  constructor (parts: FleetNodeParts) {
    const { settings, table, log } = parts
    this.#parts = parts
    this.#held = new HeldPlaces(table, monotonicNowMs, settings)
    this.#link = new FleetLink({
      address: engineAddress(settings.clusterUrl),
      fleet: settings.clusterName,
      node: settings.nodeName,
      servers: () => presentServers(settings.servers).map(server => this.#describe(server)),
      holdMs: () => settings.live.delayBetweenRoutingMs + settings.reservationTtlMs,
      onHeld: (server, client, holdMs) => { void this.#hold(server, client, holdMs) },
      onReleased: (server, client) => { this.#held.release(client, server) },
      onElsewhere: (client, isBack) => { void this.#remove(client, isBack) },
      hasArrived: (server, client) => {
        const user = table.find(client)
        return user !== undefined && user !== 'busy' && user.server === server
      },
      onState: (state, reason) => { this.#setState(state, reason) },
      log,
      now: monotonicNowMs
    })
  }

  /** Resolves when the engine has been asked; rejects when it is one that cannot be used. */
  async start (): Promise<void> {
    this.#stopLooking = startInterval(LOOK_MS, () => { this.#lookAtServers() })
    await this.#link.start()
  }

  placer (parts: PlacingParts): Placer {
    const { settings, newcomers } = this.#parts
    return fleetPlacer({
      ...parts,
      newcomers,
      link: this.#link,
      nameOf: server => fleetName(settings, settings.servers[server]!.name)
    })
  }

  /** For a monitor that starts. */
  get report (): FleetReport {
    return {
      state: this.#state,
      reason: this.#reason,
      sinceMs: this.#sinceMs,
      serverCount: this.#link.servers.size
    }
  }

  /** Of what the link tells the engine of them. */
  serversChanged (): void {
    void this.#link.serversChanged()
  }

  /**
   * Nobody is sent here any more, and who waits here is sent to other nodes; resolves when those
   * who are on their way have come. @param withinMs and not later
   */
  async leave (withinMs: number): Promise<void> {
    this.#isLeaving = true
    void this.#link.serversChanged()
    const isAlone = ![...this.#link.servers.values()].some(isElsewhere)
    if (!isAlone) await setTimeout(Math.min(LEAVE_MS, withinMs))
  }

  async close (): Promise<void> {
    this.#stopLooking()
    this.#held.close()
    await this.#link.close()
  }

  #describe (server: Server): NodeServer {
    const { settings, table } = this.#parts
    const { index, name, weight, capacity } = server
    return {
      index,
      name,
      url: urlOf(server, settings),
      weight,
      weightPercent: table.weightPercent(index),
      capacity,
      isAvailable: !this.#isLeaving && table.serverState(index) === 'up',
      // A sum over all shards, which only reports need: this is asked for each visitor while away.
      get active () { return table.activeUsers(index) }
    }
  }

  /** Another node sends a visitor here. One who is here already has its place. */
  async #hold (server: number, client: Client, holdMs: number): Promise<void> {
    const { table, log } = this.#parts
    const reservation = await retryWhileBusy(() => {
      const held = this.#held.holdFor(client, holdMs, ({ loads, current }) =>
        current === server || loads.isFull(server)
          ? undefined
          : { server, because: 'another node of the fleet sends the visitor' })
      return held.kind === 'busy' ? 'busy' : held
    })
    const isHeld = reservation !== 'busy' && reservation.kind === 'reserved'
    if (!isHeld && table.isFull()) log.debug('no room in the user table for a visitor of another node')
  }

  /** Who was active here is so at another node now, unless it is coming back. */
  async #remove (client: Client, isBack: () => boolean): Promise<void> {
    const { table } = this.#parts
    await retryWhileBusy(() => {
      if (isBack()) return false
      const user = table.find(client)
      if (user === 'busy') return 'busy'
      if (user === undefined || user.reservedServer !== undefined) return false
      return table.remove(client)
    })
  }

  /** Nodes come and go while this one is up. */
  #lookAtServers (): void {
    if (this.#link.servers.size !== this.#toldServerCount) this.#tell()
  }

  #setState (state: FleetState, reason: string | undefined): void {
    if (state !== this.#state) this.#sinceMs = Date.now()
    this.#state = state
    this.#reason = reason
    this.#tell()
  }

  /** A monitor that is down hears it when it starts. */
  #tell (): void {
    const { report } = this
    this.#toldServerCount = report.serverCount
    this.#parts.tellMonitor({ type: 'note-fleet', report }).catch(() => {})
  }
}

/** @param url as the settings have checked it */
function engineAddress (url: string): EngineAddress {
  return (parseEngineUrl(url) as { readonly value: EngineAddress }).value
}

function isElsewhere ({ ownIndex }: FleetServer): boolean {
  return ownIndex === undefined
}

/** What other nodes' redirects lead to. */
function urlOf (server: Server, { ip, tls }: Pick<Settings, 'ip' | 'tls'>): string {
  if (server.kind === 'external') return server.publicUrl
  if (server.publicUrl !== undefined) return server.publicUrl
  const scheme = tls === undefined ? 'http' : 'https'
  return `${scheme}://${ip.includes(':') ? `[${ip}]` : ip}:${server.port}`
}
