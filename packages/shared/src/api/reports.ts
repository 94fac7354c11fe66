/**
 * `POST /servers/NAME/users`: what a game, chat or call server says of people whom it knows itself:
 * who is there, and who has left.
 */
import { Type } from 'typebox'
import { count, flag, listOf, objectOf, oneOf, optional, text, type Wire } from './fields.ts'

/** In one batch. */
export const REPORT_USERS_MAX = 1000
/** Enough for as many of them, in lines of their own. */
export const REPORT_BYTES_MAX = 128 * 1024

export const ReportedUser = objectOf({
  /** A UUID, as the cookie `client_id` has it. */
  id: text,
  /** True: is there now. One of the two is given. */
  seen: optional(flag),
  /** True: has left. */
  left: optional(flag)
})
export type ReportedUser = Wire<typeof ReportedUser>

/** REPORT_USERS_MAX of them at most; they are taken in their order. */
export const Report = objectOf({ users: Type.Array(ReportedUser, { minItems: 1 }) })
export type Report = Wire<typeof Report>

export const REFUSALS = ['denied', 'draining', 'full', 'moved', 'unavailable'] as const

export const Reported = objectOf({
  server: text,
  /** New there, or come to the place that was held for them. */
  arrived: count,
  /** Were counted on another server until now. */
  moved_here: count,
  still_here: count,
  left: count,
  /** Were to leave and had not been there. */
  not_here: count,
  refused: listOf(objectOf({ id: text, why: oneOf(REFUSALS) })),
  /** Of this server, after the batch. */
  active_users: count
}, { description: 'Whom the batch found, and whom the server may not have' })
export type Reported = Wire<typeof Reported>
