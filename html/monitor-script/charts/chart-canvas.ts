/**
 * What a chart of ours draws on uPlot's canvas beside its lines: areas, gaps, events, times, names
 * at the lines' ends. Sizes are CSS pixels, times `uPlot.pxRatio` on the canvas.
 */
import uPlot from 'uplot'
import { roomyLabels, spreadLabels, timeTicks } from './chart-scale.ts'
import type { Load } from './chart-scope.ts'
import type { ColourName, Palette } from './palette.ts'

/** An event as it is drawn. */
export interface Mark {
  readonly atS: number
  readonly text: string
  readonly colour: ColourName
  /** Worse events are drawn over the others, and named first. */
  readonly weight: number
}

/** One server's name beside the end of its line. */
export interface EndLabel {
  readonly load: number
  readonly text: string
  readonly colour: ColourName
  readonly textColour: ColourName
}

/** Of one server: the sum up to it, and the sum below it; null where it has no load. */
export interface Area {
  readonly tops: readonly Load[]
  readonly bases: readonly number[]
  readonly colour: ColourName
}

const TEXT_PX = 11
const END_WEIGHT = 560
const LABEL_APART_PX = 80
const END_LABEL_APART_PX = 13
const AREA_ALPHA = 0.72
const HATCH_APART_PX = 7

export class ChartCanvas {
  readonly #u: uPlot
  readonly #palette: Palette
  readonly #ratio = uPlot.pxRatio

  constructor (u: uPlot, palette: Palette) {
    this.#u = u
    this.#palette = palette
  }

  areas (times: readonly number[], areas: readonly Area[]): void {
    for (const { tops, bases, colour } of areas) {
      for (const [from, to] of runsOf(tops)) {
        const edge = new Path2D()
        for (let at = from; at <= to; at++) edge.lineTo(this.#x(times[at]!), this.#y(tops[at]!))
        const area = new Path2D(edge)
        for (let at = to; at >= from; at--) area.lineTo(this.#x(times[at]!), this.#y(bases[at]!))
        this.#paint(ctx => {
          ctx.globalAlpha = AREA_ALPHA
          ctx.fillStyle = this.#palette.colour(colour)
          ctx.fill(area)
          ctx.globalAlpha = 1
          ctx.strokeStyle = this.#palette.colour('surface')
          ctx.stroke(edge)
        })
      }
    }
  }

  /** A hatched band between the last point before and the first one after. */
  gap (fromS: number, toS: number, text: string): void {
    const { top, height } = this.#u.bbox
    const left = this.#x(fromS)
    const right = this.#x(toS)
    this.#paint(ctx => {
      ctx.beginPath()
      ctx.rect(left, top, right - left, height)
      ctx.clip()
      ctx.strokeStyle = this.#palette.colour('line-strong')
      ctx.globalAlpha = 0.5
      const apart = HATCH_APART_PX * this.#ratio
      for (let x = left - height; x < right; x += apart) {
        line(ctx, x, top + height, x + height, top)
      }
    })
    for (const x of [left, right]) this.#vertical(x, 'line-strong', [2, 3])
    const isAtEnd = right > this.#u.bbox.left + this.#u.bbox.width - 30 * this.#ratio
    const middle = isAtEnd ? right : (left + right) / 2
    const align = isAtEnd ? 'right' : 'center'
    this.#text(text, middle, top - 4 * this.#ratio, 'ink-2', align, 400)
  }

  /** Of marks too close to each other one is named; the pointer names them all. */
  marks (marks: readonly Mark[]): void {
    const { top, left, width } = this.#u.bbox
    const shown = marks
      .map(mark => ({ ...mark, place: this.#x(mark.atS) }))
      .filter(({ place }) => place >= left && place <= left + width)
      .sort((a, b) => a.weight - b.weight)
    const named = roomyLabels(shown, LABEL_APART_PX * this.#ratio)
    shown.forEach(({ text, colour, place: x }, at) => {
      this.#vertical(x, colour, [3, 3])
      if (!named.has(at)) return
      const isLeft = x - left > width / 2
      const gap = 5 * this.#ratio * (isLeft ? -1 : 1)
      this.#text(text, x + gap, top + 9 * this.#ratio, colour, isLeft ? 'right' : 'left', 560)
    })
  }

  times (fromS: number, toS: number, count: number, textOf: (atS: number) => string): void {
    const { top, height } = this.#u.bbox
    const y = top + height + 16 * this.#ratio
    timeTicks(fromS, toS, count).forEach((atS, at) => {
      const align = at === 0 ? 'left' : at === count - 1 ? 'right' : 'center'
      this.#text(textOf(atS), this.#x(atS), y, 'ink-2', align, 400)
    })
  }

  ends (labels: readonly EndLabel[]): void {
    const { top, left, width, height } = this.#u.bbox
    const x = left + width + 8 * this.#ratio
    const wanted = labels.map(({ load }) => this.#y(load))
    const placed = spreadLabels(wanted, END_LABEL_APART_PX * this.#ratio, top, top + height)
    labels.forEach(({ text, colour, textColour }, at) => {
      const y = placed[at]!
      const side = 5 * this.#ratio
      this.#paint(ctx => {
        ctx.fillStyle = this.#palette.colour(colour)
        ctx.fillRect(x, y - side / 2, side, side)
      })
      const from = x + 9 * this.#ratio
      this.#text(this.#cut(text, from), from, y + 4 * this.#ratio, textColour, 'left', END_WEIGHT)
    })
  }

  /** What of the text has room between `x` and the canvas's end. */
  #cut (text: string, x: number): string {
    let shown = text
    this.#paint(ctx => {
      ctx.font = this.#palette.font(END_WEIGHT, TEXT_PX * this.#ratio)
      const room = ctx.canvas.width - x
      const isTooLong = (): boolean => ctx.measureText(shown).width > room
      for (let length = text.length - 1; length > 0 && isTooLong(); length--) {
        shown = `${text.slice(0, length)}…`
      }
    })
    return shown
  }

  /** In the middle of what is empty. */
  note (text: string, fromS: number, toS: number): void {
    const { top, height } = this.#u.bbox
    const x = (this.#x(fromS) + this.#x(toS)) / 2
    this.#text(text, x, top + height / 2, 'ink-2', 'center', 400)
  }

  #vertical (x: number, colour: ColourName, dashPx: readonly number[]): void {
    const { top, height } = this.#u.bbox
    this.#paint(ctx => {
      ctx.setLineDash(dashPx.map(px => px * this.#ratio))
      ctx.strokeStyle = this.#palette.colour(colour)
      line(ctx, x, top, x, top + height)
    })
  }

  /** With a halo, so that no line runs through it. */
  #text (
    text: string, x: number, y: number, colour: ColourName, align: CanvasTextAlign, weight: number
  ): void {
    this.#paint(ctx => {
      ctx.font = this.#palette.font(weight, TEXT_PX * this.#ratio)
      ctx.textAlign = align
      ctx.textBaseline = 'alphabetic'
      ctx.lineJoin = 'round'
      ctx.lineWidth = 4 * this.#ratio
      ctx.strokeStyle = this.#palette.colour('surface')
      ctx.strokeText(text, x, y)
      ctx.fillStyle = this.#palette.colour(colour)
      ctx.fillText(text, x, y)
    })
  }

  #paint (draw: (ctx: CanvasRenderingContext2D) => void): void {
    const { ctx } = this.#u
    ctx.save()
    ctx.lineWidth = this.#ratio
    draw(ctx)
    ctx.restore()
  }

  #x (atS: number): number {
    return this.#u.valToPos(atS, 'x', true)
  }

  #y (load: number): number {
    return this.#u.valToPos(load, 'y', true)
  }
}

function runsOf (values: readonly Load[]): Array<[from: number, to: number]> {
  const runs: Array<[number, number]> = []
  values.forEach((value, at) => {
    if (value === null) return
    const run = runs.at(-1)
    if (run !== undefined && run[1] === at - 1) run[1] = at
    else runs.push([at, at])
  })
  return runs
}

function line (
  ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number
): void {
  ctx.beginPath()
  ctx.moveTo(x1, y1)
  ctx.lineTo(x2, y2)
  ctx.stroke()
}
