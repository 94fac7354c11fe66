/**
 * Bearer tokens (RFC 6750): METRICS_TOKEN of the settings, and those that are made in the console.
 * Any other one is left alone, as it always was: a proxy in front may send its own along. No
 * browser adds the field by itself, and no other origin's page may (no CORS): a request with one is
 * nobody's forgery. Runs in the monitor's thread.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Address } from '@usher/shared/client.ts'
import { formatAddress } from '@usher/shared/client.ts'
import { TokenUnknown } from '@usher/shared/errors.ts'
import type { Permissions } from '../../accounts/permissions.ts'
import { hashToken, TOKEN_PREFIX } from '../../accounts/session-token.ts'
import type { CurrentToken, TokenStore } from '../../accounts/token-store.ts'
import { ApiError } from '../errors/api-error.ts'
import { scopeChallenge } from './challenge.ts'
import { isAllowed, refusalText, scopeFor, type Need } from './rights.ts'
import type { TokenThrottle } from './token-throttle.ts'

export interface BearerParts {
  readonly tokens: Pick<TokenStore, 'find'>
  readonly tokenThrottle: Pick<TokenThrottle, 'retryAfterS' | 'noteWrong' | 'noteRight'>
  readonly permissions: Pick<Permissions, 'list'>
}

/** The token of this request, if it is one of those that Usher makes; right or wrong. */
export function programToken (headers: IncomingHttpHeaders): string | undefined {
  const token = bearerOf(headers)
  return token?.startsWith(TOKEN_PREFIX) === true ? token : undefined
}

/** @param expected METRICS_TOKEN; empty: none is accepted */
export function hasMetricsToken (headers: IncomingHttpHeaders, expected: string): boolean {
  if (expected === '') return false
  const [a, b] = [Buffer.from(bearerOf(headers) ?? ''), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Whose token it is, which counts as use. Throws TokenUnknown and TokenExpired, and
 * `too_many_attempts`.
 */
export async function findProgram (
  token: string, from: Address, { tokens, tokenThrottle }: BearerParts
): Promise<CurrentToken> {
  const tokenHash = hashToken(token)
  const retryAfterS = tokenThrottle.retryAfterS(from, tokenHash)
  if (retryAfterS !== undefined) {
    throw new ApiError('too_many_attempts',
      `Too many wrong tokens from this address. Try again in ${retryAfterS} s.`,
      { 'Retry-After': String(retryAfterS) })
  }
  try {
    const program = await tokens.find(token, formatAddress(from))
    tokenThrottle.noteRight(from, tokenHash)
    return program
  } catch (error) {
    if (error instanceof TokenUnknown) tokenThrottle.noteWrong(from, tokenHash)
    throw error
  }
}

/** Throws `forbidden` when the token is not for what the route needs. */
export async function checkProgram (
  program: CurrentToken, needs: Need, { permissions }: Pick<BearerParts, 'permissions'>
): Promise<void> {
  if (program.mustChange) {
    throw new ApiError('forbidden',
      `${program.username}, who made this token, must change the generated password first.`)
  }
  if (isAllowed(program, needs)) return
  const scope = scopeFor(needs)
  throw new ApiError('forbidden', refusalText(program, needs, await permissions.list()),
    scope === undefined ? {} : { 'WWW-Authenticate': scopeChallenge(scope) })
}

function bearerOf ({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  const [scheme = '', token] = authorization.split(' ', 2)
  return scheme.toLowerCase() === 'bearer' ? token : undefined
}
