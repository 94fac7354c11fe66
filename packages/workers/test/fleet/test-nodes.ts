/** Nodes of a fleet for tests: each has a database in memory, its stores, and its own clocks. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import { silentLog } from '@usher/shared/log.ts'
import { Accounts } from '../../src/accounts/accounts.ts'
import { SessionStore } from '../../src/accounts/session-store.ts'
import { UsherDatabase } from '../../src/database/usher-database.ts'
import { NewsBook } from '../../src/fleet/news-book.ts'
import { AuditLog } from '../../src/records/audit-log.ts'
import { Denials } from '../../src/records/denials.ts'
import { MIGRATIONS } from '../fixtures/test-database.ts'

export const CLUSTER = 'usher'
const HOUR_MS = 3_600_000
const SCHEMA = readdirSync(MIGRATIONS).filter(file => file.endsWith('.sql')).sort()
  .map(file => readFileSync(`${MIGRATIONS}/${file}`, 'utf8'))

export interface TestNode {
  readonly name: string
  readonly db: Database.Database
  readonly database: UsherDatabase
  readonly book: NewsBook
  readonly accounts: Accounts
  readonly sessions: SessionStore
  readonly denials: Denials
  readonly audit: AuditLog
  /** All that the nodes tell each other, as they would tell it. */
  state (): Record<string, unknown[]>
}

export interface ClockFaults {
  /** How far its session clock is ahead of the wall clock. */
  readonly steadyMs?: number
  /** How far the engine's clock is ahead of its wall clock, as it has measured. */
  readonly aheadMs?: number
}

export function testNode (
  t: Test, name: string, { steadyMs = 0, aheadMs = 0 }: ClockFaults = {}
): TestNode {
  const db = new Database(':memory:')
  for (const sql of SCHEMA) db.exec(sql)
  const database = new UsherDatabase(db, silentLog())
  t.teardown(() => { database.close() })
  db.prepare('UPDATE Fleet SET Ahead = ?').run(aheadMs)
  const nowMs = Date.now() // Stands still, so that two readings differ by what they should.
  const wallNow = (): number => nowMs
  const steadyNow = (): number => nowMs + steadyMs
  let ids = 0
  return {
    name,
    db,
    database,
    book: new NewsBook({
      name,
      cluster: CLUSTER,
      randomId: () => `${name}${++ids}`,
      steadyNow,
      wallNow,
      sessionIdleTimeoutMs: HOUR_MS,
      sessionLifetimeMs: 24 * HOUR_MS,
      log: silentLog()
    }),
    accounts: new Accounts(database),
    sessions: new SessionStore(database, {
      idleTimeoutMs: HOUR_MS, lifetimeMs: 24 * HOUR_MS, now: steadyNow
    }),
    denials: new Denials(database, { steadyNow, wallNow, monotonicNow: steadyNow }),
    audit: new AuditLog(database, { log: silentLog(), wallNow }),
    state: () => stateOf(db, { steadyMs: aheadMs - steadyMs, aheadMs })
  }
}

/** Without numbers of rows, and by the engine's clock. */
function stateOf (
  db: Database.Database, { steadyMs, aheadMs }: { steadyMs: number, aheadMs: number }
): Record<string, unknown[]> {
  const all = (sql: string, ...values: readonly unknown[]): unknown[] =>
    db.prepare(sql).all(...values)
  return {
    denied: all(`SELECT Kind, Target, Reason, Author, Since + ? AS Since, Until + ? AS Until
      FROM Denied ORDER BY Kind, Target`, steadyMs, steadyMs),
    accounts: all(`SELECT Username, Password, Perm, MustChange, PasswordUntil + ? AS Until
      FROM UserPassPerm ORDER BY Username`, steadyMs),
    permissions: all(`SELECT PermissionNum, CanView, CanDisconnect FROM Permissions
      ORDER BY PermissionNum`),
    sessions: all(`SELECT TokenHash, Username, Created + ? AS Created, Address, UserAgent
      FROM Sessions JOIN UserPassPerm ON ID = AccountID ORDER BY TokenHash`, steadyMs),
    audit: all(`SELECT Who, Action, Target, Detail, Address, At + ? AS At FROM Audit
      ORDER BY Who, Action, Target, Detail, At`, aheadMs)
  }
}

/** Resolves when all of these may be called. */
export async function connected (
  ...engines: ReadonlyArray<{ readonly isReady: boolean }>
): Promise<void> {
  while (!engines.every(({ isReady }) => isReady)) await setTimeout(5)
}
