/**
 * How a session is identified: 256 random bits in the browser's cookie, their hash in the database,
 * and a handle that its account may see. Reading the database, a copy of it or the log is not
 * enough to log in. The token of a program is made of as many bits, and stored in the same way.
 */
import { createHash, randomBytes } from 'node:crypto'

/** What tokens of programs begin with, so that a scanner for secrets knows them. */
export const TOKEN_PREFIX = 'usher_'
const TOKEN_BYTES = 32
/** 256 bits as base64url, without padding. */
const TOKEN = /^[\w-]{43}$/

export function makeToken (): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Whether a text could be a token; anything else need not be looked up. */
export function isToken (text: string): boolean {
  return TOKEN.test(text)
}

/** Not salted and not slow: 256 random bits are beyond guessing. */
export function hashToken (token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** 96 bits: among a hundred sessions of an account no two are alike. */
const HANDLE_LENGTH = 16

/** What the interface calls a session. Neither the token nor its hash can be had from it. */
export function sessionHandle (tokenHash: string): string {
  return createHash('sha256').update(`handle ${tokenHash}`).digest('base64url')
    .slice(0, HANDLE_LENGTH)
}
