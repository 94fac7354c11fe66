/**
 * Which passwords may be chosen, the same for the monitor and the account command. Length is what
 * counts, not the kinds of characters (NIST SP 800-63B section 3.1.1). Pure; starts nothing.
 */
import { usernameKey } from './accounts.ts'

export const PASSWORD_LENGTH_MIN = 12
export const PASSWORD_BYTES_MAX = 1024
/** Control characters cannot be typed at every prompt; half a surrogate pair is no valid text. */
const UNTYPABLE = /[\p{Cc}\p{Surrogate}]/u

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
  if (isOnlyTheName(usernameKey(password), usernameKey(username))) {
    return "The password is the account's name."
  }
  return undefined
}

/** Also repeated. */
function isOnlyTheName (password: string, name: string): boolean {
  return name !== '' && password.replaceAll(name, '') === ''
}
