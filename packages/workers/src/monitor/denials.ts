/**
 * Who is refused, as it is stored: with reason, author and expiry, so that it outlives a restart.
 * Changes nothing in the running threads (the coordinator does). Runs in the monitor's thread.
 */
import { RANGES_MAX, type DenyEntry } from '@usher/shared/deny-list.ts'
import { DenyListFull } from '@usher/shared/errors.ts'
import type { DeniedSqlRow } from '../sql.ts'
import type { UsherDatabase } from '../usher-database.ts'
import { denyTarget } from './deny-target.ts'

/** A denial. Times are wall-clock milliseconds since 1970. */
export interface DeniedRow extends DenyEntry {
  readonly reason: string
  /** The name of the account that denied it. */
  readonly by: string
  readonly sinceMs: number
}

/** All kinds together; a copy of each is in every thread. */
export const DENIED_MAX = 10_000
export const REASON_LENGTH_MAX = 500

export interface DenialBounds {
  readonly deniedMax: number
  readonly rangesMax: number
}

export class Denials {
  readonly #database: UsherDatabase
  readonly #wallNow: () => number
  readonly #bounds: DenialBounds

  constructor (
    database: UsherDatabase, wallNow: () => number,
    bounds: DenialBounds = { deniedMax: DENIED_MAX, rangesMax: RANGES_MAX }
  ) {
    this.#database = database
    this.#wallNow = wallNow
    this.#bounds = bounds
  }

  /** Those that are in force, newest first. */
  list (): Promise<readonly DeniedRow[]> {
    return this.#database.read(sql => sql.denied(this.#wallNow()).map(deniedRowOf))
  }

  /** How many are in force. */
  count (): Promise<number> {
    return this.#database.read(sql => sql.deniedCount(this.#wallNow()))
  }

  /** Those in force, as the threads take them. */
  async entries (): Promise<readonly DenyEntry[]> {
    return (await this.list()).map(({ kind, text, untilMs }) => ({ kind, text, untilMs }))
  }

  /**
   * The same target again: the new reason, author and expiry count. Throws DenyEntryInvalid, and
   * DenyListFull.
   */
  async deny (row: DeniedRow): Promise<void> {
    const { kind, text } = denyTarget(row.kind, row.text)
    const { deniedMax, rangesMax } = this.#bounds
    await this.#database.write(sql => {
      sql.removeExpiredDenied(this.#wallNow())
      const others = sql.deniedBeside(kind, text)
      if (others.all >= deniedMax) throw new DenyListFull(`it has ${deniedMax} entries`)
      if (kind === 'range' && others.ranges >= rangesMax) {
        throw new DenyListFull(`it has ${rangesMax} ranges`)
      }
      sql.putDenied({
        kind,
        target: text,
        reason: row.reason.slice(0, REASON_LENGTH_MAX),
        author: row.by,
        sinceMs: Math.round(row.sinceMs),
        untilMs: row.untilMs === undefined ? null : Math.round(row.untilMs)
      })
    })
  }

  /** False where it was not denied. Throws DenyEntryInvalid. */
  async allow (kind: DenyEntry['kind'], text: string): Promise<boolean> {
    const target = denyTarget(kind, text)
    return await this.#database.write(sql => {
      sql.removeExpiredDenied(this.#wallNow())
      return sql.removeDenied(target.kind, target.text)
    })
  }

  /** How many; they are in nobody's way before that. */
  removeExpired (): Promise<number> {
    return this.#database.write(sql => sql.removeExpiredDenied(this.#wallNow()))
  }
}

function deniedRowOf (row: DeniedSqlRow): DeniedRow {
  const { kind, target, reason, author, sinceMs, untilMs } = row
  return { kind, text: target, reason, by: author, sinceMs, untilMs: untilMs ?? undefined }
}
