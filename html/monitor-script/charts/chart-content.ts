/** What of a history a chart shows: areas, names at the ends, events, readings. Pure. */
import type { Area, EndLabel, Mark } from './chart-canvas.ts'
import type { Reading } from './chart-legend.ts'
import type { Charted, ChartedState, Load, LoadEvent } from './chart-scope.ts'
import type { LoadHistory } from './load-history.ts'
import type { ColourName } from './palette.ts'
import { colourClass } from '../kit/console-servers.ts'
import { CHARTS } from '../kit/texts.ts'

const EVENT_COLOURS: Readonly<Record<string, ColourName>> = {
  drain: 'drain', down: 'down', away: 'down'
}
const EVENT_WEIGHTS: Readonly<Record<string, number>> = { drain: 1, down: 2, away: 2 }
const ENDED: ReadonlySet<ChartedState | undefined> = new Set(['down', 'away'] as const)

/** From the bottom in their order. A server without a load has no area, and holds nothing up. */
export function areasOf (history: LoadHistory): Area[] {
  const sums = history.times.map(() => 0)
  return history.names.map((name, index) => {
    const loads = history.loads(name)
    const bases = [...sums]
    const tops = bases.map((base, at): Load => {
      const load = loads[at] ?? null
      if (load === null) return null
      sums[at] = base + load
      return base + load
    })
    return { tops, bases, colour: colourOf(index) }
  })
}

/** Beside the last point of each line; who is down or away is named in red where it ended. */
export function endLabelsOf (history: LoadHistory, charted: readonly Charted[]): EndLabel[] {
  return history.names.flatMap((name, index): EndLabel[] => {
    // What ended long ago would stand beside now.
    if (history.isRemoved(name)) return []
    const load = history.loads(name).findLast(value => value !== null)
    if (load === undefined || load === null) return []
    const state = charted.find(one => one.name === name)?.state
    const hasEnded = ENDED.has(state)
    return [{
      load,
      text: hasEnded ? CHARTS.ended(name, state === 'away') : name,
      colour: colourOf(index),
      textColour: hasEnded ? 'down' : 'ink'
    }]
  })
}

export function marksOf (history: LoadHistory): Mark[] {
  return history.events.map(event => ({
    atS: event.atMs / 1000,
    text: CHARTS.event(event.type, event.server),
    colour: EVENT_COLOURS[event.type] ?? 'ink-2',
    weight: EVENT_WEIGHTS[event.type] ?? 0
  }))
}

/** @param index of a point; undefined for now */
export function readingAt (
  history: LoadHistory, charted: readonly Charted[], index: number | undefined
): Reading {
  const { times, names } = history
  const weightOf = (name: string): number | undefined => {
    const one = charted.find(other => other.name === name)
    return one === undefined ? 1 : one.weight
  }
  if (index === undefined) {
    return {
      atMs: undefined,
      loads: [
        ...charted,
        ...names.filter(name => history.isRemoved(name)).map(name =>
          ({ name, state: 'removed', weight: 1, load: null } as const))
      ],
      events: []
    }
  }
  const stepMs = (times[1] ?? Infinity) - times[0]!
  const isNear = ({ atMs }: LoadEvent): boolean => Math.abs(atMs - times[index]!) <= stepMs
  return {
    atMs: times[index],
    loads: names.map(name => ({
      name,
      load: history.loads(name)[index] ?? null,
      weight: weightOf(name),
      state: undefined
    })),
    events: history.events.filter(isNear).map(({ type, server }) => CHARTS.event(type, server))
  }
}

/** Points that have a value, and no neighbour that has one. */
export function lonePoints (values: ArrayLike<number | null | undefined>): number[] {
  const has = (at: number): boolean => (values[at] ?? null) !== null
  const lone: number[] = []
  for (let at = 0; at < values.length; at++) {
    if (has(at) && !has(at - 1) && !has(at + 1)) lone.push(at)
  }
  return lone
}

function colourOf (index: number): ColourName {
  return colourClass(index) as ColourName
}
