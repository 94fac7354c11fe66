/** Which passwords are refused, whoever chooses them and however. Pure. */

const LENGTH_MIN = 12
const BYTES_MAX = 1024
/** Half of a character: no keyboard makes it, and UTF-8 cannot say it. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** What is wrong with a password, as a sentence; undefined for a good one. */
export function passwordProblem (password: string, username: string): string | undefined {
  // Counted as people do: a character outside the basic plane is one.
  if ([...password].length < LENGTH_MIN) {
    return `The password has fewer than ${LENGTH_MIN} characters.`
  }
  if (Buffer.byteLength(password) > BYTES_MAX) {
    return `The password has more than ${BYTES_MAX} bytes.`
  }
  if (password.toLowerCase() === username.toLowerCase()) {
    return "The password is the account's name."
  }
  if (LONE_SURROGATE.test(password)) return 'The password is not valid text.'
  return undefined
}
