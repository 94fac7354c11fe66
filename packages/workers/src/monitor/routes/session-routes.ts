/** `/sessions`: where the own account is logged in, and how to end one of these logins. */
import { Received } from '@usher/shared/api/actions.ts'
import { SessionEnd, SessionList } from '@usher/shared/api/sessions.ts'
import { sessionOf } from '../access/checks.ts'
import type { Logins } from '../operator/logins.ts'
import { sessionHandle } from '../../accounts/session-token.ts'
import type { SessionStore } from '../../accounts/session-store.ts'
import { originOf } from './account-routes.ts'
import type { WireApp } from './wire.ts'

export interface SessionRoutesParts {
  readonly logins: Pick<Logins, 'endSession'>
  readonly sessions: Pick<SessionStore, 'list'>
  /** Wall-clock milliseconds: it is read by people. */
  readonly wallNow: () => number
}

export function addSessionRoutes (app: WireApp, parts: SessionRoutesParts): void {
  const { logins, sessions, wallNow } = parts

  app.get('/sessions', {
    config: { needs: 'session' },
    schema: {
      summary: 'Where the own account is logged in, the session used last first',
      response: { 200: SessionList }
    }
  }, async request => {
    const { accountId, sessionHash: own } = sessionOf(request)
    const nowMs = wallNow()
    return {
      sessions: (await sessions.list(accountId)).map(listed => ({
        id: sessionHandle(listed.sessionHash),
        user_agent: listed.userAgent,
        address: listed.address,
        created: new Date(nowMs - listed.createdAgoMs).toISOString(),
        last_seen: new Date(nowMs - listed.lastUsedAgoMs).toISOString(),
        current: listed.sessionHash === own
      }))
    }
  })

  app.post('/sessions/end', {
    config: { needs: 'session', refusals: ['not_found'] },
    schema: {
      summary: 'End another session of the own account, at once',
      body: SessionEnd,
      response: { 200: Received }
    }
  }, async request => {
    await logins.endSession(sessionOf(request), request.body.id, originOf(request))
    return { response: 'session ended' }
  })
}
