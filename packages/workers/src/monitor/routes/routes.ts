/** All routes of the monitor, in one list. What each says is in the files beside this one. */
import { addAccountRoutes, type AccountRoutesParts } from './account-routes.ts'
import { addActionRoutes, type ActionRoutesParts } from './action-routes.ts'
import { addEventRoute, type EventRouteParts } from './event-route.ts'
import { addPageRoutes, type PageRoutesParts } from './page-routes.ts'
import { addProbeRoutes, type ProbeRoutesParts } from './probe-routes.ts'
import { addReadRoutes, type ReadRoutesParts } from './read-routes.ts'
import { addReportRoutes, type ReportRoutesParts } from './report-routes.ts'
import { addServerRoutes, type ServerRoutesParts } from './server-routes.ts'
import { addSessionRoutes, type SessionRoutesParts } from './session-routes.ts'
import { addTokenRoutes, type TokenRoutesParts } from './token-routes.ts'
import type { WireApp } from './wire.ts'

export type RoutesParts = AccountRoutesParts & ActionRoutesParts & EventRouteParts &
  PageRoutesParts & ProbeRoutesParts & ReadRoutesParts & ReportRoutesParts & ServerRoutesParts &
  SessionRoutesParts & TokenRoutesParts

export function addRoutes (app: WireApp, parts: RoutesParts): void {
  addProbeRoutes(app, parts)
  addPageRoutes(app, parts)
  addAccountRoutes(app, parts)
  addSessionRoutes(app, parts)
  addTokenRoutes(app, parts)
  addReadRoutes(app, parts)
  addActionRoutes(app, parts)
  addServerRoutes(app, parts)
  addReportRoutes(app, parts)
  addEventRoute(app, parts)
}
