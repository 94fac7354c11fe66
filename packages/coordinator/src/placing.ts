/**
 * Where a visitor goes: chooses a server and holds a place there in one step, lets the visitor
 * wait, and looks again. Of the servers of a whole fleet fleet/fleet-placer.ts chooses. Knows no
 * request and no reply; runs on the main thread, the only one that reserves.
 */
import type { Choice, Choose } from '@usher/shared/balancing/policies.ts'
import { clientOfAddress, type Address, type Client } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import type { Reservation } from '@usher/shared/memory/reservations.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Busy } from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Pause, Steps } from '@usher/shared/now-or-later.ts'
import type { HeldPlaces } from './held-places.ts'

export interface PlacingParts {
  readonly table: Pick<UserTable, 'knownLoads' | 'find' | 'isFull' | 'isLimited'>
  readonly servers: ReadonlyArray<{ readonly index: number }>
  readonly denyList: Pick<DenyList, 'isDenied'>
  readonly reservations: Pick<HeldPlaces, 'reserve' | 'reserveNow' | 'confirm' | 'release'>
  readonly choose: Choose
  /** Where a client goes whom nobody counts; undefined when no server is available. */
  readonly chooseByHash: (client: Client) => Choice | undefined
  /** Whether a visitor may be placed there: it serves, or starts with the program. */
  readonly isAvailable: (server: number) => boolean
  /** Whether that server does not serve yet; without one, whether there is any such. */
  readonly isStarting: (server?: number) => boolean
  /** Calls `end` when that server serves, without one when all do; or earlier, as `wait` does. */
  readonly waitForStart: (visitor: Waiting, server: number | undefined, end: () => void) => void
  /** DELAY_BETWEEN_ROUTING as it is now; 0 at a stop. */
  readonly delayMs: () => number
  /** Calls `end` after that time, or earlier: at a stop, or when the visitor has to go. */
  readonly wait: (visitor: Waiting, end: () => void) => void
  /** Told of an address that is refused newcomers because it has reached its quota. */
  readonly onAddressFull: (address: Address) => void
}

/** Has visitors placed: among the servers of this program, or of its fleet. */
export interface Placer {
  /** Of one who is counted. */
  decide (visitor: Visitor): Steps<RouteDecision>
  decideUncounted (visitor: Visitor): Steps<RouteDecision>
}

export type RouteDecision = LocalDecision | ElsewhereDecision

export type LocalDecision =
  | { readonly kind: 'redirect' } & Redirect & Choice
  | { readonly kind: Refusal }

/** To a server of another node. */
export interface ElsewhereDecision extends Redirect {
  readonly kind: 'elsewhere'
  readonly server: {
    /** NODE/NAME */
    readonly name: string
    readonly publicUrl: string
  }
  readonly because: string
}

interface Redirect {
  readonly holdsPlace: boolean
  readonly note?: string
  /** Without a ticket a client that keeps no cookie would not find the place that is held. */
  readonly needsTicket?: boolean
}

/**
 * full: the user table; servers-full: all servers that take visitors have as many as their
 * capacity; network: a newcomer beyond its network's allowance, who is not to be there uncounted.
 */
export type Refusal =
  'denied' | 'unavailable' | 'full' | 'address-full' | 'servers-full' | 'network'

type Chosen =
  | Extract<Reservation, { readonly kind: 'reserved' }>
  | { readonly kind: Refusal | 'uncounted' }

/** Whoever waits, as those who may end the wait know them. */
export interface Waiting {
  readonly client: Client
  readonly address: Address
}

export interface Visitor extends Waiting {
  /** False for an id that was made up for this request. */
  readonly isReturning: boolean
  /** False for what opens no page: it holds no place and gets no cookie. */
  readonly isCounted: boolean
  /** Of a HEAD whose GET would count: it says what that would say (RFC 9110 section 9.3.2). */
  readonly isProbe: boolean
  /** A server had no place for it and has sent it here, or it repeats an old redirect. */
  readonly hasTicket: boolean
  /** The server of a fleet that had no place for it: NODE/NAME. */
  readonly refusedBy: string | undefined
  /** Where in a fleet it says that it was sent last: NODE/NAME. */
  readonly hint: string | undefined
}

export function localPlacer (parts: PlacingParts): Placer {
  return {
    decide: visitor => decide(parts, visitor),
    decideUncounted: visitor => decideUncounted(parts, visitor)
  }
}

/** Two rounds: in the second nothing is waited for, but for a server that still starts. */
export function * decide (parts: PlacingParts, visitor: Visitor): Steps<LocalDecision> {
  let note: { readonly note?: string } = {}
  let isDelayed = parts.delayMs() > 0 || parts.isStarting()
  for (;; isDelayed = parts.isStarting()) {
    const reserved = reserve(parts, visitor, isDelayed)
    const reservation = reserved === 'busy'
      ? yield * whileBusy(() => reserve(parts, visitor, isDelayed))
      : reserved
    if (reservation === 'busy') return { kind: 'full' }
    const hasWaited = note.note !== undefined
    if (reservation.kind === 'uncounted') return yield * decideByHash(parts, visitor, hasWaited)
    if (reservation.kind !== 'reserved') return { kind: reservation.kind }
    const { server, because } = reservation
    if (!isDelayed) return redirectTo(parts, visitor, reservation, note)
    if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
    if (parts.isStarting(server)) yield untilStarted(parts, visitor, server)
    const found = yield * whileBusy(() => lookAgain(parts, visitor, server))
    if (found === 'held' || found === 'arrived') {
      return redirectTo(parts, visitor, { server, because }, note)
    }
    if (found === 'denied' || found === 'gone') parts.reservations.release(visitor.client, server)
    if (found === 'denied') return { kind: 'denied' }
    if (found === 'busy') return { kind: 'full' }
    note = {
      note: found === 'gone'
        ? 'the server went away during the wait'
        : 'the place was lost during the wait'
    }
  }
}

/**
 * Whoever was refused before needs a ticket, and so does a newcomer who has got the last place: as
 * a stranger at the server it would find no other. And one from an address that is itself somebody
 * here may keep no cookie, and would take a second place beside the one that is held.
 */
function redirectTo (
  { table }: PlacingParts, { isReturning, hasTicket, address }: Visitor,
  { server, because }: Choice, note: { readonly note?: string }
): LocalDecision {
  const decision = { kind: 'redirect', holdsPlace: true, server, because, ...note } as const
  const needsTicket = table.isLimited() && (hasTicket ||
    (!isReturning && (table.knownLoads().isFull(server) || isSomebody(table, address))))
  return needsTicket ? { ...decision, needsTicket } : decision
}

/** Whether somebody there keeps no cookie, or has brought none yet, and is known by the address. */
function isSomebody (table: Pick<UserTable, 'find'>, address: Address): boolean {
  const user = table.find(clientOfAddress(address))
  return user !== undefined && user !== 'busy'
}

/** The time that everybody has between the choice and the redirect. */
export function delay (parts: PlacingParts, visitor: Visitor): Pause {
  return resume => { parts.wait(visitor, resume) }
}

/** Who comes while the program starts is placed among all servers, and waits for theirs. */
function untilStarted (parts: PlacingParts, visitor: Visitor, server?: number): Pause {
  return resume => { parts.waitForStart(visitor, server, resume) }
}

/** Waits like anybody and is sent to where they are, or would go now, without holding a place. */
export function * decideUncounted (
  parts: PlacingParts, visitor: Visitor
): Steps<LocalDecision> {
  const { table, choose, isAvailable } = parts
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  if (visitor.isProbe && table.isFull() && (yield * serverOf(parts, visitor)) === NO_SERVER) {
    return { kind: 'full' }
  }
  if (parts.delayMs() > 0) yield delay(parts, visitor)
  if (parts.isStarting()) yield untilStarted(parts, visitor)
  const current = yield * serverOf(parts, visitor)
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  const choice = current !== NO_SERVER && isAvailable(current)
    ? { server: current, because: 'the visitor is there' }
    : choose({ loads: table.knownLoads(), current: NO_SERVER })
  if (choice === undefined) return { kind: whyNoServer(parts) }
  return { kind: 'redirect', holdsPlace: false, ...choice, note: 'holds no place: opens no page' }
}

/** Where the client has a place, else where it is active; NO_SERVER when the table cannot tell. */
function * serverOf (
  { table }: PlacingParts, { client, isReturning }: Visitor
): Steps<number> {
  const user = isReturning ? yield * whileBusy(() => table.find(client)) : undefined
  if (user === undefined || user === 'busy') return NO_SERVER
  return user.reservedServer ?? user.server ?? NO_SERVER
}

/** One beyond the allowance of its network: served like anybody, and holds no place. */
export function * decideByHash (
  parts: PlacingParts, visitor: Visitor, hasWaited: boolean
): Steps<LocalDecision> {
  if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
  if (parts.isStarting()) yield untilStarted(parts, visitor)
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  const choice = parts.chooseByHash(visitor.client)
  if (choice === undefined) return { kind: 'unavailable' }
  const note = 'not counted: too many newcomers of its network'
  return { kind: 'redirect', holdsPlace: false, ...choice, note }
}

export function isDenied ({ denyList }: PlacingParts, { client, address }: Visitor): boolean {
  return denyList.isDenied(client, address)
}

/**
 * One try. The deny list is looked at in the same turn: nobody denied gets into the table.
 * @param isDelayed false for who is redirected in this turn
 */
function reserve (parts: PlacingParts, visitor: Visitor, isDelayed: boolean): Chosen | Busy {
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  const { reservations, choose } = parts
  const { client, address, isReturning } = visitor
  const request = { client, address, isReturning, choose }
  const reservation = isDelayed ? reservations.reserve(request) : reservations.reserveNow(request)
  if (reservation.kind === 'reserved') return reservation
  if (reservation.kind === 'address-full') parts.onAddressFull(address)
  if (reservation.kind === 'unavailable') return { kind: whyNoServer(parts) }
  return reservation.kind === 'busy' ? 'busy' : { kind: reservation.kind }
}

/** No server was chosen: none takes visitors, or those that do are full. */
export function whyNoServer ({ servers, isAvailable }: PlacingParts): 'unavailable' | 'servers-full' {
  return servers.some(({ index }) => isAvailable(index)) ? 'servers-full' : 'unavailable'
}

/** When the wait is over: whether the visitor may still go to the place that was reserved. */
function lookAgain (
  parts: PlacingParts, visitor: Visitor, server: number
): 'held' | 'arrived' | 'lost' | 'denied' | 'gone' | Busy {
  if (isDenied(parts, visitor)) return 'denied'
  if (!parts.isAvailable(server)) return 'gone'
  return parts.reservations.confirm(visitor.client, server)
}
