/**
 * Who is refused, as it is stored: with reason, author and expiry, so that it outlives a restart.
 * Changes nothing in the running threads (the coordinator does). Runs in the monitor's thread.
 */
import { RANGES_MAX, type DenyEntry } from '@usher/shared/deny-list.ts'
import { DenyListFull } from '@usher/shared/errors.ts'
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import { denyTarget } from './deny-target.ts'

/** A denial to be stored. */
export interface NewDenial extends Pick<DenyEntry, 'kind' | 'text'> {
  readonly reason: string
  /** The name of the account that denies it. */
  readonly by: string
  /** For good when undefined. */
  readonly forMs: number | undefined
}

/** A denial in force, as it is listed. Times are wall-clock milliseconds since 1970. */
export interface DeniedRow extends Omit<NewDenial, 'forMs'> {
  readonly sinceMs: number
  readonly untilMs: number | undefined
}

export interface DenialClocks {
  /** By which they are stored, as sessions are: no change of the wall clock extends one. */
  readonly steadyNow: () => number
  /** By which the threads count. */
  readonly monotonicNow: () => number
  readonly wallNow: () => number
}

/** All kinds together; a copy of each is in every thread. */
export const DENIED_MAX = 10_000
export const REASON_LENGTH_MAX = 500
/** Two clocks that are read one after the other differ by less. */
const READING_MS_MAX = 1000

export interface DenialBounds {
  readonly deniedMax: number
  readonly rangesMax: number
}

export class Denials {
  readonly #database: UsherDatabase
  readonly #clocks: DenialClocks
  readonly #bounds: DenialBounds
  /** How far the wall clock is ahead of the steady one; kept while it makes no jump. */
  #aheadMs = 0

  constructor (
    database: UsherDatabase, clocks: DenialClocks,
    bounds: DenialBounds = { deniedMax: DENIED_MAX, rangesMax: RANGES_MAX }
  ) {
    this.#database = database
    this.#clocks = clocks
    this.#bounds = bounds
  }

  /** Those that are in force, newest first. */
  async list (): Promise<readonly DeniedRow[]> {
    const { steadyNow, wallNow } = this.#clocks
    const rows = await this.#database.read(sql => sql.denied(steadyNow()))
    const aheadMs = wallNow() - steadyNow()
    if (Math.abs(aheadMs - this.#aheadMs) > READING_MS_MAX) this.#aheadMs = aheadMs
    return rows.map(({ kind, target, reason, author, sinceMs, untilMs }) => ({
      kind,
      text: target,
      reason,
      by: author,
      sinceMs: sinceMs + this.#aheadMs,
      untilMs: untilMs === null ? undefined : untilMs + this.#aheadMs
    }))
  }

  /** How many are in force. */
  count (): Promise<number> {
    return this.#database.read(sql => sql.deniedCount(this.#clocks.steadyNow()))
  }

  /** Those in force, as the threads take them. */
  entries (): Promise<readonly DenyEntry[]> {
    return this.#database.read(sql => this.#entries(sql))
  }

  /**
   * All of them or none; returns what is in force then. The same target again: the new reason,
   * author and expiry count. Throws DenyEntryInvalid, and DenyListFull.
   * @param check throws when it is not to be done; called in the transaction
   */
  async deny (
    denials: readonly NewDenial[], check: (sql: Sql) => void
  ): Promise<readonly DenyEntry[]> {
    const targets = denials.map(denial => ({ denial, ...denyTarget(denial.kind, denial.text) }))
    return await this.#database.write(sql => {
      check(sql)
      const nowMs = this.#clocks.steadyNow()
      sql.removeExpiredDenied(nowMs)
      for (const { denial: { reason, by, forMs }, kind, text } of targets) {
        this.#checkRoom(sql, kind, text)
        sql.putDenied({
          kind,
          target: text,
          reason: reason.slice(0, REASON_LENGTH_MAX),
          author: by,
          sinceMs: nowMs,
          untilMs: forMs === undefined ? null : nowMs + Math.round(forMs)
        })
      }
      return this.#entries(sql)
    })
  }

  /**
   * What is in force then; undefined where it was not denied. Throws DenyEntryInvalid.
   * @param check as for `deny`
   */
  async allow (
    kind: DenyEntry['kind'], text: string, check: (sql: Sql) => void
  ): Promise<readonly DenyEntry[] | undefined> {
    const target = denyTarget(kind, text)
    return await this.#database.write(sql => {
      check(sql)
      sql.removeExpiredDenied(this.#clocks.steadyNow())
      return sql.removeDenied(target.kind, target.text) ? this.#entries(sql) : undefined
    })
  }

  /** Returns how many. Expired entries do no harm until then. */
  removeExpired (): Promise<number> {
    return this.#database.write(sql => sql.removeExpiredDenied(this.#clocks.steadyNow()))
  }

  #entries (sql: Sql): readonly DenyEntry[] {
    const { steadyNow, monotonicNow } = this.#clocks
    const nowMs = steadyNow()
    const behindMs = monotonicNow() - nowMs
    const entries = sql.denied(nowMs).map(({ kind, target: text, untilMs }) => ({
      kind, text, untilMs: untilMs === null ? undefined : untilMs + behindMs
    }))
    return this.#withinBounds(entries)
  }

  /** The nodes of a fleet may have denied more between them than one of them would. The newest. */
  #withinBounds (entries: readonly DenyEntry[]): readonly DenyEntry[] {
    let ranges = 0
    return entries.slice(0, this.#bounds.deniedMax)
      .filter(({ kind }) => kind !== 'range' || ++ranges <= this.#bounds.rangesMax)
  }

  #checkRoom (sql: Sql, kind: DenyEntry['kind'], text: string): void {
    const { deniedMax, rangesMax } = this.#bounds
    const others = sql.deniedBeside(kind, text)
    if (others.all >= deniedMax) throw new DenyListFull(`it has ${deniedMax} entries`)
    if (kind === 'range' && others.ranges >= rangesMax) {
      throw new DenyListFull(`it has ${rangesMax} ranges`)
    }
  }
}
