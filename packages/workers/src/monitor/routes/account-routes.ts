/**
 * `/login`, `/logout`, `/user-info`, `/password`. A script posts JSON and reads JSON; a page
 * without JavaScript posts a form and is sent on.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorOf } from '../answer-errors.ts'
import { loginChallenge } from '../access/challenge.ts'
import { sessionOf } from '../access/checks.ts'
import { isForm } from '../access/csrf-check.ts'
import type { Logins, Origin, PasswordChange } from '../logins.ts'
import { expiredSessionCookie, sessionCookie } from '../access/session-cookie.ts'
import { flag, NAME_LENGTH_MAX, objectOf, PASSWORD_LENGTH_MAX, received, text } from './schemas.ts'

export interface AccountRoutesParts {
  readonly logins: Pick<Logins, 'logIn' | 'logOut' | 'forget' | 'changePassword'>
  readonly errorOf: ErrorOf
}

interface Credentials {
  readonly username: string
  readonly password: string
}

/** One text for both, so that nobody learns which names have an account. */
const NO_MATCH = 'Name and password do not match.'
const HOME = '/tracker.html'
const LOGIN_PAGE = '/login.html'
const PASSWORD_PAGE = '/password.html'

export function addAccountRoutes (app: FastifyInstance, parts: AccountRoutesParts): void {
  const { logins } = parts

  app.post<{ Body: Credentials }>('/login', {
    config: { needs: 'nothing', takesForm: true }, schema: LOGIN
  }, async (request, reply) => inForm(request, reply, LOGIN_PAGE, parts, async () => {
    const { username, password } = request.body
    const token = await logins.logIn(username, password, originOf(request))
    if (token === undefined) {
      return isForm(request.headers)
        ? reply.redirect(`${LOGIN_PAGE}?error=no_match`, 303)
        : reply.code(401)
          .header('WWW-Authenticate', loginChallenge(request.source.isSecure))
          .send({ success: false, message: NO_MATCH })
    }
    if (request.token !== undefined) await logins.forget(request.token)
    reply.header('Set-Cookie', sessionCookie(token, request.source.isSecure))
    if (isForm(request.headers)) return reply.redirect(HOME, 303)
    return reply.send({ success: true, message: `Logged in as ${username}.`, redirect: HOME })
  }))

  app.post('/logout', {
    config: { takesForm: true, isOpenBeforeChange: true }, schema: LOGOUT
  }, async (request, reply) => inForm(request, reply, LOGIN_PAGE, parts, async () => {
    await logins.logOut(sessionOf(request), request.token!, originOf(request))
    reply.header('Set-Cookie', expiredSessionCookie(request.source.isSecure))
    if (isForm(request.headers)) return reply.redirect(LOGIN_PAGE, 303)
    return reply.send({ response: 'logged out' })
  }))

  app.get('/user-info', { config: { isOpenBeforeChange: true }, schema: USER_INFO }, request => {
    const { username, permission, canView, canDisconnect, mustChange } = sessionOf(request)
    return {
      username,
      permission,
      can_view: canView,
      can_disconnect: canDisconnect,
      must_change_password: mustChange
    }
  })

  app.post<{ Body: PasswordChange }>('/password', {
    config: { takesForm: true, isOpenBeforeChange: true }, schema: PASSWORD
  }, async (request, reply) => inForm(request, reply, PASSWORD_PAGE, parts, async () => {
    const session = sessionOf(request)
    await logins.changePassword(session, request.token!, request.body, originOf(request))
    if (isForm(request.headers)) return reply.redirect(HOME, 303)
    return reply.send({ response: 'password changed' })
  }))
}

/** Whoever posted a form sees its page again, with what was wrong; all others get the error. */
async function inForm (
  request: FastifyRequest, reply: FastifyReply, page: string, { errorOf }: AccountRoutesParts,
  work: () => Promise<FastifyReply>
): Promise<FastifyReply> {
  try {
    return await work()
  } catch (thrown) {
    if (!isForm(request.headers)) throw thrown
    const { code, headers } = errorOf(thrown, request)
    return reply.headers(headers).redirect(`${page}?error=${code}`, 303)
  }
}

/** Where an operator acts from. */
export function originOf ({ source, headers }: FastifyRequest): Origin {
  return { address: source.address, userAgent: headers['user-agent'] ?? '' }
}

const name = { type: 'string', minLength: 1, maxLength: NAME_LENGTH_MAX } as const
const password = { type: 'string', maxLength: PASSWORD_LENGTH_MAX } as const

const LOGIN = {
  summary: 'Log in; the session is in the cookie',
  body: objectOf({ username: name, password }, ['username', 'password']),
  response: {
    200: objectOf({ success: flag, message: text, redirect: text }),
    401: objectOf({ success: flag, message: text })
  }
}
const LOGOUT = {
  summary: 'End this session', body: objectOf({}), response: { 200: received }
}
const PASSWORD = {
  summary: 'Change the password; every other session of the account ends',
  body: objectOf({ current: password, next: password }, ['current', 'next']),
  response: { 200: received }
}
const USER_INFO = {
  summary: 'Who is logged in, and what they may do',
  response: {
    200: objectOf({
      username: text,
      permission: { type: 'integer' },
      can_view: flag,
      can_disconnect: flag,
      must_change_password: flag
    })
  }
}
