/**
 * The keys that sign tickets: made at the first start, stored, and rotated. A key is published for
 * an hour before it signs, so that whoever keeps a copy of the keys has it by then, signs for a
 * day, and is published for an hour more. In a fleet nothing is made or stored: its keys follow
 * from its secret (shared-keys.ts). Runs in the monitor's thread.
 */
import { DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import { makeTicketKey, publicPart, ticketKeyOf } from '@usher/shared/tickets/make-key.ts'
import type { SigningKey, TicketKeys } from '@usher/shared/tickets/ticket.ts'
import type { Logger } from 'pino'
import type { TicketKeyRow } from '../database/rows.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

export interface KeyringParts {
  readonly database: UsherDatabase
  /** The keys of a fleet at a time in milliseconds since 1970; undefined without one. */
  readonly sharedKeys?: ((nowMs: number) => TicketKeys) | undefined
  /** The session clock: see steadyWallClock. */
  readonly now: () => number
  /** Gives the keys to all who sign and verify. */
  readonly tell: (keys: TicketKeys) => Promise<unknown>
  readonly log: Pick<Logger, 'debug' | 'error'>
}

interface HeldKey {
  readonly key: SigningKey
  readonly signsFromMs: number
}

const HOUR_MS = 3_600_000
export const SIGNS_FOR_MS = 24 * HOUR_MS
/** More than JWKS_MAX_AGE_S, for which copies are kept. */
export const PUBLISHED_BEFORE_MS = HOUR_MS
/** After the last ticket that it may have signed has expired, for clocks that go wrong. */
export const PUBLISHED_AFTER_MS = HOUR_MS
const LOOK_INTERVAL_MS = 60_000

export class TicketKeyring {
  readonly #parts: KeyringParts
  /** The oldest first. */
  #held: readonly HeldKey[] = []
  /** Whether the database has them, too. */
  #isStored = false
  /** The keys of which everybody has been told. */
  #told = ''
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor (parts: KeyringParts) {
    this.#parts = parts
  }

  /** Never rejects: it logs, and tries again. */
  async start (): Promise<void> {
    this.#timer = setInterval(() => { void this.look() }, LOOK_INTERVAL_MS)
    this.#timer.unref()
    await this.look()
  }

  /** Makes and drops what is due, and tells of what has changed. Never rejects. */
  async look (): Promise<void> {
    const { tell, now, sharedKeys, log } = this.#parts
    try {
      if (sharedKeys === undefined) await this.#renew()
      const keys = sharedKeys?.(now()) ?? keysAt(this.#held, now())
      const names = JSON.stringify([keys.signing.kid, keys.published.map(({ kid }) => kid)])
      if (names === this.#told) return
      await tell(keys)
      this.#told = names
      log.debug({ signing: keys.signing.kid, published: keys.published.length },
        'keys for tickets are in force')
    } catch (error) {
      if (this.#isClosed) return // The database may be, too.
      log.error({ err: error }, 'keys for tickets could not be brought into force: this is tried again')
    }
  }

  close (): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  async #renew (): Promise<void> {
    const { database, now } = this.#parts
    try {
      if (!this.#isStored) {
        const stored = await database.read(sql => sql.ticketKeys().map(heldOf))
        if (stored.length > 0) [this.#held, this.#isStored] = [stored, true]
      }
      const next = renewed(this.#held, now())
      if (next === this.#held && this.#isStored) return
      await database.write(sql => { sql.saveTicketKeys(next.map(rowOf)) }, () => {
        this.#held = next
        this.#isStored = true
      })
    } catch (error) {
      if (!(error instanceof DatabaseFailed || error instanceof DatabaseBusy)) throw error
      // The database has logged it. A key that is stored nowhere lives as long as this thread.
      if (this.#held.length === 0) this.#held = renewed([], now())
    }
  }
}

/** What is held from now on; the same list when nothing is due. */
function renewed (held: readonly HeldKey[], nowMs: number): readonly HeldKey[] {
  // Such a one was made by a clock that was wrong.
  const known = held.filter(({ signsFromMs }) => signsFromMs <= nowMs + PUBLISHED_BEFORE_MS)
  const kept = known.filter((_key, index) => {
    const successor = known[index + 1]
    return successor === undefined || successor.signsFromMs + PUBLISHED_AFTER_MS > nowMs
  })
  const newest = kept.at(-1)
  const nextMs = newest === undefined
    ? nowMs
    : Math.max(newest.signsFromMs + SIGNS_FOR_MS, nowMs + PUBLISHED_BEFORE_MS)
  const isDue = newest === undefined ||
    newest.signsFromMs + SIGNS_FOR_MS <= nowMs + PUBLISHED_BEFORE_MS
  if (isDue) return [...kept, { key: makeTicketKey(), signsFromMs: nextMs }]
  return kept.length === held.length ? held : kept
}

/** @param held at least one */
function keysAt (held: readonly HeldKey[], nowMs: number): TicketKeys {
  const begun = held.filter(({ signsFromMs }) => signsFromMs <= nowMs)
  const signing = (begun.at(-1) ?? held[0]!).key
  return { signing, published: held.map(({ key }) => publicPart(key)) }
}

function heldOf ({ keyId, publicKey, privateKey, signsFromMs }: TicketKeyRow): HeldKey {
  return {
    key: { ...ticketKeyOf(publicKey, keyId), d: privateKey },
    signsFromMs
  }
}

function rowOf ({ key: { kid, x, d }, signsFromMs }: HeldKey): TicketKeyRow {
  return { keyId: kid, publicKey: x, privateKey: d, signsFromMs }
}
