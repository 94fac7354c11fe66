/**
 * What is not yet in the database about sessions: uses since the last write, and sessions and
 * logouts that could not be written because the disk is full. Bounded; touches no database.
 */
import type { SessionRow } from '../database/rows.ts'

/** A session with the hash of the password that opened it: another password ends it. */
export type UnsavedSession = SessionRow & { readonly passwordHash: string }

interface Use {
  usedMs: number
  /** When it was last written, or tried to be. */
  writtenMs: number
}

/** Of each kind; beyond it the oldest is forgotten. */
export const REMEMBERED_MAX = 10_000

export class SessionMemory {
  readonly #uses = new Map<string, Use>()
  readonly #unsaved = new Map<string, UnsavedSession>()
  readonly #ended = new Set<string>()

  keep (session: UnsavedSession): void {
    this.#unsaved.set(session.tokenHash, session)
    dropOldest(this.#unsaved)
  }

  find (tokenHash: string): UnsavedSession | undefined {
    return this.#unsaved.get(tokenHash)
  }

  unsavedOf (accountId: number): UnsavedSession[] {
    return this.unsaved().filter(session => session.accountId === accountId)
  }

  unsaved (): UnsavedSession[] {
    return [...this.#unsaved.values()]
  }

  /** It is in the database now. */
  forgetUnsaved (tokenHash: string): void {
    this.#unsaved.delete(tokenHash)
  }

  /** Notes a use. True when it is time to write it. */
  use (
    { tokenHash, lastUsedMs }: Pick<SessionRow, 'tokenHash' | 'lastUsedMs'>, nowMs: number,
    writeIntervalMs: number
  ): boolean {
    const use = this.#uses.get(tokenHash) ?? { usedMs: nowMs, writtenMs: lastUsedMs }
    const isDue = nowMs - use.writtenMs >= writeIntervalMs
    use.usedMs = nowMs
    if (isDue) use.writtenMs = nowMs
    this.#uses.set(tokenHash, use)
    dropOldest(this.#uses)
    return isDue
  }

  /** The later of what is written and what is known. */
  lastUsedMs ({ tokenHash, lastUsedMs }: SessionRow): number {
    return Math.max(lastUsedMs, this.usedMs(tokenHash))
  }

  /** 0 for one that was not used since the last write. */
  usedMs (tokenHash: string): number {
    return this.#uses.get(tokenHash)?.usedMs ?? 0
  }

  * uses (): Generator<[tokenHash: string, usedMs: number]> {
    for (const [tokenHash, { usedMs }] of this.#uses) yield [tokenHash, usedMs]
  }

  end (tokenHash: string): void {
    this.#unsaved.delete(tokenHash)
    this.#uses.delete(tokenHash)
    this.#ended.add(tokenHash)
    dropOldest(this.#ended)
  }

  isEnded (tokenHash: string): boolean {
    return this.#ended.has(tokenHash)
  }

  ended (): readonly string[] {
    return [...this.#ended]
  }

  /** The database has no such session any more. */
  forgetEnd (tokenHash: string): void {
    this.#ended.delete(tokenHash)
  }

  /** Everything is in the database now. */
  clear (): void {
    this.#uses.clear()
    this.#unsaved.clear()
    this.#ended.clear()
  }
}

/** Maps and sets keep the order in which their keys came. */
function dropOldest (remembered: Map<string, unknown> | Set<string>): void {
  if (remembered.size <= REMEMBERED_MAX) return
  const [oldest] = remembered.keys()
  remembered.delete(oldest!)
}
