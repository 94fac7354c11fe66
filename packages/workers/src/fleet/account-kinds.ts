/**
 * Accounts, what permissions allow, and sessions, as the nodes of a fleet tell them. A session is
 * in force where its account has the password that opened it: whatever comes first, the account or
 * the session. Called in a transaction; the monitor's thread.
 */
import { createHash } from 'node:crypto'
import { foldCase } from '@usher/shared/fold-case.ts'
import { BEFORE_ALL } from '../database/news-statements.ts'
import type { AccountRow, NewsRow, PermissionRow, SessionRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import type { NewsKind, OwnNode } from './news-kind.ts'

type ToldPermission = Pick<PermissionRow, 'canView' | 'canDisconnect'>
type ToldAccount = Omit<AccountRow, 'id'>

interface ToldSession extends Omit<SessionRow, 'tokenHash' | 'accountId'> {
  readonly username: string
  /** Of the password that opened it. */
  readonly passwordTag: string
}

/** A use is told so often in an idle time-out: a session that is used elsewhere ends nowhere. */
const USES_TOLD_PER_IDLE_TIMEOUT = 4

export const PERMISSION: NewsKind = {
  isKept: true,
  read (sql, key) {
    const row = sql.permissions().find(({ permission }) => permission === Number(key))
    if (row === undefined) return undefined
    const { canView, canDisconnect } = row
    return { value: { canView, canDisconnect } satisfies ToldPermission, untilMs: null }
  },
  hear (sql, { key }, value) {
    const permission = Number(key)
    if (value !== undefined) {
      sql.putPermission({ permission, ...value as ToldPermission })
    } else if (!sql.removePermission(permission)) {
      forbid(sql, permission)
    }
  }
}

/** One that accounts have cannot go: it allows nothing, which is the same. */
function forbid (sql: Sql, permission: number): void {
  if (sql.permissions().some(row => row.permission === permission)) {
    sql.putPermission({ permission, canView: 0, canDisconnect: 0 })
  }
}

export const ACCOUNT: NewsKind = {
  isKept: true,
  nameOf: foldCase,
  keysOf: (sql, name) =>
    sql.outboxOf('account').map(({ key }) => key).filter(key => foldCase(key) === name),
  read (sql, key, { aheadOfSteadyMs }) {
    const row = accountOf(sql, key)
    if (row === undefined) return undefined
    const { id, passwordUntilMs: untilMs, ...rest } = row
    const passwordUntilMs = untilMs === null ? null : untilMs + aheadOfSteadyMs
    return { value: { ...rest, passwordUntilMs } satisfies ToldAccount, untilMs: null }
  },
  hear (sql, { key, at }, value, node) {
    const known = accountOf(sql, key)
    if (value === undefined) {
      if (known !== undefined) remove(sql, known)
      return
    }
    const told = value as ToldAccount
    const { passwordUntilMs: untilMs, permission } = told
    const passwordUntilMs = untilMs === null ? null : untilMs - node.aheadOfSteadyMs
    if (!sql.permissions().some(row => row.permission === permission)) {
      sql.putPermission({ permission, canView: 0, canDisconnect: 0 }) // Until it is told, too.
    }
    if (known === undefined) {
      sql.addAccount({ ...told, passwordUntilMs })
    } else {
      const { id } = known
      const { passwordHash, mustChange, username } = told
      sql.setUsername(id, username)
      // Nodes that start together make the first account each: nobody has changed a password.
      const isChange = passwordHash !== known.passwordHash && at > BEFORE_ALL
      if (isChange) sql.removeSessionsOf(id)
      sql.setPassword({ id, passwordHash, mustChange, passwordUntilMs })
      sql.setPermission(id, permission)
    }
    for (const session of sql.newsOf('session')) putSession(sql, session, node, key)
  }
}

function remove (sql: Sql, { id }: AccountRow): void {
  sql.removeSessionsOf(id)
  sql.removeAccount(id)
}

export const SESSION: NewsKind = {
  isKept: true,
  read (sql, key, { aheadOfSteadyMs, sessionLifetimeMs }) {
    const row = sql.currentSession(key)
    if (row === undefined) return undefined
    const { username, passwordHash, address, userAgent } = row
    const createdMs = row.createdMs + aheadOfSteadyMs
    const value: ToldSession = {
      username,
      passwordTag: passwordTag(passwordHash),
      createdMs,
      lastUsedMs: row.lastUsedMs + aheadOfSteadyMs,
      address,
      userAgent
    }
    return { value, untilMs: createdMs + sessionLifetimeMs }
  },
  isCloseTo ({ value }, known, { sessionIdleTimeoutMs }) {
    const laterMs = (value as ToldSession).lastUsedMs - (known as ToldSession).lastUsedMs
    return laterMs < sessionIdleTimeoutMs / USES_TOLD_PER_IDLE_TIMEOUT
  },
  hear (sql, { key }, value, node) {
    if (value === undefined) sql.removeSession(key)
    else putSession(sql, { key, value: JSON.stringify(value) }, node)
  }
}

/** @param ofAccount one of another account is left alone */
function putSession (
  sql: Sql, { key: tokenHash, value }: Pick<NewsRow, 'key' | 'value'>,
  { aheadOfSteadyMs }: OwnNode, ofAccount?: string
): void {
  if (value === null) return
  const { username, passwordTag: tag, ...told } = JSON.parse(value) as ToldSession
  if (ofAccount !== undefined && foldCase(username) !== ofAccount) return
  const account = accountOf(sql, username)
  if (account === undefined || passwordTag(account.passwordHash) !== tag) return
  const lastUsedMs = told.lastUsedMs - aheadOfSteadyMs
  if (sql.currentSession(tokenHash) !== undefined) {
    sql.touchSession(tokenHash, lastUsedMs)
    return
  }
  const createdMs = told.createdMs - aheadOfSteadyMs
  sql.addSession({ ...told, tokenHash, accountId: account.id, createdMs, lastUsedMs })
}

/** Without regard to case, as names are unique. */
function accountOf (sql: Sql, username: string): AccountRow | undefined {
  const key = foldCase(username)
  return sql.accounts().find(account => foldCase(account.username) === key)
}

/** What tells one password from another, and nothing of either. */
function passwordTag (passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url')
}
