/**
 * `/heartbeat` and `/leave`: what pages say of their visitors. A beat by GET keeps who is here, for
 * any site's page can cause one; a beat by POST, which only a page of ours can send, brings in who
 * is not. Runs in the server's thread; the router answers for any server by the same steps.
 */
import { areSameClients, clientOfAddress, type Address, type Client } from '../client.ts'
import {
  hasClientCookie, newClient, queryClient, withCookie, type CookieSettings
} from '../http/vocabulary/identity.ts'
import { FOREIGN_REPLY, isForeign, type OriginSettings } from '../http/vocabulary/own-origin.ts'
import {
  jsonError, jsonReply, keptReply, NO_STORE, optionsReply, refusalReason
} from '../http/vocabulary/replies.ts'
import {
  NO_BODY, type CountEffect, type Reply, type RequestValue
} from '../http/vocabulary/values.ts'
import type { Busy } from '../memory/table-view.ts'
import type { VisitOptions } from '../memory/visits.ts'
import { ownServers } from '../settings/servers.ts'
import { formatSeconds, longestIntervalMs, type BeatSettings } from './beat.ts'
import { DRAINING, MOVED, visitDrained } from './draining.ts'
import { logUser, REFUSED, visit, type Visitor, type VisitorParts } from './visitors.ts'

export interface BeatParts extends VisitorParts {
  readonly denyList: { isDenied (client: Client | undefined, address: Address): boolean }
  readonly settings: BeatSettings & OriginSettings & CookieSettings
  /** Milliseconds until the next beat of one page among so many users. */
  readonly nextBeatMs: (activeUsers: number) => number
  /** Told of a beat or a leave that was refused because another site's page caused it. */
  readonly onForeign: (request: RequestValue) => void
}

/** Places come free with the next sweep or the next leave. */
export const RETRY_AFTER_S = 5

export const BEAT_METHODS = ['GET', 'HEAD', 'POST']
export const LEAVE_METHODS = ['POST']

export const OWN_BEAT: VisitOptions = { sign: 'beat' }
/** By an id that anybody can have written into the query. */
const BEAT: VisitOptions = { sign: 'beat', isOwn: false }

const LEAVE_RECEIVED = keptReply(jsonReply(200, { response: 'leave received' }, NO_STORE))
const NOTHING: readonly string[] = []
const NOT_HERE =
  'This visitor is not in the user table, or their page has left. A beat by POST brings them in.'
const MALFORMED_ID = keptReply(jsonError(400, 'malformed_client_id',
  'client_id, in the query or the cookie, must be one UUID other than the nil UUID.'))
export const DENIED =
  keptReply(jsonError(403, 'denied', 'Access to this site was ended by its operator.'))
const NETWORK = keptReply(jsonError(503, 'network',
  'Too many new visitors came from this network at once. Try again later.',
  ['Retry-After', String(RETRY_AFTER_S), ...refusalReason('network')]))
const UNAVAILABLE = keptReply(jsonError(503, 'unavailable',
  'There is no room at the moment. Try again later.', ['Retry-After', String(RETRY_AFTER_S)]))

/** Answers the beats of one server. @param own the host names whose pages are ours */
export function beatHandler (
  parts: BeatParts, own: ReadonlySet<string>
): (request: RequestValue) => Reply {
  const takeBeat = beatTaker(parts)
  return request => {
    const refused = methodRefusal(request, BEAT_METHODS)
    if (refused !== undefined) return refused
    const sender = identifySender(parts, request, isForeign(request, own))
    if ('status' in sender) return sender
    return orUnavailable(takeBeat(request, sender, request.countEffect))
  }
}

/** The visitor of a beat is noted and answered; busy: nothing was done. */
export type TakeBeat = (
  request: Pick<RequestValue, 'query' | 'isSecure' | 'authority'>, sender: Visitor,
  effect: CountEffect
) => Reply | Busy

export function beatTaker (parts: BeatParts): TakeBeat {
  const replies = new BeatReplies()

  return (request, sender, effect) => {
    const phase = parts.drainPhase()
    if (phase === 'everybody') return MOVED
    const outcome = phase === 'none'
      ? visit(parts, sender, effect)
      : visitDrained(parts, phase, sender, effect)
    if (outcome === 'busy') return outcome
    if (REFUSED.has(outcome)) return outcome === 'network' ? NETWORK : UNAVAILABLE
    if (outcome === 'unknown' && effect === 'adds') return DRAINING
    const activeUsers = parts.table.activeUsers(parts.server)
    const asked = serverUsersHeader(parts, request.query)
    if (outcome === 'unknown') {
      return jsonError(404, 'not_here', NOT_HERE, [...usersHeader(activeUsers), ...asked])
    }
    const intervalMs = outcome === 'uncounted'
      ? longestIntervalMs(parts.settings)
      : parts.nextBeatMs(activeUsers)
    const reply = asked.length === 0
      ? replies.keptFor(activeUsers, intervalMs)
      : beatReply(activeUsers, intervalMs, asked)
    const isGivenId = effect === 'adds' && sender.client.kind === 'ip'
    return isGivenId ? withCookie(reply, newClient(), request, parts.settings) : reply
  }
}

/** Beats mostly get one of few answers, until the number of users is another one. */
class BeatReplies {
  #activeUsers = 0
  readonly #byIntervalMs = new Map<number, Reply>()

  keptFor (activeUsers: number, intervalMs: number): Reply {
    if (activeUsers !== this.#activeUsers) {
      this.#byIntervalMs.clear()
      this.#activeUsers = activeUsers
    }
    let reply = this.#byIntervalMs.get(intervalMs)
    if (reply === undefined) {
      reply = keptReply(beatReply(activeUsers, intervalMs, NOTHING))
      this.#byIntervalMs.set(intervalMs, reply)
    }
    return reply
  }
}

function beatReply (activeUsers: number, intervalMs: number, asked: readonly string[]): Reply {
  return {
    status: 204,
    headers: [
      ...usersHeader(activeUsers), 'X-Heartbeat-Interval', formatSeconds(intervalMs),
      ...asked, ...NO_STORE
    ],
    body: NO_BODY
  }
}

function usersHeader (activeUsers: number): readonly string[] {
  return ['X-Active-Users', String(activeUsers)]
}

/** @param own the host names whose pages are ours */
export function answerLeave (
  parts: BeatParts, request: RequestValue, own: ReadonlySet<string>
): Reply {
  const refused = methodRefusal(request, LEAVE_METHODS)
  if (refused !== undefined) return refused
  const sender = identifySender(parts, request, isForeign(request, own))
  return 'status' in sender ? sender : orUnavailable(takeLeave(parts, request, sender))
}

/** Busy: nothing was done. */
export function takeLeave (
  parts: VisitorParts, { query }: Pick<RequestValue, 'query'>, { client }: Pick<Visitor, 'client'>
): Reply | Busy {
  const isOfPage = new URLSearchParams(query).has('page')
  const left = isOfPage
    ? parts.table.leaveAfterGrace(client, parts.server)
    : parts.table.leave(client, parts.server)
  if (left === 'busy') return left
  // After a page's leave the user is here still: who ends it logs it.
  if (left && !isOfPage) logUser(parts, client, 'user left')
  return LEAVE_RECEIVED
}

/** For a table that could not be reached in time. */
export function orUnavailable (reply: Reply | Busy): Reply {
  return reply === 'busy' ? UNAVAILABLE : reply
}

/**
 * With `servers` in the query: active users of every own server, in the order of PORTS, as
 * `8000=11, 8001=10`. Only then, because the beats of a page have no use for it.
 */
function serverUsersHeader (
  { table, settings }: BeatParts, query: string
): readonly string[] {
  if (query === '' || !new URLSearchParams(query).has('servers')) return NOTHING
  const counts = table.activeUsersPerServer()
  const entries = ownServers(settings.servers).map(({ port, index }) => `${port}=${counts[index]}`)
  return ['X-Server-Users', entries.join(', ')]
}

type SenderParts = Pick<BeatParts, 'denyList' | 'onForeign'>

/**
 * Who beats or leaves, or the reply to one who may not: first of all to the denied.
 * @param isOwnQuery whether only the browser itself can have written an id into the query
 */
export function identifySender (
  parts: SenderParts, request: RequestValue, isForeign: boolean, isOwnQuery = false
): Visitor | Reply {
  const { headers, address } = request
  const queried = queryClient(request.query)
  const ofCookie = request.cookieClient
  const named = queried === 'malformed' ? ofCookie : queried ?? ofCookie
  if (parts.denyList.isDenied(named, address)) return DENIED
  if (isForeign) {
    parts.onForeign(request)
    return FOREIGN_REPLY
  }
  const isMalformed = queried === 'malformed' || (named === undefined && hasClientCookie(headers))
  if (isMalformed) return MALFORMED_ID
  const client = named ?? clientOfAddress(address)
  const isOwn = isOwnQuery || queried === undefined ||
    (ofCookie !== undefined && areSameClients(client, ofCookie))
  return { client, address, options: isOwn ? OWN_BEAT : BEAT }
}

/** The reply to a request by another method than these. */
export function methodRefusal (
  { method }: Pick<RequestValue, 'method'>, methods: readonly string[]
): Reply | undefined {
  if (methods.includes(method)) return undefined
  const allow = methods.join(', ')
  if (method === 'OPTIONS') return optionsReply(allow)
  return jsonError(405, 'method_not_allowed', `The method must be one of: ${allow}.`,
    ['Allow', allow])
}
