/**
 * Who a request's head says its browser is, and the cookie that names it. Reads values and makes
 * values; knows no user table.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { formatClient, parseClientId } from '../../client.ts'
import type { Client } from '../../client.ts'
import { isFleetServer } from '../../fleet/fleet-name.ts'
import type { Settings } from '../../settings/settings.ts'
import { parseAuthority } from './authority.ts'
import { cookieValues, firstCookie } from './cookies.ts'
import { BEAT_PATH, LEAVE_PATH } from './counting.ts'
import { requestFields, type Reply, type RequestFields, type RequestValue } from './values.ts'

/** Of the cookie, and of the parameter. */
const ID_NAME = 'client_id'
/** Of the cookie that says where in a fleet its visitor was sent last. */
const SERVER_COOKIE = 'client_server'
const COOKIE_LIFETIME_S = 31_536_000 // a year

/** Beats and leaves may name their client in the query, for a page whose cookies are blocked. */
const NAMING_PATHS = new Set([BEAT_PATH, LEAVE_PATH])

/**
 * Whom a request names: on `/heartbeat` and `/leave` by its query first, else by its cookie. A
 * malformed query names no client.
 */
export function namedClient (
  request: Pick<RequestValue, 'path' | 'query' | 'cookieClient'>
): Client | undefined {
  const queried = NAMING_PATHS.has(request.path) ? queryClient(request.query) : undefined
  return queried === undefined || queried === 'malformed' ? request.cookieClient : queried
}

/** The same of a request that no handler has seen. */
export function requestClient (
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>
): Client | undefined {
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const fields = requestFields(headers)
  return namedClient({
    path, query: mark === -1 ? '' : url.slice(mark), cookieClient: cookieClient(fields)
  })
}

/** The client of the one `client_id` parameter. @param query empty, or with its `?` */
export function queryClient (query: string): Client | 'malformed' | undefined {
  if (query === '') return undefined
  const [text, ...more] = new URLSearchParams(query).getAll(ID_NAME)
  if (text === undefined) return undefined
  return more.length > 0 ? 'malformed' : parseClientId(text) ?? 'malformed'
}

/** The client of the first well-formed `client_id` cookie. Any others are passed over. */
export function cookieClient (headers: RequestFields): Client | undefined {
  return firstCookie(headers, ID_NAME, parseClientId)
}

/** Whether there is a `client_id` cookie at all, well-formed or not. */
export function hasClientCookie (headers: RequestFields): boolean {
  return cookieValues(headers, ID_NAME).length > 0
}

/**
 * The server of a fleet, NODE/NAME, that the visitor says to have been sent to. It may say what it
 * likes: nothing may depend on it but which of two servers that are as good as each other it gets.
 */
export function namedServer (headers: RequestFields): string | undefined {
  return firstCookie(headers, SERVER_COOKIE, (cookie, from, to) => {
    const name = cookie.slice(from, to)
    return isFleetServer(name) ? name : undefined
  })
}

/** A new client: a random UUID, version 4 (RFC 9562 section 5.4). */
export function newClient (): Client {
  return parseClientId(randomUUID())!
}

export type CookieSettings = Pick<Settings, 'cookieDomain'>
type CookieRequest = Pick<RequestValue, 'isSecure' | 'authority'>

/** The value of the `Set-Cookie` that makes the browser of a request this client. */
export function clientCookie (
  client: Client, request: CookieRequest, settings: CookieSettings
): string {
  return cookieText(ID_NAME, formatClient(client), request, settings)
}

/** The value of the `Set-Cookie` by which it says where in the fleet it was sent: NODE/NAME. */
export function serverCookie (
  fleetName: string, request: CookieRequest, settings: CookieSettings
): string {
  return cookieText(SERVER_COOKIE, fleetName, request, settings)
}

function cookieText (
  name: string, value: string, { isSecure, authority }: CookieRequest,
  { cookieDomain }: CookieSettings
): string {
  const host = authority === undefined ? undefined : parseAuthority(authority)?.host
  const isShared = cookieDomain !== '' && host !== undefined && isWithinDomain(cookieDomain, host)
  const domain = isShared ? `; Domain=${cookieDomain}` : ''
  const attributes = `Path=/${domain}; HttpOnly; SameSite=Lax; Max-Age=${COOKIE_LIFETIME_S}`
  return `${name}=${value}; ${attributes}${isSecure ? '; Secure' : ''}`
}

/** Browsers refuse a cookie for a domain that they have not asked (RFC 6265 section 5.3). */
export function isWithinDomain (domain: string, host: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

/** What lets a cache keep an answer, and what tells some of them apart from others. */
const FOR_CACHES = /^(?:(?:[\w-]+-)?cache-control|surrogate-control|expires|pragma)$/i

/** An answer that names one visitor is for no cache: neither a shared one nor the browser's. */
export function withCookie<R extends Reply> (
  reply: R, client: Client, request: CookieRequest, settings: CookieSettings
): R {
  const headers: string[] = []
  for (let at = 0; at < reply.headers.length; at += 2) {
    if (FOR_CACHES.test(reply.headers[at]!)) continue
    headers.push(reply.headers[at]!, reply.headers[at + 1]!)
  }
  const cookie = clientCookie(client, request, settings)
  headers.push('Cache-Control', 'private, no-store', 'Set-Cookie', cookie)
  return { ...reply, headers, newClient: client, isKept: false }
}
