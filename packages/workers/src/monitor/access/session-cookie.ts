/**
 * The cookie that carries a session of the monitor. With HTTPS its name is bound to this host and
 * to secure connections (RFC 6265bis section 4.1.3.2), so that no other port's plain page can set
 * it. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { cookieValues } from '@usher/shared/http/vocabulary/cookies.ts'

const NAME = 'session_id'
const SECURE_NAME = '__Host-session_id'

/** What the cookie is called. */
export function sessionCookieName (isSecure: boolean): string {
  return isSecure ? SECURE_NAME : NAME
}

/**
 * The token; undefined without one, and with several: another port's page may have set one of them.
 */
export function sessionToken (headers: IncomingHttpHeaders, isSecure: boolean): string | undefined {
  const [token, ...more] = cookieValues(headers, sessionCookieName(isSecure))
  return more.length > 0 || token === '' ? undefined : token
}

/** The value of the `Set-Cookie` that logs a browser in. It ends with the browser. */
export function sessionCookie (token: string, isSecure: boolean): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  return `${sessionCookieName(isSecure)}=${token}; ${attributes}`
}

/** The value of the `Set-Cookie` that makes a browser forget its session. */
export function expiredSessionCookie (isSecure: boolean): string {
  return `${sessionCookie('', isSecure)}; Max-Age=0`
}
