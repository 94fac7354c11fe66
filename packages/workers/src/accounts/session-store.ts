/**
 * The logins to the monitor: opened, found again at every request, ended. Sessions are in the
 * database; while its disk is full, new ones are kept in memory. What an account may do is never
 * cached: each request reads it. Runs in the monitor's thread.
 */
import {
  AccountChanged, DatabaseBusy, DatabaseFailed, SessionEnded
} from '@usher/shared/errors.ts'
import type { AccessRow, SessionRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import type { Account } from './accounts.ts'
import { accessOf, type Access } from './permissions.ts'
import { SessionMemory, type UnsavedSession } from './session-memory.ts'
import { hashToken, isToken, makeToken, sessionHandle } from './session-token.ts'

/** Times are milliseconds since 1970 by the session clock. */
export interface CurrentSession extends Access {
  readonly sessionHash: string
  /** From where it was opened. */
  readonly address: string
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
  async open (verified: Account, origin: SessionOrigin): Promise<string> {
    const { token, session } = this.#make(verified, origin)
    try {
      if (!await this.#database.write(sql => addSession(sql, session))) throw new AccountChanged()
    } catch (error) {
      if (!(error instanceof DatabaseFailed)) throw error
      this.#memory.keep(session)
    }
    return token
  }

  /**
   * Gives the account another password, ends all of its sessions and opens a new one, whose token
   * this returns. Throws AccountChanged when the account is no longer what was verified, and
   * SessionEnded when the session that asks has ended meanwhile; then nothing is changed.
   */
  async changePassword (
    { sessionHash, accountId }: CurrentSession, verified: Account, passwordHash: string,
    origin: SessionOrigin
  ): Promise<string> {
    const { token, session } = this.#make({ ...verified, passwordHash }, origin)
    const checked = { accountId, passwordHash: verified.passwordHash }
    await this.#database.write(sql => {
      if (!isOfAccount(sql, checked)) throw new AccountChanged()
      this.currentAt(sql, sessionHash)
      sql.setPassword({ id: accountId, passwordHash, mustChange: 0, passwordUntilMs: null })
      sql.removeSessionsOf(accountId)
      addSession(sql, session)
    })
    return token
  }

  /** The session of a token, if it has not ended; asking counts as use. */
  async current (token: string): Promise<CurrentSession | undefined> {
    if (!isToken(token)) return undefined
    const tokenHash = hashToken(token)
    const session = await this.#database.read(sql => this.#find(sql, tokenHash))
    if (session === undefined) return undefined
    const { lastUsedMs } = session
    const nowMs = this.#options.now()
    if (this.#memory.use({ tokenHash, lastUsedMs }, nowMs, this.#writeIntervalMs)) {
      this.#writeUse(tokenHash)
    }
    return session
  }

  /**
   * What a session is at this moment of a transaction, for what waited since the session was
   * found. Throws SessionEnded.
   */
  currentAt (sql: Sql, tokenHash: string): CurrentSession {
    const session = this.#find(sql, tokenHash)
    if (session === undefined) throw new SessionEnded()
    return session
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

  /**
   * Ends another session of the same account, found by its handle: undefined where there is none.
   * Throws SessionEnded when the session that asks has ended itself.
   */
  async endOther (
    { sessionHash, accountId }: CurrentSession, handle: string
  ): Promise<ListedSession | undefined> {
    const ended = await this.#database.read(sql => {
      this.currentAt(sql, sessionHash)
      const found = this.#list(sql, accountId)
        .find(one => sessionHandle(one.sessionHash) === handle)
      if (found !== undefined) this.#memory.end(found.sessionHash)
      return found
    })
    if (ended !== undefined) await this.end(ended.sessionHash)
    return ended
  }

  /** The account's sessions, those used last first. */
  list (accountId: number): Promise<readonly ListedSession[]> {
    return this.#database.read(sql => this.#list(sql, accountId))
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

  #make (
    { id, passwordHash }: Account, { address, userAgent }: SessionOrigin
  ): { token: string, session: UnsavedSession } {
    const token = makeToken()
    const nowMs = this.#options.now()
    const session = {
      tokenHash: hashToken(token),
      accountId: id,
      passwordHash,
      createdMs: nowMs,
      lastUsedMs: nowMs,
      address: address.slice(0, TEXT_LENGTH_MAX),
      userAgent: userAgent.slice(0, TEXT_LENGTH_MAX)
    }
    return { token, session }
  }

  #list (sql: Sql, accountId: number): readonly ListedSession[] {
    const unsaved = this.#memory.unsavedOf(accountId).filter(one => isOfAccount(sql, one))
    const nowMs = this.#options.now()
    return [...sql.sessionsOf(accountId), ...unsaved]
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

  #find (sql: Sql, tokenHash: string): CurrentSession | undefined {
    const row = sql.currentSession(tokenHash) ?? this.#findUnsaved(sql, tokenHash)
    if (row === undefined || this.#memory.isEnded(tokenHash)) return undefined
    const lastUsedMs = this.#memory.lastUsedMs(row)
    const { address, createdMs } = row
    if (this.#isOver({ createdMs, lastUsedMs }, this.#options.now())) return undefined
    return { sessionHash: tokenHash, ...accessOf(row), address, createdMs, lastUsedMs }
  }

  #findUnsaved (sql: Sql, tokenHash: string): SessionRow & AccessRow | undefined {
    const unsaved = this.#memory.find(tokenHash)
    const access = unsaved === undefined ? undefined : sql.account(unsaved.accountId)
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

/** False, and nothing done, when the account is gone or has another password by now. */
function addSession (sql: Sql, session: UnsavedSession): boolean {
  if (!isOfAccount(sql, session)) return false
  sql.keepNewestSessions(session.accountId, SESSIONS_PER_ACCOUNT_MAX - 1)
  sql.addSession(session)
  return true
}

function isOfAccount (
  sql: Sql, { accountId, passwordHash }: Pick<UnsavedSession, 'accountId' | 'passwordHash'>
): boolean {
  return sql.account(accountId)?.passwordHash === passwordHash
}
