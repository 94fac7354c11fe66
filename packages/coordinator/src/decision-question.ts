/**
 * What a proxy asks the decision port, read from its request: for which target of the visitor's,
 * what that counts as, and how a refusal for want of room is to be said. Computes only.
 */
import { BEAT_PATH, countEffect } from '@usher/shared/http/vocabulary/counting.ts'
import { parseTarget } from '@usher/shared/http/vocabulary/target.ts'
import type {
  CountEffect, RequestFields, RequestValue
} from '@usher/shared/http/vocabulary/values.ts'
import { remembering } from '@usher/shared/remembering.ts'

/** What the visitor has asked the proxy for. */
export type Asked = Pick<RequestValue, 'path' | 'query'>

/** The status of a refusal for want of room: nginx makes 500 of all but 2xx, 401 and 403. */
export const FULL_STATUS = 503
const FULL_STATUSES: ReadonlyMap<string, number> = new Map([
  ['', FULL_STATUS], ['?full=503', 503], ['?full=401', 401], ['?full=403', 403]
])
export const FULL_ALLOWED = 'full=401, full=403, full=503, or nothing'
/** Methods by which nobody does anything. */
const IDLE_METHODS = new Set(['HEAD', 'OPTIONS', 'TRACE'])

/** For what is no request target. */
const NOTHING: Asked = { path: '/', query: '' }
/** Most visitors ask for a few pages. */
const TARGETS_MAX = 1024

/**
 * By `X-Original-URI` (nginx) or `X-Forwarded-Uri` (caddy); a page where both are left out.
 */
export const targetOf = remembering(TARGETS_MAX, (uri): Asked => {
  const target = parseTarget('GET', uri)
  if (target === undefined) return NOTHING
  const { pathAndQuery } = target
  const mark = pathAndQuery.indexOf('?')
  const path = mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark)
  return { path, query: mark === -1 ? '' : pathAndQuery.slice(mark) }
})

/** A proxy that rewrites the path alone leaves the visitor's query behind it: it says nothing. */
export function fullStatusOf (query: string, asked: Asked): number | undefined {
  return FULL_STATUSES.get(query) ?? (query === asked.query ? FULL_STATUS : undefined)
}

/** As for a server's own requests; and who posts something is here. */
export function effectOf (headers: RequestFields, asked: Asked): CountEffect {
  const { path } = asked
  if (asked === NOTHING) return 'none'
  // A server counts by its beats itself.
  if (path === BEAT_PATH) return 'refreshes'
  const method = headers['x-forwarded-method'] ?? 'GET'
  if (method === 'GET') return countEffect({ method, path, headers })
  if (IDLE_METHODS.has(method)) return 'none'
  return headers['sec-fetch-site'] === 'cross-site' ? 'none' : 'refreshes'
}
