/** A chart's figures as a table; filled while it is open. */
import { make } from '../kit/dom.ts'
import type { Load } from './chart-scope.ts'
import type { LoadHistory } from './load-history.ts'
import { CHARTS, clock, count, NOT_MEASURED } from '../kit/texts.ts'

const ROWS_MAX = 13

export class ChartTable {
  readonly element = make('details', 'astable', make('summary', '', CHARTS.asTable))
  readonly #table = make('table', '')
  #history: LoadHistory | undefined
  #shownRows = ''

  constructor () {
    this.element.append(this.#table)
    this.element.addEventListener('toggle', () => { this.#fill() })
  }

  show (history: LoadHistory): void {
    this.#history = history
    this.#fill()
  }

  #fill (): void {
    if (!this.element.open || this.#history === undefined) return
    const rows = tableRows(this.#history)
    const shown = JSON.stringify(rows)
    // A screen reader would begin again at the top.
    if (shown === this.#shownRows) return
    this.#shownRows = shown
    const history = this.#history
    const names = history.names.map(name =>
      history.isRemoved(name) ? CHARTS.removedName(name) : name)
    const head = make('tr', '', ...[CHARTS.time, ...names].map(text => {
      const cell = make('th', '', text)
      cell.scope = 'col'
      return cell
    }))
    this.#table.replaceChildren(
      make('thead', '', head), make('tbody', '', ...rows.map(makeTextRow)))
  }
}

/** Evenly spaced points, the newest among them, and one in every gap; as text. */
export function tableRows (history: LoadHistory): string[][] {
  const { times, names } = history
  return shownIndexes(history).map(at => {
    const loads = names.map(name => history.loads(name)[at] ?? null)
    const isGap = loads.every(load => load === null)
    return [clock(times[at]!), ...loads.map((load, index) => {
      if (load !== null) return count(load)
      if (isGap) return CHARTS.noData
      if (!wasThere(history, names[index]!, at)) return NOT_MEASURED
      return history.scope.kind === 'nodes' ? CHARTS.noData : CHARTS.down
    })]
  })
}

/** Not before it was added, nor after it was removed. */
function wasThere (history: LoadHistory, name: string, at: number): boolean {
  const loads = history.loads(name)
  const isKnown = (load: Load): boolean => load !== null
  return loads.slice(0, at).some(isKnown) &&
    (!history.isRemoved(name) || loads.slice(at).some(isKnown))
}

function shownIndexes ({ times, firstIndex, gaps }: LoadHistory): number[] {
  if (firstIndex === undefined) return []
  const last = times.length - 1
  const every = Math.max(1, Math.ceil((last - firstIndex) / (ROWS_MAX - 1)))
  const shown = new Set(gaps.slice(-ROWS_MAX)
    .map(({ fromIndex, toIndex }) => Math.ceil((fromIndex + toIndex) / 2)))
  for (let at = last; at >= firstIndex; at -= every) shown.add(at)
  return [...shown].sort((a, b) => a - b)
}

function makeTextRow ([time = '', ...cells]: readonly string[]): HTMLElement {
  const head = make('th', '', time)
  head.scope = 'row'
  return make('tr', '', head, ...cells.map(text => make('td', '', text)))
}
