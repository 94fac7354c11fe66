/**
 * Reply values with the headers that every reply of their kind carries. Further headers are names
 * and values in turn, as in Reply.
 */
import type { Reply } from './values.ts'

/** For what must not be kept by any cache. */
export const NO_STORE = ['Cache-Control', 'no-store'] as const

export function textReply (status: number, text: string, headers: readonly string[] = []): Reply {
  return typedReply(status, 'text/plain; charset=utf-8', text, headers)
}

export function htmlReply (status: number, html: string, headers: readonly string[] = []): Reply {
  return typedReply(status, 'text/html; charset=utf-8', html, headers)
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
