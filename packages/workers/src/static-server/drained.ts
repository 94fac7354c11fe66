/**
 * What a server answers while it drains: who is here, or has a place here, stays until the drain's
 * time is over; newcomers who open a page are sent to the router, and nobody new is counted. What
 * pages load is served to everybody. Runs in the server's thread.
 */
import { visitDrained } from '@usher/shared/beats/draining.ts'
import { OPENED, REFUSED, type VisitorParts } from '@usher/shared/beats/visitors.ts'
import { clientOfAddress } from '@usher/shared/client.ts'
import type { FileReply } from '@usher/shared/http/files/stored-file.ts'
import { countEffect, countEffectOfReply } from '@usher/shared/http/vocabulary/counting.ts'
import {
  newClient, withCookie, type CookieSettings
} from '@usher/shared/http/vocabulary/identity.ts'
import {
  redirectTarget, type TargetSettings
} from '@usher/shared/http/vocabulary/redirect-target.ts'
import { NO_BODY, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { DrainPhase } from '@usher/shared/memory/server-words.ts'

export type RouterSettings = TargetSettings &
  { readonly routerUrl: string, readonly routingPort: number }

const FOUND = 302

/** For a visitor who cannot be here. */
export interface Refusals {
  readonly full: Reply
  /** Its network has had its newcomers for now. */
  readonly network: Reply
  readonly toRouter: (request: Pick<RequestValue, TargetParts>) => Reply
  /** The same page, whose link leads to the router. */
  readonly fullAtRouter: (request: Pick<RequestValue, TargetParts>) => Reply
}

type TargetParts = 'authority' | 'isSecure' | 'path' | 'query'

/**
 * Decides who is given the reply to a request for a page or a part of one.
 * @param phase not none
 * @param isByTicket the reply will carry a cookie
 */
export function answerDrained (
  parts: VisitorParts & { readonly settings: CookieSettings }, phase: DrainPhase,
  request: RequestValue, reply: FileReply, refusals: Refusals, isByTicket = false
): FileReply {
  const { method, path, headers, address, cookieClient: named } = request
  // A HEAD counts nobody, but says what its GET would say (RFC 9110 section 9.3.2).
  const isHead = method === 'HEAD'
  const effect = countEffectOfReply(
    isHead ? countEffect({ method: 'GET', path, headers }) : request.countEffect, reply)
  if (effect === 'none') return reply
  const isPage = effect === 'adds'
  const visitor = {
    client: named ?? clientOfAddress(address), address, ...(isPage && { options: OPENED })
  }
  const outcome = visitDrained(parts, phase, visitor, isHead ? 'none' : effect)
  if (!isPage) return reply
  if (outcome === 'unknown') return refusals.toRouter(request)
  if (REFUSED.has(outcome)) return refusals.full
  if (named !== undefined || isHead || isByTicket) return reply
  return withCookie(reply, newClient(), request, parts.settings)
}

/** Where the router has the same page. */
export function routerTarget (
  settings: RouterSettings
): (request: Pick<RequestValue, TargetParts>) => string {
  const targetOf = redirectTarget(settings)
  const { routerUrl, routingPort: port } = settings
  const router = { publicUrl: routerUrl === '' ? undefined : routerUrl, port }
  return request => targetOf(request, router)
}

/** Sends a visitor there. */
export function redirectReply (location: string): Reply {
  return {
    status: FOUND,
    headers: ['Location', location, 'Cache-Control', 'no-store'],
    body: NO_BODY
  }
}
