/**
 * Passwords as they are kept: argon2id, as a PHC string. The only file that speaks to argon2. Each
 * call keeps its thread busy for some 50 ms, so the monitor leaves them to the pool beside this.
 */
import { hashSync, verifySync } from '@node-rs/argon2'

/** RFC 9106's second choice scaled to 19 MiB, as OWASP recommends for servers. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export function hashPassword (password: string): string {
  return hashSync(sameText(password), PARAMETERS)
}

/** False for a damaged hash, too: whoever has one cannot log in. */
export function isPasswordOf (hash: string, password: string): boolean {
  try {
    return verifySync(hash, sameText(password))
  } catch {
    return false
  }
}

/** Keyboards differ in how they make one letter of two; RFC 8265 section 4.2.2 has NFC for that. */
function sameText (password: string): string {
  return password.normalize('NFC')
}
