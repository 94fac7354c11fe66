/**
 * A chart of the load of servers or nodes over time: a line of each, or all of them stacked. uPlot
 * draws axes and lines and follows the pointer; `chart-canvas.ts` draws the rest.
 */
import Plot from 'uplot'
import { ChartCanvas } from './chart-canvas.ts'
import { areasOf, endLabelsOf, lonePoints, marksOf, readingAt } from './chart-content.ts'
import { ChartLegend } from './chart-legend.ts'
import { loadScale, ticksOf, type LoadScale } from './chart-scale.ts'
import { ChartTable } from './chart-table.ts'
import { make, setText } from '../kit/dom.ts'
import type { LoadHistory } from './load-history.ts'
import { Palette } from './palette.ts'
import { announce } from '../kit/result.ts'
import type { Charted } from './chart-scope.ts'
import { colourClass, isDashed } from '../kit/console-servers.ts'
import { CHARTS, clockMinutes, count } from '../kit/texts.ts'

export type ChartKind = 'lines' | 'stack'

const LINE_PX = 1.75
const DASH_PX = [5, 4]
const TEXT_PX = 11
const AXIS_PX = { x: 22, y: 46 }
const PADDING_PX = { top: 16, side: 10, ends: 90 }
/** Narrower than this there is no room for names at the lines' ends, nor for five times. */
const ROOMY_PX = 440

export class LoadChart {
  readonly element: HTMLElement
  readonly #kind: ChartKind
  readonly #title = make('h2', '')
  readonly #place = make('div', 'plot')
  readonly #note = make('p', '')
  readonly #legend: ChartLegend
  readonly #table = new ChartTable()
  readonly #palette: Palette
  #plot: Plot | undefined
  #history: LoadHistory | undefined
  #charted: readonly Charted[] = []
  #scale: LoadScale = loadScale([], false)

  constructor (kind: ChartKind) {
    this.#kind = kind
    const { whole, wholeOf } = CHARTS[kind]
    this.#legend = new ChartLegend(whole, wholeOf)
    this.element = make('figure', 'panel chart',
      make('figcaption', '', this.#title, this.#note, this.#legend.element),
      this.#place, this.#table.element)
    this.#palette = new Palette(this.element)
    this.#place.tabIndex = 0
    this.#place.setAttribute('role', 'group')
    this.#entitle(false)
    this.#place.addEventListener('keydown', event => { this.#moveByKey(event) })
    this.#place.addEventListener('blur', () => { this.#point(undefined) })
    new ResizeObserver(() => { this.#fit() }).observe(this.#place)
  }

  show (history: LoadHistory, charted: readonly Charted[]): void {
    const isOfOthers = history.names.join() !== this.#history?.names.join()
    const isOfNodes = history.scope.kind === 'nodes'
    this.#history = history
    this.#charted = charted
    if (!history.isLoaded) return
    this.#entitle(isOfNodes)
    if (isOfOthers) this.#beginAnew()
    const values = this.#kind === 'lines'
      ? history.names.flatMap(name => [...history.loads(name)])
      : areasOf(history).flatMap(({ tops }) => [...tops])
    this.#scale = loadScale(values, this.#kind === 'lines')
    setText(this.#note, this.#scale.isFitted
      ? CHARTS.fitted(this.#scale.from)
      : CHARTS[this.#kind].note(isOfNodes))
    this.#table.show(history)
    this.redraw()
  }

  #entitle (isOfNodes: boolean): void {
    const title = CHARTS[this.#kind].title(isOfNodes)
    setText(this.#title, title)
    this.#place.setAttribute('aria-label', CHARTS.keys(title))
  }

  /** Lines and legend are made for the servers that there are. */
  #beginAnew (): void {
    this.#plot?.destroy()
    this.#plot = undefined
    this.#legend.clear()
  }

  /** The theme has changed, or the figures. */
  redraw (): void {
    this.#palette.refresh()
    if (this.#plot === undefined) this.#fit()
    else this.#plot.setData(dataOf(this.#history!))
    this.#read()
  }

  /** Made when there are data and room: the console may be at another section. */
  #fit (): void {
    const { clientWidth: width, clientHeight: height } = this.#place
    if (width === 0 || this.#history?.isLoaded !== true) return
    if (this.#plot === undefined) {
      this.#plot = new Plot(
        this.#options(width, height), dataOf(this.#history), this.#place)
    } else {
      this.#plot.setSize({ width, height })
    }
  }

  #options (width: number, height: number): Plot.Options {
    const palette = this.#palette
    const ink = (): string => palette.colour('ink-2')
    return {
      width,
      height,
      padding: [PADDING_PX.top, () => this.#hasEnds() ? PADDING_PX.ends : PADDING_PX.side, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false, setScale: false } },
      scales: {
        x: { range: () => this.#rangeS() },
        y: { range: () => [this.#scale.from, this.#scale.to] }
      },
      axes: [
        { size: AXIS_PX.x, grid: { show: false }, ticks: { show: false }, values: () => [] },
        {
          size: AXIS_PX.y,
          font: palette.font(400, TEXT_PX),
          stroke: ink,
          grid: { stroke: () => palette.colour('line'), width: 1 },
          ticks: { show: false },
          splits: () => ticksOf(this.#scale),
          values: (_, splits) => splits.map(count)
        }
      ],
      series: [{}, ...this.#history!.names.map((_, index) => this.#series(index))],
      hooks: {
        draw: [u => { this.#draw(new ChartCanvas(u, palette)) }],
        setCursor: [() => { this.#read() }]
      }
    }
  }

  #series (index: number): Plot.Series {
    const colour = (): string => this.#palette.colour(colourClass(index) as `s${number}`)
    // Areas are not uPlot's: between two servers one may have no load.
    if (this.#kind === 'stack') return { paths: () => null, points: { show: false } }
    return {
      stroke: colour,
      width: LINE_PX,
      paths: Plot.paths.linear!(),
      ...(isDashed(index) ? { dash: DASH_PX } : {}),
      points: { show: true, size: 4, stroke: colour, fill: colour, filter: onlyLone }
    }
  }

  #draw (canvas: ChartCanvas): void {
    const history = this.#history!
    const times = history.times.map(toS)
    const [fromS, untilS] = this.#rangeS()
    if (this.#kind === 'stack') canvas.areas(times, areasOf(history))
    for (const { fromIndex, toIndex } of history.gaps) {
      canvas.gap(times[fromIndex]!, times[toIndex]!, CHARTS.noData)
    }
    canvas.marks(marksOf(history))
    canvas.times(fromS, untilS, this.#isRoomy() ? 5 : 3, atS => clockMinutes(atS * 1000))
    if (this.#hasEnds()) canvas.ends(endLabelsOf(history, this.#charted))
    const first = history.firstIndex
    const firstS = first === undefined ? untilS : Math.max(fromS, times[first]!)
    if (firstS - fromS > (untilS - fromS) / 3) canvas.note(CHARTS.nothingBefore, fromS, firstS)
  }

  #read (): void {
    if (this.#history?.isLoaded !== true) return
    const index = this.#plot?.cursor.idx ?? undefined
    this.#legend.show(readingAt(this.#history, this.#charted, index))
  }

  #moveByKey (event: KeyboardEvent): void {
    const last = (this.#history?.times.length ?? 0) - 1
    const at = this.#plot?.cursor.idx ?? last
    const moves: Readonly<Record<string, number | undefined>> = {
      ArrowLeft: at - 1, ArrowRight: at + 1, Home: this.#history?.firstIndex ?? 0, End: last
    }
    if (event.key === 'Escape') this.#point(undefined)
    const index = moves[event.key]
    if (index === undefined) return
    event.preventDefault()
    this.#point(Math.min(last, Math.max(0, index)))
    announce(this.#legend.text)
  }

  #point (index: number | undefined): void {
    const outside = -10
    const left = index === undefined
      ? outside
      : this.#plot?.valToPos(toS(this.#history!.times[index]!), 'x') ?? outside
    this.#plot?.setCursor({ left, top: index === undefined ? outside : 0 })
  }

  #rangeS (): [number, number] {
    const { fromMs, toMs } = this.#history!.span
    return [toS(fromMs), toS(toMs)]
  }

  #hasEnds (): boolean {
    return this.#kind === 'lines' && this.#isRoomy()
  }

  #isRoomy (): boolean {
    return this.#place.clientWidth >= ROOMY_PX
  }
}

function dataOf (history: LoadHistory): Plot.AlignedData {
  return [history.times.map(toS), ...history.names.map(name => [...history.loads(name)])]
}

/** A point with no neighbour would be a line without a length. */
function onlyLone (u: Plot, seriesIndex: number): number[] {
  return lonePoints(u.data[seriesIndex] ?? [])
}

function toS (ms: number): number {
  return ms / 1000
}
