/**
 * Which servers take no visitors, why, and until when those who are left may stay: in the database,
 * so that it outlives the program, and in memory for who reports it. Changes nothing in the running
 * threads (the coordinator does). Runs in the monitor's thread.
 */
import type { Drain } from '@usher/shared/messages.ts'
import { serverKnownAs, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import type { DrainRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

/** Times are wall-clock milliseconds since 1970. */
export interface StoredDrain {
  /** Empty for none. */
  readonly note: string
  readonly sinceMs: number
  /** From then on those who are left are sent away; never if undefined. */
  readonly movesFromMs: number | undefined
  /** Of an external server: nobody at all is sent there. */
  readonly isMaintenance?: boolean
}

export interface DrainTerms {
  readonly note?: string | undefined
  /** After which those who are left are sent away; they stay if left out. */
  readonly minutes?: number | undefined
  readonly maintenance?: boolean | undefined
}

export interface DrainsParts {
  readonly servers: readonly Slot[]
  readonly wallNow: () => number
  readonly monotonicNow: () => number
}

const MINUTE_MS = 60_000

export class Drains {
  readonly #database: UsherDatabase
  readonly #parts: DrainsParts
  /** By the name of the server, of which there may be none now. */
  readonly #drains = new Map<string, StoredDrain>()

  constructor (database: UsherDatabase, parts: DrainsParts) {
    this.#database = database
    this.#parts = parts
  }

  /** As stored now. Those of servers that there are not any more are left as they are. */
  async load (): Promise<void> {
    const rows = await this.#database.read(sql => sql.drains())
    this.#drains.clear()
    for (const { server: name, note, sinceMs, movesFromMs, isMaintenance } of rows) {
      this.#drains.set(serverKnownAs(this.#parts.servers, name)?.name ?? name, {
        note,
        sinceMs,
        movesFromMs: movesFromMs ?? undefined,
        ...(isMaintenance === 1 && { isMaintenance: true })
      })
    }
  }

  of (server: number): StoredDrain | undefined {
    const slot = this.#parts.servers[server]
    return slot === undefined || slot.kind === 'removed' ? undefined : this.#drains.get(slot.name)
  }

  /** As the coordinator takes it. */
  order (server: number): Drain | undefined {
    const drain = this.of(server)
    if (drain === undefined) return undefined
    const { wallNow, monotonicNow } = this.#parts
    const { movesFromMs: fromMs } = drain
    return {
      movesFromMs: fromMs === undefined ? undefined : monotonicNow() + fromMs - wallNow(),
      ...(drain.isMaintenance === true && { isMaintenance: true })
    }
  }

  /**
   * In place of an earlier one, whose beginning stays.
   * @param check throws when it is not to be done; called in the transaction
   */
  async put (
    { name }: Server, { note = '', minutes, maintenance = false }: DrainTerms,
    check: (sql: Sql) => void
  ): Promise<void> {
    const nowMs = Math.round(this.#parts.wallNow())
    const drain: StoredDrain = {
      note,
      sinceMs: this.#drains.get(name)?.sinceMs ?? nowMs,
      movesFromMs: minutes === undefined ? undefined : nowMs + minutes * MINUTE_MS,
      ...(maintenance && { isMaintenance: true })
    }
    await this.#database.write(sql => {
      check(sql)
      this.#forget(sql, name)
      const { sinceMs, movesFromMs = null } = drain
      sql.addDrain({
        server: name, note, sinceMs, movesFromMs, isMaintenance: maintenance ? 1 : 0
      })
    }, () => { this.#drains.set(name, drain) })
  }

  /** @param check as for `put` */
  async remove ({ name }: Pick<Server, 'name'>, check: (sql: Sql) => void): Promise<void> {
    await this.#database.write(sql => {
      check(sql)
      this.#forget(sql, name)
    }, () => { this.#drains.delete(name) })
  }

  /** The server was removed, and its drain with it. */
  forget (name: string): void {
    this.#drains.delete(name)
  }

  /** Under the name that it has, and under its port from when it had none. */
  #forget (sql: Sql, name: string): void {
    const rows: readonly DrainRow[] = sql.drains()
    for (const row of rows) {
      const known = serverKnownAs(this.#parts.servers, row.server)?.name ?? row.server
      if (known === name) sql.removeDrain(row.server)
    }
  }
}
