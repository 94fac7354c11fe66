/**
 * The decisions for a proxy that carries the bytes itself: for each request that it forwards the
 * head of, the server that the visitor goes to. Places newcomers as the router does, leaves those
 * who are active where they are, and counts both: each decision is a touch. In a fleet it decides
 * among the servers of its own node, which its proxy stands before. Main thread.
 */
import type { Choose } from '@usher/shared/balancing/policies.ts'
import { areSameClients, formatClient, type Address, type Client } from '@usher/shared/client.ts'
import { fleetName } from '@usher/shared/fleet/fleet-name.ts'
import { HEALTH_PATH } from '@usher/shared/http/vocabulary/counting.ts'
import { healthReply } from '@usher/shared/http/vocabulary/health.ts'
import { clientCookie, namedClient, newClient } from '@usher/shared/http/vocabulary/identity.ts'
import { redirectTarget } from '@usher/shared/http/vocabulary/redirect-target.ts'
import {
  jsonError, keptReply, NO_STORE, optionsReply, textReply
} from '@usher/shared/http/vocabulary/replies.ts'
import {
  NO_BODY, type CountEffect, type Handler, type Reply, type RequestValue
} from '@usher/shared/http/vocabulary/values.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { VisitOptions } from '@usher/shared/memory/visits.ts'
import { nowOrLater, type Steps } from '@usher/shared/now-or-later.ts'
import { followServers } from '@usher/shared/settings/server-list.ts'
import { presentServers } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Ticket } from '@usher/shared/tickets/ticket.ts'
import { ticketOf } from '@usher/shared/tickets/ticket-query.ts'
import { effectOf, FULL_ALLOWED, FULL_STATUS, fullStatusOf, targetOf, type Asked } from './decision-question.ts'
import {
  decide, decideUncounted, isDenied, whyNoServer, type LocalDecision, type Refusal, type Visitor
} from './placing.ts'
import { logDecision, renderRefusal, type RouterParts } from './router.ts'
import type { TicketParts } from './ticket-issuer.ts'

export interface DecisionParts extends RouterParts {
  readonly settings: RouterParts['settings'] & Pick<Settings, 'routingPort' | 'tls'>
  readonly table: RouterParts['table'] & Pick<UserTable, 'touch' | 'touchInPlace' | 'refresh' | 'drainPhase'>
  readonly tickets: RouterParts['tickets'] & TicketParts
  /** Where the proxy finds each server, by its index now: scheme, host and port. */
  readonly upstreams: () => readonly string[]
}

const DECIDE_PATH = '/decide'
/** For nginx, which keeps nothing of a refusal but its status and headers. */
const REFUSAL_PATH = '/refusal'
/** X-Usher-Reason of the refusal; the other reasons can be seen again. */
const NETWORK_QUERY = '?reason=network'
export const DECISION_ALLOW = 'GET, HEAD'

/** The status of an answer that names a server. */
const SEATED_STATUS = 200
const OPENED: VisitOptions = { sign: 'page' }

/** What a proxy asks, read. */
interface Question {
  readonly request: RequestValue
  readonly asked: Asked
  readonly effect: CountEffect
  /** Of a refusal for want of room. */
  readonly fullStatus: number
}

export function decisionHandler (given: DecisionParts): Handler {
  const parts = forDecisions(given)
  const { settings, tickets } = parts
  const routerOf = routerTarget(settings)
  /** By server: most of those who ask stay where they are. */
  const staying: Reply[] = []
  followServers(settings.servers, () => { staying.length = 0 })
  const stays = (server: number): Reply => (staying[server] ??= keptReply(seatReply(parts, server)))

  /** @param isTold the visitor's cookie names the client */
  function answer (
    { request, asked, effect, fullStatus }: Question, named: Client | undefined, isTold: boolean
  ): Reply | Promise<Reply> {
    const { address } = request
    const goesTo = (server: number, client: Client): Reply =>
      isTold || effect !== 'adds' ? stays(server) : newcomerReply(parts, server, client, request)
    if (named !== undefined && effect !== 'none') {
      const server = touchInPlace(parts, named, address, effect)
      if (server !== NO_SERVER) return goesTo(server, named)
    }
    const visitor = visitorOf(named, address, effect === 'adds')
    return nowOrLater(seat(parts, visitor, effect), decision => {
      if (parts.log.isLevelEnabled('debug')) logDecision(parts, visitor, decision)
      if (decision.kind === 'redirect') return goesTo(decision.server, visitor.client)
      return refuse(decision.kind, visitor, request, asked, fullStatus)
    })
  }

  function refuse (
    kind: Refusal, visitor: Visitor, request: RequestValue, asked: Asked, fullStatus: number
  ): Reply {
    const refusal = renderRefusal(kind, visitor, parts)
    if (kind === 'denied') return refusal
    const headers = [...refusal.headers, 'X-Usher-Location', routerOf(request, asked)]
    return { ...refusal, status: fullStatus, headers }
  }

  /** Again, for whoever was refused a moment ago: nobody is placed, whatever has become free. */
  function repeatRefusal (request: RequestValue, asked: Asked): Reply {
    const { query, address, cookieClient } = request
    const named = namedClient({ path: asked.path, query: asked.query, cookieClient })
    const visitor = visitorOf(named, address, false)
    const kind = isDenied(parts, visitor)
      ? 'denied'
      : query === NETWORK_QUERY ? 'network' : whyRefused(parts)
    return refuse(kind, visitor, request, asked, FULL_STATUS)
  }

  async function answerTicket (
    question: Question, named: Client | undefined, text: string
  ): Promise<Reply> {
    const ticket = await redeem(parts, text)
    if (ticket === undefined) return await answer(question, named, named !== undefined)
    const { id, client } = ticket
    const reply = await answer(
      question, client, named !== undefined && areSameClients(client, named))
    if (reply.status !== SEATED_STATUS) tickets.giveBack(id)
    return reply
  }

  return request => {
    const { method, path } = request
    if (path === HEALTH_PATH) return healthReply(method, parts.reasonNotHealthy())
    if (method === 'OPTIONS') return optionsReply(DECISION_ALLOW)
    if (method !== 'GET' && method !== 'HEAD') return notAllowed()
    if (path !== DECIDE_PATH && path !== REFUSAL_PATH) return notFound()
    const { headers, cookieClient } = request
    const asked = targetOf(headers['x-original-uri'] ?? headers['x-forwarded-uri'] ?? '/')
    if (path === REFUSAL_PATH) return repeatRefusal(request, asked)
    const fullStatus = fullStatusOf(request.query, asked)
    if (fullStatus === undefined) return badQuery()
    const effect = effectOf(headers, asked)
    const named = namedClient({ path: asked.path, query: asked.query, cookieClient })
    const question = { request, asked, effect, fullStatus }
    const ticket = effect === 'adds' ? ticketOf(asked.query, settings.ticketParameter) : undefined
    if (ticket === undefined) return answer(question, named, named !== undefined)
    return answerTicket(question, named, ticket)
  }
}

function visitorOf (named: Client | undefined, address: Address, isCounted: boolean): Visitor {
  return {
    client: named ?? newClient(),
    address,
    isReturning: named !== undefined,
    isCounted,
    isProbe: false,
    hasTicket: false,
    refusedBy: undefined,
    hint: undefined
  }
}

function whyRefused (parts: DecisionParts): Refusal {
  return parts.table.isFull() ? 'full' : whyNoServer(parts)
}

/**
 * Who comes by a redirect of the router's to a name that its cookie does not reach; undefined for a
 * ticket that is not good, which is as if there was none. The proxy may stand before any server.
 */
async function redeem (
  { tickets, settings, log }: DecisionParts, text: string
): Promise<Ticket | undefined> {
  const names = presentServers(settings.servers).map(({ name }) => fleetName(settings, name))
  const ticket = await tickets.redeemer.redeem(text, ...names)
  if (typeof ticket !== 'string') return ticket
  log.debug({ fault: ticket }, 'ticket refused')
  return undefined
}

/** Gives the router's address for what the visitor has asked for. */
function routerTarget (
  settings: DecisionParts['settings']
): (request: RequestValue, asked: Asked) => string {
  const targetOf = redirectTarget(settings)
  const { routerUrl, routingPort: port, tls } = settings
  const router = { publicUrl: routerUrl === '' ? undefined : routerUrl, port }
  const isSecure = tls !== undefined
  return ({ authority }, asked) => targetOf({ ...asked, authority, isSecure }, router)
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

/** The server of one who is active there and stays; NO_SERVER for everybody else. */
function touchInPlace (
  { denyList, table, isAvailable, log, settings }: DecisionParts, client: Client, address: Address,
  effect: CountEffect
): number {
  if (denyList.isDenied(client, address)) return NO_SERVER
  const options = effect === 'adds' ? OPENED : undefined
  const server = table.touchInPlace(client, address, isAvailable, options)
  if (server === NO_SERVER || server === 'busy') return NO_SERVER
  if (log.isLevelEnabled('debug')) {
    const { name } = settings.servers[server]!
    log.debug({ client: formatClient(client), server: name }, 'visitor stays')
  }
  return server
}

/** Where the visitor goes; who is counted is active there then. */
function * seat (
  parts: DecisionParts, visitor: Visitor, effect: CountEffect
): Steps<LocalDecision> {
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
    if (touched === 'server-full') return { kind: 'servers-full' }
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

function seatReply ({ settings, upstreams }: DecisionParts, server: number): Reply {
  const headers = [
    'X-Usher-Server', settings.servers[server]!.name, 'X-Usher-Upstream', upstreams()[server]!,
    ...NO_STORE
  ]
  return { status: SEATED_STATUS, headers, body: NO_BODY }
}

/** The id is told beside the cookie, so that the server can know it from the first request on. */
function newcomerReply (
  parts: DecisionParts, server: number, client: Client, request: RequestValue
): Reply {
  const { headers, ...reply } = seatReply(parts, server)
  const cookie = clientCookie(client, request, parts.settings)
  const ids = ['X-Usher-Client', formatClient(client), 'Set-Cookie', cookie]
  return { ...reply, headers: [...headers, ...ids], newClient: client }
}

function notFound (): Reply {
  return jsonError(404, 'not_found',
    `Decisions are asked for at ${DECIDE_PATH}, what a refused visitor reads at ${REFUSAL_PATH}.`)
}

function notAllowed (): Reply {
  return textReply(405, `Only ${DECISION_ALLOW} are answered here.\n`,
    ['Allow', DECISION_ALLOW, ...NO_STORE])
}

function badQuery (): Reply {
  return jsonError(400, 'bad_query', `${DECIDE_PATH} takes this query only: ${FULL_ALLOWED}.`)
}
