/**
 * The load of every server over the time that a chart shows: what the monitor has kept, continued
 * by its live news. Where no news came there is a gap, never a guess. Pure but for its data.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import { changedServers, isRunning, serversOf } from '../kit/console-servers.ts'

/** Null: nothing was measured, or the server was down. */
export type Load = number | null

export interface LoadEvent {
  /** Milliseconds since 1970, by the monitor's clock; so are all times here. */
  readonly atMs: number
  readonly type: string
  /** Its name; undefined for what concerns them all. */
  readonly server: string | undefined
}

/** Steps between two points, both without data. */
export interface Gap {
  readonly fromIndex: number
  readonly toIndex: number
}

const MINUTE_MS = 60_000
const EVENTS_KEPT_MAX = 1000

export class LoadHistory {
  readonly #spanMs: number
  #fromMs = 0
  #stepMs = 0
  #count = 0
  #series = new Map<string, Load[]>()
  /** Names of servers that there are not any more. */
  #removed = new Set<string>()
  #events: LoadEvent[] = []
  #heard: Stats | undefined
  /** How far the monitor's clock is ahead of this browser's. */
  #aheadMs = 0

  constructor (minutes: number) {
    this.#spanMs = minutes * MINUTE_MS
  }

  /** What the monitor has kept, in place of everything here. */
  load (answer: History): void {
    this.#fromMs = Date.parse(answer.from)
    this.#stepMs = answer.step_seconds * 1000
    this.#series = new Map(Object.entries(answer.servers)
      .sort(([, a], [, b]) => a.index - b.index)
      .map(([name, { active_users: active, reserved }]) =>
        [name, active.map((value, at) => value === null ? null : value + (reserved[at] ?? 0))]))
    this.#removed = new Set(Object.entries(answer.servers)
      .filter(([, { removed: isRemoved }]) => isRemoved).map(([name]) => name))
    this.#count = Math.max(0, ...[...this.#series.values()].map(series => series.length))
    this.#events = answer.events.map(({ at, type, server }) => ({
      atMs: Date.parse(at),
      type,
      server: server ?? undefined
    }))
    if (this.#heard === undefined) return
    this.#follow(this.#heard)
    this.#mark(Date.parse(this.#heard.timestamp))
  }

  /** Live news: counts from the moment that it is of, and until the next. */
  hear (stats: Stats, nowMs: number): void {
    const atMs = Date.parse(stats.timestamp)
    this.#aheadMs = atMs - nowMs
    this.#extend(atMs)
    for (const { name, state } of changedServers(this.#heard, stats)) {
      const before = this.#heard!.servers[name]!.state
      const type = eventType(before, state)
      if (type !== undefined) this.#events.push({ atMs, server: name, type })
    }
    for (const [type, server] of comings(this.#heard, stats)) {
      this.#events.push({ atMs, server, type })
    }
    this.#follow(stats)
    this.#heard = stats
    this.#mark(atMs)
  }

  /** While the stream is up, no news says that nothing has changed. */
  pass (nowMs: number): void {
    if (this.#heard !== undefined) this.#extend(nowMs + this.#aheadMs)
  }

  /** The stream has dropped: what follows is not known. */
  interrupt (): void {
    this.#heard = undefined
  }

  get isLoaded (): boolean {
    return this.#stepMs > 0
  }

  /** Of the servers, in their order; those that were removed come last. */
  get names (): readonly string[] {
    return [...this.#series.keys()]
  }

  /** The begin of every step, in milliseconds. */
  get times (): number[] {
    return Array.from({ length: this.#count }, (_, at) => this.#fromMs + at * this.#stepMs)
  }

  isRemoved (name: string): boolean {
    return this.#removed.has(name)
  }

  loads (name: string): readonly Load[] {
    return this.#series.get(name) ?? []
  }

  get events (): readonly LoadEvent[] {
    return this.#events
  }

  /** The time shown: it ends with the last point, and is as long as was asked for. */
  get span (): { readonly fromMs: number, readonly toMs: number } {
    const toMs = this.#fromMs + Math.max(0, this.#count - 1) * this.#stepMs
    return { fromMs: toMs - this.#spanMs, toMs }
  }

  /** Where nothing is known of any server. What lies before the first point is no gap. */
  get gaps (): Gap[] {
    const gaps: Gap[] = []
    let lastIndex: number | undefined
    for (let at = 0; at < this.#count; at++) {
      if (!this.#isKnown(at)) continue
      if (lastIndex !== undefined && at - lastIndex > 1) {
        gaps.push({ fromIndex: lastIndex, toIndex: at })
      }
      lastIndex = at
    }
    return gaps
  }

  /** The first point that has data; undefined for none. */
  get firstIndex (): number | undefined {
    for (let at = 0; at < this.#count; at++) if (this.#isKnown(at)) return at
    return undefined
  }

  #isKnown (at: number): boolean {
    return [...this.#series.values()].some(series => (series[at] ?? null) !== null)
  }

  /** A server that is new has no past, and one that is gone keeps its own. */
  #follow (stats: Stats): void {
    if (!this.isLoaded) return
    const names = serversOf(stats).map(({ name }) => name)
    const gone = this.names.filter(name => !Object.hasOwn(stats.servers, name))
    this.#series = new Map([...names, ...gone].map(name =>
      [name, this.#series.get(name) ?? new Array<Load>(this.#count).fill(null)]))
    this.#removed = new Set(gone)
  }

  /** Extends the series to the step of this moment: with the last news, or with a gap. */
  #extend (atMs: number): void {
    if (!this.isLoaded) return
    const last = Math.floor((atMs - this.#fromMs) / this.#stepMs)
    const missing = Math.min(last - this.#count + 1, this.#spanMs / this.#stepMs + 1)
    for (let step = 0; step < missing; step++) this.#push()
    this.#count = Math.max(this.#count, last + 1)
    const tooMany = this.#count - Math.ceil(this.#spanMs / this.#stepMs) - 1
    if (tooMany > 0) this.#drop(tooMany)
  }

  #push (): void {
    const loads = loadsOf(this.#heard)
    for (const [name, series] of this.#series) series.push(loads.get(name) ?? null)
  }

  #drop (count: number): void {
    const keptCount = this.#count - count
    for (const [name, series] of this.#series) {
      const kept = series.slice(-keptCount)
      const isPast = this.#removed.has(name) && kept.every(load => load === null)
      if (isPast) this.#series.delete(name)
      else this.#series.set(name, kept)
    }
    this.#fromMs += count * this.#stepMs
    this.#count = keptCount
    this.#events = this.#events
      .filter(({ atMs }) => atMs >= this.#fromMs).slice(-EVENTS_KEPT_MAX)
  }

  /** A point is the highest load of its step. */
  #mark (atMs: number): void {
    if (!this.isLoaded) return
    this.#extend(atMs)
    const at = Math.floor((atMs - this.#fromMs) / this.#stepMs)
    for (const [name, load] of loadsOf(this.#heard)) {
      const series = this.#series.get(name)
      if (series === undefined || at < 0 || at >= series.length) continue
      series[at] = load === null ? null : Math.max(series[at] ?? 0, load)
    }
  }
}

function loadsOf (stats: Stats | undefined): Map<string, Load> {
  if (stats === undefined) return new Map()
  return new Map(serversOf(stats).map(({ name, state, load }) =>
    [name, isRunning(state) ? load : null]))
}

/** Servers that were added or removed in between; none where it is not known what was before. */
function comings (
  before: Stats | undefined, now: Stats
): Array<readonly [type: 'add' | 'remove', server: string]> {
  if (before === undefined) return []
  const without = (some: Stats, others: Stats): string[] =>
    serversOf(some).map(({ name }) => name).filter(name => !Object.hasOwn(others.servers, name))
  return [
    ...without(before, now).map(name => ['remove', name] as const),
    ...without(now, before).map(name => ['add', name] as const)
  ]
}

/** As the monitor names it in its history; a restart that is over is no event of its own. */
function eventType (before: string, now: string): string | undefined {
  if (before === 'starting') return undefined
  if (now === 'starting') return 'restart'
  if (now === 'maintenance' || (now === 'draining' && before === 'up')) return 'drain'
  if (before === 'maintenance' && now === 'draining') return undefined
  if (before === 'maintenance') return now === 'up' ? 'ready' : 'down'
  if (now === 'up' && before === 'draining') return 'ready'
  return now === 'draining' ? 'up' : now
}
