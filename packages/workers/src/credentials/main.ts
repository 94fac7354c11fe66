/**
 * The entry of a thread of the credentials pool: one task at a time; it keeps nothing of it.
 * piscina loads it and calls its default export.
 */
import { giveWayAtOnce } from '../thread-priority.ts'
import { hashPassword, verifyPassword, type Verdict } from './password-hash.ts'

giveWayAtOnce()

/** What the pool asks for. */
export type CredentialsTask =
  | { readonly type: 'verify', readonly hash: string | undefined, readonly password: string }
  | { readonly type: 'hash', readonly password: string }

/** A verdict, or the hash. */
export default function carryOut (task: CredentialsTask): Verdict | string {
  if (task.type === 'hash') return hashPassword(task.password)
  return verifyPassword(task.hash, task.password)
}
