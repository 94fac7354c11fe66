/** `/sessions`: where the own account is logged in, and how to end one of these logins. */
import type { FastifyInstance } from 'fastify'
import { sessionOf } from '../access/checks.ts'
import type { Logins } from '../logins.ts'
import { sessionHandle } from '../../accounts/session-token.ts'
import type { Sessions } from '../../accounts/sessions.ts'
import { originOf } from './account-routes.ts'
import { flag, objectOf, received, text, time } from './schemas.ts'

export interface SessionRoutesParts {
  readonly logins: Pick<Logins, 'endSession'>
  readonly sessions: Pick<Sessions, 'list'>
  /** Wall-clock milliseconds: it is read by people. */
  readonly wallNow: () => number
}

/** Longer than any handle: what is malformed is unknown. */
const HANDLE_LENGTH_MAX = 64

export function addSessionRoutes (app: FastifyInstance, parts: SessionRoutesParts): void {
  const { logins, sessions, wallNow } = parts

  app.get('/sessions', { schema: SESSIONS }, async request => {
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

  app.post<{ Body: { readonly id: string } }>('/sessions/end', {
    schema: END
  }, async request => {
    await logins.endSession(sessionOf(request), request.body.id, originOf(request))
    return { response: 'session ended' }
  })
}

const SESSIONS = {
  summary: 'Where the own account is logged in, the session used last first',
  response: {
    200: objectOf({
      sessions: {
        type: 'array',
        items: objectOf({
          id: text, user_agent: text, address: text, created: time, last_seen: time, current: flag
        })
      }
    })
  }
} as const
const END = {
  summary: 'End another session of the own account, at once',
  body: objectOf({ id: { type: 'string', minLength: 1, maxLength: HANDLE_LENGTH_MAX } }, ['id']),
  response: { 200: received }
}
