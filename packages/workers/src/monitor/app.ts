/**
 * The monitor's HTTP server: Fastify behind the same checked server as every other port. Owns how
 * requests are parsed, checked and refused; what the routes say is in `routes/`. Listens nowhere by
 * itself. Runs in the monitor's thread.
 */
import type { IncomingMessage, Server } from 'node:http'
import formBody from '@fastify/formbody'
import swagger from '@fastify/swagger'
import fastify, {
  type FastifyContextConfig, type FastifyInstance, type FastifyReply, type HTTPMethods
} from 'fastify'
import { formatAddress } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  createCheckedServer, type CheckedServer, type CheckedServerOptions
} from '@usher/shared/http/checked-server.ts'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import { UnknownHostWarning } from '@usher/shared/unknown-host-warning.ts'
import type { Logger } from 'pino'
import { toApiError, type ErrorOf } from './errors/answer-errors.ts'
import { ApiError } from './errors/api-error.ts'
import { loginChallenge, tokenChallenge } from './access/challenge.ts'
import { addChecks, ALLOW, type ChecksParts } from './access/checks.ts'
import { limitWork, type WorkLimits } from './access/work-limits.ts'
import type { Permit } from './access/permit.ts'
import { settlePreconditions } from './access/preconditions.ts'
import { hasRepeatedName } from './access/repeated-names.ts'
import { RefusalLog } from './access/refusal-log.ts'
import { describeRoutes, openApiOptions } from './routes/open-api.ts'
import { reportBytesMax } from './routes/report-routes.ts'
import { addRoutes, type RoutesParts } from './routes/routes.ts'
import { securityHeaders } from './access/security-headers.ts'
import { yieldIfDue } from '../yielding.ts'

export interface AppParts {
  readonly server: Omit<CheckedServerOptions, 'allow' | 'bodyBytesMax' | 'longBodyBytesMax'>
  readonly checks: ChecksParts
  readonly routes: Omit<RoutesParts, 'errorOf'>
  readonly permit: Pick<Permit, 'act'>
  /** WORK_LIMITS if left out. */
  readonly limits?: WorkLimits
  readonly version: string
  readonly log: Logger
}

export interface App {
  readonly checked: CheckedServer
  readonly fastify: FastifyInstance
}

export const BODY_BYTES_MAX = 16 * 1024
const PARAMETER_LENGTH_MAX = 64

/** Ready to take requests once its server listens. */
export async function buildApp (parts: AppParts): Promise<App> {
  let checked: CheckedServer | undefined
  const app = fastify({
    serverFactory: handler => {
      checked = createCheckedServer(
        {
          ...parts.server,
          allow: ALLOW,
          bodyBytesMax: BODY_BYTES_MAX,
          longBodyBytesMax: reportBytesMax
        }, handler)
      return checked.server as Server
    },
    // The checked server answers malformed requests itself; Fastify would add a second reply.
    clientErrorHandler: () => {},
    frameworkErrors: (_error, { raw }, reply) => { answerNoPath(parts, raw, reply) },
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    // Nothing is coerced: by default Fastify would turn texts into numbers and drop unknown fields.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } }
  })
  const errorOf = errorReader(parts)
  yieldBetweenStages(app)
  addParsers(app)
  addAnswers(app, errorOf)
  app.addHook('onResponse', async ({ routeOptions }, reply) => {
    // The time that a stream was open is no response time.
    const durationMs = routeOptions.config.isStream === true ? undefined : reply.elapsedTime
    parts.server.meter?.answered(reply.statusCode, durationMs)
  })
  addChecks(app, parts.checks)
  limitWork(app, parts.permit, parts.limits)
  settlePreconditions(app)
  describeRoutes(app)
  await app.register(swagger, openApiOptions(parts.version))
  await app.register(async scope => {
    const methodsByUrl = noteMethods(scope)
    addRoutes(scope, { ...parts.routes, errorOf })
    refuseOtherMethods(scope, methodsByUrl)
  })
  await app.ready()
  return { checked: checked!, fastify: app }
}

/** A request is work of half a millisecond and more. */
function yieldBetweenStages (app: FastifyInstance): void {
  for (const stage of ['onRequest', 'preValidation', 'preHandler', 'onResponse'] as const) {
    app.addHook(stage, (_request: unknown, _reply: unknown, done: () => void) => {
      yieldIfDue()
      done()
    })
  }
  app.addHook('onSend', (_request, _reply, payload, done) => {
    yieldIfDue()
    done(null, payload)
  })
}

function addParsers (app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, {}) // `curl -X POST` sends none.
    return parseJson(request, body as string, (error, value) => {
      const isAmbiguous = error === null && hasRepeatedName(body as string)
      done(isAmbiguous ? new ApiError('bad_request', 'The body has a name twice.') : error, value)
    })
  })
  void app.register(formBody, { bodyLimit: BODY_BYTES_MAX })
}

/** A malformed path reaches no hook; Fastify's own answer has other words and headers. */
function answerNoPath (
  { checks, server }: AppParts, raw: IncomingMessage, reply: FastifyReply
): void {
  const { status, code, message } = new ApiError('bad_request', 'The path is malformed or too long.')
  server.meter?.answered(status)
  void reply.code(status)
    .headers({ ...securityHeaders(checks.readSource(raw).isSecure), 'Cache-Control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send({ error: code, message })
}

/** Turns what a route or a check throws into an error reply, and logs the refusals worth a line. */
function errorReader ({ checks, log }: AppParts): ErrorOf {
  const refusals = new RefusalLog(log, monotonicNowMs)
  const unknownHosts = new UnknownHostWarning(log, checks.publicHosts,
    'the monitor does not answer to that name (421)')
  return (thrown, { method, url, headers, source, session, program, routeOptions }) => {
    const path = url.split('?', 1)[0]
    const error = toApiError(thrown, { method, path }, log, routeOptions.bodyLimit)
    if (error.code === 'misdirected_request') unknownHosts.note(hostOf(source.authority))
    refusals.note(error.code, {
      method,
      path,
      address: formatAddress(source.address),
      who: (session ?? program)?.username,
      token: program?.tokenName,
      hasToken: headers.authorization !== undefined
    })
    return error
  }
}

/** Empty for what is no host. */
function hostOf (authority = ''): string {
  return parseAuthority(authority)?.host ?? ''
}

function addAnswers (app: FastifyInstance, errorOf: ErrorOf): void {
  app.addHook('onSend', async ({ source }, reply) => {
    reply.headers(securityHeaders(source.isSecure))
    if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const { status, code, message, headers } = errorOf(thrown, request)
    if (status === 401) {
      reply.header('WWW-Authenticate', code === 'invalid_token'
        ? tokenChallenge(request.headers)
        : loginChallenge(request.source.isSecure))
    }
    return reply.code(status).headers(headers).send({ error: code, message })
  })
  app.setNotFoundHandler(() => { throw new ApiError('not_found', 'There is nothing here.') })
}

/** Notes which methods each path answers. */
function noteMethods (app: FastifyInstance): ReadonlyMap<string, RoutePlace> {
  const places = new Map<string, RoutePlace>()
  app.addHook('onRoute', ({ url, method, config }) => {
    const place = places.get(url) ?? { methods: new Set(), config: { ...config! } }
    for (const one of [method].flat()) place.methods.add(one as HTTPMethods)
    places.set(url, place)
  })
  return places
}

interface RoutePlace {
  readonly methods: Set<HTTPMethods>
  readonly config: FastifyContextConfig
}

/** 405 with `Allow`, behind the same checks as the methods that a path does answer. */
function refuseOtherMethods (
  app: FastifyInstance, placesByUrl: ReadonlyMap<string, RoutePlace>
): void {
  const all: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  for (const [url, { methods, config }] of [...placesByUrl]) {
    const allowed = [...methods].join(', ')
    const refuse = async (): Promise<never> => {
      throw new ApiError('method_not_allowed', `Use ${allowed}.`, { Allow: allowed })
    }
    app.route({
      url,
      method: all.filter(method => !methods.has(method)),
      // Pages are no secret, and only reading one is redirected to the login.
      config: config.isPage === true ? { needs: 'nothing' } : { ...config },
      schema: { hide: true },
      onRequest: refuse, // before its body, of whatever type, is looked at
      handler: refuse
    })
  }
}
