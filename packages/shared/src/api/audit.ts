/** `GET /audit`: who did what to whom, when and from where; newest first. */
import { Type } from 'typebox'
import {
  count, countText, listOf, nullable, objectOf, optional, text, time, type Wire
} from './fields.ts'

const SEARCH_LENGTH_MAX = 64

export const AuditQuery = objectOf({
  q: optional(Type.String({ maxLength: SEARCH_LENGTH_MAX })),
  cursor: optional(Type.String({ maxLength: 20 })),
  limit: optional(countText)
})

export const AuditEntry = objectOf({
  at: time,
  who: text,
  action: text,
  target: optional(text),
  /** What else is to be said of this action. */
  detail: optional(Type.Unsafe<Record<string, unknown>>({
    type: 'object', additionalProperties: true
  })),
  address: text,
  /** In a fleet: whose console it was done at. */
  node: optional(text)
})
export type AuditEntry = Wire<typeof AuditEntry>

export const Audit = objectOf({
  entries: listOf(AuditEntry),
  /** Where the older ones begin; null when there are none. */
  next_cursor: nullable(text),
  kept: objectOf({ entries_max: count, oldest: nullable(time) })
}, { description: 'A page of entries' })
export type Audit = Wire<typeof Audit>
