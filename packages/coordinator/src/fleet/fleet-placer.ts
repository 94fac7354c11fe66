/**
 * Where a visitor of a fleet goes: the engine chooses among the servers of all nodes and holds the
 * place. One at a server of this node is held in the user table, too, and from there on all is as
 * in placing.ts; one at another node's is not, for that node is told. Without an answer in time
 * visitors are placed at the own servers, and the engine is told later. Main thread.
 */
import type { Choose } from '@usher/shared/balancing/policies.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Charge, Newcomers } from '@usher/shared/memory/newcomers.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { Steps } from '@usher/shared/now-or-later.ts'
import {
  decide, decideByHash, decideUncounted, delay, isDenied, type ElsewhereDecision,
  type LocalDecision, type Placer, type PlacingParts, type RouteDecision, type Visitor
} from '../placing.ts'
import type { FleetPlace } from './engine-placing.ts'
import type { FleetLink } from './fleet-link.ts'
import type { FleetServer } from './fleet-servers.ts'

export interface FleetPlacerParts extends PlacingParts {
  /** Of this router: one who is placed elsewhere is charged here, where its address is known. */
  readonly newcomers: Pick<Newcomers, 'admit' | 'charge'>
  readonly link: Pick<
    FleetLink, 'place' | 'release' | 'placedHere' | 'servers' | 'serversChanged'
  >
  /** Of a server of this node, by its index: NODE/NAME. */
  readonly nameOf: (server: number) => string
}

/** Choices of a server that is gone when the wait is over; then one of the own is taken. */
const ROUNDS_MAX = 3
const BECAUSE = 'fewest users of the fleet'

export function fleetPlacer (parts: FleetPlacerParts): Placer {
  return {
    decide: visitor => decideInFleet(parts, visitor),
    decideUncounted: visitor => decideUncountedInFleet(parts, visitor)
  }
}

function * decideInFleet (
  parts: FleetPlacerParts, visitor: Visitor
): Steps<RouteDecision> {
  let hasWaited = false
  let { refusedBy } = visitor
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    if (isDenied(parts, visitor)) return { kind: 'denied' }
    const user = yield * userOf(parts, visitor)
    const charges = user === undefined ? chargesOf(parts, visitor) : []
    if (charges === undefined) return yield * decideRefused(parts, visitor, hasWaited)
    const place = yield * askEngine(parts, visitor, user, refusedBy)
    if (place.kind === 'full') return { kind: 'servers-full' }
    if (place.kind !== 'placed') break
    const decision = place.server.ownIndex === undefined
      ? yield * goElsewhere(parts, visitor, place.server, user, charges, hasWaited)
      : yield * goHere(parts, visitor, place.server.ownIndex, hasWaited)
    if (decision !== 'gone') return decision
    refusedBy = place.server.name
    hasWaited = true
    if (place.server.ownIndex !== undefined) yield * tellServers(parts)
  }
  const local = tellingFleet(parts, visitor)
  return yield * decide(hasWaited ? withoutDelay(local) : local, visitor)
}

/** The visitor as this node knows it. */
function * userOf (
  { table }: FleetPlacerParts, { client, isReturning }: Visitor
): Steps<User | undefined> {
  if (!isReturning) return undefined
  const user = yield * whileBusy(() => table.find(client))
  return user === 'busy' ? undefined : user
}

/**
 * Where the visitor is by the user table goes before what it says. Whoever has a ticket has been
 * refused there, or repeats an old redirect.
 * @param refusedBy NODE/NAME
 */
function * askEngine (
  { link, nameOf }: FleetPlacerParts, { client, hint, hasTicket }: Visitor, user: User | undefined,
  refusedBy: string | undefined
): Steps<FleetPlace> {
  const server = user?.reservedServer ?? user?.server
  let place: FleetPlace = { kind: 'local' }
  yield resume => {
    const where = server === undefined ? hint : nameOf(server)
    void link.place(client, { hint: hasTicket ? undefined : where, refusedBy }).then(answer => {
      place = answer
      resume()
    })
  }
  return place
}

/** The engine knows less of this node's servers than the node does: all may be drained. */
function * tellServers ({ link }: FleetPlacerParts): Steps<void> {
  yield resume => { void link.serversChanged().then(resume) }
}

/** To a server of this node: by the steps of one that is alone, which choose no other. */
function * goHere (
  parts: FleetPlacerParts, visitor: Visitor, server: number, hasWaited: boolean
): Steps<LocalDecision | 'gone'> {
  const only = { ...parts, choose: onlyThis(parts, server) }
  const decision = yield * decide(hasWaited ? withoutDelay(only) : only, visitor)
  if (decision.kind === 'redirect' && decision.holdsPlace) return decision
  parts.link.release(visitor.client)
  const isGone = decision.kind === 'unavailable' || decision.kind === 'servers-full'
  return isGone ? 'gone' : decision
}

/** It may have gone down, or filled up by visitors whom no router has sent. */
function onlyThis ({ isAvailable }: PlacingParts, server: number): Choose {
  return ({ loads, current }) => {
    const mayBe = isAvailable(server) && (server === current || !loads.isFull(server))
    return mayBe ? { server, because: BECAUSE } : undefined
  }
}

/** To a server of another node, which holds the place in its own user table. */
function * goElsewhere (
  parts: FleetPlacerParts, visitor: Visitor, server: FleetServer, user: User | undefined,
  charges: readonly Charge[], hasWaited: boolean
): Steps<ElsewhereDecision | { readonly kind: 'denied' } | 'gone'> {
  const { link, reservations, newcomers } = parts
  newcomers.charge(charges)
  // From an earlier choice. The user itself goes when it has arrived there.
  if (user?.reservedServer !== undefined) {
    reservations.release(visitor.client, user.reservedServer)
  }
  if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
  const outcome = isDenied(parts, visitor) ? 'denied' : link.servers.has(server.name) ? 'held' : 'gone'
  if (outcome === 'held') return redirectElsewhere(server, visitor, true, BECAUSE)
  link.release(visitor.client)
  return outcome === 'denied' ? { kind: 'denied' } : 'gone'
}

/** Of a newcomer, to be charged when it is placed; undefined beyond its network's allowance. */
function chargesOf (
  { newcomers, table }: FleetPlacerParts, { address }: Visitor
): readonly Charge[] | undefined {
  return newcomers.admit(address, table.knownLoads().values.reduce((sum, load) => sum + load, 0))
}

/** A newcomer beyond the allowance of its network: it holds no place, wherever it goes. */
function * decideRefused (
  parts: FleetPlacerParts, visitor: Visitor, hasWaited: boolean
): Steps<RouteDecision> {
  const there = yield * serverByHint(parts, visitor)
  if (there === undefined) {
    if (parts.table.isLimited()) return { kind: 'network' }
    return yield * decideByHash(parts, visitor, hasWaited)
  }
  const note = 'not counted: too many newcomers of its network'
  return yield * goUncounted(parts, visitor, there, hasWaited, note)
}

function * decideUncountedInFleet (
  parts: FleetPlacerParts, visitor: Visitor
): Steps<RouteDecision> {
  const there = yield * serverByHint(parts, visitor)
  const note = 'holds no place: opens no page'
  if (there !== undefined) return yield * goUncounted(parts, visitor, there, false, note)
  const decision = yield * decideUncounted(parts, visitor)
  const [other] = [...parts.link.servers.values()].filter(({ ownIndex }) => ownIndex === undefined)
  if (decision.kind !== 'unavailable' || other === undefined) return decision
  return redirectElsewhere(other, visitor, false, 'none of this node is available', note)
}

/** Another node's server, where the visitor says to be, unless it is known to be at one of ours. */
function * serverByHint (
  parts: FleetPlacerParts, visitor: Visitor
): Steps<FleetServer | undefined> {
  const { hint } = visitor
  const server = hint === undefined ? undefined : parts.link.servers.get(hint)
  if (server === undefined || server.ownIndex !== undefined) return undefined
  const user = yield * userOf(parts, visitor)
  const here = user?.reservedServer ?? user?.server ?? NO_SERVER
  return here === NO_SERVER ? server : undefined
}

function * goUncounted (
  parts: FleetPlacerParts, visitor: Visitor, server: FleetServer, hasWaited: boolean, note: string
): Steps<ElsewhereDecision | { readonly kind: 'denied' }> {
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  return redirectElsewhere(server, visitor, false, 'the visitor says to be there', note)
}

/** One whom a server has refused would be a stranger there without a ticket, and refused again. */
function redirectElsewhere (
  { name, url: publicUrl }: FleetServer, { hasTicket }: Visitor, holdsPlace: boolean,
  because: string, note?: string
): ElsewhereDecision {
  return {
    kind: 'elsewhere',
    server: { name, publicUrl },
    because,
    holdsPlace,
    ...(note !== undefined && { note }),
    ...(hasTicket && { needsTicket: true })
  }
}

function withoutDelay (parts: PlacingParts): PlacingParts {
  return { ...parts, delayMs: () => 0 }
}

/** What is placed by these among the own servers is told to the engine, when it is there again. */
function tellingFleet (parts: FleetPlacerParts, { hint }: Visitor): PlacingParts {
  const { reservations, link } = parts
  const told = <R extends ReturnType<typeof reservations.reserve>>(
    { client }: Pick<Visitor, 'client'>, reservation: R
  ): R => {
    if (reservation.kind === 'reserved') link.placedHere(client, reservation.server, hint)
    return reservation
  }
  return {
    ...parts,
    reservations: {
      reserve: request => told(request, reservations.reserve(request)),
      reserveNow: request => told(request, reservations.reserveNow(request)),
      confirm: (client, server) => reservations.confirm(client, server),
      release (client, server) {
        reservations.release(client, server)
        link.release(client)
      }
    }
  }
}
