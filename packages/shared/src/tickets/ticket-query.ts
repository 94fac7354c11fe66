/**
 * The ticket in the query of a redirect: read, put there, taken out. A server that has no place for
 * a visitor puts a word there instead, so that the router gives this one a ticket; in a fleet with
 * its name, so that the visitor is not sent there again. Pure.
 */
import { isFleetServer } from '../fleet/fleet-name.ts'

/** In the place of a ticket: a server had no place, and the router is to give one. */
const REFUSED = 'none'

/** The text of the first ticket; undefined where the query has no such parameter. */
export function ticketOf (query: string, parameter: string): string | undefined {
  if (!query.includes(parameter)) return undefined
  const prefix = `${parameter}=`
  const entry = entriesOf(query).find(entry => entry.startsWith(prefix))
  return entry?.slice(prefix.length)
}

/** The query with this ticket, last, in the place of any other. Nothing else of it changes. */
export function withTicket (query: string, parameter: string, ticket: string): string {
  const others = withoutTicket(query, parameter)
  return `${others === '' ? '?' : `${others}&`}${parameter}=${ticket}`
}

/**
 * The query of one whom a server has refused, and the router is to place.
 * @param refuser NODE/NAME in a fleet; undefined where there is none
 */
export function withRefusal (
  query: string, parameter: string, refuser: string | undefined
): string {
  return withTicket(query, parameter, refuser === undefined ? REFUSED : `${REFUSED}:${refuser}`)
}

/** The server of a fleet, NODE/NAME, that has put this in the place of a ticket. */
export function refuserOf (ticket: string | undefined): string | undefined {
  if (ticket?.startsWith(`${REFUSED}:`) !== true) return undefined
  const name = ticket.slice(REFUSED.length + 1)
  return isFleetServer(name) ? name : undefined
}

/** The query as it was before there was any ticket. */
export function withoutTicket (query: string, parameter: string): string {
  const others = entriesOf(query).filter(entry => !entry.startsWith(`${parameter}=`))
  return others.length === 0 ? '' : `?${others.join('&')}`
}

function entriesOf (query: string): string[] {
  return query === '' ? [] : query.slice(1).split('&')
}
