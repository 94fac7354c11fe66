/**
 * The decisions for a proxy that carries the bytes itself: for each request that it forwards the
 * head of, the server that the visitor goes to. Places newcomers as the router does, leaves those
 * who are active where they are, and counts both: each decision is a touch. Main thread.
 */
import type { Choose } from '@usher/shared/balancing/policies.ts'
import { formatClient, type Client } from '@usher/shared/client.ts'
import { BEAT_PATH, countEffect, HEALTH_PATH } from '@usher/shared/http/vocabulary/counting.ts'
import { healthReply } from '@usher/shared/http/vocabulary/health.ts'
import { clientCookie, namedClient, newClient } from '@usher/shared/http/vocabulary/identity.ts'
import { redirectTarget } from '@usher/shared/http/vocabulary/redirect-target.ts'
import {
  jsonError, NO_STORE, optionsReply, textReply
} from '@usher/shared/http/vocabulary/replies.ts'
import { parseTarget } from '@usher/shared/http/vocabulary/target.ts'
import {
  NO_BODY, type CountEffect, type Handler, type Reply, type RequestValue
} from '@usher/shared/http/vocabulary/values.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { VisitOptions } from '@usher/shared/memory/visits.ts'
import { nowOrLater, type Steps } from '@usher/shared/now-or-later.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import {
  decide, decideUncounted, type RouteDecision, type Visitor
} from './placing.ts'
import { logDecision, renderRefusal, type RouterParts } from './router.ts'

export interface DecisionParts extends RouterParts {
  readonly settings: RouterParts['settings'] & Pick<Settings, 'routingPort' | 'tls'>
  readonly table: RouterParts['table'] & Pick<UserTable, 'touch' | 'refresh' | 'drainPhase'>
  /** Where the proxy finds each server: scheme, host and port. */
  readonly upstreams: readonly string[]
}

const DECIDE_PATH = '/decide'
export const DECISION_ALLOW = 'GET, HEAD'

/** The status of a refusal for want of room: nginx makes 500 of all but 2xx, 401 and 403. */
const FULL_STATUS = 503
const FULL_STATUSES: ReadonlyMap<string, number> = new Map([
  ['', FULL_STATUS], ['?full=503', 503], ['?full=401', 401], ['?full=403', 403]
])
const FULL_ALLOWED = 'full=401, full=403, full=503, or nothing'
/** Methods by which nobody does anything. */
const IDLE_METHODS = new Set(['HEAD', 'OPTIONS', 'TRACE'])
const OPENED: VisitOptions = { sign: 'page' }

/** What the visitor has asked the proxy for. */
type Asked = Pick<RequestValue, 'method' | 'path' | 'query' | 'headers'>

export function decisionHandler (given: DecisionParts): Handler {
  const parts = forDecisions(given)
  const frontDoor = redirectTarget(parts.settings)
  const { routerUrl, routingPort, tls } = parts.settings
  const router = { publicUrl: routerUrl === '' ? undefined : routerUrl, port: routingPort }
  return request => {
    const { method, path } = request
    if (path === HEALTH_PATH) return healthReply(method, parts.reasonNotHealthy())
    if (path !== DECIDE_PATH) return notFound()
    if (method === 'OPTIONS') return optionsReply(DECISION_ALLOW)
    if (method !== 'GET' && method !== 'HEAD') return notAllowed()
    const asked = askedOf(request)
    const fullStatus = fullStatusOf(request.query, asked)
    if (fullStatus === undefined) return badQuery()
    const effect = asked === undefined ? 'none' : effectOf(asked)
    const visitor = visitorOf(request, asked, effect)
    return nowOrLater(seat(parts, visitor, effect), decision => {
      if (parts.log.isLevelEnabled('debug')) logDecision(parts, visitor, decision)
      if (decision.kind === 'redirect') return renderSeat(parts, decision, visitor, request)
      const refusal = renderRefusal(decision.kind, visitor, parts)
      if (decision.kind === 'denied') return refusal
      const { authority } = request
      const { path = '/', query = '' } = asked ?? {}
      const location = frontDoor({ path, query, authority, isSecure: tls !== undefined }, router)
      return {
        ...refusal,
        status: fullStatus,
        headers: [...refusal.headers, 'X-Usher-Location', location]
      }
    })
  }
}

/** As for the router, but nobody waits, and who is active somewhere stays there. */
function forDecisions (parts: DecisionParts): DecisionParts {
  const { reservations, table, isAvailable } = parts
  const mayStay = (server: number): boolean =>
    isAvailable(server) || table.drainPhase(server) === 'newcomers'
  const choose: Choose = request => {
    const { current } = request
    if (current === NO_SERVER || !mayStay(current)) return parts.choose(request)
    return { server: current, because: 'the visitor is there' }
  }
  return {
    ...parts,
    choose,
    isAvailable: mayStay,
    delayMs: () => 0,
    reservations: {
      reserve: request => reservations.reserve(request),
      // Is touched in the same turn, and so needs no deadline of its own.
      reserveNow: request => reservations.reserve(request),
      confirm: (client, server) => reservations.confirm(client, server),
      release: (client, server) => { reservations.release(client, server) }
    }
  }
}

/**
 * By `X-Original-URI` (nginx) or `X-Forwarded-Uri` (caddy), and `X-Forwarded-Method`; a page where
 * they are left out. Undefined for what is no request target.
 */
function askedOf ({ headers }: RequestValue): Asked | undefined {
  const method = headers['x-forwarded-method'] ?? 'GET'
  const target = parseTarget(method, headers['x-original-uri'] ?? headers['x-forwarded-uri'] ?? '/')
  if (target === undefined) return undefined
  const { pathAndQuery } = target
  const mark = pathAndQuery.indexOf('?')
  const path = mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark)
  return { method, path, query: mark === -1 ? '' : pathAndQuery.slice(mark), headers }
}

/** A proxy that rewrites the path alone leaves the visitor's query behind it: it says nothing. */
function fullStatusOf (query: string, asked: Asked | undefined): number | undefined {
  return FULL_STATUSES.get(query) ?? (query === asked?.query ? FULL_STATUS : undefined)
}

/** As for a server's own requests; and who posts something is here. */
function effectOf (asked: Asked): CountEffect {
  const { method, path, headers } = asked
  // A server counts by its beats itself.
  if (path === BEAT_PATH) return 'refreshes'
  if (method === 'GET') return countEffect(asked)
  if (IDLE_METHODS.has(method)) return 'none'
  return headers['sec-fetch-site'] === 'cross-site' ? 'none' : 'refreshes'
}

function visitorOf (
  { address, cookieClient }: RequestValue, asked: Asked | undefined, effect: CountEffect
): Visitor {
  const named = asked === undefined ? cookieClient : namedClient({ ...asked, cookieClient })
  return {
    client: named ?? newClient(),
    address,
    isReturning: named !== undefined,
    isCounted: effect === 'adds',
    isProbe: false
  }
}

/** Where the visitor goes; who is counted is active there then. */
function * seat (
  parts: DecisionParts, visitor: Visitor, effect: CountEffect
): Steps<RouteDecision> {
  const decision = visitor.isCounted
    ? yield * decide(parts, visitor)
    : yield * decideUncounted(parts, visitor)
  if (decision.kind !== 'redirect') return decision
  const { client, address, isReturning } = visitor
  const { server } = decision
  const { table } = parts
  if (decision.holdsPlace) {
    const touched = yield * whileBusy(() => table.touch(client, server, address, OPENED))
    if (touched === 'full' || touched === 'address-full') return { kind: touched }
    if (touched === 'arrived' || touched === 'moved') logTouch(parts, client, server, touched)
  } else if (effect === 'refreshes' && isReturning) {
    yield * whileBusy(() => table.refresh(client, server, address))
  }
  return decision
}

function logTouch (
  { log, settings }: DecisionParts, client: Client, server: number, news: 'arrived' | 'moved'
): void {
  if (!log.isLevelEnabled('debug')) return
  const { name } = settings.servers[server]!
  log.debug({ client: formatClient(client), server: name }, `user ${news}`)
}

/** The id is told also where the visitor does not bring it: so that the server knows it at once. */
function renderSeat (
  { settings, upstreams }: DecisionParts, { server }: Extract<RouteDecision, { kind: 'redirect' }>,
  { client, isReturning, isCounted }: Visitor, request: RequestValue
): Reply {
  const isNew = !isReturning && isCounted
  const headers = [
    'X-Usher-Server', settings.servers[server]!.name,
    'X-Usher-Upstream', upstreams[server]!,
    ...NO_STORE
  ]
  if (isReturning || isNew) headers.push('X-Usher-Client', formatClient(client))
  if (!isNew) return { status: 200, headers, body: NO_BODY }
  headers.push('Set-Cookie', clientCookie(client, request, settings))
  return { status: 200, headers, body: NO_BODY, newClient: client }
}

function notFound (): Reply {
  return jsonError(404, 'not_found', `Decisions are asked for at ${DECIDE_PATH}.`)
}

function notAllowed (): Reply {
  return textReply(405, `Only ${DECISION_ALLOW} are answered here.\n`,
    ['Allow', DECISION_ALLOW, ...NO_STORE])
}

function badQuery (): Reply {
  return jsonError(400, 'bad_query', `${DECIDE_PATH} takes this query only: ${FULL_ALLOWED}.`)
}
