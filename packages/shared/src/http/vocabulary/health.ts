/**
 * `/healthz` of the router and the servers: whether who watches over a port may send visitors
 * there. Asks nobody who asks and counts nobody. Pure.
 */
import { jsonError, jsonReply, keptReply, NO_STORE, optionsReply, textReply } from './replies.ts'
import type { Reply } from './values.ts'

const HEALTH_ALLOW = 'GET, HEAD'
const RETRY_AFTER_S = 1
const HEALTHY = keptReply(jsonReply(200, { status: 'healthy' }, NO_STORE))

/** @param reason why not; undefined for healthy */
export function healthReply (method: string, reason: string | undefined): Reply {
  if (method === 'OPTIONS') return optionsReply(HEALTH_ALLOW)
  if (method !== 'GET' && method !== 'HEAD') {
    return textReply(405, `Only ${HEALTH_ALLOW} are answered here.\n`,
      ['Allow', HEALTH_ALLOW, ...NO_STORE])
  }
  if (reason === undefined) return HEALTHY
  return jsonError(503, 'not_ready', reason, ['Retry-After', String(RETRY_AFTER_S)])
}
