/**
 * `/healthz` and `/readyz`, for monitoring tools and load balancers. Healthy: the monitor answers.
 * Ready: visitors are placed; not while starting or stopping, nor without an available server.
 */
import { Status } from '@usher/shared/api/probes.ts'
import { ApiError } from '../errors/api-error.ts'
import type { WireApp } from './wire.ts'

export interface ProbeRoutesParts {
  /** Undefined when ready; asked at every request. */
  readonly reasonNotReady: () => string | undefined
}

const RETRY_AFTER_S = 1

export function addProbeRoutes (app: WireApp, { reasonNotReady }: ProbeRoutesParts): void {
  const needs = 'nothing'
  const schema = { summary: 'For load balancers and supervisors', response: { 200: Status } }
  app.get('/healthz', { config: { needs }, schema }, () => ({ status: 'healthy' }))
  app.get('/readyz', { config: { needs, refusals: ['not_ready'] }, schema }, () => {
    const reason = reasonNotReady()
    if (reason !== undefined) {
      throw new ApiError('not_ready', reason, { 'Retry-After': String(RETRY_AFTER_S) })
    }
    return { status: 'ready' }
  })
}
