/**
 * A server that has no place for a visitor: it shows the way to the router, which knows who has
 * one; but not for the second time to a client without a cookie, which would come back as another
 * stranger. Runs in the server's thread.
 */
import {
  noted, OPENED, visit, type Visit, type Visitor, type VisitorParts
} from '@usher/shared/beats/visitors.ts'
import type { Client } from '@usher/shared/client.ts'
import { fleetName } from '@usher/shared/fleet/fleet-name.ts'
import type { Reply, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { ticketOf, withoutTicket, withRefusal } from '@usher/shared/tickets/ticket-query.ts'
import type { Refusals } from './drained.ts'
import type { TicketParts } from './ticket-arrival.ts'

type FullServerParts = Pick<TicketParts, 'settings' | 'server'>

/**
 * As visit, of one who opens a page.
 * @param holder for whom a place is held here, of a client that keeps no cookie: it comes to that
 *   place, and takes no second one
 */
export function visitPage (
  parts: VisitorParts, { client, address }: Visitor, holder: Client | undefined
): Visit {
  const visitor = { client, address, options: OPENED }
  if (holder !== undefined) {
    const outcome = noted(parts, visitor,
      parts.table.touchForPlace(holder, client, parts.server, address, OPENED))
    // There is no such place where it has expired, or its client has come to it.
    if (outcome !== 'unknown') return outcome
  }
  return visit(parts, visitor, 'adds')
}

/**
 * The answer to a page's request when the server is full.
 * @param isUnknown its cookie names nobody
 */
export function refuseAtFull (
  { settings, server }: FullServerParts, { authority, isSecure, path, query }: RequestValue,
  isUnknown: boolean, refusals: Refusals
): Reply {
  const { ticketParameter: parameter, servers, clusterUrl } = settings
  const refuser = clusterUrl === '' ? undefined : fleetName(settings, servers[server]!.name)
  const wasSentHere = isUnknown && ticketOf(query, parameter) !== undefined
  const target = { authority, isSecure, path }
  return wasSentHere
    ? refusals.fullAtRouter({ ...target, query: withoutTicket(query, parameter) })
    : refusals.toRouter({ ...target, query: withRefusal(query, parameter, refuser) })
}
