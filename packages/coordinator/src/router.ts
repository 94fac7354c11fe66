/**
 * The router: identifies a visitor, chooses a server and holds a place there in one step, lets the
 * visitor wait, looks again, and redirects. Request value in, reply value out; runs on the main
 * thread, the only one that reserves.
 */
import type { Choice, Choose } from '@usher/shared/balancing/policies.ts'
import { formatAddress, formatClient, type Address, type Client } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import { BEAT_PATH, countEffect, HEALTH_PATH } from '@usher/shared/http/vocabulary/counting.ts'
import { renderDeniedPage } from '@usher/shared/http/vocabulary/denied-page.ts'
import { healthReply } from '@usher/shared/http/vocabulary/health.ts'
import {
  clientCookie, namedClient, newClient, type CookieSettings
} from '@usher/shared/http/vocabulary/identity.ts'
import {
  FOREIGN_REPLY, isForeign, ownHosts, type OriginSettings
} from '@usher/shared/http/vocabulary/own-origin.ts'
import { redirectTarget, type TargetSettings } from '@usher/shared/http/vocabulary/redirect-target.ts'
import {
  htmlReply, NO_STORE, optionsReply, textReply
} from '@usher/shared/http/vocabulary/replies.ts'
import { NO_BODY, type Handler, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { nowOrLater, type Pause, type Steps } from '@usher/shared/now-or-later.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import type { Reservation } from '@usher/shared/memory/reservations.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Busy } from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Logger } from 'pino'
import type { HeldPlaces } from './held-places.ts'

export interface RouterParts {
  readonly settings: TargetSettings & OriginSettings & CookieSettings
  readonly table: Pick<UserTable, 'knownLoads' | 'find' | 'isFull'>
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
  readonly pages: { readonly denied: Buffer, readonly full: Buffer, readonly unavailable: Buffer }
  /** Told of an address that is refused newcomers because it has reached its quota. */
  readonly onAddressFull: (address: Address) => void
  /** Told of a beat that was refused because another site's page caused it. */
  readonly onForeign: (request: RequestValue) => void
  /** Told of a visitor's name for us that we do not know, so that the redirect has another one. */
  readonly onUnknownHost: (host: string) => void
  /** Undefined while visitors are placed. */
  readonly reasonNotHealthy: () => string | undefined
  readonly log: Pick<Logger, 'isLevelEnabled' | 'debug'>
  /** For the denied page; the system's clock unless given. */
  readonly wallNow?: () => Date
}

export type RouteDecision =
  | { readonly kind: 'redirect', readonly holdsPlace: boolean, readonly note?: string } & Choice
  | { readonly kind: Refusal }

export type Refusal = 'denied' | 'unavailable' | 'full' | 'address-full'

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
}

export const ROUTER_ALLOW = 'GET, HEAD'
/** A beat that brings somebody in is placed like a page, and sent on as it is. */
const BEAT_ALLOW = 'GET, HEAD, POST'
const FOUND = 302
/** RFC 9110 section 15.4.8: unlike 302, it leaves a POST a POST. */
const TEMPORARY_REDIRECT = 307
const UNAVAILABLE_RETRY_S = 1
const FULL_RETRY_S = 5

export function isRedirect (status: number): boolean {
  return status === FOUND || status === TEMPORARY_REDIRECT
}

export function routerHandler (parts: RouterParts): Handler {
  const own = ownHosts(parts.settings)
  const targetOf = redirectTarget(parts.settings, parts)
  return request => {
    const { method, path } = request
    if (path === HEALTH_PATH) return healthReply(method, parts.reasonNotHealthy())
    const isPostedBeat = method === 'POST' && path === BEAT_PATH
    if (method !== 'GET' && method !== 'HEAD' && !isPostedBeat) return notPlaced(method, path)
    if (isPostedBeat && isForeign(request, own)) {
      parts.onForeign(request)
      return FOREIGN_REPLY
    }
    const visitor = visitorOf(request)
    // Pauses while the visitor waits, and while the table is busy.
    const steps = visitor.isCounted ? decide(parts, visitor) : decideUncounted(parts, visitor)
    return nowOrLater(steps, decision => {
      if (parts.log.isLevelEnabled('debug')) logDecision(parts, visitor, decision)
      if (decision.kind !== 'redirect') return renderRefusal(decision.kind, visitor, parts)
      const server = parts.settings.servers[decision.server]!
      return renderRedirect(targetOf(request, server), visitor, request, parts)
    })
  }
}

function notPlaced (method: string, path: string): Reply {
  const allow = path === BEAT_PATH ? BEAT_ALLOW : ROUTER_ALLOW
  if (method === 'OPTIONS') return optionsReply(allow)
  return textReply(405, 'Method Not Allowed\n', ['Allow', allow])
}

export function logDecision (
  { settings, log }: RouterParts, { client }: Visitor, decision: RouteDecision
): void {
  const { kind } = decision
  const chosen = kind === 'redirect' && {
    server: settings.servers[decision.server]!.name, because: decision.because, note: decision.note
  }
  log.debug({ client: formatClient(client), kind, ...chosen }, 'visitor routed')
}

function visitorOf (request: RequestValue): Visitor {
  const { method, path, headers, address } = request
  const named = namedClient(request)
  return {
    client: named ?? newClient(),
    address,
    isReturning: named !== undefined,
    isCounted: request.countEffect === 'adds',
    isProbe: method === 'HEAD' && countEffect({ method: 'GET', path, headers }) === 'adds'
  }
}

/** Two rounds: in the second nothing is waited for, but for a server that still starts. */
export function * decide (parts: RouterParts, visitor: Visitor): Steps<RouteDecision> {
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
    if (!isDelayed) return { kind: 'redirect', holdsPlace: true, server, because, ...note }
    if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
    if (parts.isStarting(server)) yield untilStarted(parts, visitor, server)
    const found = yield * whileBusy(() => lookAgain(parts, visitor, server))
    if (found === 'held' || found === 'arrived') {
      return { kind: 'redirect', holdsPlace: true, server, because, ...note }
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

/** The time that everybody has between the choice and the redirect. */
function delay (parts: RouterParts, visitor: Visitor): Pause {
  return resume => { parts.wait(visitor, resume) }
}

/** Who comes while the program starts is placed among all servers, and waits for theirs. */
function untilStarted (parts: RouterParts, visitor: Visitor, server?: number): Pause {
  return resume => { parts.waitForStart(visitor, server, resume) }
}

/** Waits like anybody and is sent to where they are, or would go now, without holding a place. */
export function * decideUncounted (parts: RouterParts, visitor: Visitor): Steps<RouteDecision> {
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
  if (choice === undefined) return { kind: 'unavailable' }
  return { kind: 'redirect', holdsPlace: false, ...choice, note: 'holds no place: opens no page' }
}

/** Where the client has a place, else where it is active; NO_SERVER when the table cannot tell. */
function * serverOf (
  { table }: RouterParts, { client, isReturning }: Visitor
): Steps<number> {
  const user = isReturning ? yield * whileBusy(() => table.find(client)) : undefined
  if (user === undefined || user === 'busy') return NO_SERVER
  return user.reservedServer ?? user.server ?? NO_SERVER
}

/** One beyond the allowance of its network: served like anybody, and holds no place. */
function * decideByHash (
  parts: RouterParts, visitor: Visitor, hasWaited: boolean
): Steps<RouteDecision> {
  if (!hasWaited && parts.delayMs() > 0) yield delay(parts, visitor)
  if (parts.isStarting()) yield untilStarted(parts, visitor)
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  const choice = parts.chooseByHash(visitor.client)
  if (choice === undefined) return { kind: 'unavailable' }
  const note = 'not counted: too many newcomers of its network'
  return { kind: 'redirect', holdsPlace: false, ...choice, note }
}

function isDenied ({ denyList }: RouterParts, { client, address }: Visitor): boolean {
  return denyList.isDenied(client, address)
}

/**
 * One try. The deny list is looked at in the same turn: nobody denied gets into the table.
 * @param isDelayed false for who is redirected in this turn
 */
function reserve (parts: RouterParts, visitor: Visitor, isDelayed: boolean): Chosen | Busy {
  if (isDenied(parts, visitor)) return { kind: 'denied' }
  const { reservations, choose } = parts
  const { client, address, isReturning } = visitor
  const request = { client, address, isReturning, choose }
  const reservation = isDelayed ? reservations.reserve(request) : reservations.reserveNow(request)
  if (reservation.kind === 'reserved') return reservation
  if (reservation.kind === 'address-full') parts.onAddressFull(address)
  return reservation.kind === 'busy' ? 'busy' : { kind: reservation.kind }
}

/** When the wait is over: whether the visitor may still go to the place that was reserved. */
function lookAgain (
  parts: RouterParts, visitor: Visitor, server: number
): 'held' | 'arrived' | 'lost' | 'denied' | 'gone' | Busy {
  if (isDenied(parts, visitor)) return 'denied'
  if (!parts.isAvailable(server)) return 'gone'
  return parts.reservations.confirm(visitor.client, server)
}

export function renderRefusal (refusal: Refusal, visitor: Visitor, parts: RouterParts): Reply {
  const { pages } = parts
  switch (refusal) {
    case 'denied': {
      const when = parts.wallNow?.() ?? new Date()
      return htmlReply(403, renderDeniedPage(pages.denied, nameOf(visitor), when), NO_STORE)
    }
    case 'unavailable':
      return tryLater(pages.unavailable, UNAVAILABLE_RETRY_S)
    case 'full':
    case 'address-full':
      return tryLater(pages.full, FULL_RETRY_S)
  }
}

/** Whoever comes without an id is given the one under which the place is held. */
function renderRedirect (
  location: string, { client, isReturning, isCounted }: Visitor, request: RequestValue,
  { settings }: RouterParts
): Reply {
  const status = request.method === 'POST' ? TEMPORARY_REDIRECT : FOUND
  if (isReturning || !isCounted) {
    return { status, headers: ['Location', location, 'Cache-Control', 'no-store'], body: NO_BODY }
  }
  const headers = [
    'Location', location, 'Cache-Control', 'private, no-store',
    'Set-Cookie', clientCookie(client, request, settings)
  ]
  return { status, headers, body: NO_BODY, newClient: client }
}

/** What a denied visitor is told to name: the id they brought, else their address. */
function nameOf ({ client, address, isReturning }: Visitor): string {
  return isReturning ? formatClient(client) : formatAddress(address)
}

function tryLater (page: Buffer, retryAfterS: number): Reply {
  return htmlReply(503, page.toString(), [...NO_STORE, 'Retry-After', String(retryAfterS)])
}
