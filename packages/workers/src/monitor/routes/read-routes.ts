/** What a viewer may read: load, users, history, denials, metrics, and the OpenAPI document. */
import { Denied } from '@usher/shared/api/denied.ts'
import { History, HistoryQuery } from '@usher/shared/api/history.ts'
import { Metrics, OpenApiDocument, PROMETHEUS_TYPE } from '@usher/shared/api/probes.ts'
import { Stats, StatsQuery } from '@usher/shared/api/stats.ts'
import {
  Reach, ReachQuery, Sharing, SharingQuery, Users, UsersQuery
} from '@usher/shared/api/users.ts'
import { parseAddress, type Address } from '@usher/shared/client.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { quote } from '@usher/shared/quote.ts'
import { ApiError } from '../errors/api-error.ts'
import type { Denials } from '../../records/denials.ts'
import { targetText, writtenTarget, type DenyTarget } from '../../records/deny-target.ts'
import { searchedServer } from '../operator/named-server.ts'
import type { NodeSearch } from '../fleet/fleet-users.ts'
import type { WireApp } from './wire.ts'

export interface ReadRoutesParts {
  /** With so many ids per server. */
  readonly stats: (idsPerServer: number) => Promise<Stats>
  /** In a fleet of this node, or of all if undefined. */
  readonly users: (node: string | undefined, search: NodeSearch) => Promise<Users>
  /** How many users were last seen from one of these. */
  readonly sharing: (addresses: readonly Address[]) => Promise<Sharing>
  /** How many were last seen from what a denial of this would deny. */
  readonly reach: (target: DenyTarget) => Promise<Sharing>
  /** In a fleet of one node's servers, or beside this one's of all nodes if undefined. */
  readonly history: (node: string | undefined, minutes: number) => Promise<History>
  readonly denials: Pick<Denials, 'list'>
  /** Prometheus text. */
  readonly metrics: () => string
  readonly servers: readonly Slot[]
  /** The own one in a fleet; undefined where the program is alone. */
  readonly node: string | undefined
}

const IDS_PER_SERVER = 1000
const IDS_PER_SERVER_MAX = 10_000
const USERS_LIMIT = 100
const USERS_LIMIT_MAX = 1000
/** More than the largest table has. */
const OFFSET_MAX = 9_999_999
const HISTORY_MINUTES = 60
const HISTORY_MINUTES_MAX = 1440
const METRICS_TYPE = `${PROMETHEUS_TYPE}; version=0.0.4; charset=utf-8`

const config = { needs: 'view' } as const

export function addReadRoutes (app: WireApp, parts: ReadRoutesParts): void {
  app.get('/stats', {
    config,
    schema: {
      summary: 'Load of every server now', querystring: StatsQuery, response: { 200: Stats }
    }
  }, async (request, reply) => {
    const limit = within('limit', request.query.limit, IDS_PER_SERVER, 0, IDS_PER_SERVER_MAX)
    const stats = await parts.stats(limit)
    return reply.header('X-Active-Users', String(stats.total_users)).send(stats)
  })

  app.get('/users', {
    config,
    schema: { summary: 'A page of the users', querystring: UsersQuery, response: { 200: Users } }
  }, async request => {
    const [node, search] = parseUsersQuery(request.query, parts)
    return await parts.users(node, search)
  })

  app.get('/users/sharing', {
    config,
    schema: {
      summary: 'How many users were last seen from one of these addresses',
      querystring: SharingQuery,
      response: { 200: Sharing }
    }
  }, async request => await parts.sharing([request.query.address].flat().map(parse)))

  app.get('/users/reach', {
    config,
    schema: {
      summary: 'Whom a denial of this address or range would reach',
      querystring: ReachQuery,
      response: { 200: Reach }
    }
  }, async request => {
    const target = writtenTarget(request.query.address)
    return { address: targetText(target), ...await parts.reach(target) }
  })

  app.get('/history', {
    config: { ...config, refusals: ['not_found', 'node_away'] },
    schema: {
      summary: 'Load per server over time, in a fleet per node too, and what happened to the servers',
      querystring: HistoryQuery,
      response: { 200: History }
    }
  }, async request => {
    const { minutes, node } = request.query
    if (node !== undefined) checkFleet(node, parts.node)
    return await parts.history(
      node, within('minutes', minutes, HISTORY_MINUTES, 1, HISTORY_MINUTES_MAX))
  })

  app.get('/denied', {
    config,
    schema: { summary: 'Who is denied, by whom, why and until when', response: { 200: Denied } }
  }, async () => ({
    denied: (await parts.denials.list()).map(({ kind, text, reason, by, sinceMs, untilMs }) => ({
      ...(kind === 'id' ? { userId: text } : { address: targetText({ kind, text }) }),
      reason,
      by,
      since: new Date(sinceMs).toISOString(),
      until: untilMs === undefined ? null : new Date(untilMs).toISOString()
    }))
  }))

  app.get('/metrics', {
    config: { needs: 'metrics' },
    schema: {
      summary: 'For Prometheus',
      response: {
        200: {
          description: 'All figures of this moment',
          content: { [PROMETHEUS_TYPE]: { schema: Metrics } }
        }
      }
    }
  }, async (_request, reply) => await reply.type(METRICS_TYPE).send(parts.metrics()))

  app.get('/openapi.json', {
    config,
    schema: { summary: 'This interface as OpenAPI', response: { 200: OpenApiDocument } }
  }, () => app.swagger())
}

/** Another node's server is looked for there. */
function parseUsersQuery (
  { q, cursor, sort = 'place', server: given, node: ofNode, offset, limit }: UsersQuery,
  { servers, node: own }: Pick<ReadRoutesParts, 'servers' | 'node'>
): [node: string | undefined, search: NodeSearch] {
  const [server, serverNode = own] = given?.split('/').reverse() ?? []
  const node = ofNode ?? (given === undefined ? undefined : serverNode)
  if (node !== undefined) checkFleet(node, own)
  if (server !== undefined && node === own) searchedServer(servers, server)
  if (cursor !== undefined && offset !== undefined) {
    throw new ApiError('bad_request', 'Give either cursor or offset, not both.')
  }
  const search = {
    server,
    q: q === '' ? undefined : q,
    sort,
    cursor,
    offset: offset === undefined ? undefined : within('offset', offset, 0, 0, OFFSET_MAX),
    limit: within('limit', limit, USERS_LIMIT, 1, USERS_LIMIT_MAX)
  }
  return [node, search]
}

function checkFleet (node: string, own: string | undefined): void {
  if (own !== undefined) return
  throw new ApiError('bad_request', `There is no node ${node}: this program is alone.`)
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
