/**
 * /openapi.json beyond what the routes say of themselves: which session or token each needs and
 * which errors it answers, told from its `config`, so that no route can forget them.
 */
import type { SwaggerOptions } from '@fastify/swagger'
import type { FastifyContextConfig, FastifyInstance, RouteOptions } from 'fastify'
import { API_ERRORS, ErrorAnswer, type ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import { FORM_TYPE, JSON_TYPE } from '../access/csrf-check.ts'
import { TOKEN_PREFIX } from '../../accounts/session-token.ts'
import { scopeFor } from '../access/rights.ts'
import { sessionCookieName } from '../access/session-cookie.ts'
import { workOf } from '../access/work-limits.ts'

const ERROR = 'Error'
/** What the HTTP server refuses before any route is looked up is answered with a line of text. */
const ALSO_AS_TEXT: readonly ApiErrorCode[] = ['bad_request', 'body_too_large']
const SESSION = 'session'
const SECURE_SESSION = 'secure_session'
const METRICS_TOKEN = 'metrics_token'
const TOKEN = 'token'

export function openApiOptions (version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Usher monitor',
        version,
        description: 'Load and users of the servers, and what an operator may do to them.'
      },
      servers: [{ url: '/', description: 'The monitor' }],
      components: {
        securitySchemes: {
          [SESSION]: { type: 'apiKey', in: 'cookie', name: sessionCookieName(false) },
          [SECURE_SESSION]: { type: 'apiKey', in: 'cookie', name: sessionCookieName(true) },
          [METRICS_TOKEN]: {
            type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN of the settings'
          },
          [TOKEN]: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: TOKEN_PREFIX,
            description: 'Of POST /tokens, with the scope that stands with each operation'
          }
        }
      }
    },
    refResolver: { buildLocalReference: ({ $id }) => String($id) }
  }
}

/** To be called before there are routes. */
export function describeRoutes (app: FastifyInstance): void {
  app.addSchema({ ...ErrorAnswer, $id: ERROR })
  app.addHook('onRoute', route => {
    const { schema, config } = route
    if (schema === undefined || schema.hide === true || config === undefined) return
    route.schema = {
      ...schema,
      security: securityOf(config),
      ...(config.takesForm === true ? { consumes: [JSON_TYPE, FORM_TYPE] } : {}),
      response: {
        ...errorAnswers(route, config),
        ...redirects(route, config),
        ...schema.response as object
      }
    }
  })
}

function securityOf ({ needs }: FastifyContextConfig): Array<Record<string, string[]>> {
  if (needs === 'nothing') return []
  const session = [{ [SESSION]: [] }, { [SECURE_SESSION]: [] }]
  const scope = scopeFor(needs)
  return [
    ...session,
    ...(needs === 'metrics' ? [{ [METRICS_TOKEN]: [] }] : []),
    ...(scope === undefined ? [] : [{ [TOKEN]: [scope] }])
  ]
}

/** What every route of its kind may answer, and what this one says besides. */
function errorCodes (
  route: RouteOptions, config: FastifyContextConfig
): readonly ApiErrorCode[] {
  const { needs, refusals = [], isOpenBeforeChange = false, isForDenied = false } = config
  return [
    'bad_request', 'misdirected_request', 'internal_error',
    ...(route.method === 'POST'
      ? ['forged_action', 'body_too_large', 'unsupported_media_type'] as const
      : needs === 'nothing' ? [] : ['forged_action'] as const),
    ...(isForDenied ? [] : ['denied'] as const),
    ...(isConditional(route, config) ? ['precondition_failed'] as const : []),
    ...(needs === 'nothing'
      ? []
      : ['not_logged_in', 'invalid_token', 'too_many_attempts', 'database_unavailable'] as const),
    ...(workOf({ method: route.method, config }) === undefined
      ? []
      : ['too_many_at_once', 'busy'] as const),
    ...(needs === 'nothing' || isOpenBeforeChange ? [] : ['password_change_required'] as const),
    ...(needs === 'nothing' ? [] : ['forbidden'] as const),
    ...refusals
  ]
}

function errorAnswers (route: RouteOptions, config: FastifyContextConfig): Record<number, object> {
  const schema = { $ref: `${ERROR}#` }
  const byStatus = new Map<number, ApiErrorCode[]>()
  for (const code of new Set(errorCodes(route, config))) {
    const status = API_ERRORS[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, {
    description: codes.join(', '),
    content: {
      [JSON_TYPE]: { schema },
      ...(codes.some(code => ALSO_AS_TEXT.includes(code))
        ? { 'text/plain': { schema: { type: 'string' } } }
        : {})
    }
  }]))
}

/**
 * Whether it evaluates If-Match and If-None-Match: a stream has begun before they are looked at.
 */
function isConditional (
  { method }: RouteOptions, { isStream = false }: FastifyContextConfig
): boolean {
  return method !== 'POST' && !isStream
}

/** Answers without a body: to a form, and to a GET that asks whether anything has changed. */
function redirects (route: RouteOptions, config: FastifyContextConfig): Record<number, object> {
  const { takesForm = false } = config
  const headers = { Location: { type: 'string' } }
  return {
    ...(isConditional(route, config)
      ? { 304: { type: 'null', description: 'If-None-Match: *' } }
      : {}),
    ...(takesForm ? { 303: { type: 'null', description: 'To a form', headers } } : {})
  }
}
