/** The colours of the style sheet for what is drawn on a canvas: in this theme, fresh or stale. */
import { make } from '../kit/dom.ts'

export type ColourName =
  | 'ink' | 'ink-2' | 'line' | 'line-strong' | 'surface' | 'down' | 'drain' | `s${number}`

export class Palette {
  /** Inherits what the tokens are at its place in the page. */
  readonly #probe = make('span', '')
  #colours = new Map<ColourName, string>()

  constructor (place: Element) {
    this.#probe.hidden = true
    place.append(this.#probe)
  }

  /** The theme may have changed since. */
  refresh (): void {
    this.#colours = new Map()
  }

  /** As the browser computes it: a canvas knows no custom properties. */
  colour (name: ColourName): string {
    const known = this.#colours.get(name)
    if (known !== undefined) return known
    this.#probe.style.color = `var(--${name})`
    const colour = getComputedStyle(this.#probe).color
    this.#colours.set(name, colour)
    return colour
  }

  font (weight: number, size: number): string {
    return `${weight} ${size}px ${getComputedStyle(this.#probe).fontFamily}`
  }
}
