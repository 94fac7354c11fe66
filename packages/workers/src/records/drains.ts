/**
 * Which servers take no visitors, why, and until when those who are left may stay: in the database,
 * so that it outlives the program, and in memory for who reports it. Changes nothing in the running
 * threads (the coordinator does). Runs in the monitor's thread.
 */
import type { Drain } from '@usher/shared/messages.ts'
import { serverKnownAs, type Server } from '@usher/shared/settings/servers.ts'
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
  readonly servers: readonly Server[]
  readonly wallNow: () => number
  readonly monotonicNow: () => number
}

const MINUTE_MS = 60_000

export class Drains {
  readonly #database: UsherDatabase
  readonly #parts: DrainsParts
  /** By the index of the server. */
  readonly #drains = new Map<number, StoredDrain>()

  constructor (database: UsherDatabase, parts: DrainsParts) {
    this.#database = database
    this.#parts = parts
  }

  /** Those of servers that the settings do not name any more are left as they are. */
  async load (): Promise<void> {
    const rows = await this.#database.read(sql => sql.drains())
    for (const { server: name, note, sinceMs, movesFromMs, isMaintenance } of rows) {
      const server = serverKnownAs(this.#parts.servers, name)
      if (server === undefined) continue
      this.#drains.set(server.index, {
        note,
        sinceMs,
        movesFromMs: movesFromMs ?? undefined,
        ...(isMaintenance === 1 && { isMaintenance: true })
      })
    }
  }

  of (server: number): StoredDrain | undefined {
    return this.#drains.get(server)
  }

  /** As the coordinator takes it. */
  order (server: number): Drain | undefined {
    const drain = this.#drains.get(server)
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
    { index, name }: Server, { note = '', minutes, maintenance = false }: DrainTerms,
    check: (sql: Sql) => void
  ): Promise<void> {
    const nowMs = Math.round(this.#parts.wallNow())
    const drain: StoredDrain = {
      note,
      sinceMs: this.#drains.get(index)?.sinceMs ?? nowMs,
      movesFromMs: minutes === undefined ? undefined : nowMs + minutes * MINUTE_MS,
      ...(maintenance && { isMaintenance: true })
    }
    await this.#database.write(sql => {
      check(sql)
      this.#forget(sql, index)
      const { sinceMs, movesFromMs = null } = drain
      sql.addDrain({
        server: name, note, sinceMs, movesFromMs, isMaintenance: maintenance ? 1 : 0
      })
    }, () => { this.#drains.set(index, drain) })
  }

  /** @param check as for `put` */
  async remove ({ index }: Server, check: (sql: Sql) => void): Promise<void> {
    await this.#database.write(sql => {
      check(sql)
      this.#forget(sql, index)
    }, () => { this.#drains.delete(index) })
  }

  /** Under the name that it has, and under its port from when it had none. */
  #forget (sql: Sql, server: number): void {
    const rows: readonly DrainRow[] = sql.drains()
    for (const row of rows) {
      if (serverKnownAs(this.#parts.servers, row.server)?.index === server) {
        sql.removeDrain(row.server)
      }
    }
  }
}
