/** `/servers`: which there are; and external ones are added, changed and removed by people. */
import { Received, ServerOrder, ServerParams } from '@usher/shared/api/actions.ts'
import { NewServer, ServerChange, ServerList } from '@usher/shared/api/server-entries.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import { sessionOf } from '../access/checks.ts'
import type { ServerActions } from '../operator/server-actions.ts'
import { originOf } from './account-routes.ts'
import type { WireApp } from './wire.ts'

export interface ServerRoutesParts {
  readonly serverActions: Pick<ServerActions, 'list' | 'add' | 'change' | 'remove'>
}

const needs = 'servers'
const response = { 200: Received }

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
  }, async request => {
    await serverActions.add(sessionOf(request), request.body, originOf(request))
    return { response: 'server added' }
  })

  app.post('/servers/:name/change', {
    config: { needs, refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'Change a server that was added here; what is left out stays, null is as the settings say',
      params: ServerParams,
      body: ServerChange,
      response
    }
  }, async request => {
    const { params: { name }, body } = request
    await serverActions.change(sessionOf(request), name, body, originOf(request))
    return { response: 'server changed' }
  })

  app.post('/servers/:name/remove', {
    config: { needs, refusals: ['not_found', 'not_acceptable_here'] },
    schema: {
      summary: 'Remove a server that was added here; its users are placed anew when they come back',
      params: ServerParams,
      body: ServerOrder,
      response
    }
  }, async request => {
    const { params: { name }, body: { force = false } } = request
    await serverActions.remove(sessionOf(request), name, force, originOf(request))
    return { response: 'server removed' }
  })
}
