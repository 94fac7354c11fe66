/**
 * A node's talk with the others: tells what has changed here, hears what has changed elsewhere, and
 * catches up after every cut. What is heard is in the database first; then whoever has to do
 * something about it is told of which kinds it was. Runs in the monitor's thread.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { reportOf } from '@usher/shared/errors.ts'
import { ThrottledWarning } from '@usher/shared/throttled-warning.ts'
import type { Logger } from 'pino'
import type { OutboxRow } from '../database/rows.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import { fieldOf, type NewsBook } from './news-book.ts'
import { isSameVersion, type NewsEntry, type NewsSeal, type Version } from './news-entry.ts'
import { NEWS_KINDS } from './news-kinds.ts'
import type { NewsStream, StreamEnd } from './news-stream.ts'

export interface FleetNewsParts {
  readonly database: Pick<UsherDatabase, 'read' | 'write'>
  readonly book: NewsBook
  readonly seal: NewsSeal
  readonly stream: NewsStream
  /**
   * Of these kinds something is new in the database. When it rejects, it is called again a little
   * later.
   */
  readonly onHeard: (kinds: ReadonlySet<string>) => Promise<void>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

/** How far the stream has been heard. */
type Place = Pick<StreamEnd, 'life' | 'lastId' | 'lastNumber'>

/** How soon a change here is seen, whoever made it: the account command is another process. */
const TELL_INTERVAL_MS = 50
const TOLD_PER_STEP = 200
/** While the engine is away, or something could not be brought into force. */
const RETRY_MS = 200
const CLOCK_INTERVAL_MS = 10_000
/** By more two readings of a clock over a network differ. */
const CLOCK_STEP_MS = 2
const UPKEEP_INTERVAL_MS = 600_000
/** Answers of many nodes at once must not push the stream on so far that more of it is missed. */
const AUDIT_ASKED_INTERVAL_MS = 60_000

export class FleetNews {
  readonly #parts: FleetNewsParts
  readonly #refusals: ThrottledWarning
  readonly #end = new AbortController()
  /** Changes that were told since the last cut and have not come back, by their outbox's key. */
  #told = new Map<string, Version>()
  /** Kinds of which something was heard that is not in force yet. */
  #unapplied = new Set<string>()
  #isApplying = false
  #place: Place = { life: '', lastId: '0-0', lastNumber: 0 }
  #isInStep = false
  /** Or need not be: while it starts, there is no connection yet. */
  #isAwayLogged = true
  #clockSetMs = -Infinity
  #upkeepMs = -Infinity
  #isAuditMissed = false
  #auditAskedMs = -Infinity
  #running: Promise<unknown> = Promise.resolve()

  constructor (parts: FleetNewsParts) {
    this.#parts = parts
    this.#refusals = new ThrottledWarning(parts.log, monotonicNowMs,
      'news of the fleet refused: signed by another CLUSTER_SECRET, or of another version of Usher')
  }

  /** Resolves when this node knows what the others know, or when that takes too long. */
  async start (withinMs: number): Promise<void> {
    const { database, book } = this.#parts
    await database.write(sql => { book.join(sql) })
    let setInStep = (): void => {}
    const inStep = new Promise<void>(resolve => { setInStep = resolve })
    this.#running = Promise.all([this.#hearAll(setInStep), this.#tellAll()])
    await Promise.race([inStep, this.#pause(withinMs)])
    if (!this.#isInStep) this.#isAwayLogged = false
  }

  /** What was not told is told after the next start. May be called twice. */
  async close (): Promise<void> {
    this.#end.abort()
    await this.#parts.stream.close()
    await this.#running
  }

  async #hearAll (setInStep: () => void): Promise<void> {
    while (!this.#isClosed()) {
      try {
        const end = await this.#catchUp(false)
        while (!this.#isClosed()) {
          if (this.#place.lastNumber >= end.lastNumber) this.#setInStep(setInStep)
          await this.#hearNext()
        }
      } catch (error) {
        this.#setAway(error)
        await this.#pause(RETRY_MS)
      }
    }
  }

  /**
   * After a cut: the stream goes on where it was, or, if some of it is missing, all that is kept is
   * read, and what the engine has lost is told again.
   */
  async #catchUp (isMissed: boolean): Promise<StreamEnd> {
    const { stream, database, book } = this.#parts
    await this.#setClock()
    const { life, lastId, lastNumber } = await database.read(sql => sql.fleet())
    this.#place = { life, lastId, lastNumber }
    this.#told.clear()
    const end = await stream.end(lastId)
    const isWhole = !isMissed && life === end.life && (end.hasEntry || lastNumber === 0)
    if (isWhole) return end
    // Whatever is told from here on is in the stream after this end.
    const held = new Map<string, Version>()
    for await (const part of stream.kept()) {
      const entries = this.#opened(part.map(({ text }) => text))
      for (const entry of entries) held.set(fieldOf(entry), entry)
      await this.#hear(entries, this.#place)
    }
    await database.write(sql => { book.bringBack(sql, held) })
    await this.#hear([], end)
    this.#isAuditMissed = true // Of the audit nothing is kept in the engine.
    return end
  }

  async #hearNext (): Promise<void> {
    const entries = await this.#parts.stream.read(this.#place.lastId)
    const last = entries.at(-1)
    if (last === undefined) return
    const isMissed = entries.some(({ number }, at) => number !== this.#place.lastNumber + 1 + at)
    if (isMissed) {
      await this.#catchUp(true)
      return
    }
    await this.#hear(this.#opened(entries.map(({ text }) => text)),
      { life: this.#place.life, lastId: last.id, lastNumber: last.number })
  }

  /** What is heard and how far is one transaction: nothing is missed, nothing heard for nothing. */
  async #hear (
    entries: readonly NewsEntry[], { life, lastId, lastNumber }: Place
  ): Promise<void> {
    const { database, book } = this.#parts
    const heard = await database.write(sql => {
      const news = book.hear(sql, entries)
      sql.setHeard(life, lastId, lastNumber, book.engineNow(sql))
      return news
    })
    this.#place = { life, lastId, lastNumber }
    for (const { kind } of heard) this.#unapplied.add(kind)
    void this.#bringIntoForce()
  }

  #opened (texts: readonly string[]): readonly NewsEntry[] {
    return texts.flatMap(text => {
      const entry = this.#parts.seal.open(text)
      if (entry === undefined) this.#refusals.note(() => ({ length: text.length }))
      return entry ?? []
    })
  }

  async #bringIntoForce (): Promise<void> {
    if (this.#isApplying || this.#unapplied.size === 0) return
    this.#isApplying = true
    const kinds = this.#unapplied
    this.#unapplied = new Set()
    try {
      await this.#parts.onHeard(kinds)
    } catch (error) {
      for (const kind of kinds) this.#unapplied.add(kind)
      const { code, message } = reportOf(error)
      if (!this.#isClosed()) {
        this.#parts.log.error({ code, reason: message, kinds: [...kinds] },
          'news of the fleet are stored, but not in force everywhere: this is tried again')
      }
      await this.#pause(RETRY_MS)
    } finally {
      this.#isApplying = false
    }
    // What was heard meanwhile, or could not be brought into force.
    if (!this.#isClosed()) void this.#bringIntoForce()
  }

  async #tellAll (): Promise<void> {
    while (!this.#isClosed()) {
      await this.#pause(TELL_INTERVAL_MS)
      if (!this.#isInStep) continue
      try {
        await this.#tell()
        await this.#keepUp()
      } catch {
        // Nothing has left the outbox. Whoever hears finds out what is away, and the database logs
        // what it cannot do.
      }
    }
  }

  async #tell (): Promise<void> {
    const { database, book, stream } = this.#parts
    const isTold = (row: OutboxRow): boolean => isSameVersion(row, this.#told.get(fieldOf(row)))
    const rows = await database.read(sql => sql.outbox(this.#told.size + TOLD_PER_STEP))
    this.#told = new Map(rows.filter(isTold).map(row => [fieldOf(row), row]))
    const waiting = rows.filter(row => !isTold(row))
    if (waiting.length === 0) return
    const outgoing = await database.write(sql => book.outgoing(sql, waiting))
    const { seal } = this.#parts
    await stream.tell(outgoing.map(({ entry }) => ({
      version: entry,
      field: NEWS_KINDS.get(entry.kind)?.isKept === true ? fieldOf(entry) : undefined,
      text: seal.seal(entry)
    })))
    for (const { row } of outgoing) this.#told.set(fieldOf(row), row)
  }

  async #keepUp (): Promise<void> {
    const nowMs = monotonicNowMs()
    const { database, book, stream } = this.#parts
    if (nowMs - this.#clockSetMs >= CLOCK_INTERVAL_MS) await this.#setClock()
    if (this.#isAuditMissed && nowMs - this.#auditAskedMs >= AUDIT_ASKED_INTERVAL_MS) {
      await database.write(sql => { book.askForAudit(sql) })
      this.#isAuditMissed = false
      this.#auditAskedMs = nowMs
    }
    if (nowMs - this.#upkeepMs < UPKEEP_INTERVAL_MS) return
    this.#upkeepMs = nowMs
    const expired = await database.write(sql => {
      const { life, lastId, lastNumber } = sql.fleet()
      sql.setHeard(life, lastId, lastNumber, book.engineNow(sql))
      return book.forgetExpired(sql)
    })
    await stream.forget(expired.map(row => ({ field: fieldOf(row), version: row })))
  }

  async #setClock (): Promise<void> {
    const { stream, database } = this.#parts
    const aheadMs = Math.round(await stream.aheadMs())
    this.#clockSetMs = monotonicNowMs()
    const known = await database.read(sql => sql.fleet().aheadMs)
    if (Math.abs(aheadMs - known) < CLOCK_STEP_MS) return
    await database.write(sql => { sql.setAhead(aheadMs) })
  }

  #setInStep (setInStep: () => void): void {
    if (this.#isInStep) return
    this.#isInStep = true
    this.#isAwayLogged = false
    this.#parts.log.info('in step with the news of the fleet')
    setInStep()
  }

  #setAway (error: unknown): void {
    this.#isInStep = false
    if (this.#isClosed() || this.#isAwayLogged) return
    this.#isAwayLogged = true
    this.#parts.log.warn({ reason: reportOf(error).message },
      'news of the fleet are not heard: what changes here is kept, and told later')
  }

  #isClosed (): boolean {
    return this.#end.signal.aborted
  }

  /** Shorter when it ends. */
  async #pause (ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#end.signal }).catch(() => {})
  }
}
