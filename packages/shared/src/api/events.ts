/** `GET /events`: Server-Sent Events, of which each carries what `/stats` says. */
import { Type } from 'typebox'
import { Stats } from './stats.ts'

export const EVENT_STREAM = 'text/event-stream'
/** The name of every event. */
export const STATS_EVENT = 'stats'

/** OpenAPI has no word for events: theirs are by name in a field of our own. */
export const EventStream = Type.Unsafe<string>({
  type: 'string',
  description: `Events named ${STATS_EVENT}; the data of each is JSON as in x-events`,
  'x-events': { [STATS_EVENT]: Stats }
})
