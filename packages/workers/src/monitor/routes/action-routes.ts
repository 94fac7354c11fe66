/** What an operator does: disconnect, deny, allow, drain, ready; and who did what, the audit. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../api-error.ts'
import type { Actions, Disconnection, Operator, Target } from '../actions.ts'
import type { Audit } from '../../records/audit.ts'
import { sessionOf } from '../access/checks.ts'
import {
  count, countText, flag, minutes, objectOf, reason, received, text, time, userId
} from './schemas.ts'

export interface ActionRoutesParts {
  readonly actions: Pick<Actions, 'disconnect' | 'deny' | 'allow' | 'setDraining'>
  readonly audit: Pick<Audit, 'page' | 'kept'>
}

const AUDIT_LIMIT = 100
const AUDIT_LIMIT_MAX = 1000
const SEARCH_LENGTH_MAX = 64
const config = { needs: 'disconnect' } as const

export function addActionRoutes (app: FastifyInstance, parts: ActionRoutesParts): void {
  const { actions } = parts

  app.post<{ Body: Disconnection }>('/disconnect', {
    config,
    schema: actionSchema('Remove a user everywhere, and deny them unless told otherwise', {
      userId, reason, minutes, deny: flag, address: flag
    }, ['userId'])
  }, async request => {
    await actions.disconnect(operatorOf(request), request.body)
    return { response: 'disconnect received' }
  })

  app.post<{ Body: Target & { readonly reason?: string, readonly minutes?: number, readonly force?: boolean } }>('/deny', {
    config,
    schema: actionSchema('Deny a user id, an address or a range, here or not', {
      userId, address: userId, reason, minutes, force: flag
    })
  }, async request => {
    await actions.deny(operatorOf(request), request.body)
    return { response: 'deny received' }
  })

  app.post<{ Body: Target }>('/allow', {
    config, schema: actionSchema('Take a denial back', { userId, address: userId })
  }, async request => {
    await actions.allow(operatorOf(request), request.body)
    return { response: 'allow received' }
  })

  for (const order of ['drain', 'ready'] as const) {
    app.post<{ Params: { port: string }, Body: { readonly force?: boolean } }>(
      `/servers/:port/${order}`,
      { config, schema: DRAIN[order] },
      async request => {
        const port = Number(request.params.port)
        const { force = false } = request.body
        await actions.setDraining(operatorOf(request), port, order === 'drain', force)
        return { response: `${order} received` }
      })
  }

  app.get<{ Querystring: { q?: string, cursor?: string, limit?: string } }>('/audit', {
    config, schema: AUDIT
  }, async request => {
    const limit = Number(request.query.limit ?? AUDIT_LIMIT)
    if (limit < 1 || limit > AUDIT_LIMIT_MAX) {
      throw new ApiError('bad_request', `limit must be 1 to ${AUDIT_LIMIT_MAX}.`)
    }
    const { q, cursor } = request.query
    const { entries, nextCursor } = await parts.audit.page(cursor, limit, q)
    const { entriesMax, oldestMs } = await parts.audit.kept()
    return {
      entries: entries.map(({ atMs, who, action, target, detail, address }) => ({
        at: new Date(atMs).toISOString(), who, action, target, detail, address
      })),
      next_cursor: nextCursor ?? null,
      kept: {
        entries_max: entriesMax,
        oldest: oldestMs === undefined ? null : new Date(oldestMs).toISOString()
      }
    }
  })
}

function operatorOf (request: FastifyRequest): Operator {
  return { username: sessionOf(request).username, address: request.source.address }
}

function actionSchema<Properties extends object> (
  summary: string, properties: Properties, required: ReadonlyArray<keyof Properties & string> = []
) {
  return { summary, body: objectOf(properties, required), response: { 200: received } }
}

const params = objectOf({ port: { type: 'string', pattern: '^\\d{1,5}$' } }, ['port'])
const DRAIN = {
  drain: {
    ...actionSchema('The server keeps its users and gets no new ones', { force: flag }), params
  },
  ready: { ...actionSchema('The server takes visitors again', { force: flag }), params }
}

const AUDIT = {
  summary: 'Who did what to whom, when and from where; newest first',
  querystring: objectOf({
    q: { type: 'string', maxLength: SEARCH_LENGTH_MAX },
    cursor: { type: 'string', maxLength: 20 },
    limit: countText
  }),
  response: {
    200: objectOf({
      entries: {
        type: 'array',
        items: objectOf({
          at: time,
          who: text,
          action: text,
          target: { type: ['string', 'null'] },
          detail: { type: 'object', additionalProperties: true },
          address: text
        })
      },
      next_cursor: { type: ['string', 'null'] },
      kept: objectOf({ entries_max: count, oldest: { type: ['string', 'null'] } })
    })
  }
}
