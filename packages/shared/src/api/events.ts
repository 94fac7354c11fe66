/** `GET /events`: Server-Sent Events, of which each carries what `/stats` says. */
import { Type } from 'typebox'
import { Stats } from './stats.ts'

export const EVENT_STREAM = 'text/event-stream'
/** The name of every event. */
export const STATS_EVENT = 'stats'

/**
 * OpenAPI 3.1 cannot describe the events of a stream: an extension field (`x-`) lists them by name.
 */
export const EventStream = Type.Unsafe<string>({
  type: 'string',
  description: `Events named ${STATS_EVENT}; the data of each is JSON as in x-events`,
  'x-events': { [STATS_EVENT]: Stats }
})
