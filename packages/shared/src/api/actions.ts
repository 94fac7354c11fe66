/** What an operator orders: disconnect, deny, allow, drain, ready, restart; and the answers. */
import { Type } from 'typebox'
import {
  count, flag, listOf, nodeName, objectOf, optional, serverName, text, type Wire
} from './fields.ts'
import { userId } from './users.ts'

/** No control characters, which could steer a terminal, and no line separators. */
export const NO_CONTROL = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$'
const REASON_LENGTH_MAX = 200
/** Ten years. */
const MINUTES_MAX = 5_256_000

/** For how long and why somebody is denied. */
const terms = {
  reason: optional(Type.String({ maxLength: REASON_LENGTH_MAX, pattern: NO_CONTROL })),
  /** For good when left out. */
  minutes: optional(Type.Integer({ minimum: 1, maximum: MINUTES_MAX }))
}
/** Exactly one of the two is given. */
const target = { userId: optional(userId), address: optional(userId) }
const force = optional(flag)

export const Disconnection = objectOf({
  userId,
  ...terms,
  /** False: the visitor may come back at once. True when left out. */
  deny: optional(flag),
  /** Denies the address, too, where the user was last seen: of IPv6 its /64. */
  address: optional(flag),
  force
})
export type Disconnection = Wire<typeof Disconnection>

/** An IPv6 address is taken for its /64, which one customer has, unless `/128` is written. */
export const Denial = objectOf({ ...target, ...terms, force })
export type Denial = Wire<typeof Denial>

export const Allowance = objectOf(target)
export type Allowance = Wire<typeof Allowance>

/** Which server: its name. */
export const ServerParams = objectOf({
  name: serverName
})

/** Which server of a fleet: NODE/NAME. */
export const FleetServerParams = objectOf({ node: nodeName, name: serverName })
export type FleetServerParams = Wire<typeof FleetServerParams>

export const NodeParams = objectOf({ node: nodeName })

const NOTE_LENGTH_MAX = 200
/** A week. */
const DRAIN_MINUTES_MAX = 10_080

const drainTerms = {
  /** Why, for whoever looks at the console; maintenance, mostly. */
  note: optional(Type.String({ maxLength: NOTE_LENGTH_MAX, pattern: NO_CONTROL })),
  /** After which those who are left are moved at their next request; they stay if left out. */
  minutes: optional(Type.Integer({ minimum: 0, maximum: DRAIN_MINUTES_MAX }))
}

export const DrainOrder = objectOf({
  ...drainTerms,
  /** Of an external server: nobody at all is sent there. */
  maintenance: optional(flag),
  /** Also the last available server. */
  force
})
export type DrainOrder = Wire<typeof DrainOrder>

export const NodeDrainOrder = objectOf({
  ...drainTerms,
  /** Also when no other node has an available server. */
  force
})
export type NodeDrainOrder = Wire<typeof NodeDrainOrder>

export const ServerOrder = objectOf({ force })

/** The body of an order that has no fields. */
export const Nothing = objectOf({})

export const Received = objectOf({ response: text }, { description: 'Done, in every thread' })
export type Received = Wire<typeof Received>

/** Of an order to deny or to disconnect. */
export const Reached = objectOf({
  response: text,
  /** What is denied now, as `/denied` lists it: ids, addresses, ranges. */
  denied: listOf(text),
  /** How many users were removed for it. */
  users: count
}, { description: 'Done, in every thread' })
export type Reached = Wire<typeof Reached>
