/**
 * Has the engine choose a server for each visitor of this node's router, and keeps what it has
 * chosen, so that a place that is not used is given back. Knows no connection and no state of it.
 * Main thread.
 */
import type { Client } from '@usher/shared/client.ts'
import { NO_INDEX, type FleetIndex, type FleetVisitor } from '@usher/shared/fleet/packed-texts.ts'
import { ALL_FULL, type UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import type { FleetPlaces } from './fleet-places.ts'
import type { FleetReports } from './fleet-reports.ts'
import type { FleetServer, FleetServers } from './fleet-servers.ts'
import { PlaceBatches, type Choice } from './place-batches.ts'

export type FleetPlace =
  | { readonly kind: 'placed', readonly server: FleetServer }
  /** All that take visitors are full; none takes any; the engine says nothing: choose one here. */
  | { readonly kind: 'full' | 'none' | 'local' }

/** What is known of a visitor: servers by their names in the fleet. */
export interface Whereabouts {
  /** Where the visitor says to be. */
  readonly hint: string | undefined
  /** Which has just refused it: it gets another one. */
  readonly refusedBy: string | undefined
}

export interface EnginePlacingParts {
  readonly library: UsherLibrary
  readonly places: FleetPlaces
  readonly servers: FleetServers
  readonly reports: FleetReports
  /** How long a place is held from the choice on: the routing delay and RESERVATION_TTL. */
  readonly holdMs: () => number
  /** Whether the client is active at this server of the node. */
  readonly hasArrived: (index: number, client: Client) => boolean
  /** The engine places nobody yet. */
  readonly onWarm: () => void
  /** The engine has not answered for so long. */
  readonly onSlow: () => void
  readonly patienceMs: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class EnginePlacing {
  readonly #parts: EnginePlacingParts
  readonly #batches: PlaceBatches

  constructor (parts: EnginePlacingParts) {
    this.#parts = parts
    this.#batches = new PlaceBatches({
      choose: visitors => this.#choose(visitors),
      patienceMs: parts.patienceMs,
      onSlow: parts.onSlow,
      onTooLate: (client, index) => { this.#takeTooLate(client, index) }
    })
  }

  /** The engine places visitors from now on. */
  open (): void {
    this.#batches.open()
  }

  /** Whoever comes waits. */
  hold (): void {
    this.#batches.hold()
  }

  /** Lets go of all who wait. */
  letGo (): void {
    this.#batches.letGo()
  }

  /** Never rejects. */
  async place (client: Client, { hint, refusedBy }: Whereabouts): Promise<FleetPlace> {
    const { servers, places, hasArrived } = this.#parts
    const from = servers.indexOf(hint) ?? NO_INDEX
    const own = servers.ownIndexOf(from)
    // What can be looked up here is not merely believed.
    const isThere = own === undefined || hasArrived(own, client)
    const isRefused = refusedBy !== undefined && places.ownPlace(client)?.server === refusedBy
    if (isRefused) places.giveUp(client)
    const visitor = {
      client, hint: isThere ? from : NO_INDEX, refusedBy: servers.indexOf(refusedBy) ?? NO_INDEX
    }
    return this.#placeAt(visitor, await this.#batches.place(visitor))
  }

  /** The place that was chosen is not used after all. */
  release (client: Client): void {
    const { places, servers } = this.#parts
    const place = places.giveUp(client)
    const index = place?.isTold === true ? servers.indexOf(place.server) : undefined
    if (index !== undefined) places.release(client, index)
  }

  /**
   * Chosen on this node, by its own loads: the engine hears of it with the next report.
   * @param hint NODE/NAME where the visitor says to be
   */
  placedHere (client: Client, index: number, hint: string | undefined): void {
    const { places, servers, now, holdMs } = this.#parts
    const server = servers.nameOf(index)
    if (server === undefined) return
    const chosenMs = now()
    const untilMs = chosenMs + holdMs()
    places.hold({ client, server, chosenMs, untilMs, isTold: false })
    places.expect({ client, ownIndex: index, from: hint, chosenMs, untilMs })
  }

  #placeAt ({ client, hint }: FleetVisitor, choice: Choice): FleetPlace {
    const { places, servers, now, holdMs } = this.#parts
    if (choice === 'local') return { kind: 'local' }
    if (choice === ALL_FULL) return { kind: 'full' }
    if (choice === NO_INDEX) return { kind: 'none' }
    const server = servers.at(choice)
    if (server === undefined) {
      places.release(client, choice)
      return { kind: 'local' }
    }
    const chosenMs = now()
    const untilMs = chosenMs + holdMs()
    places.hold({ client, server: server.name, chosenMs, untilMs, isTold: true })
    if (server.ownIndex !== undefined) {
      const from = servers.at(hint)?.name
      places.expect({ client, ownIndex: server.ownIndex, from, chosenMs, untilMs })
    }
    return { kind: 'placed', server }
  }

  async #choose (
    visitors: readonly FleetVisitor[]
  ): Promise<readonly FleetIndex[] | undefined> {
    const { library, servers, reports, holdMs, onWarm } = this.#parts
    const answer = await reports.call(sentMs =>
      library.place(sentMs, servers.number, holdMs(), visitors))
    if (answer.status === 'warm') onWarm()
    if (answer.status !== 'ok') return undefined
    const isUnknown = (index: FleetIndex): boolean =>
      index !== NO_INDEX && index !== ALL_FULL && servers.at(index) === undefined
    if (answer.indexes.some(isUnknown)) await reports.look()
    return answer.indexes
  }

  /** The visitor was placed here, and the engine may hold a place for it. */
  #takeTooLate (client: Client, index: FleetIndex | undefined): void {
    const { places, servers } = this.#parts
    if (index === undefined) return places.release(client, NO_INDEX)
    if (index === NO_INDEX || index === ALL_FULL) return
    const own = places.ownPlace(client)
    if (own !== undefined && own.server === servers.at(index)?.name) own.isTold = true
    else places.release(client, index)
  }
}
