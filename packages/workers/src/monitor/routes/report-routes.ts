/** `/servers/NAME/users`: what a server's program says of its people. */
import { ServerParams } from '@usher/shared/api/actions.ts'
import { Report, REPORT_BYTES_MAX, Reported } from '@usher/shared/api/reports.ts'
import { callerOf } from '../access/checks.ts'
import type { Reports } from '../operator/user-reports.ts'
import type { WireApp } from './wire.ts'

export interface ReportRoutesParts {
  readonly reports: Pick<Reports, 'report'>
}

const PATH = /\/servers\/[^/?]+\/users(?:\?|$)/

export function addReportRoutes (app: WireApp, { reports }: ReportRoutesParts): void {
  app.post('/servers/:name/users', {
    bodyLimit: REPORT_BYTES_MAX,
    config: { needs: 'report', refusals: ['not_found'] },
    schema: {
      summary: 'Who is on a server and who has left it, as a beat or a leave of each would say',
      params: ServerParams,
      body: Report,
      response: { 200: Reported }
    }
  }, async request =>
    await reports.report(callerOf(request), request.params.name, request.body.users))
}

/** For the door, which looks at lengths before there is a route. */
export function reportBytesMax (target: string): number | undefined {
  return PATH.test(target) ? REPORT_BYTES_MAX : undefined
}
