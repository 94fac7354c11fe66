/**
 * Reply values with the headers that every reply of their kind carries. Further headers are names
 * and values in turn, as in Reply.
 */
import { NO_BODY, type Reply } from './values.ts'

/**
 * A reply that is made once and answers many requests. Field by field, so that all have the same
 * shape, which is read fastest: a spread gives many.
 */
export function keptReply ({ status, headers, body, streamed, isPage, newClient }: Reply): Reply {
  return { status, headers, body, streamed, isPage, newClient, isKept: true }
}

/** The value of Content-Length. */
export function bodyBytes ({ body, streamed }: Reply): number {
  return streamed?.bytes ?? body.length
}

/** For what must not be kept by any cache. */
export const NO_STORE = ['Cache-Control', 'no-store'] as const

/** @param allow the methods that are answered there, RFC 9110 section 9.3.7 */
export function optionsReply (allow: string): Reply {
  return { status: 204, headers: ['Allow', allow, ...NO_STORE], body: NO_BODY }
}

/** For programs, the reason why a visitor is refused for now where servers have a capacity. */
export function refusalReason (reason: 'full' | 'network'): readonly string[] {
  return ['X-Usher-Reason', reason]
}

export function textReply (status: number, text: string, headers: readonly string[] = []): Reply {
  return typedReply(status, 'text/plain; charset=utf-8', text, headers)
}

export function htmlReply (status: number, html: string, headers: readonly string[] = []): Reply {
  return typedReply(status, 'text/html; charset=utf-8', html, headers)
}

/** What programs read of a refusal. @param error a code of docs/errors.md */
export function jsonError (
  status: number, error: string, message: string, headers: readonly string[] = []
): Reply {
  return jsonReply(status, { error, message }, [...headers, ...NO_STORE])
}

/** @param value anything that JSON can say. */
export function jsonReply (status: number, value: object, headers: readonly string[] = []): Reply {
  return typedReply(status, 'application/json; charset=utf-8', JSON.stringify(value), headers)
}

function typedReply (
  status: number, type: string, text: string, headers: readonly string[]
): Reply {
  return {
    status,
    headers: ['Content-Type', type, 'X-Content-Type-Options', 'nosniff', ...headers],
    body: Buffer.from(text)
  }
}
