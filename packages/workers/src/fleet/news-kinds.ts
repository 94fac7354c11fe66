/**
 * What the nodes of a fleet tell each other, kind by kind: what of a row is told, and what becomes
 * of it at another node. Times are told by the engine's clock, accounts by name, because numbers
 * and clocks are each node's own. Called in a transaction; the monitor's thread.
 */
import type { AuditRow, DeniedSqlRow, DrainRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import { ACCOUNT, PERMISSION, SESSION } from './account-kinds.ts'
import type { NewsKind } from './news-kind.ts'

/** So many entries of its own audit a node tells again to one that asks. */
export const AUDIT_RETOLD_MAX = 500

type ToldDenial = Pick<DeniedSqlRow, 'reason' | 'author' | 'sinceMs' | 'untilMs'>

const DENIAL: NewsKind = {
  isKept: true,
  read (sql, key, { aheadOfSteadyMs }) {
    const [kind, target] = denialOf(key)
    const row = sql.deniedRow(kind, target)
    if (row === undefined) return undefined
    const { reason, author } = row
    const sinceMs = row.sinceMs + aheadOfSteadyMs
    const untilMs = row.untilMs === null ? null : row.untilMs + aheadOfSteadyMs
    return { value: { reason, author, sinceMs, untilMs } satisfies ToldDenial, untilMs }
  },
  hear (sql, { key }, value, { aheadOfSteadyMs }) {
    const [kind, target] = denialOf(key)
    if (value === undefined) {
      sql.removeDenied(kind, target)
      return
    }
    const { reason, author, sinceMs, untilMs } = value as ToldDenial
    sql.putDenied({
      kind,
      target,
      reason,
      author,
      sinceMs: sinceMs - aheadOfSteadyMs,
      untilMs: untilMs === null ? null : untilMs - aheadOfSteadyMs
    })
  }
}

function denialOf (key: string): [kind: DeniedSqlRow['kind'], target: string] {
  const [kind = '', target = ''] = key.split(' ')
  return [kind as DeniedSqlRow['kind'], target]
}

/** Of a server NODE/NAME: in force at that node, and known to all. */
const DRAIN: NewsKind = {
  isKept: true,
  nameOf: (server, { name }) => server.includes('/') ? server : `${name}/${server}`,
  keysOf: (_sql, key, { name }) => [key, ...key.startsWith(`${name}/`) ? [key.split('/')[1]!] : []],
  read (sql, server, { aheadOfWallMs }) {
    const row = sql.drains().find(one => one.server === server)
    if (row === undefined) return undefined
    return { value: movedDrain(row, aheadOfWallMs), untilMs: null }
  },
  hear (sql, { key }, value, { name, aheadOfWallMs }) {
    const [node, server = ''] = key.split('/')
    if (node !== name) return
    sql.removeDrain(server)
    if (value !== undefined) {
      sql.addDrain({ ...movedDrain(value as Omit<DrainRow, 'server'>, -aheadOfWallMs), server })
    }
  }
}

function movedDrain (
  { note, sinceMs, movesFromMs, isMaintenance }: Omit<DrainRow, 'server'>, byMs: number
): Omit<DrainRow, 'server'> {
  return {
    note,
    sinceMs: sinceMs + byMs,
    movesFromMs: movesFromMs === null ? null : movesFromMs + byMs,
    isMaintenance
  }
}

interface ToldAudit {
  readonly row: AuditRow
  readonly origin: string
  readonly originId: number
}

export const AUDIT_KIND = 'audit'

const AUDIT: NewsKind = {
  isKept: false,
  nameOf: (id, { origin }) => `${origin} ${id}`,
  keysOf: (_sql, key, { origin }) =>
    key.startsWith(`${origin} `) ? [key.slice(origin.length + 1)] : [],
  read (sql, key, { origin, aheadOfWallMs }) {
    const originId = Number(key)
    const row = sql.ownAudit(originId)
    if (row === undefined) return undefined
    const told = { row: { ...row, atMs: row.atMs + aheadOfWallMs }, origin, originId }
    return { value: told satisfies ToldAudit, untilMs: null }
  },
  hear (sql, { at }, value, { origin: own, aheadOfWallMs }) {
    const { row, origin, originId } = value as ToldAudit
    if (origin === own) return
    sql.putForeignAudit({
      ...row, atMs: row.atMs - aheadOfWallMs, origin, originId, told: at
    })
  }
}

/** Up to which entry a node has the audit of each of the others: they tell what follows. */
type ToldMarks = Readonly<Record<string, number>>

export const AUDIT_WANTED_KIND = 'audit-wanted'

const AUDIT_WANTED: NewsKind = {
  isKept: false,
  nameOf: (_key, { name }) => name,
  keysOf: (_sql, name, own) => name === own.name ? [''] : [],
  read (sql) {
    const marks = sql.auditMarks().map(({ origin, lastId }) => [origin, lastId])
    return { value: Object.fromEntries(marks) as ToldMarks, untilMs: null }
  },
  hear (sql, { node }, value, { name, origin }) {
    if (node === name) return
    sql.tellAuditAfter((value as ToldMarks)[origin] ?? 0, AUDIT_RETOLD_MAX)
  }
}

export const NEWS_KINDS: ReadonlyMap<string, NewsKind> = new Map([
  ['permission', PERMISSION],
  ['account', ACCOUNT],
  ['session', SESSION],
  ['denial', DENIAL],
  ['drain', DRAIN],
  [AUDIT_KIND, AUDIT],
  [AUDIT_WANTED_KIND, AUDIT_WANTED]
])

/** All that this node has when it joins, by what it is called here. */
export function keysAtJoining (sql: Sql): ReadonlyArray<{ kind: string, key: string }> {
  const of = (kind: string, keys: readonly string[]) => keys.map(key => ({ kind, key }))
  const accounts = sql.accounts()
  return [
    ...of('permission', sql.permissions().map(({ permission }) => `${permission}`)),
    ...of('account', accounts.map(({ username }) => username)),
    ...of('session',
      accounts.flatMap(({ id }) => sql.sessionsOf(id)).map(({ tokenHash }) => tokenHash)),
    ...of('denial', sql.denied(0).map(({ kind, target }) => `${kind} ${target}`)),
    ...of('drain', sql.drains().map(({ server }) => server))
  ]
}
