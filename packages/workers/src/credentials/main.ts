/**
 * The entry of a thread of the credentials pool: one task at a time; it keeps nothing of it.
 * piscina loads it and calls its default export.
 */
import { giveWayAtOnce } from '../thread-priority.ts'
import { hashPassword, verifyPassword, type Verdict } from './password-hash.ts'

/** What the pool asks for. */
export type CredentialsTask =
  | { readonly type: 'give way' }
  | { readonly type: 'verify', readonly hash: string | undefined, readonly password: string }
  | { readonly type: 'hash', readonly password: string }

/** Whether the thread gives way at once: else it has the least priority only. */
export type GivesWay = 'gives way' | 'keeps its slices'

/** Whether it gives way, a verdict, or the hash. */
export default function carryOut (task: CredentialsTask): GivesWay | Verdict | string {
  if (task.type === 'give way') return giveWayAtOnce() ? 'gives way' : 'keeps its slices'
  if (task.type === 'hash') return hashPassword(task.password)
  return verifyPassword(task.hash, task.password)
}
