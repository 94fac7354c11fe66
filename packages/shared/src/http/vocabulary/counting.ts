/**
 * What a request does to the count of users, read from its head: whether it may be a person who
 * opens a page. Router and servers ask the same question; the cases are data, in
 * `test/http/cases/counting-cases.ts`, with the browser's behaviour beside each. Pure.
 */
import { remembering } from '../../remembering.ts'
import type { CountEffect, Reply, RequestFields, RequestValue } from './values.ts'

type Head = Pick<RequestValue, 'method' | 'path' | 'headers'>

export const BEAT_PATH = '/heartbeat'
export const LEAVE_PATH = '/leave'
export const HEALTH_PATH = '/healthz'

/** Fetched by browsers, robots and probes on their own account, whatever page is open. */
const NEVER_COUNTED =
  /^\/(?:robots\.txt|favicon\.ico|apple-touch-icon[^/]*\.png|\.well-known(?:\/.*)?)$/i

/** The last segment's extension, when it is one: `/v1.2` and `/about.` have none. */
const EXTENSION = /\.[a-z][a-z0-9]{0,15}$/i
/** Of what is shown as a page, also by application servers. */
const PAGE_EXTENSIONS = new Set([
  'html', 'htm', 'xhtml', 'shtml', 'php', 'asp', 'aspx', 'jsp', 'jspx', 'do', 'cgi'
])

/** Most visitors ask for a few pages. */
const REMEMBERED_MAX = 1024

const SPECULATIVE = /\b(?:prefetch|prerender|preview)\b/i

/**
 * The effect of a request, as far as its head tells. Of a beat: anybody's page may have an image of
 * it (over plain http to a name nothing says so), but only a page of ours can post one.
 */
export function countEffect ({ method, path, headers }: Head): CountEffect {
  if (path === BEAT_PATH) {
    return headers['sec-fetch-site'] === 'cross-site' ? 'none' : beatEffect(method, headers)
  }
  if (method !== 'GET' || path === HEALTH_PATH || path === LEAVE_PATH) return 'none'
  // A frame's document has `iframe`, `frame`, `embed` or `object` there (Fetch Metadata, 2.1).
  const destination = headers['sec-fetch-dest']
  const isForDocument = destination === undefined || destination === 'document'
  if (headers['sec-fetch-site'] === 'cross-site') {
    // An image, a frame or a script's request of another site's page; not a link that is followed.
    if (!isForDocument || headers['sec-fetch-mode'] !== 'navigate') return 'none'
  }
  // It may arrive long after its page was left, and whoever it is for has done nothing.
  if (isSpeculative(headers)) return 'none'
  return isForDocument && isPagePath(path) ? 'adds' : 'refreshes'
}

/** The same once it is known what is answered: only a page is opened by a person. */
export function countEffectOfReply (effect: CountEffect, { isPage }: Reply): CountEffect {
  return effect === 'adds' && isPage !== true ? 'refreshes' : effect
}

/** Of a beat by a page that may send one. */
export function beatEffect (method: string, headers: RequestFields): CountEffect {
  if (method === 'GET') return 'refreshes'
  return method === 'POST' && !isSpeculative(headers) ? 'adds' : 'none'
}

/**
 * Loaded before anybody has asked for it; it may never be shown. Said by `Sec-Purpose` (Chromium,
 * Firefox: `prefetch`, `prefetch;prerender`), the older `Purpose` (Safari, Chromium before 110),
 * `X-Moz` (Firefox before 115) and `X-Purpose` (older Safari's previews).
 */
function isSpeculative (headers: RequestFields): boolean {
  return saysSpeculative(headers['sec-purpose']) || saysSpeculative(headers['purpose']) ||
    saysSpeculative(headers['x-moz']) || saysSpeculative(headers['x-purpose'])
}

function saysSpeculative (purpose: string | undefined): boolean {
  return purpose !== undefined && SPECULATIVE.test(purpose)
}

const isPagePath = remembering(REMEMBERED_MAX, (path): boolean => {
  if (path === '/') return true
  if (NEVER_COUNTED.test(path)) return false
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  return PAGE_EXTENSIONS.has(extension) || !EXTENSION.test(path)
})
