/**
 * The record of who did what to whom, when and from where: a line in the log at once, a row in the
 * database as soon as it takes one. Texts are kept as they came, as data. Runs in the monitor's
 * thread and in the account command.
 */
import type { Logger } from 'pino'
import { AuditCursorInvalid, DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import type { AuditRow, ListedAuditRow } from '../database/rows.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import type { AuditEvent, AuditRecord } from './audit-event.ts'
import { auditTest } from './audit-match.ts'
import { FailedLogins, LOGIN_FAILED } from './failed-logins.ts'
import { inYieldingSlices } from '../yielding.ts'

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditRecord[]
  /** Where the older ones begin; undefined when there are none. */
  readonly nextCursor: string | undefined
}

export interface AuditKept {
  readonly entriesMax: number
  /** When the oldest entry was made; undefined when there is none. */
  readonly oldestMs: number | undefined
}

export interface AuditOptions {
  readonly log: Pick<Logger, 'info'>
  /** Wall-clock milliseconds: it is read by people. */
  readonly wallNow: () => number
  /** AUDIT_MAX if left out. */
  readonly keptMax?: number
  /** FAILED_LOGINS_MAX if left out. */
  readonly failedLoginsMax?: number
}

/** An entry on its way to the database; with its id once it has been there. */
interface Entry {
  row: AuditRow
  id?: number
}

export const LOGIN = 'login'
export const AUDIT_MAX = 100_000
/** Beside those: whatever strangers do, it removes nothing that was done. */
export const FAILED_LOGINS_MAX = 10_000
export const PAGE_LIMIT_MAX = 1000
/**
 * Entries that may wait to be written; beyond it the oldest are in the log only, failed logins
 * before others.
 */
export const UNSAVED_MAX = 1000
const TEXT_LENGTH_MAX = 256
const DETAIL_LENGTH_MAX = 4000
/** Read and looked at in one piece, some 5 us each; the longest details take ten times that. */
const ROWS_PER_STEP = 25
const CURSOR = /^[1-9]\d{0,14}$/

export class AuditLog {
  readonly #database: UsherDatabase
  readonly #options: AuditOptions
  readonly #failedLogins = new FailedLogins<Entry>()
  readonly #unsaved = new Set<Entry>()

  constructor (database: UsherDatabase, options: AuditOptions) {
    this.#database = database
    this.#options = options
  }

  /** Resolves also while the database cannot be written: `save` writes the entry later. */
  async add (event: AuditEvent): Promise<void> {
    await this.#keep({ row: rowOf(event, this.#options.wallNow()) })
  }

  /** A line in the log for each; in the database one entry for an address and minute. */
  async addFailedLogin (who: string, address: string): Promise<void> {
    const atMs = this.#options.wallNow()
    const row = rowOf({ who, action: LOGIN_FAILED, address }, atMs)
    const { entry, event } = this.#failedLogins.add(row.who, row.address, atMs, () => ({ row }))
    entry.row = rowOf(event, entry.row.atMs)
    await this.#keep(entry, row)
  }

  async #keep (entry: Entry, logged = entry.row): Promise<void> {
    this.#options.log.info(eventOf(logged), 'audit')
    this.#unsaved.add(entry)
    if (this.#unsaved.size > UNSAVED_MAX) {
      const all = [...this.#unsaved]
      this.#unsaved.delete(all.find(({ row }) => row.action === LOGIN_FAILED) ?? all[0]!)
    }
    await this.save()
  }

  /**
   * Writes waiting entries in order, each once. Resolves also when the database still cannot be
   * written.
   */
  async save (): Promise<void> {
    if (this.#unsaved.size === 0) return
    const { keptMax = AUDIT_MAX, failedLoginsMax = FAILED_LOGINS_MAX } = this.#options
    try {
      await this.#database.write(sql => {
        const ids = [...this.#unsaved].map(({ id, row }) => {
          if (id === undefined) return sql.addAudit(row)
          sql.updateAudit(id, row)
          return id
        })
        sql.trimAudit(failedLoginsMax, keptMax)
        return ids
      }, ids => {
        for (const [at, entry] of [...this.#unsaved].entries()) entry.id = ids[at]!
        this.#unsaved.clear()
      })
    } catch (error) {
      if (!(error instanceof DatabaseFailed || error instanceof DatabaseBusy)) throw error
    }
  }

  /** Who logged in lately and from where, the oldest first. */
  async latestLogins (): Promise<ReadonlyArray<Pick<AuditEvent, 'who' | 'address'>>> {
    const logins = await this.#database.read(sql => sql.auditedLogins(PAGE_LIMIT_MAX))
    return logins.reverse()
  }

  /**
   * @param cursor a page's `nextCursor`; undefined for the newest. Throws AuditCursorInvalid
   * @param search what the entries must contain; see audit-match.ts
   */
  async page (cursor: string | undefined, limit: number, search = ''): Promise<AuditPage> {
    if (cursor !== undefined && !CURSOR.test(cursor)) throw new AuditCursorInvalid()
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
    const count = Math.min(Math.max(1, Math.floor(limit)), PAGE_LIMIT_MAX)
    const rows = search === ''
      ? await this.#database.read(sql => sql.auditBefore(before, count + 1))
      : await this.#find(before, count + 1, auditTest(search))
    const isMore = rows.length > count
    return {
      entries: rows.slice(0, count).map(entryOf),
      nextCursor: isMore ? String(rows[count - 1]!.id) : undefined
    }
  }

  /** How far back the entries go. */
  async kept (): Promise<AuditKept> {
    const oldestMs = await this.#database.read(sql => sql.oldestAuditMs())
    return { entriesMax: this.#options.keptMax ?? AUDIT_MAX, oldestMs }
  }

  /** Searches all that is kept if need be, in cooperative time slices. */
  async #find (
    before: number, count: number, isWanted: (row: AuditRow) => boolean
  ): Promise<ListedAuditRow[]> {
    const found: ListedAuditRow[] = []
    let from = before
    await inYieldingSlices(async () => {
      const rows = await this.#database.read(sql => sql.auditBefore(from, ROWS_PER_STEP))
      found.push(...rows.filter(isWanted))
      from = rows.at(-1)?.id ?? 0
      return rows.length < ROWS_PER_STEP || found.length >= count
    })
    return found.slice(0, count)
  }
}

function rowOf ({ who, action, target, detail, address }: AuditEvent, atMs: number): AuditRow {
  return {
    atMs: Math.round(atMs),
    who: shortened(who),
    action: shortened(action),
    target: target === undefined ? null : shortened(target),
    detail: detail === undefined ? null : detailText(detail),
    address: shortened(address)
  }
}

function entryOf (row: ListedAuditRow): AuditRecord {
  return { ...eventOf(row), atMs: row.atMs, ...(row.node !== null && { node: row.node }) }
}

function eventOf ({ who, action, target, detail, address }: AuditRow): AuditEvent {
  return {
    who,
    action,
    target: target ?? undefined,
    detail: detail === null ? undefined : JSON.parse(detail) as Record<string, unknown>,
    address
  }
}

function shortened (text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text
}

function detailText (detail: object): string {
  const text = JSON.stringify(detail)
  return text.length > DETAIL_LENGTH_MAX ? JSON.stringify({ tooLong: text.length }) : text
}
