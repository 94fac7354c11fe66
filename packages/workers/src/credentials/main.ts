/**
 * What a thread of the credentials pool does: one verification or one hash at a time. The entry
 * that piscina loads; runs in the pool's threads.
 */
import { hashPassword, isPasswordOf } from './password-hash.ts'

export type Task =
  /** Undefined: there is no such account, which must take as long as a wrong password. */
  | { readonly type: 'verify', readonly hash: string | undefined, readonly password: string }
  | { readonly type: 'hash', readonly password: string }

/** Of a password that nobody has: 32 random bytes, forgotten when this was made. */
const NOBODYS_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$Sz5lYVHkLc1FICY774QbOw$WDVlMexKRbWP5/k6KsL0QWwrjNTSHvfU52iL3Y0Wbnk'

export default function carryOut (task: Task): string | boolean {
  if (task.type === 'hash') return hashPassword(task.password)
  const isRight = isPasswordOf(task.hash ?? NOBODYS_HASH, task.password)
  return isRight && task.hash !== undefined
}
