/**
 * The monitor's stores over one database, and their upkeep: expired sessions, tokens and denials
 * are deleted, and the session clock is saved. Runs in the monitor's thread.
 */
import { steadyWallClock } from '@usher/shared/clock.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { oneAtATime, type InTurn } from '@usher/shared/turns.ts'
import type { Logger } from 'pino'
import type { UsherDatabase } from '../database/usher-database.ts'
import { Accounts } from '../accounts/accounts.ts'
import { AuditLog } from '../records/audit-log.ts'
import { Denials } from '../records/denials.ts'
import { Drains } from '../records/drains.ts'
import { HistoryStore } from '../records/history-store.ts'
import { Permissions } from '../accounts/permissions.ts'
import { Permit } from './access/permit.ts'
import { ServerStore } from '../records/server-store.ts'
import { SessionStore } from '../accounts/session-store.ts'
import { TokenStore } from '../accounts/token-store.ts'

export interface Stores {
  readonly accounts: Accounts
  readonly permissions: Permissions
  readonly sessions: SessionStore
  readonly tokens: TokenStore
  readonly permit: Permit
  readonly denials: Denials
  readonly drains: Drains
  readonly servers: ServerStore
  readonly audit: AuditLog
  readonly history: HistoryStore
  /** For changes of who is denied and what drains: the threads get them in the database's order. */
  readonly inTurn: InTurn
  /** The session clock. */
  readonly steadyNow: () => number
  /** Brings the database up to date and closes it. May be called twice. */
  close (): Promise<void>
}

export interface StoresOptions
  extends Pick<Settings, 'sessionIdleTimeoutMs' | 'sessionLifetimeMs' | 'servers'> {
  readonly log: Pick<Logger, 'info'>
  readonly wallNow: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** UPKEEP_INTERVAL_MS if left out. */
  readonly upkeepIntervalMs?: number
}

const UPKEEP_INTERVAL_MS = 10_000
/**
 * How long a locked database is waited for at the end; what it does not take by then is not saved.
 */
const CLOSING_WAIT_MS = 250

export async function openStores (
  database: UsherDatabase, options: StoresOptions
): Promise<Stores> {
  const { sessionIdleTimeoutMs, sessionLifetimeMs, servers, log, wallNow, now } = options
  const reachedMs = await database.read(sql => sql.sessionClockMs())
  const steadyNow = steadyWallClock(Math.max(wallNow(), reachedMs), now)
  const sessions = new SessionStore(database, {
    idleTimeoutMs: sessionIdleTimeoutMs,
    lifetimeMs: sessionLifetimeMs,
    now: steadyNow
  })
  const tokens = new TokenStore(database, steadyNow)
  const denials = new Denials(database, { steadyNow, monotonicNow: now, wallNow })
  const drains = new Drains(database, { servers, wallNow, monotonicNow: now })
  await drains.load()
  const audit = new AuditLog(database, { log, wallNow })
  // What fails now is tried again, and the database has logged why.
  const upkeep = async (): Promise<void> => {
    await Promise.allSettled([
      sessions.sweep(), tokens.removeExpired(), denials.removeExpired(), audit.save()
    ])
  }
  void upkeep()
  const timer = setInterval(() => { void upkeep() }, options.upkeepIntervalMs ?? UPKEEP_INTERVAL_MS)
  timer.unref()
  return {
    accounts: new Accounts(database),
    permissions: new Permissions(database),
    sessions,
    tokens,
    permit: new Permit(database, sessions, tokens),
    denials,
    drains,
    servers: new ServerStore(database),
    audit,
    history: new HistoryStore(database),
    inTurn: oneAtATime(),
    steadyNow,
    async close () {
      clearInterval(timer)
      database.limitWaits(CLOSING_WAIT_MS)
      await Promise.allSettled([sessions.sweep(), tokens.save(), audit.save()])
      database.close()
    }
  }
}
