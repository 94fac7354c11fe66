/**
 * The checks before every route, in this order: the host check, the CSRF check, the deny-list
 * check, the session, a made-up password, the permission. Of a program with a token: no CSRF check,
 * the token in place of the session, its scope with the permission; its cookies are not looked at.
 * Bodies are read only after all of them. A route says what it needs in its `config`; one that
 * names no need, or an unknown one, cannot be added. Runs in the monitor's thread.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import { formatAddress } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import type { RequestSource } from '@usher/shared/http/vocabulary/forwarded.ts'
import { ApiError } from '../errors/api-error.ts'
import {
  checkProgram, findProgram, hasMetricsToken, programToken, type BearerParts
} from './bearer.ts'
import { loginChallenge, tokenChallenge } from './challenge.ts'
import { continuation, isFromAnotherSite } from './cross-site-link.ts'
import { bodyRefusal, csrfRefusal, embeddingRefusal } from './csrf-check.ts'
import { isDenied } from './deny-check.ts'
import { hostRefusal } from './host-check.ts'
import { isAllowed, isNeed, refusalText, scopeFor, type Caller, type Need } from './rights.ts'
import { sessionToken } from './session-cookie.ts'
import type { CurrentSession, SessionStore } from '../../accounts/session-store.ts'
import type { CurrentToken } from '../../accounts/token-store.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly needs: Need
    /** Besides those of every route of its kind, for /openapi.json. */
    readonly refusals?: readonly ApiErrorCode[]
    /** A page for people: a browser that may not see it is redirected to one that explains why. */
    readonly isPage?: boolean
    /** Also for whoever is denied: a probe, or what a page needs to be seen. */
    readonly isForDenied?: boolean
    /** A stream, which stays open until its client leaves. */
    readonly isStream?: boolean
    /** Takes a form besides JSON. */
    readonly takesForm?: boolean
    /** Allowed before a made-up password has been changed. */
    readonly isOpenBeforeChange?: boolean
  }
  interface FastifyRequest {
    source: RequestSource
    /** Undefined where a route needs none, and for a program. */
    session: CurrentSession | undefined
    /** Of the session. */
    token: string | undefined
    /** Whose token the request has, where it has one. */
    program: CurrentToken | undefined
  }
}

export interface ChecksParts extends BearerParts {
  readonly readSource: (request: FastifyRequest['raw']) => RequestSource
  readonly publicHosts: readonly string[]
  readonly sessions: Pick<SessionStore, 'current'>
  /** Empty: there is none. */
  readonly metricsToken: string
  readonly denyList: Pick<DenyList, 'isDenied'>
  /** For whom a page is not, or not yet. */
  readonly pages: {
    noPermission (username: string): string
    denied (address: string): string
    /** Goes on to an address of the monitor, see cross-site-link.ts. */
    continue (to: string): string
  }
}

/** The methods of this port; which of them a path answers is the path's to say. */
export const ALLOW = 'GET, HEAD, POST'
const LOGIN_PAGE = '/login.html'
const PASSWORD_PAGE = '/password.html'

/** The session of a request whose route needs one. */
export function sessionOf (request: FastifyRequest): CurrentSession {
  if (request.session === undefined) throw new Error('the route needs no session')
  return request.session
}

/** Whoever asks, in person or by a program, where the route needs somebody. */
export function callerOf (request: FastifyRequest): Caller {
  return request.program ?? sessionOf(request)
}

export function addChecks (app: FastifyInstance, parts: ChecksParts): void {
  app.decorateRequest('source')
  app.decorateRequest('session')
  app.decorateRequest('token')
  app.decorateRequest('program')
  app.addHook('onRoute', ({ url, config }) => {
    if (!isNeed(config?.needs)) throw new Error(`${url} does not say what it needs`)
  })
  app.addHook('onRequest', async (request, reply) => {
    request.source = parts.readSource(request.raw)
    const { isForDenied = false } = request.routeOptions.config
    const needs = needOf(request)
    const isOpen = needs === 'nothing' ||
      (needs === 'metrics' && hasMetricsToken(request.headers, parts.metricsToken))
    const token = isOpen ? undefined : programToken(request.headers)
    const refusal = hostRefusal(request.source, parts.publicHosts) ?? unrouted(request) ??
      (token === undefined ? forgeryRefusal(request, needs) : programRefusal(request))
    if (refusal !== undefined) throw refusal
    const mayBeDenied = !isForDenied && isDenied(parts.denyList, request.source.address)
    if (token !== undefined) {
      if (mayBeDenied) return refuseDenied(request, reply, parts)
      request.program = await findProgram(token, request.source.address, parts)
      // A path that is not there is no secret from whoever has a token.
      return request.is404 ? undefined : await checkProgram(request.program, needs, parts)
    }
    request.token = sessionToken(request.headers, request.source.isSecure)
    if (isOpen && !mayBeDenied) return
    request.session = request.token === undefined
      ? undefined
      : await parts.sessions.current(request.token)
    if (mayBeDenied && isDenied(parts.denyList, request.source.address, request.session)) {
      return refuseDenied(request, reply, parts)
    }
    return isOpen ? undefined : await checkSession(request, reply, parts)
  })
}

function forgeryRefusal (
  { method, headers, source, routeOptions }: FastifyRequest, needs: Need
): ApiError | undefined {
  if (method !== 'POST') return needs === 'nothing' ? undefined : embeddingRefusal(headers, source)
  return csrfRefusal(headers, source, routeOptions.config.takesForm ?? false)
}

function programRefusal ({ method, headers }: FastifyRequest): ApiError | undefined {
  return method === 'POST' ? bodyRefusal(headers) : undefined
}

/** An unknown path is answered 404 only to a request with a session. */
function needOf ({ is404, routeOptions }: FastifyRequest): Need {
  return is404 ? 'session' : routeOptions.config.needs
}

/** Fastify looks up no route for an unknown method: it would answer 404 for every path. */
function unrouted ({ method, server }: FastifyRequest): ApiError | undefined {
  if (server.supportedMethods.includes(method)) return undefined
  return new ApiError('method_not_allowed', `Use ${ALLOW}.`, { Allow: ALLOW })
}

/** Answers, or throws, when the session is not what the route needs. */
async function checkSession (
  request: FastifyRequest, reply: FastifyReply, parts: ChecksParts
): Promise<FastifyReply | undefined> {
  const { isPage = false, isOpenBeforeChange = false } = request.routeOptions.config
  const { session } = request
  if (session === undefined) {
    if (isPage) return sendOn(request, reply, parts)
    throw new ApiError('not_logged_in',
      'Log in first: POST /login, or open the monitor in a browser.',
      { 'WWW-Authenticate': challenge(request) })
  }
  if (session.mustChange && !isOpenBeforeChange) {
    if (isPage) return reply.redirect(PASSWORD_PAGE, 302)
    throw new ApiError('password_change_required', 'Change the generated password first: POST /password.')
  }
  const needs = needOf(request)
  if (isAllowed(session, needs)) return undefined
  if (!isPage) {
    throw new ApiError('forbidden', refusalText(session, needs, await parts.permissions.list()))
  }
  return sendPage(reply, 403, parts.pages.noPermission(session.username))
}

/** A browser whose cookie stayed behind on another site comes again; any other logs in. */
function sendOn (
  request: FastifyRequest, reply: FastifyReply, { pages }: ChecksParts
): FastifyReply {
  const { headers, source, token, url, routeOptions } = request
  const next = token === undefined && isFromAnotherSite(headers, source)
    ? continuation(routeOptions.url!, url)
    : undefined
  return next === undefined
    ? reply.redirect(LOGIN_PAGE, 302)
    : sendPage(reply, 200, pages.continue(next))
}

function refuseDenied (
  { routeOptions, source }: FastifyRequest, reply: FastifyReply, { pages }: ChecksParts
): FastifyReply {
  const address = formatAddress(source.address)
  if (routeOptions.config.isPage === true || routeOptions.url === LOGIN_PAGE) {
    return sendPage(reply, 403, pages.denied(address))
  }
  throw new ApiError('denied', `The address ${address} is denied.`)
}

function sendPage (reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(page)
}

/** The challenge of a 401 for this route. */
function challenge (request: FastifyRequest): string {
  const login = loginChallenge(request.source.isSecure)
  return scopeFor(needOf(request)) === undefined
    ? login
    : `${tokenChallenge(request.headers)}, ${login}`
}
