/**
 * What a request does to the count of users, read from its head: whether it may be a person who
 * opens a page. Router and servers ask the same question; the cases are data, in
 * `test/http/cases/counting-cases.ts`, with the browser's behaviour beside each. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Reply, RequestValue } from './values.ts'

/**
 * adds: a newcomer becomes a user and is given the cookie. refreshes: a user who is there stays, a
 * newcomer is served and stays unknown. none: nobody is looked up.
 */
export type CountEffect = 'adds' | 'refreshes' | 'none'

type Head = Pick<RequestValue, 'method' | 'path' | 'headers'>

/** Fetched by browsers, robots and probes on their own account, whatever page is open. */
const NEVER_COUNTED =
  /^\/(?:robots\.txt|favicon\.ico|apple-touch-icon[^/]*\.png|\.well-known(?:\/.*)?)$/i
export const HEALTH_PATH = '/healthz'

/** The last segment's extension, when it is one: `/v1.2` and `/about.` have none. */
const EXTENSION = /\.([a-z][a-z0-9]{0,15})$/i
/** Of what is shown as a page, also by application servers. */
const PAGE_EXTENSIONS = new Set([
  'html', 'htm', 'xhtml', 'shtml', 'php', 'asp', 'aspx', 'jsp', 'jspx', 'do', 'cgi'
])

/**
 * Speculative loads: `Sec-Purpose` (Chromium, Firefox; `prefetch`, `prefetch;prerender`), the older
 * `Purpose` (Safari, Chromium before 110), `X-Moz` (Firefox before 115), `X-Purpose` (older Safari
 * previews).
 */
const PURPOSE_FIELDS = ['sec-purpose', 'purpose', 'x-moz', 'x-purpose'] as const
const SPECULATIVE = /\b(?:prefetch|prerender|preview)\b/i

/** The effect of a request for anything but `/heartbeat` and `/leave`. */
export function countEffect ({ method, path, headers }: Head): CountEffect {
  if (method !== 'GET' || path === HEALTH_PATH) return 'none'
  if (isEmbeddedByAnotherSite(headers)) return 'none'
  const mayBeAPerson = isForDocument(headers) && !isSpeculative(headers) && isPagePath(path)
  return mayBeAPerson ? 'adds' : 'refreshes'
}

/** The same once it is known what is answered: a page that a person sees is HTML. */
export function countEffectOfReply (effect: CountEffect, { headers }: Reply): CountEffect {
  if (effect !== 'adds') return effect
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'Content-Type')
  // A 304 and a redirect have no type of their own: the path speaks for them.
  return at === -1 || headers[at + 1]!.startsWith('text/html') ? 'adds' : 'refreshes'
}

/** Loaded before anybody has asked for it; it may never be shown. */
export function isSpeculative (headers: IncomingHttpHeaders): boolean {
  return PURPOSE_FIELDS.some(name => SPECULATIVE.test(String(headers[name] ?? '')))
}

/** Of another site's page: an image, a frame, a script's request. Not a link that is followed. */
function isEmbeddedByAnotherSite (headers: IncomingHttpHeaders): boolean {
  if (headers['sec-fetch-site'] !== 'cross-site') return false
  return headers['sec-fetch-mode'] !== 'navigate' || !isForDocument(headers)
}

/** A frame's document has `iframe`, `frame`, `embed` or `object` there (Fetch Metadata, 2.1). */
function isForDocument ({ 'sec-fetch-dest': destination }: IncomingHttpHeaders): boolean {
  return destination === undefined || destination === 'document'
}

function isPagePath (path: string): boolean {
  if (NEVER_COUNTED.test(path)) return false
  const [, extension] = EXTENSION.exec(path) ?? []
  return extension === undefined || PAGE_EXTENSIONS.has(extension.toLowerCase())
}
