/**
 * How a redirect names the place that it leads to, for clients that keep no cookie: the id under
 * which it is reserved, in the query. Without it such a client is a stranger at the server, and
 * where its own place was the last one it would be sent from one to the other for ever. Only where
 * a server has a capacity; the page script takes it out of the address bar. Pure.
 */
import { formatClient, parseClientId, type Client } from '../../client.ts'

const PARAMETER = 'usher_place='
/** Of one whom a server has refused: the router is to name the place. */
const NONE = 'none'

export function namesPlace (query: string): boolean {
  return query.includes(PARAMETER) && entriesOf(query).some(isPlace)
}

/** The id under which the place is reserved; undefined when it is none, or malformed. */
export function namedPlace (query: string): Client | undefined {
  const entry = entriesOf(query).find(isPlace)
  return entry === undefined ? undefined : parseClientId(entry.slice(PARAMETER.length))
}

/** The query with this place, or none, in the place of any other. Nothing else of it changes. */
export function withPlace (query: string, holder: Client | undefined): string {
  const others = entriesOf(query).filter(entry => !isPlace(entry))
  return `?${[...others, PARAMETER + (holder === undefined ? NONE : formatClient(holder))].join('&')}`
}

/** The query as it was before any place was named. */
export function withoutPlace (query: string): string {
  const others = entriesOf(query).filter(entry => !isPlace(entry))
  return others.length === 0 ? '' : `?${others.join('&')}`
}

function entriesOf (query: string): string[] {
  return query === '' ? [] : query.slice(1).split('&')
}

function isPlace (entry: string): boolean {
  return entry.startsWith(PARAMETER)
}
