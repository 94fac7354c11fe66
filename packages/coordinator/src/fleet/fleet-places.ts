/**
 * The places that concern this node: those that its router holds anywhere, which it can tell an
 * engine that has lost them, and those held at its own servers, whose visitors it waits for. Knows
 * no engine. Main thread.
 */
import type { Client } from '@usher/shared/client.ts'
import {
  clientKey, NO_INDEX, type Arrival, type FleetIndex, type PlaceOfClient, type ToldPlace
} from '@usher/shared/fleet/packed-texts.ts'

/** A place that this node's router holds. */
export interface OwnPlace {
  readonly client: Client
  /** As the fleet calls it: its index may be another one tomorrow. */
  readonly server: string
  readonly chosenMs: number
  readonly untilMs: number
  /** Whether the engine knows of it. */
  isTold: boolean
}

/** A place at one of this node's servers, whoever's router holds it. */
interface AwaitedPlace {
  readonly client: Client
  /** In this node's table. */
  readonly ownIndex: number
  /** NODE/NAME where the visitor said to be before, if it did. */
  readonly from: string | undefined
  readonly chosenMs: number
  readonly untilMs: number
}

interface Arrived extends AwaitedPlace {
  /** Told, but for where it was before: the engine knows no such server, or not yet. */
  isTold: boolean
  /** The server where it was before as the engine called it when it was told of the move. */
  fromToldAs: FleetIndex | undefined
  /** After that nobody asks for it any more. */
  readonly forgottenMs: number
}

/** How the engine calls what this node calls otherwise. */
export interface EngineTerms {
  readonly fleetIndex: (ownIndex: number) => FleetIndex | undefined
  readonly indexOf: (server: string) => FleetIndex | undefined
  readonly engineMs: (ownMs: number) => number
}

/** What a report says of places. Each list is told again until a report was answered. */
export interface PlaceNews {
  readonly arrived: readonly Arrival[]
  readonly released: readonly PlaceOfClient[]
  readonly told: readonly ToldPlace[]
  /** Call it when the report was answered. */
  readonly settle: () => void
}

/** The rest follows with the next report, a quarter of a second later. */
const TOLD_MAX = 10_000
/** An arrival whose place has ended long since is no news. */
const ARRIVAL_KEPT_MS = 2000
/** Where it was before it is counted still, until that node hears of it. */
const MOVE_KEPT_MS = 120_000

export class FleetPlaces {
  readonly #own = new Map<string, OwnPlace>()
  readonly #awaited = new Map<string, AwaitedPlace>()
  readonly #arrived = new Map<string, Arrived>()
  /** Those of them who came from another server, once all of it is told: that may be lost. */
  readonly #moves = new Map<string, Arrived>()
  readonly #released = new Map<string, PlaceOfClient>()
  /** Those who have arrived here, the latest last; for as long as moves are told. */
  readonly #arrivals = new Map<string, Pick<Arrived, 'chosenMs' | 'forgottenMs'>>()
  readonly #now: () => number

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
  }

  hold (place: OwnPlace): void {
    const key = clientKey(place.client)
    this.#own.set(key, place)
    // One of the engine's is the same client's only one there.
    if (place.isTold) this.#released.delete(key)
  }

  /**
   * A visitor is expected at one of this node's servers. What is heard late may be of an earlier
   * choice than the last one that is known here.
   */
  expect (place: AwaitedPlace): void {
    if (this.isChosenSince(place.client, place.chosenMs)) return
    this.#awaited.set(clientKey(place.client), place)
  }

  /** Nobody is expected there any more. */
  forget (client: Client): void {
    this.#awaited.delete(clientKey(client))
  }

  /** Whether a place here was chosen later than that: who had the other one has left it. */
  isChosenSince (client: Client, ms: number): boolean {
    const key = clientKey(client)
    const place = this.#awaited.get(key) ?? this.#arrivals.get(key)
    return place !== undefined && place.chosenMs >= ms
  }

  ownPlace (client: Client): OwnPlace | undefined {
    return this.#own.get(clientKey(client))
  }

  /** This router's place is not used: undefined where it holds none. */
  giveUp (client: Client): OwnPlace | undefined {
    const key = clientKey(client)
    const place = this.#own.get(key)
    this.#own.delete(key)
    this.#awaited.delete(key)
    return place
  }

  /** The engine holds, or may hold, a place that nobody uses. @param index NO_INDEX: wherever */
  release (client: Client, index: FleetIndex): void {
    this.#released.set(clientKey(client), { client, index })
  }

  /** The engine may have lost them. */
  tellAgain (): void {
    for (const place of this.#own.values()) place.isTold = false
  }

  /**
   * A move that was told is lost with the lease of the node that was to hear of it, which has
   * another index when it is back; and with an engine that has forgotten all.
   * @param indexOf undefined: the engine may have lost them
   */
  tellMovesAgain (indexOf?: EngineTerms['indexOf']): void {
    for (const [key, move] of this.#moves) {
      const index = indexOf?.(move.from!)
      if (indexOf !== undefined && (index === undefined || index === move.fromToldAs)) continue
      this.#moves.delete(key)
      // One who has come again meanwhile has a move of its own.
      if (!this.#arrived.has(key)) this.#arrived.set(key, move)
    }
  }

  hasUntold (indexOf: (server: string) => FleetIndex | undefined): boolean {
    for (const { isTold, server } of this.#own.values()) {
      if (!isTold && indexOf(server) !== undefined) return true
    }
    return false
  }

  /**
   * To be asked before the counts of users are read: then one who comes in between is counted twice
   * for a moment, never not at all.
   */
  news (
    hasArrived: (ownIndex: number, client: Client) => boolean,
    { fleetIndex, indexOf, engineMs }: EngineTerms
  ): PlaceNews {
    this.findArrived(hasArrived)
    const nowMs = this.#now()
    const fromOf = ({ from }: AwaitedPlace): FleetIndex | undefined =>
      from === undefined ? NO_INDEX : indexOf(from)
    const arrived = [...this.#arrived]
      .map(([key, place]) => ({ key, place, from: fromOf(place) }))
      .filter(({ place, from }) => !place.isTold || from !== undefined)
    const released = [...this.#released]
    const told: OwnPlace[] = []
    for (const place of this.#own.values()) {
      if (told.length === TOLD_MAX) break
      if (!place.isTold && indexOf(place.server) !== undefined) told.push(place)
    }
    return {
      arrived: arrived.map(({ place, from = NO_INDEX }) => ({
        client: place.client,
        from,
        chosenMs: engineMs(place.chosenMs),
        // That it has come is told once: it may hold another place by now.
        index: place.isTold ? NO_INDEX : fleetIndex(place.ownIndex) ?? NO_INDEX
      })),
      released: released.map(([, place]) => place),
      told: told.map(({ client, server, chosenMs, untilMs }) => ({
        client,
        index: indexOf(server)!,
        chosenMs: engineMs(chosenMs),
        holdMs: untilMs - nowMs
      })),
      settle: () => {
        for (const { key, place, from } of arrived) this.#settleArrived(key, place, from)
        for (const [key, place] of released) {
          if (this.#released.get(key) === place) this.#released.delete(key)
        }
        for (const place of told) place.isTold = true
      }
    }
  }

  #settleArrived (key: string, place: Arrived, from: FleetIndex | undefined): void {
    place.isTold = true
    // Another one may have taken its place meanwhile.
    if (from === undefined || this.#arrived.get(key) !== place) return
    this.#arrived.delete(key)
    place.fromToldAs = from
    if (place.from !== undefined) this.#moves.set(key, place)
  }

  /** To be called often, the engine away or not: whoever comes may leave again. */
  findArrived (hasArrived: (ownIndex: number, client: Client) => boolean): void {
    const nowMs = this.#now()
    for (const [key, place] of this.#awaited) {
      if (!hasArrived(place.ownIndex, place.client)) continue
      this.#awaited.delete(key)
      const endMs = Math.max(nowMs, place.untilMs)
      this.#arrivals.delete(key)
      this.#arrivals.set(key, { chosenMs: place.chosenMs, forgottenMs: endMs + MOVE_KEPT_MS })
      const own = this.#own.get(key)
      this.#own.delete(key)
      // The engine has never heard of it, and will not.
      if (own?.isTold === false && place.from === undefined) continue
      const keptMs = place.from === undefined ? ARRIVAL_KEPT_MS : MOVE_KEPT_MS
      const forgottenMs = endMs + keptMs
      this.#moves.delete(key)
      this.#arrived.set(key, { ...place, isTold: false, fromToldAs: undefined, forgottenMs })
    }
    this.#end(nowMs)
  }

  /** Those whose time is over. */
  #end (nowMs: number): void {
    for (const [key, { untilMs }] of this.#own) if (untilMs < nowMs) this.#own.delete(key)
    for (const [key, { untilMs }] of this.#awaited) if (untilMs < nowMs) this.#awaited.delete(key)
    for (const arrivals of [this.#arrived, this.#moves]) {
      for (const [key, { forgottenMs }] of arrivals) {
        if (forgottenMs < nowMs) arrivals.delete(key)
      }
    }
    for (const [key, { forgottenMs }] of this.#arrivals) {
      if (forgottenMs >= nowMs) break
      this.#arrivals.delete(key)
    }
  }
}
