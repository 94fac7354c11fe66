/**
 * `/login`, `/logout`, `/user-info`, `/password`. A script posts JSON and reads JSON; a page
 * without JavaScript posts a form and is sent on.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  Credentials, LoggedIn, NotLoggedIn, PasswordChange, UserInfo
} from '@usher/shared/api/account.ts'
import { Nothing, Received } from '@usher/shared/api/actions.ts'
import type { ErrorOf } from '../errors/answer-errors.ts'
import { loginChallenge } from '../access/challenge.ts'
import { sessionOf } from '../access/checks.ts'
import { isForm } from '../access/csrf-check.ts'
import type { Logins, Origin } from '../operator/logins.ts'
import { expiredSessionCookie, sessionCookie } from '../access/session-cookie.ts'
import type { Permission, Permissions } from '../../accounts/permissions.ts'
import type { WireApp } from './wire.ts'

export interface AccountRoutesParts {
  readonly logins: Pick<Logins, 'logIn' | 'logOut' | 'forget' | 'changePassword'>
  readonly permissions: Pick<Permissions, 'list'>
  readonly errorOf: ErrorOf
}

/** One text for both, so that the answer does not tell which names have an account. */
const NO_MATCH = 'Name and password do not match.'
const HOME = '/tracker.html'
const LOGIN_PAGE = '/login.html'
const PASSWORD_PAGE = '/password.html'

export function addAccountRoutes (app: WireApp, parts: AccountRoutesParts): void {
  const { logins } = parts

  app.post('/login', {
    config: {
      needs: 'nothing',
      takesForm: true,
      refusals: ['password_expired', 'too_many_attempts', 'busy', 'database_unavailable']
    },
    schema: {
      summary: 'Log in; the session is in the cookie',
      body: Credentials,
      response: { 200: LoggedIn, 401: NotLoggedIn }
    }
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
    config: { needs: 'session', takesForm: true, isOpenBeforeChange: true },
    schema: { summary: 'End this session', body: Nothing, response: { 200: Received } }
  }, async (request, reply) => inForm(request, reply, LOGIN_PAGE, parts, async () => {
    await logins.logOut(sessionOf(request), request.token!, originOf(request))
    reply.header('Set-Cookie', expiredSessionCookie(request.source.isSecure))
    if (isForm(request.headers)) return reply.redirect(LOGIN_PAGE, 303)
    return reply.send({ response: 'logged out' })
  }))

  app.get('/user-info', {
    config: { needs: 'session', isOpenBeforeChange: true },
    schema: { summary: 'Who is logged in, and what they may do', response: { 200: UserInfo } }
  }, async request => {
    const session = sessionOf(request)
    return {
      username: session.username,
      ...listed(session),
      must_change_password: session.mustChange,
      permissions: (await parts.permissions.list()).map(listed)
    }
  })

  app.post('/password', {
    config: {
      needs: 'session',
      takesForm: true,
      isOpenBeforeChange: true,
      refusals: ['wrong_password', 'password_expired', 'account_changed', 'too_many_attempts']
    },
    schema: {
      summary: 'Change the password; this session gets a new cookie, every other one of the account ends',
      body: PasswordChange,
      response: { 200: Received }
    }
  }, async (request, reply) => inForm(request, reply, PASSWORD_PAGE, parts, async () => {
    const token = await logins.changePassword(sessionOf(request), request.body, originOf(request))
    reply.header('Set-Cookie', sessionCookie(token, request.source.isSecure))
    if (isForm(request.headers)) return reply.redirect(HOME, 303)
    return reply.send({ response: 'password changed' })
  }))
}

function listed ({ permission, canView, canDisconnect }: Permission) {
  return { permission, can_view: canView, can_disconnect: canDisconnect }
}

/**
 * A posted form is redirected to its page, which says what was wrong; JSON gets the error itself.
 */
async function inForm (
  request: FastifyRequest, reply: Pick<FastifyReply, 'headers' | 'redirect'>, page: string,
  { errorOf }: AccountRoutesParts, work: () => Promise<unknown>
): Promise<void> {
  try {
    await work()
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
