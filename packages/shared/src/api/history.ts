/** `GET /history`: load per server over time, and what happened to the servers. */
import {
  byName, count, countText, flag, integer, listOf, nodeName, nullable, objectOf, optional, text,
  time, type Wire
} from './fields.ts'
import { NodesAnswered } from './users.ts'

export const HistoryQuery = objectOf({
  minutes: optional(countText),
  /** In a fleet: of this node alone, with its servers. */
  node: optional(nodeName)
})
export type HistoryQuery = Wire<typeof HistoryQuery>

/** Null where nothing was measured, or the server was down. */
const points = listOf(nullable(integer))

const load = objectOf({ active_users: points, reserved: points })

/** What happened at some node. */
const FleetEvent = objectOf({
  at: time,
  type: text,
  node: text,
  /** By its name there; null for what concerns them all. */
  server: nullable(text)
})
export type FleetEvent = Wire<typeof FleetEvent>

/** Of all nodes that answer, in the same steps as the whole. */
export const FleetHistory = objectOf({
  nodes: NodesAnswered,
  /** By the names of the nodes; null where one was not there, or none of its servers was up. */
  loads: byName(load),
  /** The sum of what was measured. */
  total: load,
  /** The newest of each node. */
  events: listOf(FleetEvent)
})
export type FleetHistory = Wire<typeof FleetHistory>

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
  })),
  /** Only in a fleet, and of all nodes; what stands beside it is of this one. */
  fleet: optional(FleetHistory)
}, { description: 'Point i of a series is of the step that begins i steps after `from`' })
export type History = Wire<typeof History>
