/**
 * The charts of the overview, and how much time they show: full when they open, because the
 * monitor keeps the history, and continued by its news. After a break it is asked again.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import type { Answer } from '../kit/api.ts'
import { find, make } from '../kit/dom.ts'
import { LoadChart } from './load-chart.ts'
import { LoadHistory } from './load-history.ts'
import { SPARKLINE_MINUTES } from './sparkline.ts'
import { serversOf, type Server } from '../kit/console-servers.ts'
import { CHARTS } from '../kit/texts.ts'

export interface ChartsViewParts {
  readonly get: (path: string) => Promise<Answer<History>>
}

const RANGES = [5, 15, 60, 360, 1440] as const
const RANGE_AT_FIRST = 60

export class ChartsView {
  readonly #parts: ChartsViewParts
  readonly #charts = [new LoadChart('lines'), new LoadChart('stack')]
  #shown = new LoadHistory(RANGE_AT_FIRST)
  #minutes: number = RANGE_AT_FIRST
  #isChosen = false
  #recent = new LoadHistory(SPARKLINE_MINUTES)
  #servers: readonly Server[] = []
  #lastStats: Stats | undefined
  #askedCount = 0

  constructor (parts: ChartsViewParts) {
    this.#parts = parts
    find('charts').append(...this.#charts.map(({ element }) => element))
    find('range').append(...RANGES.map(makeRange))
    find('range').addEventListener('change', event => {
      this.#isChosen = true
      void this.#choose(Number((event.target as HTMLInputElement).value))
    })
    for (const change of ['themechange', 'timeschange']) {
      document.addEventListener(change, () => { this.#redraw() })
    }
  }

  /** The last minutes of every server. */
  get recent (): LoadHistory {
    return this.#recent
  }

  async load (): Promise<void> {
    await Promise.all([this.#loadShown(), this.#loadRecent()])
  }

  hear (stats: Stats, nowMs: number): void {
    this.#lastStats = stats
    this.#servers = serversOf(stats)
    for (const history of [this.#shown, this.#recent]) history.hear(stats, nowMs)
    this.#show()
  }

  /** While the stream is up, time goes on without news, too. */
  tick (nowMs: number): void {
    for (const history of [this.#shown, this.#recent]) history.pass(nowMs)
    this.#show()
  }

  /** The stream has dropped: from now on nothing is known. */
  interrupt (): void {
    for (const history of [this.#shown, this.#recent]) history.interrupt()
    this.#lastStats = undefined
    this.#redraw()
  }

  async #choose (minutes: number): Promise<void> {
    this.#minutes = minutes
    await this.#loadShown()
  }

  async #loadShown (): Promise<void> {
    const asked = ++this.#askedCount
    const minutes = this.#minutes
    const answer = await this.#parts.get(`/history?minutes=${minutes}`)
    if (!answer.isOk || asked !== this.#askedCount) return
    this.#shown = this.#historyOf(answer.body, minutes)
    const fitting = fittingRange(this.#shown)
    if (!this.#isChosen && fitting < minutes) return await this.#choose(fitting)
    find<HTMLInputElement>(`range-${minutes}`).checked = true
    this.#show()
  }

  async #loadRecent (): Promise<void> {
    const answer = await this.#parts.get(`/history?minutes=${SPARKLINE_MINUTES}`)
    if (answer.isOk) this.#recent = this.#historyOf(answer.body, SPARKLINE_MINUTES)
  }

  #historyOf (answer: History, minutes: number): LoadHistory {
    const history = new LoadHistory(minutes)
    history.load(answer)
    if (this.#lastStats !== undefined) history.hear(this.#lastStats, Date.now())
    return history
  }

  #show (): void {
    if (find('view-overview').hidden) return
    for (const chart of this.#charts) chart.show(this.#shown, this.#servers)
  }

  #redraw (): void {
    for (const chart of this.#charts) chart.redraw()
  }
}

/** The shortest that shows all that has been measured. */
function fittingRange (history: LoadHistory): number {
  const { firstIndex, times, span } = history
  const knownMs = firstIndex === undefined ? 0 : span.toMs - times[firstIndex]!
  return RANGES.find(minutes => minutes * 60_000 >= knownMs) ?? RANGES.at(-1)!
}

function makeRange (minutes: number): HTMLElement {
  const radio = make('input', '')
  radio.type = 'radio'
  radio.name = 'range'
  radio.id = `range-${minutes}`
  radio.value = String(minutes)
  radio.checked = minutes === RANGE_AT_FIRST
  return make('label', '', radio, make('span', '', CHARTS.range(minutes)))
}
