/**
 * The load of every server, or of every node, over the time that a chart shows: what the monitor
 * has kept, continued by its live news. Where no news came there is a gap, never a guess. Pure but
 * for its data.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import {
  newsOf, OWN, pastOf, type ChartNews, type ChartScope, type Load, type LoadEvent
} from './chart-scope.ts'

/** Steps between two points, both without data. */
export interface Gap {
  readonly fromIndex: number
  readonly toIndex: number
}

const MINUTE_MS = 60_000
const EVENTS_KEPT_MAX = 1000

export class LoadHistory {
  readonly scope: ChartScope
  readonly #spanMs: number
  #fromMs = 0
  #stepMs = 0
  #count = 0
  #series = new Map<string, Load[]>()
  /** Names of those that there are not any more. */
  #removed = new Set<string>()
  #events: LoadEvent[] = []
  #heard: ChartNews | undefined
  /** How far the monitor's clock is ahead of this browser's. */
  #aheadMs = 0

  constructor (minutes: number, scope = OWN) {
    this.#spanMs = minutes * MINUTE_MS
    this.scope = scope
  }

  /** What the monitor has kept, in place of everything here. */
  load (answer: History): void {
    this.#fromMs = Date.parse(answer.from)
    this.#stepMs = answer.step_seconds * 1000
    const { series, events } = pastOf(this.scope, answer)
    this.#series = new Map(series.map(({ name, loads }) => [name, [...loads]]))
    this.#removed = new Set(series.filter(({ isRemoved }) => isRemoved).map(({ name }) => name))
    this.#count = Math.max(0, ...series.map(({ loads }) => loads.length))
    this.#events = [...events]
    if (this.#heard === undefined) return
    this.#follow(this.#heard)
    this.#mark(Date.parse(this.#heard.timestamp))
  }

  /** Live news: counts from the moment that it is of, and until the next. */
  hear (stats: Stats, nowMs: number): void {
    const news = newsOf(this.scope, stats)
    const atMs = Date.parse(news.timestamp)
    this.#aheadMs = atMs - nowMs
    this.#extend(atMs)
    for (const [type, server] of [...changes(this.#heard, news), ...comings(this.#heard, news)]) {
      this.#events.push({ atMs, server, type })
    }
    this.#follow(news)
    this.#heard = news
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

  /** In the order of the lines; those that were removed come last. */
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

  /** Where nothing is known of any of them. What lies before the first point is no gap. */
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

  /** One that is new has no past, and one that is gone keeps its own. */
  #follow ({ charted }: ChartNews): void {
    if (!this.isLoaded) return
    const names = charted.map(({ name }) => name)
    const gone = this.names.filter(name => !names.includes(name))
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

function loadsOf (news: ChartNews | undefined): Map<string, Load> {
  return new Map(news?.charted.map(({ name, load }) => [name, load]))
}

type Change = readonly [type: string, server: string]

/** None where it is not known what was before. */
function changes (before: ChartNews | undefined, now: ChartNews): Change[] {
  return [...now.states].flatMap(([name, state]): Change[] => {
    const earlier = before?.states.get(name)
    const type = earlier === undefined || earlier === state ? undefined : eventType(earlier, state)
    return type === undefined ? [] : [[type, name]]
  })
}

/** Who was added or removed in between. */
function comings (before: ChartNews | undefined, now: ChartNews): Change[] {
  if (before === undefined) return []
  const without = (some: ChartNews, others: ChartNews): string[] =>
    some.charted.map(({ name }) => name).filter(name => !others.states.has(name))
  return [
    ...without(before, now).map(name => ['remove', name] as const),
    ...without(now, before).map(name => ['add', name] as const)
  ]
}

/** As the monitor names it in its history; a restart that is over is no event of its own. */
function eventType (before: string, now: string): string | undefined {
  // Without the engine nothing is known of others, and nothing has happened to them.
  if (before === 'unknown' || now === 'unknown') return undefined
  if (now === 'away') return 'away'
  if (before === 'away') return 'back'
  if (before === 'starting') return undefined
  if (now === 'starting') return 'restart'
  if (now === 'maintenance' || (now === 'draining' && before === 'up')) return 'drain'
  if (before === 'maintenance' && now === 'draining') return undefined
  if (before === 'maintenance') return now === 'up' ? 'ready' : 'down'
  if (now === 'up' && before === 'draining') return 'ready'
  return now === 'draining' ? 'up' : now
}
