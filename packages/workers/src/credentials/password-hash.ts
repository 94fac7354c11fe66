/**
 * Passwords as they are stored: argon2id, as PHC strings. The only file that loads argon2. Every
 * call keeps its thread busy for 10 to 20 ms: runs in the threads of the credentials pool and in
 * the account command.
 */
import { hashSync, parseOptions, verifySync } from '@node-rs/argon2'

/** Damaged: it is no argon2id hash, or its parameters cost too much. */
export type Verdict = 'right' | 'wrong' | 'damaged'

/** `Algorithm.Argon2id`, a const enum, which files compiled one by one cannot read. */
const ARGON2ID = 2
/** What the OWASP Password Storage Cheat Sheet asks of argon2id at least. */
const PARAMETERS = {
  algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32
}
/** A hash states its own cost, and a damaged one could ask for all memory. */
const COST_FACTOR_MAX = 4

/**
 * Matches no known password. Has the usual parameters, so that verifying against it takes as long
 * as against a real one.
 */
const DUMMY_HASH = dummyHash()

export function hashPassword (password: string): string {
  return hashSync(sameText(password), PARAMETERS)
}

/**
 * Always the same work: without a hash, or with one that is damaged, the password is verified
 * against a dummy, so that the time does not tell which accounts exist.
 * @param hash undefined when there is no such account
 */
export function verifyPassword (hash: string | undefined, password: string): Verdict {
  const isUsable = hash !== undefined && isAffordable(hash)
  const isRight = verifies(isUsable ? hash : DUMMY_HASH, password)
  if (!isUsable) return hash === undefined ? 'wrong' : 'damaged'
  return isRight ? 'right' : 'wrong'
}

function isAffordable (hash: string): boolean {
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(hash)
    return memoryCost <= PARAMETERS.memoryCost * COST_FACTOR_MAX &&
      timeCost <= PARAMETERS.timeCost * COST_FACTOR_MAX &&
      parallelism <= PARAMETERS.parallelism * COST_FACTOR_MAX
  } catch {
    return false
  }
}

function verifies (hash: string, password: string): boolean {
  try {
    return verifySync(hash, sameText(password))
  } catch {
    return false
  }
}

/** Keyboards differ in how they write an accent. RFC 8265 section 4.2.2. */
function sameText (password: string): string {
  return password.normalize('NFC')
}

function dummyHash (): string {
  const { memoryCost, timeCost, parallelism, outputLen } = PARAMETERS
  const zeros = (bytes: number): string => Buffer.alloc(bytes).toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${zeros(16)}$${zeros(outputLen)}`
}
