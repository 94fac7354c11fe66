/**
 * The load of each server in each step of a time, from samples by name: of those that there are,
 * and of those that were removed since. Computes only.
 */
import type { Loads } from '../../records/history-store.ts'

export interface Series {
  readonly active: Array<number | null>
  readonly reserved: Array<number | null>
}

interface RemovedSeries extends Series {
  lastAt: number
}

/** Of those that were removed, the ones that were there last; more than a reader tells apart. */
export const REMOVED_MAX = 32

export class PastServers {
  readonly #stepCount: number
  readonly #ports: ReadonlyMap<string, string>
  readonly #present: ReadonlyMap<string, Series>
  readonly #removed = new Map<string, RemovedSeries>()

  /**
   * @param names of the servers that there are
   * @param ports of own servers: samples from before one had a name have its port
   */
  constructor (names: readonly string[], ports: ReadonlyMap<string, string>, stepCount: number) {
    this.#stepCount = stepCount
    this.#ports = ports
    this.#present = new Map(names.map(name => [name, emptySeries(stepCount)]))
  }

  /** Those that there are not any more, in the order in which they were first seen. */
  get removed (): readonly string[] {
    return this.#latest().map(([name]) => name)
  }

  of (name: string): Series {
    return this.#present.get(name) ?? this.#removed.get(name) ?? emptySeries(this.#stepCount)
  }

  /** @param at the step; the sample with the highest load of each stands for it */
  note (at: number, loads: Loads): void {
    for (const [key, load] of Object.entries(loads)) {
      if (load !== null) keepHighest(this.#seriesFor(key, at, loads), at, load)
    }
  }

  #seriesFor (key: string, at: number, loads: Loads): Series {
    const present = this.#present.get(key)
    if (present !== undefined) return present
    const name = this.#ports.get(key)
    if (name !== undefined && !Object.hasOwn(loads, name)) return this.#present.get(name)!
    const removed = this.#removed.get(key) ?? this.#addRemoved(key)
    removed.lastAt = at
    return removed
  }

  #addRemoved (name: string): RemovedSeries {
    // However many there have been, so many are kept at once.
    if (this.#removed.size >= 2 * REMOVED_MAX) {
      const kept = this.#latest()
      this.#removed.clear()
      for (const [name, series] of kept) this.#removed.set(name, series)
    }
    const series = { ...emptySeries(this.#stepCount), lastAt: 0 }
    this.#removed.set(name, series)
    return series
  }

  #latest (): Array<readonly [name: string, RemovedSeries]> {
    const all = [...this.#removed]
    const byLast = [...all].sort(([, a], [, b]) => b.lastAt - a.lastAt)
    const latest = new Set(byLast.slice(0, REMOVED_MAX))
    return all.filter(one => latest.has(one))
  }
}

/** Active users and reservations are of the same moment, so that they add up to the load. */
function keepHighest (
  { active, reserved }: Series, at: number, load: readonly [active: number, reserved: number]
): void {
  if (load[0] + load[1] < (active[at] ?? 0) + (reserved[at] ?? 0)) return
  active[at] = load[0]
  reserved[at] = load[1]
}

function emptySeries (stepCount: number): Series {
  const nothing = new Array<number | null>(stepCount).fill(null)
  return { active: nothing, reserved: [...nothing] }
}
