/**
 * `/healthz` and `/readyz`, for whoever watches over the process. Healthy: the monitor answers.
 * Ready: visitors are placed; not while starting or stopping, nor without an available server.
 */
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../api-error.ts'

export interface ProbeRoutesParts {
  /** Undefined when ready; asked at every request. */
  readonly reasonNotReady: () => string | undefined
}

const RETRY_AFTER_S = 1

export function addProbeRoutes (app: FastifyInstance, { reasonNotReady }: ProbeRoutesParts): void {
  const config = { needs: 'nothing' } as const
  const schema = { summary: 'For load balancers and supervisors', response: { 200: STATUS } }
  app.get('/healthz', { config, schema }, () => ({ status: 'healthy' }))
  app.get('/readyz', { config, schema }, () => {
    const reason = reasonNotReady()
    if (reason !== undefined) {
      throw new ApiError('not_ready', reason, { 'Retry-After': String(RETRY_AFTER_S) })
    }
    return { status: 'ready' }
  })
}

const STATUS = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: { status: { type: 'string' } }
} as const
