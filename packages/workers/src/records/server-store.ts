/**
 * The external servers that the console names, as the database has them: read, added, changed and
 * removed. Changes nothing in the running threads (the coordinator does), and does not know which
 * of them are in force. Runs in the monitor's thread.
 */
import type { NewServer, ServerChange } from '@usher/shared/api/server-entries.ts'
import { statusRange } from '@usher/shared/settings/server-kinds.ts'
import type { HealthCheck, StoredServer } from '@usher/shared/settings/servers.ts'
import type { ServerRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

const MS_PER_SECOND = 1000
const STATUSES = statusRange()

export class ServerStore {
  readonly #database: UsherDatabase

  constructor (database: UsherDatabase) {
    this.#database = database
  }

  /** In the order of adding. */
  async list (): Promise<readonly StoredServer[]> {
    return await this.#database.read(sql => sql.servers().map(storedServer))
  }

  /**
   * Values must be right.
   * @param check throws when it is not to be done, given all that are stored; called in the
   * transaction, as for the next two
   */
  async add (server: NewServer, check: Check): Promise<void> {
    await this.#database.write(sql => {
      check(sql, sql.servers())
      sql.addServer({ ...changed(NOTHING, server), name: server.name })
    })
  }

  /** What is left out stays. @returns false where none is stored so */
  async change (name: string, change: ServerChange, check: Check): Promise<boolean> {
    return await this.#database.write(sql => {
      const rows = sql.servers()
      check(sql, rows)
      const row = rows.find(one => one.name === name)
      if (row === undefined) return false
      sql.changeServer(changed(row, change))
      return true
    })
  }

  /** With its drain. @returns false where none is stored so */
  async remove (name: string, check: Check, afterCommit: () => void): Promise<boolean> {
    return await this.#database.write(sql => {
      const rows = sql.servers()
      check(sql, rows)
      sql.removeServer(name)
      sql.removeDrain(name)
      return rows.some(one => one.name === name)
    }, afterCommit)
  }
}

type Check = (sql: Sql, stored: ReadonlyArray<Pick<ServerRow, 'name'>>) => void

const NOTHING: ServerRow = {
  name: '',
  url: '',
  weight: null,
  capacity: null,
  healthPath: null,
  healthInterval: null,
  healthTimeout: null,
  healthRise: null,
  healthFall: null,
  healthStatus: null
}

function changed (row: ServerRow, { url, weight, capacity, health = {} }: ServerChange): ServerRow {
  const { path, interval, timeout, rise, fall, status } = health
  const news: { [Key in keyof ServerRow]: ServerRow[Key] | undefined } = {
    name: row.name,
    url: url?.replace(/\/+$/, ''),
    weight,
    capacity,
    healthPath: path,
    healthInterval: inMs(interval),
    healthTimeout: inMs(timeout),
    healthRise: rise,
    healthFall: fall,
    healthStatus: status
  }
  const said = Object.entries(news).filter(([, value]) => value !== undefined)
  return { ...row, ...Object.fromEntries(said) }
}

function inMs (seconds: number | null | undefined): number | null | undefined {
  return seconds === null || seconds === undefined
    ? seconds
    : Math.round(seconds * MS_PER_SECOND)
}

function storedServer (row: ServerRow): StoredServer {
  const status = row.healthStatus === null ? undefined : STATUSES.parse(row.healthStatus)
  const check: { [Key in keyof HealthCheck]: HealthCheck[Key] | undefined } = {
    path: row.healthPath ?? undefined,
    intervalMs: row.healthInterval ?? undefined,
    timeoutMs: row.healthTimeout ?? undefined,
    rise: row.healthRise ?? undefined,
    fall: row.healthFall ?? undefined,
    statuses: status?.refusal === undefined ? status?.value : undefined
  }
  const given = Object.entries(check).filter(([, value]) => value !== undefined)
  return {
    name: row.name,
    publicUrl: row.url,
    weight: row.weight ?? undefined,
    capacity: row.capacity ?? undefined,
    check: Object.fromEntries(given)
  }
}
