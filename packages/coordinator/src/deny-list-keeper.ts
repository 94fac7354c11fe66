/**
 * The deny list across threads: what is in force, and which of its entries still have to be
 * enforced on users who are here already. Its source is the database; the monitor sends it. Main
 * thread.
 */
import { DenyList, type DenyEntry } from '@usher/shared/deny-list.ts'

export class DenyListKeeper {
  /** The main thread's own copy, for the router. */
  readonly list: DenyList
  readonly #now: () => number
  #entries: readonly DenyEntry[] | undefined
  /**
   * The entries that are enforced, by key, until they expire: all whom they deny were removed from
   * the user table, and every thread refuses them.
   */
  #enforced = new Map<string, number>()

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
    this.list = new DenyList(now)
  }

  /** What a worker boots with; undefined before the first list has come. */
  get entries (): readonly DenyEntry[] | undefined {
    return this.#entries
  }

  /**
   * The router refuses these from now on; returns the entries that may deny users who are here.
   * Throws, and keeps the list it had, when one is malformed.
   */
  replace (entries: readonly DenyEntry[]): readonly DenyEntry[] {
    this.list.replace(entries)
    this.#entries = entries
    const keys = new Set(entries.map(keyOf))
    this.#enforced = new Map([...this.#enforced].filter(([key]) => keys.has(key)))
    const nowMs = this.#now()
    return entries.filter(entry =>
      isRunning(entry.untilMs, nowMs) && !isRunning(this.#enforced.get(keyOf(entry)) ?? 0, nowMs))
  }

  /** Every thread refuses these now, and all whom they deny have been removed. */
  setEnforced (entries: readonly DenyEntry[]): void {
    const keys = new Set(this.#entries?.map(keyOf))
    for (const entry of entries) {
      // One that was taken back meanwhile has to be enforced again when it comes back.
      if (keys.has(keyOf(entry))) this.#enforced.set(keyOf(entry), entry.untilMs ?? Infinity)
    }
  }
}

function keyOf ({ kind, text }: DenyEntry): string {
  return `${kind} ${text}`
}

function isRunning (untilMs: number | undefined, nowMs: number): boolean {
  return untilMs === undefined || nowMs < untilMs
}
