/**
 * `/tokens`: what lets programs in, such as Prometheus, a script or an app server: what each may
 * do, who made it, until when it is valid and when it was used last.
 */
import { Type } from 'typebox'
import { NO_CONTROL } from './actions.ts'
import {
  count, integer, listOf, nullable, objectOf, oneOf, optional, text, time, type Wire
} from './fields.ts'

/** What a token may be for; each is a need of a route, too. */
export const SCOPES = ['view', 'disconnect', 'drain', 'report'] as const
export const Scope = oneOf(SCOPES)
export type Scope = Wire<typeof Scope>

const NAME_LENGTH_MAX = 64
export const TOKEN_DAYS = 90
export const TOKEN_DAYS_MAX = 366

const scopes = Type.Array(Scope, {
  minItems: 1, maxItems: SCOPES.length, uniqueItems: true
})

export const NewToken = objectOf({
  /** Of no other token, in whatever case. */
  name: Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX, pattern: NO_CONTROL }),
  scopes,
  /** For how many days it is valid; TOKEN_DAYS when left out. */
  days: optional(Type.Integer({ minimum: 1, maximum: TOKEN_DAYS_MAX }))
})
export type NewToken = Wire<typeof NewToken>

export const MadeToken = objectOf({
  /** For `Authorization: Bearer`. */
  token: text,
  id: integer,
  name: text,
  scopes: listOf(Scope),
  expires: time
}, { description: 'The token itself, which is shown this once' })
export type MadeToken = Wire<typeof MadeToken>

export const TokenEntry = objectOf({
  id: integer,
  name: text,
  scopes: listOf(Scope),
  /** Those that count now: none once it has expired, fewer when its maker may do less. */
  in_force: listOf(Scope),
  made_by: text,
  created: time,
  expires: time,
  /** To the minute; null: never. */
  last_used: nullable(time),
  last_address: nullable(text)
})
export type TokenEntry = Wire<typeof TokenEntry>

export const TokenList = objectOf({
  tokens: listOf(TokenEntry),
  /** As many as there may be. */
  max: count
}, { description: 'In the order of their names' })
export type TokenList = Wire<typeof TokenList>

export const TokenEnd = objectOf({ id: Type.Integer({ minimum: 1 }) })
