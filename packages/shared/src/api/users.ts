/** `GET /users`: who is here, a page at a time. `/users/sharing`, `/users/reach`: how many. */
import { Type } from 'typebox'
import {
  count, countText, listOf, nullable, objectOf, oneOf, optional, serverName, text, time, type Wire
} from './fields.ts'

/** More than the longest id or address has. */
export const PREFIX_LENGTH_MAX = 64
/** In one question: as many as a page of the console has users. */
const ADDRESSES_MAX = 100
/** The longest text of an IPv6 range. */
const ADDRESS_LENGTH_MAX = 64

/** An entry's id as it is listed here: a UUID, or an IP address. */
export const userId = Type.String({ minLength: 1, maxLength: ADDRESS_LENGTH_MAX })

/** `place` is where they stand in the table; the others are newest first. */
export const UsersSort = oneOf(['place', 'last_seen', 'first_seen'])
export type UsersSort = Wire<typeof UsersSort>

export const UsersQuery = objectOf({
  /** The name of a server. */
  server: optional(serverName),
  /** How an id or an address begins. */
  q: optional(Type.String({ maxLength: PREFIX_LENGTH_MAX })),
  sort: optional(UsersSort),
  cursor: optional(Type.String({ maxLength: 128 })),
  offset: optional(countText),
  limit: optional(countText)
})
export type UsersQuery = Wire<typeof UsersQuery>

export const User = objectOf({
  id: text,
  kind: oneOf(['id', 'ip']),
  address: text,
  /** The name of the server. */
  server: text,
  first_seen: time,
  last_seen: time
})
export type User = Wire<typeof User>

export const Users = objectOf({
  users: listOf(User),
  /** In all, not on this page. */
  matched: count,
  next_cursor: nullable(text)
}, { description: 'Active users; places held for who has not arrived are not among them' })
export type Users = Wire<typeof Users>

export const SharingQuery = objectOf({
  address: Type.Union([userId, listOf(userId, { maxItems: ADDRESSES_MAX })])
})

export const Sharing = objectOf({ users: count }, { description: 'How many' })
export type Sharing = Wire<typeof Sharing>

/** An address or a range, as `/deny` takes it. */
export const ReachQuery = objectOf({ address: userId })

export const Reach = objectOf({
  /** What a denial of it would deny: of an IPv6 address its /64. */
  address: text,
  users: count
}, { description: 'How many users were last seen from there' })
export type Reach = Wire<typeof Reach>
