/** What an operator does: to users, to servers; and who did what, the audit. */
import type { FastifyRequest } from 'fastify'
import {
  Allowance, Denial, Disconnection, DrainOrder, FleetServerParams, NodeDrainOrder, NodeParams,
  Nothing, Reached, Received, ServerOrder, ServerParams
} from '@usher/shared/api/actions.ts'
import { Audit, AuditQuery, type AuditEntry } from '@usher/shared/api/audit.ts'
import { ApiError } from '../errors/api-error.ts'
import type { NodeActions } from '../operator/node-actions.ts'
import type { Actions, Operator } from '../operator/operator-actions.ts'
import type { AuditRecord } from '../../records/audit-event.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import { callerOf } from '../access/checks.ts'
import type { WireApp } from './wire.ts'

export interface ActionRoutesParts {
  readonly actions: Pick<Actions, 'disconnect' | 'deny' | 'allow' | 'drain' | 'ready' | 'restart'>
  readonly nodeActions: Pick<NodeActions, 'drain' | 'ready'>
  readonly audit: Pick<AuditLog, 'page' | 'kept'>
}

const AUDIT_LIMIT = 100
const AUDIT_LIMIT_MAX = 1000
const needs = 'disconnect'
const response = { 200: Received }
const DRAINED = { response: 'drain received' } as const
const READY = { response: 'ready received' } as const

export function addActionRoutes (app: WireApp, parts: ActionRoutesParts): void {
  const { actions } = parts

  app.post('/disconnect', {
    config: { needs, refusals: ['not_found', 'not_acceptable_here', 'node_away'] },
    schema: {
      summary: 'Remove a user everywhere, and deny them unless told otherwise',
      body: Disconnection,
      response: { 200: Reached }
    }
  }, async request => ({
    response: 'disconnect received', ...await actions.disconnect(operatorOf(request), request.body)
  }))

  app.post('/deny', {
    config: { needs, refusals: ['not_acceptable_here'] },
    schema: {
      summary: 'Deny a user id, an address or a range, here or not',
      body: Denial,
      response: { 200: Reached }
    }
  }, async request => ({
    response: 'deny received', ...await actions.deny(operatorOf(request), request.body)
  }))

  app.post('/allow', {
    config: { needs, refusals: ['not_found'] },
    schema: { summary: 'Take a denial back', body: Allowance, response }
  }, async request => {
    await actions.allow(operatorOf(request), request.body)
    return { response: 'allow received' }
  })

  addServerRoutes(app, parts)
  addNodeRoutes(app, parts)
  addAuditRoute(app, parts)
}

function addServerRoutes (app: WireApp, { actions }: ActionRoutesParts): void {
  app.post('/servers/:name/drain', {
    config: { needs: 'drain', refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'The server keeps its users, for so many minutes or for good, and gets no new ones',
      params: ServerParams,
      body: DrainOrder,
      response
    }
  }, async request => {
    await actions.drain(operatorOf(request), request.params.name, request.body)
    return DRAINED
  })

  app.post('/servers/:name/ready', {
    config: { needs: 'drain', refusals: ['not_found'] },
    schema: {
      summary: 'The server takes visitors again', params: ServerParams, body: ServerOrder, response
    }
  }, async request => {
    await actions.ready(operatorOf(request), request.params.name)
    return READY
  })

  app.post('/servers/:node/:name/drain', {
    config: { needs: 'drain', refusals: ['not_found', 'not_acceptable_here', 'node_away'] },
    schema: {
      summary: 'In a fleet: a server of any node drains; its node is asked, and its rules hold',
      params: FleetServerParams,
      body: DrainOrder,
      response
    }
  }, async request => {
    await actions.drain(operatorOf(request), nameIn(request.params), request.body)
    return DRAINED
  })

  app.post('/servers/:node/:name/ready', {
    config: { needs: 'drain', refusals: ['not_found', 'node_away'] },
    schema: {
      summary: 'In a fleet: a server of any node takes visitors again',
      params: FleetServerParams,
      body: ServerOrder,
      response
    }
  }, async request => {
    await actions.ready(operatorOf(request), nameIn(request.params))
    return READY
  })

  app.post('/servers/:name/restart', {
    config: { needs: 'drain', refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'A new thread takes the place of the server\'s; its users stay',
      params: ServerParams,
      body: ServerOrder,
      response
    }
  }, async request => {
    const { params: { name }, body: { force = false } } = request
    await actions.restart(operatorOf(request), name, force)
    return { response: 'restart received' }
  })
}

function addNodeRoutes (app: WireApp, { nodeActions }: ActionRoutesParts): void {
  app.post('/nodes/:node/drain', {
    config: { needs: 'drain', refusals: ['not_found', 'not_acceptable_here', 'node_away'] },
    schema: {
      summary: 'In a fleet: all servers of a node drain, but those in maintenance',
      params: NodeParams,
      body: NodeDrainOrder,
      response
    }
  }, async request => {
    await nodeActions.drain(operatorOf(request), request.params.node, request.body)
    return DRAINED
  })

  app.post('/nodes/:node/ready', {
    config: { needs: 'drain', refusals: ['not_found', 'node_away'] },
    schema: {
      summary: 'In a fleet: all servers of a node take visitors again, but those in maintenance',
      params: NodeParams,
      body: Nothing,
      response
    }
  }, async request => {
    await nodeActions.ready(operatorOf(request), request.params.node)
    return READY
  })
}

function addAuditRoute (app: WireApp, { audit }: ActionRoutesParts): void {
  app.get('/audit', {
    config: { needs },
    schema: {
      summary: 'Who did what to whom, when and from where; newest first',
      querystring: AuditQuery,
      response: { 200: Audit }
    }
  }, async request => {
    const { q, cursor, limit: limitText } = request.query
    const limit = Number(limitText ?? AUDIT_LIMIT)
    if (limit < 1 || limit > AUDIT_LIMIT_MAX) {
      throw new ApiError('bad_request', `limit must be 1 to ${AUDIT_LIMIT_MAX}.`)
    }
    const { entries, nextCursor } = await audit.page(cursor, limit, q)
    const { entriesMax, oldestMs } = await audit.kept()
    return {
      entries: entries.map(listed),
      next_cursor: nextCursor ?? null,
      kept: {
        entries_max: entriesMax,
        oldest: oldestMs === undefined ? null : new Date(oldestMs).toISOString()
      }
    }
  })
}

function listed (
  { atMs, who, action, target, detail, address, node }: AuditRecord
): AuditEntry {
  return {
    at: new Date(atMs).toISOString(),
    who,
    action,
    ...(target === undefined ? {} : { target }),
    ...(detail === undefined ? {} : { detail }),
    address,
    ...(node === undefined ? {} : { node })
  }
}

/** As the fleet knows it. */
function nameIn ({ node, name }: FleetServerParams): string {
  return `${node}/${name}`
}

function operatorOf (request: FastifyRequest): Operator {
  return { caller: callerOf(request), address: request.source.address }
}
