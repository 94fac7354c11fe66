/**
 * What the chaos tool and the program under it say to each other: orders go to the program's main
 * thread, what happened comes back. Both ends are ours; the program itself hears none of it.
 */
import type { Fault } from './schedule.ts'

export type ChaosOrder =
  | { readonly type: 'inject', readonly fault: Fault }
  /** Whether a lock names a thread that has ended. */
  | { readonly type: 'look-at-locks', readonly id: number }
  /** The whole table; only while nothing else is asked of the program. */
  | { readonly type: 'look-at-table', readonly id: number }

export type ChaosNews =
  /** `victim` is a server's index, or MONITOR. */
  | { readonly type: 'thread-serves' | 'thread-ended', readonly victim: number }
  | { readonly type: 'looked', readonly id: number, readonly found: Found }

export interface Found {
  /** As sentences. */
  readonly broken: readonly string[]
  readonly users: readonly FoundUser[]
  /** By server. */
  readonly loads: readonly number[]
  readonly activeUsers: readonly number[]
  /** Places held for others. */
  readonly reserved: readonly number[]
  readonly residentMb: number
}

export interface FoundUser {
  readonly key: string
  /** Index of the server where it is active. */
  readonly server: number | undefined
  readonly reservedServer: number | undefined
}

/** From the program's main thread to its workers, and back. */
export type ThreadWord =
  | {
    readonly type: 'die'
    readonly threadTag: number
    readonly how: Fault['how']
    readonly atWrite: Fault['atWrite']
  }
  /** It waits where it is to be terminated. */
  | { readonly type: 'stands-still', readonly threadTag: number }

/** The name of the BroadcastChannel for those. */
export const CHANNEL = 'usher-chaos'
