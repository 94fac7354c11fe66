/**
 * What one static server answers: to whom (identified, denied, counted) is decided here, what (the
 * file) in file-reply.ts. Holds no user and no file of its own; runs in the server's thread.
 */
import type { Logger } from 'pino'
import {
  clientOfAddress, formatAddress, formatClient, type Address, type Client
} from '@usher/shared/client.ts'
import {
  clientCookie, cookieClient, countsAsVisit, hasClientCookie, isForeign, newClient, queryClient
} from '@usher/shared/http/vocabulary/identity.ts'
import { htmlReply, jsonReply, NO_STORE, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { NO_BODY, type Handler, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { Busy } from '@usher/shared/memory/table-view.ts'
import type { TouchOutcome } from '@usher/shared/memory/visits.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { beatIntervalMs, formatSeconds, longestIntervalMs, type BeatSettings } from './beat.ts'
import { codingChooser } from './content-coding.ts'
import { renderDeniedPage } from '@usher/shared/http/vocabulary/denied-page.ts'
import { fileReply, siteReply } from './file-reply.ts'
import type { Site } from './site.ts'
import { storeFile } from './stored-file.ts'

/** What a server needs of the user table. */
export interface VisitorTable {
  /** Busy: the table could not be reached in time, and nothing was done. */
  touch (client: Client, server: number, address: Address): TouchOutcome | Busy
  /** False when the client was not active on that server. */
  leave (client: Client, server: number): boolean | Busy
  /** As leave, once LEAVE_GRACE is over, unless the client is seen by then. */
  leaveAfterGrace (client: Client, server: number): boolean | Busy
  activeUsers (server: number): number
  activeUsersPerServer (): Int32Array
}

export interface StaticHandlerParts {
  /** Index of this server in PORTS. */
  readonly server: number
  readonly table: VisitorTable
  readonly denyList: { isDenied (client: Client | undefined, address: Address): boolean }
  /** Asked at every request, since a reload switches it. */
  readonly site: () => Site
  /** As renderPageScript makes it. */
  readonly pageScript: Buffer
  /** Whole HTML pages; `denied` is the template of renderDeniedPage. */
  readonly pages: { readonly denied: Buffer, readonly full: Buffer }
  readonly settings: BeatSettings & Pick<Settings, 'servers'>
  /** 0 to below 1. */
  readonly random: () => number
  /** Told of an address that is refused newcomers because it has reached its quota. */
  readonly onAddressFull: (address: Address) => void
  readonly log: Pick<Logger, 'debug' | 'isLevelEnabled'>
  /** For the time on the denied page; the system's clock when left out. */
  readonly wallNow?: () => Date
}

/** Places come free with the next sweep or the next leave. */
const RETRY_AFTER_S = 5

const REFUSED: ReadonlySet<TouchOutcome | Busy> = new Set(['full', 'address-full', 'busy'])

const PAGE_METHODS = ['GET', 'HEAD']
const BEAT_METHODS = ['GET', 'HEAD', 'POST']
const LEAVE_METHODS = ['POST']

const LEAVE_RECEIVED = jsonReply(200, { response: 'leave received' }, NO_STORE)
const FOREIGN = jsonError(403, 'foreign_origin', 'Only pages of this site may do this.')
const MALFORMED_ID = jsonError(400, 'malformed_client_id',
  'client_id, in the query or the cookie, must be one UUID other than the nil UUID.')
const DENIED = jsonError(403, 'denied', 'Access to this site was ended by its operator.')
const UNAVAILABLE = jsonError(503, 'unavailable', 'There is no room at the moment. Try again later.',
  ['Retry-After', String(RETRY_AFTER_S)])

/** The handler for one server's door. */
export function staticHandler (parts: StaticHandlerParts): Handler {
  const codings = codingChooser()
  const script = storeFile('usher.js', parts.pageScript, undefined)
  const fullPage = htmlReply(503, parts.pages.full.toString(),
    ['Retry-After', String(RETRY_AFTER_S), ...NO_STORE])

  return function handle (request) {
    switch (request.path) {
      case '/heartbeat':
        return answerBeat(parts, request)
      case '/leave':
        return answerLeave(parts, request)
      case '/usher.js':
        return script.then(file =>
          answerPage(parts, request, fullPage, () => fileReply(file, request, codings)))
      default:
        return answerPage(parts, request, fullPage, () =>
          siteReply(parts.site(), request, codings))
    }
  }
}

function answerBeat (parts: StaticHandlerParts, request: RequestValue): Reply {
  if (!BEAT_METHODS.includes(request.method)) return jsonNotAllowed(BEAT_METHODS)
  const sender = identifySender(parts, request)
  if ('refusal' in sender) return sender.refusal
  const outcome = visit(parts, sender.client, request.address)
  if (REFUSED.has(outcome)) return UNAVAILABLE
  const activeUsers = parts.table.activeUsers(parts.server)
  const intervalMs = outcome === 'uncounted'
    ? longestIntervalMs(parts.settings)
    : beatIntervalMs(activeUsers, parts.settings, parts.random)
  return {
    status: 204,
    headers: [
      'X-Active-Users', String(activeUsers),
      'X-Heartbeat-Interval', formatSeconds(intervalMs),
      ...serverUsersHeader(parts, request.query),
      ...NO_STORE
    ],
    body: NO_BODY
  }
}

/**
 * With `servers` in the query: active users of every server, in the order of PORTS, as
 * `8000=11, 8001=10`. Only then, because the beats of a page have no use for it.
 */
function serverUsersHeader (
  { table, settings }: StaticHandlerParts, query: string
): readonly string[] {
  if (query === '' || !new URLSearchParams(query).has('servers')) return []
  const counts = table.activeUsersPerServer()
  const entries = settings.servers.map(({ port, index }) => `${port}=${counts[index]}`)
  return ['X-Server-Users', entries.join(', ')]
}

function answerLeave (parts: StaticHandlerParts, request: RequestValue): Reply {
  if (!LEAVE_METHODS.includes(request.method)) return jsonNotAllowed(LEAVE_METHODS)
  const sender = identifySender(parts, request)
  if ('refusal' in sender) return sender.refusal
  const isOfPage = new URLSearchParams(request.query).has('page')
  const left = isOfPage
    ? parts.table.leaveAfterGrace(sender.client, parts.server)
    : parts.table.leave(sender.client, parts.server)
  if (left === 'busy') return UNAVAILABLE
  // After a page's leave the user is here still: who ends it logs it.
  if (left && !isOfPage) logUser(parts, sender.client, 'user left')
  return LEAVE_RECEIVED
}

/** `content` is asked only when the visitor is to have it. */
function answerPage (
  parts: StaticHandlerParts, request: RequestValue, fullPage: Reply, content: () => Reply
): Reply {
  if (!PAGE_METHODS.includes(request.method)) return pageNotAllowed()
  const { address, headers } = request
  const named = cookieClient(headers)
  if (parts.denyList.isDenied(named, address)) return deniedPage(parts, named, address)
  if (!countsAsVisit(headers)) return content()
  if (REFUSED.has(visit(parts, named ?? clientOfAddress(address), address))) return fullPage
  if (named !== undefined) return content()
  return withClient(content(), newClient(), request.isSecure)
}

/** Who beats or leaves, or the reply to one who may not. */
function identifySender (
  parts: StaticHandlerParts, request: RequestValue
): { client: Client } | { refusal: Reply } {
  if (isForeign(request)) return { refusal: FOREIGN }
  const queried = queryClient(request.query)
  if (queried === 'malformed') return { refusal: MALFORMED_ID }
  const named = queried ?? cookieClient(request.headers)
  if (named === undefined && hasClientCookie(request.headers)) return { refusal: MALFORMED_ID }
  if (parts.denyList.isDenied(named, request.address)) return { refusal: DENIED }
  return { client: named ?? clientOfAddress(request.address) }
}

/** Counts the request, unless there is no room for its client, or it is beyond its allowance. */
function visit (
  parts: StaticHandlerParts, client: Client, address: Address
): TouchOutcome | Busy {
  const outcome = parts.table.touch(client, parts.server, address)
  if (outcome === 'arrived') logUser(parts, client, 'user arrived')
  if (outcome === 'moved') logUser(parts, client, 'user moved')
  if (outcome === 'address-full') parts.onAddressFull(address)
  return outcome
}

function logUser ({ log }: StaticHandlerParts, client: Client, news: string): void {
  // The text of a client costs more than all else that a beat needs.
  if (!log.isLevelEnabled('debug')) return
  log.debug({ client: formatClient(client) }, news)
}

function deniedPage (
  parts: StaticHandlerParts, named: Client | undefined, address: Address
): Reply {
  const visitor = named === undefined ? formatAddress(address) : formatClient(named)
  const when = parts.wallNow?.() ?? new Date()
  return htmlReply(403, renderDeniedPage(parts.pages.denied, visitor, when), NO_STORE)
}

/** An answer that names one visitor is for no cache: neither a shared one nor the browser's. */
function withClient (reply: Reply, client: Client, isSecure: boolean): Reply {
  const headers: string[] = []
  for (let at = 0; at < reply.headers.length; at += 2) {
    if (reply.headers[at] === 'Cache-Control') continue
    headers.push(reply.headers[at]!, reply.headers[at + 1]!)
  }
  const cookie = clientCookie(client, isSecure)
  headers.push('Cache-Control', 'private, no-store', 'Set-Cookie', cookie)
  return { ...reply, headers, newClient: client }
}

function pageNotAllowed (): Reply {
  const allowed = PAGE_METHODS.join(', ')
  return textReply(405, `Only ${allowed} are answered here.\n`, ['Allow', allowed, ...NO_STORE])
}

function jsonNotAllowed (methods: readonly string[]): Reply {
  const allowed = methods.join(', ')
  return jsonError(405, 'method_not_allowed', `The method must be one of: ${allowed}.`,
    ['Allow', allowed])
}

function jsonError (
  status: number, error: string, message: string, headers: readonly string[] = []
): Reply {
  return jsonReply(status, { error, message }, [...headers, ...NO_STORE])
}
