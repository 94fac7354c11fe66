/** `/servers`: which there are; and external ones are added, changed and removed by people. */
import { Received, ServerOrder, ServerParams } from '@usher/shared/api/actions.ts'
import {
  NewServer, ReceivedByMost, ServerChange, ServerList
} from '@usher/shared/api/server-entries.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import { sessionOf } from '../access/checks.ts'
import type { ServerActions } from '../operator/server-actions.ts'
import { originOf } from './account-routes.ts'
import type { WireApp } from './wire.ts'

export interface ServerRoutesParts {
  readonly serverActions: Pick<ServerActions, 'list' | 'add' | 'change' | 'remove'>
}

const needs = 'servers'
const ACCEPTED = 202
const response = { 200: Received, [ACCEPTED]: ReceivedByMost } as const

export function addServerRoutes (app: WireApp, { serverActions }: ServerRoutesParts): void {
  app.get('/servers', {
    config: { needs: 'view' },
    schema: {
      summary: 'The servers, who names them, and what is said of each',
      response: { 200: ServerList }
    }
  }, async () => ({ servers: [...await serverActions.list()], max: SERVERS_MAX }))

  app.post('/servers', {
    config: { needs, refusals: ['not_acceptable_here'] },
    schema: { summary: 'Add a server that runs elsewhere', body: NewServer, response }
  }, async (request, reply) => {
    const late = await serverActions.add(sessionOf(request), request.body, originOf(request))
    return answer('server added', late, reply)
  })

  app.post('/servers/:name/change', {
    config: { needs, refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'Change a server that was added here; what is left out stays, null is as the settings say',
      params: ServerParams,
      body: ServerChange,
      response
    }
  }, async (request, reply) => {
    const { params: { name }, body } = request
    const late = await serverActions.change(sessionOf(request), name, body, originOf(request))
    return answer('server changed', late, reply)
  })

  app.post('/servers/:name/remove', {
    config: { needs, refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'Remove a server that was added here; its users are placed anew when they come back',
      params: ServerParams,
      body: ServerOrder,
      response
    }
  }, async (request, reply) => {
    const { params: { name }, body: { force = false } } = request
    const late = await serverActions.remove(sessionOf(request), name, force, originOf(request))
    return answer('server removed', late, reply)
  })
}

/** It is stored either way, and where some threads are late they are told again. */
function answer (
  response: string, late: readonly string[], reply: { code (status: typeof ACCEPTED): unknown }
): Received | ReceivedByMost {
  if (late.length === 0) return { response }
  reply.code(ACCEPTED)
  const message = `This is stored, and in force but for the threads ${late.join(', ')}, which are told ` +
    'again until they know it. Until then nobody is sent to a server that is new.'
  return { response, late: [...late], message }
}
