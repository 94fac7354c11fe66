/**
 * The deny list across threads: what is in force, and which of its entries still have to be carried
 * out on whoever is here already. Its source is the database; the monitor brings it. Main thread.
 */
import { DenyList, type DenyEntry } from '@usher/shared/deny-list.ts'

export class DenyListKeeper {
  /** The main thread's own copy, for the router. */
  readonly list: DenyList
  readonly #now: () => number
  #entries: readonly DenyEntry[] | undefined
  /** Until when by key: whoever these deny was removed and has not come in since. */
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
   * The router refuses these from now on; returns the entries that may concern somebody who is
   * here. Throws, and keeps the list it had, when one is malformed.
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

  /** Every thread refuses these now, and nobody whom they deny is left. */
  setEnforced (entries: readonly DenyEntry[]): void {
    const keys = new Set(this.#entries?.map(keyOf))
    for (const entry of entries) {
      // One that was taken back meanwhile is to be carried out when it comes again.
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
