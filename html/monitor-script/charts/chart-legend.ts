/** The line under a chart's title: legend, and the readout of now or of the time pointed at. */
import { make, setText } from '../kit/dom.ts'
import type { ChartedState, Load } from './chart-scope.ts'
import { colourClass } from '../kit/console-servers.ts'
import { CHARTS, clock, count } from '../kit/texts.ts'

export interface ReadLoad {
  readonly name: string
  readonly load: Load
  /** Undefined of a node. */
  readonly weight: number | undefined
  /** Undefined where only the load is known. */
  readonly state: ChartedState | 'removed' | undefined
}

export interface Reading {
  /** Undefined: now. */
  readonly atMs: number | undefined
  readonly loads: readonly ReadLoad[]
  /** What happened then. */
  readonly events: readonly string[]
}

export class ChartLegend {
  readonly element = make('ul', 'legend')
  readonly #time = make('time', 'ltr')
  readonly #values = new Map<string, HTMLElement>()
  readonly #whole = make('b', '')
  readonly #events = make('li', '')
  readonly #wholeOf: (loads: readonly ReadLoad[]) => string

  constructor (wholeName: string, wholeOf: (loads: readonly ReadLoad[]) => string) {
    this.#wholeOf = wholeOf
    this.element.append(
      make('li', '', this.#time), make('li', '', `${wholeName} `, this.#whole), this.#events)
  }

  /** For other servers. */
  clear (): void {
    for (const value of this.#values.values()) value.parentElement!.remove()
    this.#values.clear()
  }

  show (reading: Reading): void {
    const { atMs, loads, events } = reading
    this.element.classList.toggle('read', atMs !== undefined)
    setText(this.#time, atMs === undefined ? CHARTS.now : clock(atMs))
    loads.forEach(({ name, ...facts }, index) => {
      setText(this.#values.get(name) ?? this.#add(name, index), valueText(facts))
    })
    const whole = this.#wholeOf(loads)
    setText(this.#whole, whole)
    this.#whole.parentElement!.hidden = whole === ''
    setText(this.#events, events.join(', '))
    this.#events.hidden = events.length === 0
  }

  /** As one sentence, for screen readers. */
  get text (): string {
    return [...this.element.querySelectorAll('li:not([hidden])')]
      .map(({ textContent }) => textContent).join(', ')
  }

  #add (name: string, index: number): HTMLElement {
    const value = make('b', '')
    this.#values.set(name, value)
    const row = make('li', colourClass(index), make('i', 'swatch'), `${name} `, value)
    this.#whole.parentElement!.before(row)
    return value
  }
}

function valueText ({ load, state }: Omit<ReadLoad, 'name'>): string {
  if (state === 'down') return CHARTS.down
  if (state === 'away') return CHARTS.away
  if (state === 'removed') return CHARTS.removed
  if (state === 'maintenance') return CHARTS.maintenance
  if (load === null) return CHARTS.noData
  return state === 'draining' ? CHARTS.draining(load) : count(load)
}
