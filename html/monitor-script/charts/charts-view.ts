/**
 * The charts of the overview, of what they are and how much time they show: full when they open,
 * because the monitor keeps the history, and continued by its news. After a break it is asked
 * again. In a fleet they are of all nodes, or of one that is chosen.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import type { Answer } from '../kit/api.ts'
import { find, make, setText } from '../kit/dom.ts'
import { chartedNow, OWN, type ChartScope } from './chart-scope.ts'
import { LoadChart } from './load-chart.ts'
import { LoadHistory } from './load-history.ts'
import { SPARKLINE_MINUTES } from './sparkline.ts'
import { CHARTS, FLEET } from '../kit/texts.ts'

export interface ChartsViewParts {
  readonly get: (path: string) => Promise<Answer<History>>
}

const RANGES = [5, 15, 60, 360, 1440] as const
const RANGE_AT_FIRST = 60
/** A node that had not answered and is there is asked again, not more often than that. */
const ASK_AGAIN_MS = 30_000

export class ChartsView {
  readonly #parts: ChartsViewParts
  readonly #charts = [new LoadChart('lines'), new LoadChart('stack')]
  #shown = new LoadHistory(RANGE_AT_FIRST)
  #minutes: number = RANGE_AT_FIRST
  #isChosen = false
  #recent = new LoadHistory(SPARKLINE_MINUTES)
  /** The node that was chosen; empty: all. */
  #node = ''
  /** Whose past is not shown. */
  #missing: readonly string[] = []
  #askedMs = 0
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
    find('chart-node').addEventListener('change', event => {
      this.#node = (event.target as HTMLSelectElement).value
      void this.#loadShown()
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
    this.#showNodes(stats)
    if (this.#isToBeAskedAgain(stats, nowMs)) void this.#loadShown()
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
    const node = this.#node
    this.#askedMs = Date.now()
    const answer = await this.#parts.get(historyPath(minutes, node))
    if (asked !== this.#askedCount) return
    if (!answer.isOk) return await this.#dropNode(node)
    this.#missing = answer.body.fleet?.nodes.missing ?? []
    this.#sayMissing(FLEET.pastMissing(this.#missing), this.#missing.length > 0)
    const scope = this.#scopeOf(answer.body)
    this.#shown = this.#historyOf(answer.body, minutes, scope)
    const fitting = fittingRange(this.#shown)
    if (!this.#isChosen && fitting < minutes) return await this.#choose(fitting)
    find<HTMLInputElement>(`range-${minutes}`).checked = true
    this.#show()
  }

  async #loadRecent (): Promise<void> {
    const own = this.#lastStats?.fleet?.node ?? ''
    const answer = await this.#parts.get(historyPath(SPARKLINE_MINUTES, own))
    if (answer.isOk) this.#recent = this.#historyOf(answer.body, SPARKLINE_MINUTES, OWN)
  }

  /** The one that was chosen does not answer, or is none any more. */
  async #dropNode (node: string): Promise<void> {
    if (node === '') return
    this.#node = ''
    find<HTMLSelectElement>('chart-node').value = ''
    await this.#loadShown()
    if (this.#node === '') this.#sayMissing(FLEET.noHistory(node), true)
  }

  #sayMissing (text: string, isShown: boolean): void {
    setText(find('charts-missing-text'), isShown ? text : '')
    find('charts-missing').hidden = !isShown
  }

  #scopeOf ({ fleet }: History): ChartScope {
    if (fleet !== undefined) return { kind: 'nodes' }
    const node = this.#node
    return node === '' || node === this.#lastStats?.fleet?.node ? OWN : { kind: 'node', node }
  }

  #isToBeAskedAgain ({ fleet }: Stats, nowMs: number): boolean {
    return nowMs - this.#askedMs >= ASK_AGAIN_MS && this.#missing.some(name =>
      fleet?.nodes.find(({ node }) => node === name)?.state === 'up')
  }

  /** One is chosen of those that there are. */
  #showNodes ({ fleet }: Stats): void {
    const select = find<HTMLSelectElement>('chart-node')
    const nodes = fleet?.nodes ?? []
    find('chart-nodes').hidden = nodes.length < 2
    const texts = nodes.map(({ node, state }) => FLEET.chartsOf(node, state === 'here'))
    const options = [...select.options].slice(1)
    if (texts.join() === options.map(({ text }) => text).join()) return
    select.replaceChildren(makeOption('', FLEET.allNodes),
      ...nodes.map(({ node }, at) => makeOption(node, texts[at]!)))
    select.value = this.#node
    if (select.value !== this.#node) void this.#dropNode(this.#node)
  }

  #historyOf (answer: History, minutes: number, scope: ChartScope): LoadHistory {
    const history = new LoadHistory(minutes, scope)
    history.load(answer)
    if (this.#lastStats !== undefined) history.hear(this.#lastStats, Date.now())
    return history
  }

  #show (): void {
    if (find('view-overview').hidden) return
    const stats = this.#lastStats
    const charted = stats === undefined ? [] : chartedNow(this.#shown.scope, stats)
    for (const chart of this.#charts) chart.show(this.#shown, charted)
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

/** @param node empty for all, or where the program is alone */
function historyPath (minutes: number, node: string): string {
  return `/history?minutes=${minutes}${node === '' ? '' : `&node=${node}`}`
}

function makeOption (value: string, text: string): HTMLElement {
  const option = make('option', '', text)
  option.value = value
  return option
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
