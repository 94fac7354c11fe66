/** `GET /denied`: who is refused, newest first. */
import { listOf, nullable, objectOf, optional, text, time, type Wire } from './fields.ts'

/** Has one of `userId` and `address`. */
export const DeniedEntry = objectOf({
  userId: optional(text),
  /** An address or a range. */
  address: optional(text),
  reason: text,
  by: text,
  since: time,
  /** Null: until it is taken back. */
  until: nullable(time)
})
export type DeniedEntry = Wire<typeof DeniedEntry>

export const Denied = objectOf({ denied: listOf(DeniedEntry) }, {
  description: 'Each entry has one of userId and address'
})
export type Denied = Wire<typeof Denied>
