/**
 * `/healthz` and `/readyz`, for whoever watches over the process. Healthy: the monitor answers.
 * Ready: visitors are placed; not while starting or stopping, nor without an available server.
 */
import { jsonReply, NO_STORE } from '@usher/shared/http/replies.ts'
import type { Handler, Reply } from '@usher/shared/http/values.ts'

const ALLOW = ['Allow', 'GET, HEAD']

/** @param reasonNotReady undefined when ready; asked at every request */
export function probeHandler (reasonNotReady: () => string | undefined): Handler {
  return request => {
    if (request.path !== '/healthz' && request.path !== '/readyz') {
      return errorReply(404, 'not_found', 'There is nothing here.')
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return errorReply(405, 'method_not_allowed', 'Use GET or HEAD.', ALLOW)
    }
    const reason = request.path === '/readyz' ? reasonNotReady() : undefined
    if (reason !== undefined) return errorReply(503, 'not_ready', reason)
    return jsonReply(200, { status: request.path === '/readyz' ? 'ready' : 'healthy' }, NO_STORE)
  }
}

function errorReply (
  status: number, error: string, message: string, headers: readonly string[] = []
): Reply {
  return jsonReply(status, { error, message }, [...NO_STORE, ...headers])
}
