/**
 * Servers whose people have all stopped beating at once: a health check may still find them well.
 * Looks once an interval of beats, in cooperative time slices. Of one person nothing is concluded,
 * who may have closed the lid of a laptop. Runs in the monitor's thread.
 */
import { usersElsewhere } from '@usher/shared/beats/users-elsewhere.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { inYieldingSlices } from '../../yielding.ts'

export interface SuspectsParts {
  readonly table: Pick<UserTable, 'addBeating' | 'activeUsersPerServer' | 'shardCount'>
  readonly settings: Pick<Settings, 'servers' | 'heartbeatIntervalMs' | 'heartbeatBudget'>
}

/** Of the time between two beats of a page: one may be late. */
const WINDOW_INTERVALS = 2
const PEOPLE_MIN = 2
const MS_PER_SECOND = 1000

export class Suspects {
  readonly #parts: SuspectsParts
  /** At the look before, by index of the server. */
  #beating: Int32Array | undefined
  readonly #suspects = new Set<number>()

  constructor (parts: SuspectsParts) {
    this.#parts = parts
  }

  has (server: number): boolean {
    return this.#suspects.has(server)
  }

  async look (): Promise<void> {
    const { table } = this.#parts
    const active = table.activeUsersPerServer()
    const before = this.#beating ?? new Int32Array(active.length)
    const beating = new Int32Array(active.length)
    const { servers } = this.#parts.settings
    const elsewhere = usersElsewhere(servers, active)
    // Pages of servers elsewhere beat as if all were at one server.
    const windowsMs = Array.from(active, (users, server) =>
      this.#windowMs(servers[server]?.kind === 'external' ? elsewhere : users))
    let shard = 0
    await inYieldingSlices(() => {
      table.addBeating(shard++, windowsMs, beating)
      return shard === table.shardCount
    })
    this.#beating = beating
    for (const [server, users] of active.entries()) {
      if (beating[server]! > 0 || users === 0) this.#suspects.delete(server)
      else if (before[server]! >= PEOPLE_MIN) this.#suspects.add(server)
    }
  }

  /** Where many are, each beats less often, so that all together keep to the budget. */
  #windowMs (users: number): number {
    const { heartbeatIntervalMs, heartbeatBudget } = this.#parts.settings
    const paceMs = users * MS_PER_SECOND / heartbeatBudget
    return WINDOW_INTERVALS * Math.max(heartbeatIntervalMs, paceMs)
  }
}
