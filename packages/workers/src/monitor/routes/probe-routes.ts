/**
 * `/healthz` and `/readyz`, for monitoring tools and load balancers. Healthy: neither starting nor
 * stopping. Ready: visitors are placed, so a server is available as well.
 */
import { Status } from '@usher/shared/api/probes.ts'
import { ApiError } from '../errors/api-error.ts'
import type { WireApp } from './wire.ts'

export interface ProbeRoutesParts {
  /** Why not; undefined when healthy. Asked at every request, as the other one is. */
  readonly reasonNotHealthy: () => string | undefined
  readonly reasonNotReady: () => string | undefined
}

const RETRY_AFTER_S = 1

export function addProbeRoutes (
  app: WireApp, { reasonNotHealthy, reasonNotReady }: ProbeRoutesParts
): void {
  const config = { needs: 'nothing', isForDenied: true, refusals: ['not_ready'] } as const
  const schema = { summary: 'For load balancers and supervisors', response: { 200: Status } }
  app.get('/healthz', { config, schema }, () => {
    refuse(reasonNotHealthy())
    return { status: 'healthy' }
  })
  app.get('/readyz', { config, schema }, () => {
    refuse(reasonNotReady())
    return { status: 'ready' }
  })
}

function refuse (reason: string | undefined): void {
  if (reason === undefined) return
  throw new ApiError('not_ready', reason, { 'Retry-After': String(RETRY_AFTER_S) })
}
