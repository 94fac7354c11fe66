/**
 * The public keys of tickets at the router, as a JWK set (RFC 7517), for apps that verify them.
 * Main thread.
 */
import {
  jsonError, keptReply, optionsReply, textReply, NO_STORE
} from '@usher/shared/http/vocabulary/replies.ts'
import type { Reply } from '@usher/shared/http/vocabulary/values.ts'
import type { TicketKeys } from '@usher/shared/tickets/ticket.ts'
import type { TicketIssuer } from './ticket-issuer.ts'

export const JWKS_PATH = '/.well-known/jwks.json'
const ALLOW = 'GET, HEAD'
/** Less than the time for which a key is published before it signs. */
export const JWKS_MAX_AGE_S = 900
const RETRY_S = 1

/** Answers at JWKS_PATH. */
export function jwksHandler (
  tickets: Pick<TicketIssuer, 'keys'>
): (method: string) => Reply | Promise<Reply> {
  let kept: { readonly keys: TicketKeys, readonly reply: Reply } | undefined
  return async method => {
    if (method === 'OPTIONS') return optionsReply(ALLOW)
    if (method !== 'GET' && method !== 'HEAD') {
      return textReply(405, `Only ${ALLOW} are answered here.\n`, ['Allow', ALLOW, ...NO_STORE])
    }
    const keys = await tickets.keys()
    if (keys === undefined) return notYet()
    if (kept?.keys !== keys) kept = { keys, reply: keptReply(keysReply(keys)) }
    return kept.reply
  }
}

function keysReply ({ published }: TicketKeys): Reply {
  return {
    status: 200,
    headers: [
      'Content-Type', 'application/jwk-set+json', 'X-Content-Type-Options', 'nosniff',
      'Cache-Control', `public, max-age=${JWKS_MAX_AGE_S}`, 'Access-Control-Allow-Origin', '*'
    ],
    body: Buffer.from(JSON.stringify({ keys: published }))
  }
}

function notYet (): Reply {
  return jsonError(503, 'no_keys', 'The keys of tickets are not there yet. Try again soon.',
    ['Retry-After', String(RETRY_S)])
}
