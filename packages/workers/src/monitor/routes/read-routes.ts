/** What a viewer may read: load, users, history, the denied, metrics, and this interface itself. */
import type { FastifyInstance } from 'fastify'
import { parseAddress, type Address } from '@usher/shared/client.ts'
import { quote } from '@usher/shared/quote.ts'
import { ApiError } from '../api-error.ts'
import type { Denials } from '../../records/denials.ts'
import { count, countText, figure, flag, objectOf, text, time, userId } from './schemas.ts'

export interface ReadRoutesParts {
  /** The JSON of /stats, with so many ids per server. */
  readonly stats: (idsPerServer: number) => Promise<Stats>
  readonly users: (query: UsersQuery) => Promise<object>
  /** How many users were last seen from one of these. */
  readonly sharing: (addresses: readonly Address[]) => Promise<number>
  readonly history: (minutes: number) => Promise<object>
  readonly denials: Pick<Denials, 'list'>
  /** Prometheus text. */
  readonly metrics: () => string
  readonly ports: readonly number[]
}

export interface Stats {
  readonly total_users: number
}

export interface UsersQuery {
  /** Index of a server; undefined for all. */
  readonly server: number | undefined
  readonly q: string | undefined
  readonly sort: 'place' | 'last_seen' | 'first_seen'
  readonly cursor: string | undefined
  readonly offset: number | undefined
  readonly limit: number
}

const IDS_PER_SERVER = 1000
const IDS_PER_SERVER_MAX = 10_000
const USERS_LIMIT = 100
const USERS_LIMIT_MAX = 1000
const PREFIX_LENGTH_MAX = 64
/** In one question: as many as a page of the console has users. */
const ADDRESSES_MAX = 100
/** More than the largest table has. */
const OFFSET_MAX = 9_999_999
const HISTORY_MINUTES = 60
const HISTORY_MINUTES_MAX = 1440
const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const config = { needs: 'view' } as const

export function addReadRoutes (app: FastifyInstance, parts: ReadRoutesParts): void {
  app.get<{ Querystring: { limit?: string } }>('/stats', {
    config, schema: STATS
  }, async (request, reply) => {
    const limit = within('limit', request.query.limit, IDS_PER_SERVER, 0, IDS_PER_SERVER_MAX)
    const stats = await parts.stats(limit)
    return reply.header('X-Active-Users', String(stats.total_users)).send(stats)
  })

  app.get<{ Querystring: Record<string, string> }>('/users', {
    config, schema: USERS
  }, async request => await parts.users(parseUsersQuery(request.query, parts.ports)))

  app.get<{ Querystring: { address: string | string[] } }>('/users/sharing', {
    config, schema: SHARING
  }, async request => ({ users: await parts.sharing([request.query.address].flat().map(parse)) }))

  app.get<{ Querystring: { minutes?: string } }>('/history', {
    config, schema: HISTORY
  }, async request => await parts.history(
    within('minutes', request.query.minutes, HISTORY_MINUTES, 1, HISTORY_MINUTES_MAX)))

  app.get('/denied', { config, schema: DENIED }, async () => ({
    denied: (await parts.denials.list()).map(({ kind, text, reason, by, sinceMs, untilMs }) => ({
      ...(kind === 'id' ? { userId: text } : { address: text }),
      reason,
      by,
      since: new Date(sinceMs).toISOString(),
      until: untilMs === undefined ? null : new Date(untilMs).toISOString()
    }))
  }))

  app.get('/metrics', {
    config: { needs: 'metrics' }, schema: { summary: 'For Prometheus' }
  }, (_request, reply) => reply.type(PROMETHEUS_TYPE).send(parts.metrics()))

  app.get('/openapi.json', { config, schema: { hide: true } }, () => app.swagger())
}

function parseUsersQuery (
  query: Readonly<Record<string, string | undefined>>, ports: readonly number[]
): UsersQuery {
  const { q, cursor, sort = 'place' } = query
  const port = query['server']
  const server = port === undefined ? undefined : ports.indexOf(Number(port))
  if (server === -1) {
    throw new ApiError('bad_request', `server must be one of ${ports.join(', ')}.`)
  }
  if (cursor !== undefined && query['offset'] !== undefined) {
    throw new ApiError('bad_request', 'Give either cursor or offset, not both.')
  }
  return {
    server,
    q: q === '' ? undefined : q,
    sort: sort as UsersQuery['sort'],
    cursor,
    offset: query['offset'] === undefined
      ? undefined
      : within('offset', query['offset'], 0, 0, OFFSET_MAX),
    limit: within('limit', query['limit'], USERS_LIMIT, 1, USERS_LIMIT_MAX)
  }
}

function parse (given: string): Address {
  const address = parseAddress(given)
  if (address !== undefined) return address
  throw new ApiError('bad_request', `address must be an IP address; ${quote(given)} is not one.`)
}

function within (
  name: string, given: string | undefined, otherwise: number, min: number, max: number
): number {
  const value = given === undefined ? otherwise : Number(given)
  if (value >= min && value <= max) return value
  throw new ApiError('bad_request', `${name} must be ${min} to ${max}.`)
}

const SERVER_STATS = objectOf({
  active_users: count,
  reserved: count,
  state: { type: 'string', enum: ['starting', 'up', 'draining', 'down'] },
  folder: text,
  state_since: time,
  drained_from: count,
  users: { type: 'array', items: text },
  users_truncated: flag,
  up_since: time,
  restarts: count,
  connections: count,
  requests_per_second: figure,
  beats_per_second: figure,
  errors_per_second: figure,
  p50_ms: figure,
  p99_ms: figure
})
const STATS = {
  summary: 'Load of every server now',
  querystring: objectOf({ limit: countText }),
  response: {
    200: objectOf({
      timestamp: time,
      up_since: time,
      servers: { type: 'object', additionalProperties: SERVER_STATS },
      total_users: count,
      denied_users: count,
      redirects_per_second: figure,
      wait_ms: objectOf({ p50: figure, p99: figure }),
      table: objectOf({ used: count, size: count })
    })
  }
}
const USERS = {
  summary: 'A page of the users',
  querystring: objectOf({
    server: { type: 'string', pattern: '^\\d{1,5}$' },
    q: { type: 'string', maxLength: PREFIX_LENGTH_MAX },
    sort: { type: 'string', enum: ['place', 'last_seen', 'first_seen'] },
    cursor: { type: 'string', maxLength: 128 },
    offset: countText,
    limit: countText
  }),
  response: {
    200: objectOf({
      users: {
        type: 'array',
        items: objectOf({
          id: text,
          kind: { type: 'string', enum: ['id', 'ip'] },
          address: text,
          server: { type: 'integer' },
          first_seen: time,
          last_seen: time
        })
      },
      matched: count,
      next_cursor: { type: ['string', 'null'] }
    })
  }
}
const SHARING = {
  summary: 'How many users were last seen from one of these addresses',
  querystring: objectOf({
    address: { anyOf: [userId, { type: 'array', items: userId, maxItems: ADDRESSES_MAX }] }
  }, ['address']),
  response: { 200: objectOf({ users: count }) }
}
const POINTS = { type: 'array', items: { type: ['integer', 'null'] } } as const
const HISTORY = {
  summary: 'Load per server over time, and what happened to the servers',
  querystring: objectOf({ minutes: countText }),
  response: {
    200: objectOf({
      from: time,
      step_seconds: count,
      servers: {
        type: 'object', additionalProperties: objectOf({ active_users: POINTS, reserved: POINTS })
      },
      events: {
        type: 'array',
        items: objectOf({ at: time, type: text, server: { type: ['integer', 'null'] } })
      }
    })
  }
}
const DENIED = {
  summary: 'Who is denied, by whom, why and until when',
  response: {
    200: objectOf({
      denied: {
        type: 'array',
        items: objectOf({
          userId: text,
          address: text,
          reason: text,
          by: text,
          since: time,
          until: { type: ['string', 'null'] }
        })
      }
    })
  }
}
