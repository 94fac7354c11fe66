/**
 * A server that has no place for a visitor: it shows the way to the router, which knows who has
 * one; but not for the second time to a client without a cookie, which would come back as another
 * stranger. Runs in the server's thread.
 */
import {
  noted, OPENED, REFUSED, visit, type Visit, type Visitor, type VisitorParts
} from '@usher/shared/beats/visitors.ts'
import { namedPlace, namesPlace, withoutPlace, withPlace } from '@usher/shared/http/vocabulary/named-place.ts'
import type { Reply, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { Refusals } from './drained.ts'

/**
 * As visit, of one who opens a page. A client without a cookie comes to the place that its query
 * names, and takes no second one.
 */
export function visitPage (
  parts: VisitorParts, request: RequestValue, client: Visitor['client']
): Visit {
  const { address, cookieClient, query } = request
  const visitor = { client, address, options: OPENED }
  if (cookieClient === undefined && query !== '') {
    const outcome = visitNamedPlace(parts, visitor, query)
    if (outcome !== 'unknown') return outcome
  }
  const outcome = visit(parts, visitor, 'adds')
  if (outcome !== 'server-full' || cookieClient === undefined) return outcome
  // Its cookie here is not the one that the router has given it.
  const atPlace = visitNamedPlace(parts, visitor, query)
  return atPlace === 'unknown' || REFUSED.has(atPlace) ? outcome : atPlace
}

/** Unknown where the query names no place, or none that its client has yet to come to. */
function visitNamedPlace (parts: VisitorParts, visitor: Visitor, query: string): Visit {
  const holder = namedPlace(query)
  if (holder === undefined) return 'unknown'
  const { client, address, options } = visitor
  return noted(parts, visitor,
    parts.table.touchForPlace(holder, client, parts.server, address, options))
}

/** The answer to a page's request when the server is full. */
export function refuseAtFull (
  { authority, isSecure, path, query, cookieClient }: RequestValue, refusals: Refusals
): Reply {
  const wasSentHere = cookieClient === undefined && namesPlace(query)
  return wasSentHere
    ? refusals.fullAtRouter({ authority, isSecure, path, query: withoutPlace(query) })
    : refusals.toRouter({ authority, isSecure, path, query: withPlace(query, undefined) })
}
