/**
 * The user table as the chaos run's checker sees it, from the program's main thread: whether its
 * invariants hold, who is in it, what it counts.
 */
import { setTimeout } from 'node:timers/promises'
import { formatClient } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { SHARD_LOCK } from '@usher/shared/memory/layout.ts'
import { ownerWord, LOCK_WAIT } from '@usher/shared/memory/lock.ts'
import {
  MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, shardAt, viewTable, type TableMemory
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Found, FoundUser } from './orders.ts'

const PAGE_USERS = 1000
/** A thread may be off its processor while it holds a lock: that is no stuck one. */
const STUCK_AFTER_MS = 5000
const LOOK_AGAIN_MS = 5

export class TableLook {
  readonly #table: UserTable
  readonly #locks: () => number[]

  constructor (memory: TableMemory) {
    const options = {
      threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now: monotonicNowMs
    }
    const { words, layout } = viewTable(memory, options)
    this.#table = new UserTable(memory, options)
    this.#locks = () => Array.from({ length: layout.shardCount }, (_, shard) =>
      words[shardAt(layout, shard) + SHARD_LOCK]! & ~LOCK_WAIT)
  }

  /**
   * Whether a lock is held by a thread that has ended.
   * @param living the tags of all threads but this one
   */
  locks (living: readonly number[]): Found {
    const owners = new Set([0, MAIN_THREAD_TAG, ...living].map(tag => ownerWord(tag)))
    const broken = this.#locks().flatMap((owner, shard) =>
      owners.has(owner) ? [] : [`shard ${shard} is locked by a thread that has ended`])
    return { ...this.#figures(), broken }
  }

  /** All of it; for moments without requests. */
  async whole (living: readonly number[]): Promise<Found> {
    const found = this.locks(living)
    if (found.broken.length > 0) return found
    return { ...found, broken: await this.#check(), users: await this.#users() }
  }

  #figures (): Omit<Found, 'broken'> {
    const { active, reserved } = this.#table.usersPerServer()
    return {
      users: [],
      loads: [...this.#table.loads()],
      activeUsers: [...active],
      reserved: [...reserved],
      residentMb: Math.round(process.memoryUsage.rss() / 1e6)
    }
  }

  async #check (): Promise<readonly string[]> {
    const giveUpMs = monotonicNowMs() + STUCK_AFTER_MS
    for (;;) {
      const broken = this.#table.check()
      const isOnlyHeld = broken.every(what => what.endsWith('stays locked'))
      if (broken.length === 0 || !isOnlyHeld || monotonicNowMs() > giveUpMs) return broken
      await setTimeout(LOOK_AGAIN_MS)
    }
  }

  async #users (): Promise<FoundUser[]> {
    const users: FoundUser[] = []
    let cursor: number | undefined = 0
    while (cursor !== undefined) {
      const page = this.#table.readUsers(cursor, PAGE_USERS)
      if (page === 'busy') {
        await setTimeout(LOOK_AGAIN_MS)
        continue
      }
      for (const { client, server, reservedServer } of page.users) {
        users.push({ key: formatClient(client), server, reservedServer })
      }
      cursor = page.nextCursor
    }
    return users
  }
}
