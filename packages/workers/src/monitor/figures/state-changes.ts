/**
 * When the state of each server last changed, and how many users were on it then: for "down for
 * 8 min" and "12 of 431 users left". What was before this monitor started is not known to it.
 */
import type { ServerEvent } from './server-watch.ts'

export interface StateChange {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly activeUsers: number
}

/** A restart leaves the state as it was, and one that is added has none yet. */
const CHANGES: ReadonlySet<ServerEvent['type']> =
  new Set<ServerEvent['type']>(['up', 'down', 'drain', 'ready'])

export class StateChanges {
  readonly #activeUsers: () => ArrayLike<number>
  readonly #last = new Map<number, StateChange>()

  /** @param activeUsers per server, now */
  constructor (activeUsers: () => ArrayLike<number>) {
    this.#activeUsers = activeUsers
  }

  note ({ type, server }: ServerEvent, atMs: number): void {
    if (!CHANGES.has(type) || server === undefined) return
    const { index } = server
    this.#last.set(index, { atMs, activeUsers: this.#activeUsers()[index] ?? 0 })
  }

  /** Another server may get its index. */
  forget (server: number): void {
    this.#last.delete(server)
  }

  last (server: number): StateChange | undefined {
    return this.#last.get(server)
  }
}
