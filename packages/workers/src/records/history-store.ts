/**
 * The load of the last day and what happened to the servers, in the database, so that charts are
 * full after a restart, too. Decides nothing about times and points. Runs in the monitor's thread.
 */
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

/** [active users, reservations] by the server's name; null for a server that was down. */
export type Loads = Readonly<Record<string, readonly [active: number, reserved: number] | null>>

export interface HistorySample {
  readonly atMs: number
  readonly loads: Loads
}

export interface HistoryEvent {
  readonly atMs: number
  readonly type: string
  /** Its name, or its port when it had none; null for what concerns them all. */
  readonly server: string | null
}

/** Servers that go up and down all day long must not fill the disk. */
export const EVENTS_MAX = 10_000
/** Rows that are read at a time: a reader may pause in between. */
const PAGE_ROWS = 1000

export class HistoryStore {
  readonly #database: UsherDatabase
  readonly #eventsMax: number

  constructor (database: UsherDatabase, eventsMax = EVENTS_MAX) {
    this.#database = database
    this.#eventsMax = eventsMax
  }

  /**
   * While the database cannot be written there is a gap. Times are wall-clock milliseconds since
   * 1970.
   */
  addSample (atMs: number, loads: Loads): void {
    this.#write(sql => sql.addSample({ atMs: Math.round(atMs), loads: JSON.stringify(loads) }))
  }

  /** Oldest first. Throws DatabaseBusy and DatabaseFailed; so does `events`. */
  * samples (fromMs: number): Generator<HistorySample> {
    let nextMs = fromMs
    for (;;) {
      const rows = this.#database.readNow(sql => sql.samplesFrom(nextMs, PAGE_ROWS))
      for (const { atMs, loads } of rows) yield { atMs, loads: JSON.parse(loads) as Loads }
      if (rows.length < PAGE_ROWS) return
      nextMs = rows.at(-1)!.atMs + 1
    }
  }

  addEvent (atMs: number, type: string, server: string | null): void {
    this.#write(sql => sql.addEvent(Math.round(atMs), type, server))
  }

  /** Oldest first; of very many the newest. */
  events (fromMs: number): readonly HistoryEvent[] {
    const rows = this.#database.readNow(sql => sql.eventsFrom(fromMs, this.#eventsMax))
    return rows.reverse().map(({ atMs, type, server }) => ({ atMs, type, server }))
  }

  /** Keeps what is of these times. */
  trim (fromMs: number, toMs: number): void {
    this.#write(sql => sql.trimHistory(fromMs, toMs, this.#eventsMax))
  }

  /** Not awaited; the database has logged the outage already. */
  #write (work: (sql: Sql) => void): void {
    this.#database.write(work).catch(() => {})
  }
}
