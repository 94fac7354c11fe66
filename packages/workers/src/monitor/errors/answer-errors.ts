/**
 * Turns whatever a route throws into the monitor's error reply: `{"error": CODE, "message": TEXT}`.
 * Stacks go to the log, once, under a code that the client is told; never to the client. Pure but
 * for that log line.
 */
import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import { ApiError } from './api-error.ts'

/** Makes the error reply of what was thrown, and logs what is worth a line. */
export type ErrorOf = (thrown: unknown, request: FastifyRequest) => ApiError

/** Errors of other parts that a client is told about. */
const BY_CODE: Readonly<Record<string, { error: ApiErrorCode, retryAfterS?: number }>> = {
  USHER_CREDENTIALS_BUSY: { error: 'busy', retryAfterS: 1 },
  USHER_CREDENTIALS_FAILED: { error: 'busy', retryAfterS: 1 },
  USHER_DATABASE_BUSY: { error: 'database_unavailable', retryAfterS: 2 },
  USHER_DATABASE_FAILED: { error: 'database_unavailable', retryAfterS: 10 },
  USHER_ORDER_TIMED_OUT: { error: 'busy', retryAfterS: 1 },
  USHER_WORKER_GONE: { error: 'busy', retryAfterS: 1 },
  USHER_RESTART_FAILED: { error: 'busy', retryAfterS: 10 },
  USHER_DENY_ENTRY_INVALID: { error: 'bad_request' },
  USHER_DENY_LIST_FULL: { error: 'not_acceptable_here' },
  USHER_AUDIT_CURSOR_INVALID: { error: 'bad_request' },
  USHER_ACCOUNT_UNKNOWN: { error: 'not_found' },
  USHER_ACCOUNT_CHANGED: { error: 'account_changed' },
  USHER_SESSION_ENDED: { error: 'not_logged_in' },
  USHER_RIGHT_WITHDRAWN: { error: 'forbidden' },
  USHER_TOKEN_UNKNOWN: { error: 'invalid_token' },
  USHER_TOKEN_EXPIRED: { error: 'invalid_token' },
  USHER_TOKEN_EXISTS: { error: 'not_acceptable_here' },
  USHER_TOKENS_FULL: { error: 'not_acceptable_here' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { error: 'unsupported_media_type' }
}

/** An error as a route may throw it; Fastify's own carry a status and a code. */
interface Thrown extends Error {
  readonly statusCode?: number
  readonly code?: string
  readonly validation?: unknown
}

/**
 * @param what method and path, for the log line of a fault of ours
 * @param bodyBytesMax of what was asked for
 */
export function toApiError (
  thrown: unknown, what: object, log: Pick<Logger, 'error'>, bodyBytesMax?: number
): ApiError {
  if (thrown instanceof ApiError) return thrown
  const { code = '', statusCode = 500, message } = thrown as Thrown
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new ApiError('body_too_large', `The body may have ${bodyBytesMax} bytes at most.`)
  }
  const known = BY_CODE[code]
  if (known !== undefined) {
    const { error, retryAfterS } = known
    return new ApiError(error, sentence(message),
      retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) })
  }
  // Bodies that are no JSON, or not of the shape that the route takes.
  if (statusCode === 400) return new ApiError('bad_request', sentence(message))
  const id = randomBytes(4).toString('hex')
  log.error({ err: thrown, code: id, ...what }, 'a request failed')
  return new ApiError('internal_error', `Something went wrong on our side. The log has the details under the code ${id}.`)
}

function sentence (message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
