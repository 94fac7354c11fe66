/**
 * An opened database as the stores use it: reads, writes in transactions, and their bounded waits.
 * Knows no statement (statements.ts) and opens nothing (open.ts). Runs in the thread that opened
 * it.
 */
import type { Database } from 'better-sqlite3'
import type { Logger } from 'pino'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import { BusyRetryQueue, isBusy, isFailure } from './busy-retry-queue.ts'
import { prepareSql, type Sql } from './statements.ts'

export type DatabaseLog = Pick<Logger, 'error' | 'info'>

export class UsherDatabase {
  readonly #db: Database
  readonly #sql: Sql
  readonly #inTransaction: (work: (sql: Sql) => unknown) => unknown
  /** Two, because in WAL mode a writer does not lock out readers. */
  readonly #reading: BusyRetryQueue
  readonly #writing: BusyRetryQueue

  constructor (db: Database, log: DatabaseLog) {
    this.#db = db
    // SQLite itself waits for no lock: the whole thread would stand still, and a thread that is
    // terminated in one of its calls takes the process with it.
    db.pragma('busy_timeout = 0')
    const sql = prepareSql(db)
    this.#sql = sql
    this.#inTransaction = db.transaction((work: (sql: Sql) => unknown) => work(sql)).immediate
    const now = monotonicNowMs
    this.#reading = new BusyRetryQueue({ cannot: 'cannot be read: nobody can log in', log, now })
    this.#writing = new BusyRetryQueue({
      cannot: 'cannot be written: sessions are kept in memory, other changes are refused', log, now
    })
  }

  /** Rejects with DatabaseBusy or DatabaseFailed, both of status 503; so does `write`. */
  read<T> (work: (sql: Sql) => T): Promise<T> {
    return this.#reading.run(() => work(this.#sql))
  }

  /**
   * All of the work or nothing, in one transaction; more than once when the database is locked.
   * @param afterCommit called in the same turn of the loop, so that memory and file never differ
   */
  write<T> (work: (sql: Sql) => T, afterCommit?: (result: T) => void): Promise<T> {
    return this.#writing.run(() => {
      const result = this.#inTransaction(work) as T
      afterCommit?.(result)
      return result
    })
  }

  /** From now on no call waits longer for a lock. */
  limitWaits (ms: number): void {
    this.#reading.limitWaits(ms)
    this.#writing.limitWaits(ms)
  }

  /** Without waiting for a lock; throws what `read` rejects with. */
  readNow<T> (work: (sql: Sql) => T): T {
    try {
      return work(this.#sql)
    } catch (error) {
      if (isBusy(error)) throw new DatabaseBusy()
      throw isFailure(error) ? new DatabaseFailed(error.message) : error
    }
  }

  /** May be called twice. */
  close (): void {
    this.#db.close()
  }
}
