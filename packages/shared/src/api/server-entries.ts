/**
 * `/servers`: which servers there are, who names them, and what is said of each; and what an
 * administrator orders to add, change or remove one that runs elsewhere.
 */
import { Type } from 'typebox'
import { CAPACITY_MAX, HEALTH_BOUNDS, WEIGHT_MAX } from '../settings/server-bounds.ts'
import {
  count, figure, integer, listOf, nullable, objectOf, oneOf, optional, serverName, text, type Wire
} from './fields.ts'

const URL_LENGTH_MAX = 2000
const PATH_LENGTH_MAX = 1000
const STATUS_LENGTH_MAX = 7

/** Null: as the settings say for all. */
const wholeNumber = (minimum: number, maximum: number) =>
  optional(nullable(Type.Integer({ minimum, maximum })))
const seconds = ({ min, max }: { readonly min: number, readonly max: number }) =>
  optional(nullable(Type.Number({ minimum: min, maximum: max })))
const word = (maxLength: number) => optional(nullable(Type.String({ maxLength })))

const terms = {
  /** Null: as the capacities, or 1. */
  weight: wholeNumber(1, WEIGHT_MAX),
  /** Null: CAPACITY where it is one for all, else as many as come. */
  capacity: wholeNumber(1, CAPACITY_MAX),
  health: optional(objectOf({
    path: word(PATH_LENGTH_MAX),
    /** Seconds, as the next one. */
    interval: seconds(HEALTH_BOUNDS.intervalS),
    timeout: seconds(HEALTH_BOUNDS.timeoutS),
    rise: wholeNumber(1, HEALTH_BOUNDS.inARowMax),
    fall: wholeNumber(1, HEALTH_BOUNDS.inARowMax),
    /** As in HEALTH_STATUS: `200`, `200-399`. */
    status: word(STATUS_LENGTH_MAX)
  }))
}

export const NewServer = objectOf({
  name: Type.String({ maxLength: 63 }),
  /** The base URL that visitors are sent to. */
  url: Type.String({ maxLength: URL_LENGTH_MAX }),
  ...terms
})
export type NewServer = Wire<typeof NewServer>

/** What is left out stays as it is. */
export const ServerChange = objectOf({
  url: optional(Type.String({ maxLength: URL_LENGTH_MAX })),
  ...terms
})
export type ServerChange = Wire<typeof ServerChange>

/** Of an order that is stored and that some threads have not carried out yet; they will. */
export const ReceivedByMost = objectOf({
  response: text,
  /** The names of these threads, as in the log. */
  late: listOf(text),
  message: text
}, { description: 'Stored, and in force but for threads that are late: they are told again' })
export type ReceivedByMost = Wire<typeof ReceivedByMost>

export const ServerEntry = objectOf({
  name: serverName,
  kind: oneOf(['own', 'external']),
  /** What names it: only those of the console can be changed and removed here. */
  source: oneOf(['settings', 'console']),
  /** Null: an own server without one. */
  url: nullable(text),
  /** As it is given; null: it is not, as in all that follows. */
  weight: nullable(count),
  capacity: nullable(count),
  /** Null of an own server. */
  health: Type.Unsafe<Health | null>({
    ...objectOf({
      path: nullable(text),
      interval: nullable(figure),
      timeout: nullable(figure),
      rise: nullable(integer),
      fall: nullable(integer),
      status: nullable(text)
    }),
    type: ['object', 'null']
  }),
  /** False: stored, but the settings name one so, too, or there is no room. */
  in_force: Type.Boolean()
})
export type ServerEntry = Wire<typeof ServerEntry>

interface Health {
  readonly path: string | null
  readonly interval: number | null
  readonly timeout: number | null
  readonly rise: number | null
  readonly fall: number | null
  readonly status: string | null
}

export const ServerList = objectOf({
  servers: listOf(ServerEntry),
  /** Of both kinds. */
  max: count
}, { description: 'In the order of the settings, then of adding' })
export type ServerList = Wire<typeof ServerList>
