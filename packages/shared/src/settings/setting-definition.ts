/** What the table of settings says of each: the form of a row. Types only. */
import type { Kind } from './kinds.ts'

/**
 * Who takes over what a reload (SIGHUP) has changed: the router alone, the loader of the sites,
 * which that reload starts, the user table, where every thread reads it, the list of servers, which
 * every thread is given anew, or every thread (the coordinator, the servers and the monitor).
 */
export type Applier = 'router' | 'loader' | 'table' | 'servers' | 'every-thread'

export interface Definition<T> {
  readonly kind: Kind<T>
  /** As it would be given. */
  readonly default: string
  /** What to show for a default whose text says too little. */
  readonly defaultShown?: string
  /** One sentence. */
  readonly meaning: string
  /** Environment or file only, and never shown. */
  readonly isSecret?: boolean
  /** Given as nothing, in environment and file, it is not the default. */
  readonly mayBeEmpty?: boolean
  /** Left out when a change needs a restart. */
  readonly appliedBy?: Applier
}
