/** `GET /history`: load per server over time, and what happened to the servers. */
import {
  byName, count, countText, flag, integer, listOf, nullable, objectOf, optional, text, time,
  type Wire
} from './fields.ts'

export const HistoryQuery = objectOf({ minutes: optional(countText) })

/** Null where nothing was measured, or the server was down. */
const points = listOf(nullable(integer))

export const History = objectOf({
  from: time,
  step_seconds: count,
  /** By the names of the servers; of each step the sample with the highest load. */
  servers: byName(objectOf({
    /** In the order of the settings, then of adding; those that were removed come last. */
    index: count,
    /** There is no such server any more; this is its past. */
    removed: flag,
    active_users: points,
    reserved: points
  })),
  events: listOf(objectOf({
    at: time,
    type: text,
    /** Its name, or its port of a server that is gone; null for what concerns them all. */
    server: nullable(text)
  }))
}, { description: 'Point i of a series is of the step that begins i steps after `from`' })
export type History = Wire<typeof History>
