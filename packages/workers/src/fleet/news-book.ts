/**
 * What a node of a fleet has told and heard, in its database: of each thing the newest version
 * (last writer wins), and what of its own is still to be told. A change enters the outbox in its
 * own transaction and leaves it when it has come back by the stream, or something newer has. What
 * is heard is put in place without being told again. Every method is called in a transaction; the
 * monitor's thread.
 */
import type { Logger } from 'pino'
import { isBusy, isFailure } from '../database/busy-retry-queue.ts'
import { BEFORE_ALL } from '../database/news-statements.ts'
import type { NewsRow, OutboxRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import { AUDIT_MAX, FAILED_LOGINS_MAX } from '../records/audit-log.ts'
import { isNewer, isSameVersion, type NewsEntry, type Version } from './news-entry.ts'
import { AUDIT_KIND, AUDIT_WANTED_KIND, keysAtJoining, NEWS_KINDS } from './news-kinds.ts'
import type { NewsKind, OwnNode } from './news-kind.ts'

export interface NewsBookParts {
  readonly name: string
  readonly cluster: string
  /** A new one each time, for the origin of the audit. */
  readonly randomId: () => string
  /** By the session clock. */
  readonly steadyNow: () => number
  readonly wallNow: () => number
  readonly sessionIdleTimeoutMs: number
  readonly sessionLifetimeMs: number
  readonly log: Pick<Logger, 'error'>
}

/** A change and what is told of it. */
export interface Outgoing {
  readonly row: OutboxRow
  readonly entry: NewsEntry
}

/** That something is gone is known for so long; who was away longer may bring it back. */
export const TOMBSTONE_MS = 30 * 86_400_000
const EXPIRED_PER_STEP = 500

export class NewsBook {
  readonly #parts: NewsBookParts

  constructor (parts: NewsBookParts) {
    this.#parts = parts
  }

  /** What is here already is told as older than all that the fleet knows. */
  join (sql: Sql): void {
    const { name, cluster, randomId } = this.#parts
    const known = sql.fleet()
    if (known.node === name && known.cluster === cluster) return
    sql.leaveFleet()
    sql.joinFleet(name, cluster, `${name} ${randomId()}`)
    for (const { kind, key } of keysAtJoining(sql)) {
      sql.putOutbox({ kind, key, at: BEFORE_ALL, node: name })
    }
  }

  /** What these changes are to the others, with what has changed of them since. */
  outgoing (sql: Sql, rows: readonly OutboxRow[]): readonly Outgoing[] {
    const own = this.#own(sql)
    return rows.flatMap(({ kind: name, key }) => {
      const row = sql.outboxRow(name, key)
      if (row === undefined) return []
      const kind = NEWS_KINDS.get(name)
      const entry = kind === undefined ? undefined : this.#entryOf(sql, row, kind, own)
      if (entry !== undefined) return { row, entry }
      sql.removeOutbox(name, key)
      return []
    })
  }

  /** Puts in place what is newer than what is here. @returns those entries */
  hear (sql: Sql, entries: readonly NewsEntry[]): readonly NewsEntry[] {
    const own = this.#own(sql)
    const heard = entries.filter(entry => {
      const kind = NEWS_KINDS.get(entry.kind)
      return kind !== undefined && this.#hearOne(sql, entry, kind, own)
    })
    if (heard.some(({ kind }) => kind === AUDIT_KIND)) sql.trimAudit(FAILED_LOGINS_MAX, AUDIT_MAX)
    return heard
  }

  /**
   * What the engine lacks, or knows older, is told again.
   * @param held the versions in the engine, by `fieldOf`
   */
  bringBack (sql: Sql, held: ReadonlyMap<string, Version>): void {
    const nowMs = this.engineNow(sql)
    const isLongAway = held.size > 0 && nowMs - sql.fleet().heardMs > TOMBSTONE_MS
    for (const news of sql.allNews()) {
      const inEngine = held.get(fieldOf(news))
      const isOver = news.untilMs !== null && news.untilMs <= nowMs
      if (isOver || !isNewer(news, inEngine)) continue
      if (isLongAway && inEngine === undefined) this.#forget(sql, news)
      else if (sql.outboxRow(news.kind, news.key) === undefined) sql.putOutbox(outboxRowOf(news))
    }
  }

  /** The others tell what is missing here. */
  askForAudit (sql: Sql): void {
    sql.tell(AUDIT_WANTED_KIND, '')
  }

  /** It was removed elsewhere, so long ago that nobody knows it any more. */
  #forget (sql: Sql, { kind, key, at, node }: NewsRow): void {
    sql.removeNews(kind, key)
    sql.quietly(() => {
      NEWS_KINDS.get(kind)?.hear(sql, { key, at, node }, undefined, this.#own(sql))
    })
  }

  /** Forgets what is over. @returns what is to be forgotten in the engine, too */
  forgetExpired (sql: Sql): readonly NewsRow[] {
    const expired = sql.expiredNews(this.engineNow(sql), EXPIRED_PER_STEP)
    for (const { kind, key } of expired) sql.removeNews(kind, key)
    return expired
  }

  engineNow (sql: Sql): number {
    return Math.round(this.#parts.wallNow()) + sql.fleet().aheadMs
  }

  #entryOf (sql: Sql, row: OutboxRow, kind: NewsKind, own: OwnNode): NewsEntry | undefined {
    const version = { at: row.at, node: row.node }
    const key = nameOf(kind, row.key, own)
    const known = kind.isKept ? sql.news(row.kind, key) : undefined
    if (known !== undefined && isSameVersion(known, row)) return entryOf(known)
    if (known !== undefined && isNewer(known, row)) return undefined
    const told = kind.read(sql, row.key, own)
    if (!kind.isKept) {
      return told === undefined ? undefined : { kind: row.kind, key, ...version, ...told }
    }
    const isGood = told !== undefined && known !== undefined && known.value !== null &&
      kind.isCloseTo?.(told, JSON.parse(known.value) as object, own) === true
    if (isGood) return undefined
    const untilMs = told === undefined ? this.engineNow(sql) + TOMBSTONE_MS : told.untilMs
    const entry = { kind: row.kind, key, ...version, value: told?.value ?? null, untilMs }
    sql.putNews(rowOf(entry))
    return entry
  }

  #hearOne (sql: Sql, entry: NewsEntry, kind: NewsKind, own: OwnNode): boolean {
    const pending = pendingOf(sql, entry, kind, own)
    for (const row of pending) {
      if (!isNewer(row, entry)) sql.removeOutbox(row.kind, row.key)
    }
    sql.setNewest(entry.at)
    if (!kind.isKept) {
      this.#putInPlace(() => { kind.hear(sql, entry, entry.value ?? undefined, own) }, entry)
      return true
    }
    const isOlder = pending.some(row => !isNewer(entry, row)) ||
      !isNewer(entry, sql.news(entry.kind, entry.key))
    if (isOlder) return false
    sql.putNews(rowOf(entry))
    const isOver = entry.untilMs !== null && entry.untilMs <= this.engineNow(sql)
    const value = entry.value === null || isOver ? undefined : entry.value
    this.#putInPlace(() => {
      sql.quietly(() => { kind.hear(sql, entry, value, own) })
    }, entry)
    return true
  }

  /** What has no place here is known all the same, so that it is told on as it was heard. */
  #putInPlace (put: () => void, { kind, key, node }: NewsEntry): void {
    try {
      put()
    } catch (error) {
      if (isBusy(error) || isFailure(error)) throw error
      this.#parts.log.error({ err: error, kind, key, node }, 'news of the fleet have no place here')
    }
  }

  #own (sql: Sql): OwnNode {
    const { name, wallNow, steadyNow, sessionIdleTimeoutMs, sessionLifetimeMs } = this.#parts
    const { origin, aheadMs } = sql.fleet()
    const aheadOfSteadyMs = Math.round(wallNow()) + aheadMs - steadyNow()
    return {
      name, origin, aheadOfSteadyMs, aheadOfWallMs: aheadMs, sessionIdleTimeoutMs, sessionLifetimeMs
    }
  }
}

/** What a thing is called in the engine. */
export function fieldOf ({ kind, key }: Pick<NewsEntry, 'kind' | 'key'>): string {
  return `${kind} ${key}`
}

function nameOf (kind: NewsKind, key: string, own: OwnNode): string {
  return kind.nameOf === undefined ? key : kind.nameOf(key, own)
}

/** Changes of the same thing, which may have been made here under more than one key. */
function pendingOf (
  sql: Sql, { kind: name, key }: NewsEntry, kind: NewsKind, own: OwnNode
): readonly OutboxRow[] {
  const keys = kind.keysOf === undefined ? [key] : kind.keysOf(sql, key, own)
  return keys.map(one => sql.outboxRow(name, one)).filter(row => row !== undefined)
}

function outboxRowOf ({ kind, key, at, node }: NewsRow): OutboxRow {
  return { kind, key, at, node }
}

function rowOf ({ kind, key, at, node, value, untilMs }: NewsEntry): NewsRow {
  return { kind, key, at, node, value: value === null ? null : JSON.stringify(value), untilMs }
}

function entryOf ({ value, ...row }: NewsRow): NewsEntry {
  return { ...row, value: value === null ? null : JSON.parse(value) as object }
}
