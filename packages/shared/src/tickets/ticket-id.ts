/**
 * The id of a ticket: a UUID of version 7 (RFC 9562 section 5.7), whose time tells to the
 * millisecond when it was issued. `iat` has whole seconds only, and a program that is killed may
 * run again within one. Pure.
 */
import { randomUUID } from 'node:crypto'

const TIME_DIGITS = 12
const VERSION_7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

/** @param issuedMs since 1970 */
export function newTicketId (issuedMs: number): string {
  const time = issuedMs.toString(16).padStart(TIME_DIGITS, '0')
  const random = randomUUID().slice('xxxxxxxx-xxxx-4'.length)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random}`
}

/** When the ticket of this id was issued; of another id, when the second of its `iat` began. */
export function issuedMsOf (ticketId: string, issuedS: number): number {
  if (!VERSION_7.test(ticketId)) return issuedS * 1000
  return parseInt(ticketId.replace('-', '').slice(0, TIME_DIGITS), 16)
}
