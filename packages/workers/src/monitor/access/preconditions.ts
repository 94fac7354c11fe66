/**
 * Preconditions (RFC 9110 section 13) of answers without entity tag and date: all that is known is
 * that the resource exists. Files have both, and site-reply.ts evaluates theirs. Also removes from
 * a 304 what it must not carry. The last step of every route's answer; holds no state.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../errors/api-error.ts'

/** For every route, after what Fastify does to the answer of a HEAD. */
export function settlePreconditions (app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    const others = [route.onSend ?? []].flat().filter(hook => hook !== settle)
    route.onSend = [...others, settle]
  })
}

async function settle (
  request: FastifyRequest, reply: FastifyReply, payload: unknown
): Promise<unknown> {
  if (hasFailed(request, reply)) return refuse(request, reply)
  // RFC 9110 section 8.6: no length but that of the 200; Fastify tells that of the empty body.
  if (reply.statusCode !== 304) return payload
  reply.removeHeader('Content-Length')
  return null
}

/** Whether this answer is not to be given; makes a 304 of it where that is all. */
function hasFailed ({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
  const isRead = method === 'GET' || method === 'HEAD'
  if (!isRead || reply.statusCode !== 200 || reply.hasHeader('ETag')) return false
  const status = preconditionStatus(headers)
  if (status === 304) reply.code(304).removeHeader('Content-Type')
  return status === 412
}

/** Dates are ignored, as section 13.1.4 has it for what has none. */
export function preconditionStatus (headers: IncomingHttpHeaders): 304 | 412 | undefined {
  const match = headers['if-match']
  if (match !== undefined && match.trim() !== '*') return 412
  return headers['if-none-match']?.trim() === '*' ? 304 : undefined
}

function refuse ({ method }: FastifyRequest, reply: FastifyReply): string | null {
  const { status, code, message } =
    new ApiError('precondition_failed', 'This has no entity tag, so If-Match cannot match.')
  const body = JSON.stringify({ error: code, message })
  reply.code(status).type('application/json; charset=utf-8').header('Content-Length', body.length)
  return method === 'HEAD' ? null : body
}
