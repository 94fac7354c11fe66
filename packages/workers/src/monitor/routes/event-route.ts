/**
 * `/events`, a stream of Server-Sent Events. The hub decides what is sent and when; this gives it
 * the connection and the check of the session.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { EVENT_STREAM, EventStream } from '@usher/shared/api/events.ts'
import type { Address } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import { DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import { isDenied } from '../access/deny-check.ts'
import type { Permit } from '../access/permit.ts'
import { ApiError } from '../errors/api-error.ts'
import type { EventHub } from '../figures/event-hub.ts'
import { whenReplyEnds } from '../access/reply-end.ts'
import { securityHeaders } from '../access/security-headers.ts'
import type { SessionStore } from '../../accounts/session-store.ts'
import type { CurrentToken } from '../../accounts/token-store.ts'
import type { WireApp } from './wire.ts'

export interface EventRouteParts {
  readonly denyList: Pick<DenyList, 'isDenied'>
  readonly hub: Pick<EventHub, 'add' | 'isFull'>
  readonly sessions: Pick<SessionStore, 'current'>
  readonly permit: Pick<Permit, 'act'>
}

const RETRY_AFTER_S = 5
const EVENT_STREAM_TYPE = `${EVENT_STREAM}; charset=utf-8`

export function addEventRoute (app: WireApp, parts: EventRouteParts): void {
  const { hub } = parts
  app.get('/events', {
    exposeHeadRoute: false,
    config: { needs: 'view', isStream: true },
    schema: {
      summary: 'The load of every server as it changes',
      response: {
        200: {
          description: 'One event at once, and one whenever something has changed',
          content: { [EVENT_STREAM]: { schema: EventStream } }
        }
      }
    }
  }, (request, reply) => {
    if (hub.isFull()) {
      throw new ApiError('busy', 'Too many event streams are open.',
        { 'Retry-After': String(RETRY_AFTER_S) })
    }
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      ...reply.getHeaders() as Record<string, string>,
      ...securityHeaders(request.source.isSecure),
      'Content-Type': EVENT_STREAM_TYPE,
      // A proxy such as nginx would keep events until it has a bufferful of them.
      'X-Accel-Buffering': 'no',
      'Cache-Control': 'no-store'
    })
    const remove = hub.add(sinkOf(raw, request, parts))
    whenReplyEnds(raw, remove)
  })

  app.head('/events', { config: { needs: 'view' }, schema: { hide: true } },
    (_request, reply) => reply.type(EVENT_STREAM_TYPE).send())
}

function sinkOf (
  raw: ServerResponse, { token, session, program, source }: FastifyRequest, parts: EventRouteParts
): Parameters<EventHub['add']>[0] {
  const { sessions, denyList } = parts
  return {
    write: text => { raw.write(text) },
    bufferedBytes: () => raw.writableLength,
    end: () => { raw.end() },
    // For a reader that is too slow: what is still buffered is dropped.
    drop: () => { raw.destroy() },
    isAllowed: async () => {
      if (program !== undefined) return await mayProgramView(program, source.address, parts)
      const current = token === undefined ? undefined : await sessions.current(token)
      return current !== undefined && current.username === session?.username &&
        current.canView && !current.mustChange && !isDenied(denyList, source.address, current)
    }
  }
}

/** Rejects while the database cannot tell. */
async function mayProgramView (
  program: CurrentToken, address: Address, { permit, denyList }: EventRouteParts
): Promise<boolean> {
  if (isDenied(denyList, address)) return false
  return await permit.act(program, 'view', async () => true).catch((error: unknown) => {
    if (error instanceof DatabaseBusy || error instanceof DatabaseFailed) throw error
    return false
  })
}
