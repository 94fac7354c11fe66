/**
 * Which passwords may be chosen: the same for the monitor, the account command and ADMIN_PASSWORD.
 * Length is what counts, not the kinds of characters (NIST SP 800-63B section 3.1.1), and that it
 * is none of those that are tried first. Reads the list of these when it is first asked.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldCase } from './fold-case.ts'

export const PASSWORD_LENGTH_MIN = 12
export const PASSWORD_BYTES_MAX = 1024
/** Control characters cannot be typed at every prompt; half a surrogate pair is no valid text. */
const UNTYPABLE = /[\p{Cc}\p{Surrogate}]/u
/** What is tried first at this login; docs/operating.md tells them. */
const WORDS_OF_PLACE = [
  'administrator', 'loadbalancer', 'localhost', 'password', 'changeme', 'operator', 'monitor',
  'console', 'letmein', 'welcome', 'router', 'server', 'secret', 'admin', 'usher', 'login', 'root'
]
/** Beside the built file and beside this one alike. */
const COMMON_PASSWORDS = join(import.meta.dirname, 'common-passwords.txt')

/** What is wrong with a new password, as a sentence that does not show it; undefined if nothing. */
export function passwordProblem (password: string, username: string): string | undefined {
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    return `The password is longer than ${PASSWORD_BYTES_MAX} bytes.`
  }
  if (UNTYPABLE.test(password)) {
    return 'The password has control characters or is not valid text.'
  }
  // As the hash takes it: an accent is one letter, however it was typed.
  if ([...password.normalize('NFC')].length < PASSWORD_LENGTH_MIN) {
    return `The password is shorter than ${PASSWORD_LENGTH_MIN} characters.`
  }
  const folded = foldCase(password)
  if (isMadeOf([foldCase(username), ...WORDS_OF_PLACE], folded)) {
    return "The password is the account's name, or words that are tried first, with nothing but " +
      'digits and signs beside them.'
  }
  if (isCommon(folded)) return 'The password is one of the most common ones.'
  return undefined
}

/** Of at least one of the words, also repeated, and no other letter. */
function isMadeOf (words: readonly string[], password: string): boolean {
  const longestFirst = words.filter(word => word !== '').sort((a, b) => b.length - a.length)
  const rest = longestFirst.reduce((text, word) => text.replaceAll(word, ' '), password)
  return rest !== password && !/\p{L}/u.test(rest)
}

let commonPasswords: string | undefined

/** Whether it is a line of the list. A program asks once or twice: nothing is made of the text. */
function isCommon (password: string): boolean {
  commonPasswords ??= readFileSync(COMMON_PASSWORDS, 'utf8')
  return !password.startsWith('#') && commonPasswords.includes(`\n${password}\n`)
}
