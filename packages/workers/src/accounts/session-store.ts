/**
 * The logins to the monitor: opened, found again at every request, ended. Sessions are in the
 * database; while its disk is full, new ones are kept in memory. What an account may do is never
 * cached: each request reads it. Runs in the monitor's thread.
 */
import { AccountChanged, DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import type { AccessRow, SessionRow, Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import type { Account } from './accounts.ts'
import { SessionMemory, type UnsavedSession } from './session-memory.ts'
import { hashToken, isToken, makeToken } from './session-token.ts'

/** Times are milliseconds since 1970 by the session clock. */
export interface CurrentSession {
  readonly sessionHash: string
  readonly accountId: number
  readonly username: string
  readonly permission: number
  readonly canView: boolean
  readonly canDisconnect: boolean
  readonly mustChange: boolean
  readonly createdMs: number
  /** Before this request. */
  readonly lastUsedMs: number
}

/** Where a session was opened. */
export interface SessionOrigin {
  readonly address: string
  readonly userAgent: string
}

export interface ListedSession extends SessionOrigin {
  readonly sessionHash: string
  /** How long ago, since the session clock is no wall clock. */
  readonly createdAgoMs: number
  readonly lastUsedAgoMs: number
}

export interface SessionsOptions {
  readonly idleTimeoutMs: number
  readonly lifetimeMs: number
  /** The session clock: see steadyWallClock. */
  readonly now: () => number
}

/** Beyond it the account's longest unused session ends. */
export const SESSIONS_PER_ACCOUNT_MAX = 100
/** Last use is written so often at most, and so often in an idle time-out at least. */
const WRITE_INTERVAL_MAX_MS = 10_000
const WRITES_PER_IDLE_TIMEOUT = 10
const TEXT_LENGTH_MAX = 256

export class SessionStore {
  readonly #database: UsherDatabase
  readonly #options: SessionsOptions
  readonly #writeIntervalMs: number
  readonly #memory = new SessionMemory()

  constructor (database: UsherDatabase, options: SessionsOptions) {
    this.#database = database
    this.#options = options
    const { idleTimeoutMs } = options
    this.#writeIntervalMs = Math.min(WRITE_INTERVAL_MAX_MS, idleTimeoutMs / WRITES_PER_IDLE_TIMEOUT)
  }

  /**
   * The token of a new session, for the cookie; it is stored nowhere. Throws AccountChanged when
   * the account is no longer what was verified.
   */
  async open (account: Account, { address, userAgent }: SessionOrigin): Promise<string> {
    const token = makeToken()
    const nowMs = this.#options.now()
    const session: UnsavedSession = {
      tokenHash: hashToken(token),
      accountId: account.id,
      passwordHash: account.passwordHash,
      createdMs: nowMs,
      lastUsedMs: nowMs,
      address: address.slice(0, TEXT_LENGTH_MAX),
      userAgent: userAgent.slice(0, TEXT_LENGTH_MAX)
    }
    try {
      if (!await this.#database.write(sql => addSession(sql, session))) throw new AccountChanged()
    } catch (error) {
      if (!(error instanceof DatabaseFailed)) throw error
      this.#memory.keep(session)
    }
    return token
  }

  /** The session of a token, if it has not ended; asking counts as use. */
  async current (token: string): Promise<CurrentSession | undefined> {
    if (!isToken(token)) return undefined
    const tokenHash = hashToken(token)
    const row = await this.#database.read(sql => this.#find(sql, tokenHash))
    if (row === undefined || this.#memory.isEnded(tokenHash)) return undefined
    const nowMs = this.#options.now()
    const lastUsedMs = this.#memory.lastUsedMs(row)
    if (this.#isOver({ createdMs: row.createdMs, lastUsedMs }, nowMs)) return undefined
    if (this.#memory.use(row, nowMs, this.#writeIntervalMs)) this.#writeUse(tokenHash)
    return {
      sessionHash: tokenHash,
      accountId: row.accountId,
      username: row.username,
      permission: row.permission,
      canView: row.canView === 1,
      canDisconnect: row.canDisconnect === 1,
      mustChange: row.mustChange === 1,
      createdMs: row.createdMs,
      lastUsedMs
    }
  }

  async close (token: string): Promise<void> {
    await this.end(hashToken(token))
  }

  /** Ends a session at once, even where the database cannot write that down yet. */
  async end (tokenHash: string): Promise<void> {
    this.#memory.end(tokenHash)
    try {
      await this.#database.write(
        sql => { sql.removeSession(tokenHash) },
        () => { this.#memory.forgetEnd(tokenHash) })
    } catch (error) {
      if (!(error instanceof DatabaseFailed || error instanceof DatabaseBusy)) throw error
    }
  }

  /** Ends the account's sessions but this one. */
  async closeOthers (accountId: number, exceptToken: string): Promise<void> {
    const kept = hashToken(exceptToken)
    await this.#database.write(
      sql => { sql.removeSessionsOf(accountId, kept) },
      () => { this.#memory.dropOthers(accountId, kept) })
  }

  /** The account's sessions, those used last first. */
  async list (accountId: number): Promise<readonly ListedSession[]> {
    const rows = await this.#database.read(sql => {
      const unsaved = this.#memory.unsavedOf(accountId)
      return [...sql.sessionsOf(accountId), ...unsaved.filter(one => isOfAccount(sql, one))]
    })
    const nowMs = this.#options.now()
    return rows
      .filter(({ tokenHash }) => !this.#memory.isEnded(tokenHash))
      .map(row => ({ ...row, lastUsedMs: this.#memory.lastUsedMs(row) }))
      .filter(session => !this.#isOver(session, nowMs))
      .sort((a, b) => b.lastUsedMs - a.lastUsedMs)
      .map(({ tokenHash, createdMs, lastUsedMs, address, userAgent }) => ({
        sessionHash: tokenHash,
        createdAgoMs: nowMs - createdMs,
        lastUsedAgoMs: nowMs - lastUsedMs,
        address,
        userAgent
      }))
  }

  /**
   * Brings the database up to date with what memory knows, removes what is over, and notes how far
   * the clock has come. To be called every few seconds and at the end.
   */
  async sweep (): Promise<void> {
    const { now, lifetimeMs, idleTimeoutMs } = this.#options
    await this.#database.write(sql => {
      const nowMs = now()
      for (const tokenHash of this.#memory.ended()) sql.removeSession(tokenHash)
      for (const session of this.#memory.unsaved()) addSession(sql, session)
      for (const [tokenHash, usedMs] of this.#memory.uses()) sql.touchSession(tokenHash, usedMs)
      sql.removeExpiredSessions(nowMs - lifetimeMs, nowMs - idleTimeoutMs)
      sql.setSessionClock(nowMs)
    }, () => { this.#memory.clear() })
  }

  #find (sql: Sql, tokenHash: string): SessionRow & AccessRow | undefined {
    const stored = sql.currentSession(tokenHash)
    if (stored !== undefined) return stored
    const unsaved = this.#memory.find(tokenHash)
    const access = unsaved === undefined ? undefined : sql.access(unsaved.accountId)
    if (access?.passwordHash !== unsaved?.passwordHash) return undefined
    return access === undefined || unsaved === undefined ? undefined : { ...access, ...unsaved }
  }

  #isOver (
    { createdMs, lastUsedMs }: Pick<SessionRow, 'createdMs' | 'lastUsedMs'>, nowMs: number
  ): boolean {
    const { idleTimeoutMs, lifetimeMs } = this.#options
    return nowMs >= createdMs + lifetimeMs || nowMs >= lastUsedMs + idleTimeoutMs
  }

  /** Not awaited: memory has the time too, and the database logs an outage. */
  #writeUse (tokenHash: string): void {
    this.#database.write(sql => {
      const unsaved = this.#memory.find(tokenHash)
      if (unsaved !== undefined) addSession(sql, unsaved)
      sql.touchSession(tokenHash, this.#memory.usedMs(tokenHash))
    }, () => { this.#memory.forgetUnsaved(tokenHash) }).catch(() => {})
  }
}

/** False, and nothing added, when the account is gone or has another password by now. */
function addSession (sql: Sql, session: UnsavedSession): boolean {
  sql.keepNewestSessions(session.accountId, SESSIONS_PER_ACCOUNT_MAX - 1)
  return sql.addSession(session)
}

function isOfAccount (sql: Sql, { accountId, passwordHash }: UnsavedSession): boolean {
  return sql.account(accountId)?.passwordHash === passwordHash
}
