/**
 * The router: identifies a visitor, has them placed, and redirects them there. Request value in,
 * reply value out. Main thread.
 */
import { formatAddress, formatClient } from '@usher/shared/client.ts'
import { cookieReach } from '@usher/shared/http/vocabulary/cookie-reach.ts'
import {
  BEAT_PATH, countEffect, HEALTH_PATH, LEAVE_PATH
} from '@usher/shared/http/vocabulary/counting.ts'
import { renderDeniedPage } from '@usher/shared/http/vocabulary/denied-page.ts'
import { healthReply } from '@usher/shared/http/vocabulary/health.ts'
import {
  clientCookie, namedClient, namedServer, newClient, serverCookie, type CookieSettings
} from '@usher/shared/http/vocabulary/identity.ts'
import { fleetName, type FleetNameSettings } from '@usher/shared/fleet/fleet-name.ts'
import {
  FOREIGN_REPLY, isForeign, ownHosts, type OriginSettings
} from '@usher/shared/http/vocabulary/own-origin.ts'
import {
  redirectTarget, type TargetServer, type TargetSettings
} from '@usher/shared/http/vocabulary/redirect-target.ts'
import {
  htmlReply, NO_STORE, optionsReply, refusalReason, textReply
} from '@usher/shared/http/vocabulary/replies.ts'
import { NO_BODY, type Handler, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { nowOrLater } from '@usher/shared/now-or-later.ts'
import { chosenServer } from '@usher/shared/settings/servers.ts'
import type { LiveSettings, Settings } from '@usher/shared/settings/settings.ts'
import { refuserOf, ticketOf, withoutTicket, withTicket } from '@usher/shared/tickets/ticket-query.ts'
import type { Logger } from 'pino'
import { JWKS_PATH, jwksHandler } from './jwks.ts'
import type { PlacingParts, Placer, Refusal, RouteDecision, Visitor } from './placing.ts'
import type { TicketIssuer } from './ticket-issuer.ts'

type TicketSettings = Pick<Settings, 'ticketParameter'> &
  { readonly live: Pick<LiveSettings, 'tickets'> }

export interface RouterParts extends PlacingParts {
  readonly settings: TargetSettings & OriginSettings & CookieSettings & TicketSettings &
    FleetNameSettings
  readonly placer: Placer
  readonly tickets: Pick<TicketIssuer, 'sign' | 'keys'>
  readonly pages: Readonly<Record<'denied' | 'full' | 'network' | 'unavailable', Buffer>>
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
  const hasCookieAt = cookieReach(parts.settings)
  const answerJwks = jwksHandler(parts.tickets)
  const { placer } = parts
  return request => {
    const { method, path } = request
    if (path === HEALTH_PATH) return healthReply(method, parts.reasonNotHealthy())
    if (path === JWKS_PATH) return answerJwks(method)
    const isPostedBeat = method === 'POST' && path === BEAT_PATH
    if (method !== 'GET' && method !== 'HEAD' && !isPostedBeat) return notPlaced(method, path)
    if (isPostedBeat && isForeign(request, own)) {
      parts.onForeign(request)
      return FOREIGN_REPLY
    }
    const visitor = visitorOf(request, parts.settings)
    // Pauses while the visitor waits, and while the table is busy.
    const steps = visitor.isCounted ? placer.decide(visitor) : placer.decideUncounted(visitor)
    return nowOrLater(steps, decision => {
      if (parts.log.isLevelEnabled('debug')) logDecision(parts, visitor, decision)
      if (!isToServer(decision)) return renderRefusal(decision.kind, visitor, parts)
      const { server, fleetName } = destination(decision, parts.settings)
      const redirect = (ticket: string | undefined): Reply => {
        const target = targetOf(repeated(request, ticket, visitor, parts.settings), server)
        return renderRedirect(target, fleetName, visitor, request, parts)
      }
      const hasCookie = hasCookieAt(request, server)
      if (!carriesTicket(request, decision, hasCookie, parts)) return redirect(undefined)
      const { client } = visitor
      return parts.tickets.sign({ client, serverName: fleetName, hasCookie }).then(redirect)
    })
  }
}

type Redirect = Extract<RouteDecision, { kind: 'redirect' | 'elsewhere' }>

function isToServer (decision: RouteDecision): decision is Redirect {
  return decision.kind === 'redirect' || decision.kind === 'elsewhere'
}

/** The server as redirects need it, and what it is called in the fleet, if there is one. */
function destination (
  decision: Redirect, settings: RouterParts['settings']
): { readonly server: TargetServer, readonly fleetName: string } {
  if (decision.kind === 'elsewhere') {
    return { server: decision.server, fleetName: decision.server.name }
  }
  const server = chosenServer(settings.servers, decision.server)
  return { server, fleetName: fleetName(settings, server.name) }
}

/** Whoever has a place there and opens a page: a beat names its client itself. */
function carriesTicket (
  { method }: RequestValue, { holdsPlace, needsTicket }: Redirect, hasCookie: boolean,
  { settings }: RouterParts
): boolean {
  if (!holdsPlace || method !== 'GET') return false
  const { tickets } = settings.live
  return needsTicket === true || tickets === 'always' || (tickets === 'auto' && !hasCookie)
}

/** The request as the redirect repeats it. */
function repeated (
  request: RequestValue, ticket: string | undefined, { hasTicket }: Visitor,
  { ticketParameter }: TicketSettings
): Pick<RequestValue, 'authority' | 'isSecure' | 'path' | 'query'> {
  if (ticket === undefined && !hasTicket) return request
  const { authority, isSecure, path, query } = request
  return {
    authority,
    isSecure,
    path,
    query: ticket === undefined
      ? withoutTicket(query, ticketParameter)
      : withTicket(query, ticketParameter, ticket)
  }
}

function notPlaced (method: string, path: string): Reply {
  const allow = path === BEAT_PATH || path === LEAVE_PATH ? BEAT_ALLOW : ROUTER_ALLOW
  if (method === 'OPTIONS') return optionsReply(allow)
  return textReply(405, 'Method Not Allowed\n', ['Allow', allow])
}

export function logDecision (
  { settings, log }: RouterParts, { client }: Visitor, decision: RouteDecision
): void {
  const { kind } = decision
  const chosen = isToServer(decision) && {
    server: decision.kind === 'elsewhere'
      ? decision.server.name
      : settings.servers[decision.server]!.name,
    because: decision.because,
    note: decision.note
  }
  log.debug({ client: formatClient(client), kind, ...chosen }, 'visitor routed')
}

function visitorOf (
  request: RequestValue, { ticketParameter, clusterUrl }: TicketSettings & FleetNameSettings
): Visitor {
  const { method, path, query, headers, address } = request
  const named = namedClient(request)
  const ticket = query === '' ? undefined : ticketOf(query, ticketParameter)
  return {
    client: named ?? newClient(),
    address,
    isReturning: named !== undefined,
    isCounted: request.countEffect === 'adds',
    isProbe: method === 'HEAD' && countEffect({ method: 'GET', path, headers }) === 'adds',
    hasTicket: ticket !== undefined,
    refusedBy: refuserOf(ticket),
    hint: clusterUrl === '' ? undefined : namedServer(headers)
  }
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
    case 'servers-full':
      return tryLater(pages.full, FULL_RETRY_S, refusalReason('full'))
    case 'network':
      return tryLater(pages.network, FULL_RETRY_S, refusalReason('network'))
  }
}

/**
 * Whoever comes without an id is given the one under which the place is held. In a fleet a visitor
 * is told the name of the server, too: every router is to know then where they are.
 */
function renderRedirect (
  location: string, fleetName: string, visitor: Visitor, request: RequestValue,
  { settings }: RouterParts
): Reply {
  const { client, isReturning, isCounted, hint } = visitor
  const status = request.method === 'POST' ? TEMPORARY_REDIRECT : FOUND
  const isNew = isCounted && !isReturning
  // A beat may be for another client than the browser's.
  const isTold = settings.clusterUrl !== '' && isCounted && status === FOUND && hint !== fleetName
  if (!isNew && !isTold) {
    return { status, headers: ['Location', location, 'Cache-Control', 'no-store'], body: NO_BODY }
  }
  const headers = ['Location', location, 'Cache-Control', 'private, no-store']
  if (isNew) headers.push('Set-Cookie', clientCookie(client, request, settings))
  if (isTold) headers.push('Set-Cookie', serverCookie(fleetName, request, settings))
  return { status, headers, body: NO_BODY, ...(isNew && { newClient: client }) }
}

/** What a denied visitor is told to name: the id they brought, else their address. */
function nameOf ({ client, address, isReturning }: Visitor): string {
  return isReturning ? formatClient(client) : formatAddress(address)
}

function tryLater (
  page: Buffer, retryAfterS: number, more: readonly string[] = []
): Reply {
  return htmlReply(503, page.toString(), [...NO_STORE, 'Retry-After', String(retryAfterS), ...more])
}
