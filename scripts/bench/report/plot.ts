/**
 * Plots as SVG files that read well on light and dark pages, in the colours of the console. Pure.
 */
import type { ReportBars, ReportPlot } from './report.ts'

const [WIDTH, HEIGHT] = [640, 320]
const AREA = { left: 64, right: 148, top: 40, bottom: 44 }
const TICKS = 5
/** Room for a name at the right end of a line. */
const LABEL_STEP = 15
const BAR_HEIGHT = 22
/** s1 to s8 of the console, light and dark (html/monitor). */
const LINES = [
  ['#2058c8', '#6b9fff'], ['#bd5b0c', '#f59d52'], ['#0c8a80', '#45d0bf'], ['#702a82', '#d9a5ea'],
  ['#57525a', '#b1acb8'], ['#a51a14', '#ff8278'], ['#17703d', '#62cf92'], ['#8c5a00', '#f2c062']
] as const

const STYLE = `
text { font: 12px -apple-system, 'Segoe UI', Roboto, Arial, sans-serif; fill: #57525a }
.title { font-size: 14px; font-weight: 600; fill: #1d1b1e }
.ground { fill: #ffffff } .grid { stroke: #e2dfdc } .line { fill: none; stroke-width: 1.75 }
.bar { fill: #b1acb8 } .ours { fill: #702a82 }
${LINES.map(([light], at) => `.c${at} { stroke: ${light} } .f${at} { fill: ${light} }`).join('\n')}
@media (prefers-color-scheme: dark) {
text { fill: #b1acb8 } .title { fill: #eeecf0 } .ground { fill: #1a191d } .grid { stroke: #2d2b32 }
.bar { fill: #57525a } .ours { fill: #d9a5ea }
${LINES.map(([, dark], at) => `.c${at} { stroke: ${dark} } .f${at} { fill: ${dark} }`).join('\n')}
}`

export function plotSvg (plot: ReportPlot): string {
  const points = plot.series.flatMap(({ points }) => points)
  const xs = axis(points.map(([x]) => x), plot.isLogX)
  const ys = axis(points.map(([, y]) => y), plot.isLogY)
  const right = WIDTH - AREA.right
  const bottom = HEIGHT - AREA.bottom
  const xAt = (x: number): string => fixed(AREA.left + xs.share(x) * (right - AREA.left))
  const yAt = (y: number): string => fixed(bottom - ys.share(y) * (bottom - AREA.top))
  const grid = [
    ...ys.ticks.map(y => `<path class="grid" d="M${AREA.left} ${yAt(y)}H${right}"/>` +
      text(AREA.left - 8, Number(yAt(y)) + 4, short(y), 'end')),
    ...xs.ticks.map(x => text(Number(xAt(x)), bottom + 18, short(x), 'middle'))
  ]
  const lines = plot.series.map(({ points }, at) => {
    const path = points.map(([x, y]) => `${xAt(x)} ${yAt(y)}`).join('L')
    return `<path class="line c${at % LINES.length}" d="M${path}"/>`
  })
  const ends = plot.series.map(({ name, points }, at) => (
    { name, at, y: Number(yAt(points.at(-1)?.[1] ?? 0)) }
  ))
  return svg(HEIGHT, plot.title, [
    ...grid, ...lines,
    ...apart(ends).map(({ name, at, y }) => text(right + 8, y + 4, name, 'start', `f${at % LINES.length}`)),
    text(AREA.left, HEIGHT - 8, plot.xLabel, 'start'), text(AREA.left, 34, plot.yLabel, 'start')
  ])
}

export function barsSvg ({ title, unit, bars }: ReportBars): string {
  const left = 170
  const most = Math.max(...bars.map(({ value }) => value))
  const height = 56 + bars.length * BAR_HEIGHT
  return svg(height, title, [
    text(16, 40, unit, 'start'),
    ...bars.flatMap(({ name, value }, at) => {
      const y = 50 + at * BAR_HEIGHT
      const width = value / most * (WIDTH - left - 90)
      return [
        text(left - 8, y + 13, name, 'end'),
        `<rect class="${at === 0 ? 'ours' : 'bar'}" x="${left}" y="${y}" width="${fixed(width)}" height="16" rx="2"/>`,
        text(left + width + 6, y + 13, Math.round(value).toLocaleString('en'), 'start')
      ]
    })
  ])
}

interface Axis {
  readonly ticks: readonly number[]
  /** Of the axis's length, from its start. */
  readonly share: (value: number) => number
}

/** From 0, or by powers of ten. */
function axis (values: readonly number[], isLog: boolean): Axis {
  const most = Math.max(...values)
  if (!isLog) {
    const step = roundStep(most / TICKS)
    const end = Math.max(step, Math.ceil(most / step) * step)
    const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, at) => at * step)
    return { ticks, share: value => value / end }
  }
  const first = Math.floor(Math.log10(Math.min(...values.filter(value => value > 0))))
  const last = Math.max(first + 1, Math.ceil(Math.log10(most)))
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at))
  const share = (value: number): number => (
    (Math.log10(Math.max(value, 10 ** first)) - first) / (last - first)
  )
  return { ticks, share }
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function roundStep (step: number): number {
  const power = 10 ** Math.floor(Math.log10(step > 0 ? step : 1))
  return [1, 2, 5, 10].map(times => times * power).find(round => round >= step)!
}

/** Names of lines that end close to each other are moved down. */
function apart<T extends { readonly y: number }> (ends: readonly T[]): readonly T[] {
  let lowest = -Infinity
  return [...ends].sort((a, b) => a.y - b.y).map(end => {
    lowest = Math.max(end.y, lowest + LABEL_STEP)
    return { ...end, y: lowest }
  })
}

function svg (height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title><style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="12"/>
${text(16, 22, title, 'start', 'title')}
${parts.join('\n')}
</svg>
`
}

function text (x: number, y: number, words: string, anchor: string, kind?: string): string {
  const named = kind === undefined ? '' : ` class="${kind}"`
  return `<text${named} x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escaped(words)}</text>`
}

function escaped (words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function fixed (value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** 1500000 as 1.5M. */
function short (value: number): string {
  if (value >= 1e6) return `${fixed(value / 1e6)}M`
  if (value >= 1e4) return `${fixed(value / 1e3)}k`
  return value >= 1 || value === 0 ? fixed(value) : value.toPrecision(1)
}
