/** The last minutes of one server as a small picture beside its figure; it has no axis. */
import { makeSvg } from '../kit/dom.ts'
import type { Load } from './chart-scope.ts'

export const SPARKLINE_MINUTES = 15
const WIDTH = 240
const HEIGHT = 44
/** Room for the line's own width. */
const MARGIN = 3
/** A smaller change than this share of the load looks as small as it is. */
const SPREAD_MIN = 0.2

export class Sparkline {
  readonly element = makeSvg('svg', {
    class: 'spark',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true'
  })

  readonly #area = makeSvg('path', { class: 'area' })
  readonly #line = makeSvg('path', {})

  constructor () {
    this.element.append(this.#area, this.#line)
  }

  /** @param pointCount points of the whole width; the last one stands at its end */
  show (loads: readonly Load[], pointCount: number): void {
    const { line, area } = sparklinePaths(loads, pointCount)
    this.#line.setAttribute('d', line)
    this.#area.setAttribute('d', area)
  }
}

/** A gap stays one: every run of points is a line of its own. */
export function sparklinePaths (
  loads: readonly Load[], pointCount: number
): { readonly line: string, readonly area: string } {
  const runs = runsOf(loads.slice(-pointCount), pointCount)
  const lines = runs.map(run => run.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join(''))
  const areas = runs.map((run, at) =>
    `M${run[0]![0]} ${HEIGHT}L${lines[at]!.slice(1)}L${run.at(-1)![0]} ${HEIGHT}Z`)
  return { line: lines.join(''), area: areas.join('') }
}

function runsOf (
  loads: readonly Load[], pointCount: number
): Array<Array<readonly [x: string, y: string]>> {
  const known = loads.filter(load => load !== null)
  const max = known.reduce((highest, load) => Math.max(highest, load), 0)
  const min = known.reduce((lowest, load) => Math.min(lowest, load), max)
  const range = Math.max(max - min, max * SPREAD_MIN, 1)
  const from = Math.max(0, (min + max - range) / 2)
  const first = pointCount - loads.length
  const runs: Array<Array<readonly [string, string]>> = []
  let run: Array<readonly [string, string]> | undefined
  loads.forEach((load, at) => {
    if (load === null) {
      run = undefined
      return
    }
    if (run === undefined) runs.push(run = [])
    const x = (first + at) / (pointCount - 1) * WIDTH
    const y = HEIGHT - MARGIN - (load - from) / range * (HEIGHT - 2 * MARGIN)
    run.push([x.toFixed(1), y.toFixed(1)])
  })
  return runs
}
