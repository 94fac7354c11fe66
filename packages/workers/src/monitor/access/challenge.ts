/**
 * `WWW-Authenticate`, which RFC 9110 section 15.5.2 wants with every 401: how to authenticate.
 * Neither scheme makes a browser ask for a password by itself. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Scope } from '@usher/shared/api/tokens.ts'
import { sessionCookieName } from './session-cookie.ts'

const REALM = 'realm="Usher monitor"'

/** For the login, whose session is in a cookie. @param isSecure decides the cookie's name */
export function loginChallenge (isSecure: boolean): string {
  return `Cookie ${REALM}, form-action="/login", cookie-name="${sessionCookieName(isSecure)}"`
}

/** For the bearer token of a program, RFC 6750 section 3. */
export function tokenChallenge ({ authorization }: IncomingHttpHeaders): string {
  return `Bearer ${REALM}${authorization === undefined ? '' : ', error="invalid_token"'}`
}

/** With a 403: the token is right, but not for this. */
export function scopeChallenge (scope: Scope): string {
  return `Bearer ${REALM}, error="insufficient_scope", scope="${scope}"`
}
