/** `GET /users`: who is here, a page at a time. `/users/sharing`, `/users/reach`: how many. */
import { Type } from 'typebox'
import {
  count, countText, fleetServerName, listOf, nodeName, nullable, objectOf, oneOf, optional, text,
  time, type Wire
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
  /** The name of a server; in a fleet NODE/NAME of another node's. */
  server: optional(fleetServerName),
  /** In a fleet: those of this node only. */
  node: optional(nodeName),
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
  /** In a fleet: whose server it is. */
  node: optional(text),
  first_seen: time,
  last_seen: time
})
export type User = Wire<typeof User>

/** Which nodes of a fleet an answer is of. */
export const NodesAnswered = objectOf({
  /** This one, too. */
  asked: count,
  answered: count,
  /** Away, or without an answer within half a second; by name. */
  missing: listOf(text)
})
export type NodesAnswered = Wire<typeof NodesAnswered>
/** Only in a fleet. */
const nodes = optional(NodesAnswered)

export const Users = objectOf({
  users: listOf(User),
  /** In all, not on this page. */
  matched: count,
  next_cursor: nullable(text),
  nodes
}, {
  description: 'Active users; places held for who has not arrived are not among them. In a fleet those ' +
    'of all nodes that answer; a page may then have fewer than were asked for, and others follow'
})
export type Users = Wire<typeof Users>

export const SharingQuery = objectOf({
  address: Type.Union([userId, listOf(userId, { maxItems: ADDRESSES_MAX })])
})

export const Sharing = objectOf({ users: count, nodes }, { description: 'How many' })
export type Sharing = Wire<typeof Sharing>

/** An address or a range, as `/deny` takes it. */
export const ReachQuery = objectOf({ address: userId })

export const Reach = objectOf({
  /** What a denial of it would deny: of an IPv6 address its /64. */
  address: text,
  users: count,
  nodes
}, { description: 'How many users were last seen from there' })
export type Reach = Wire<typeof Reach>
