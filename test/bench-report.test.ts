/** docs/performance.md as it is written from figures: verdicts, markdown and plots. */
import t, { type Test } from 'tap'
import { resultOf } from '../scripts/bench-peers/request-bench.ts'
import { latencyResult } from '../scripts/bench-peers/latency-bench.ts'
import { CASES } from '../scripts/bench-peers/cases.ts'
import { ratios, type Sample } from '../scripts/bench-peers/rounds.ts'
import { median, spread } from '../scripts/measure/figures.ts'
import { foreignShare } from '../scripts/bench-peers/cpu-time.ts'
import type { LoadResult } from '../scripts/bench-peers/wrk.ts'
import { performanceMarkdown } from '../scripts/bench/report/document.ts'
import { barsSvg, plotSvg } from '../scripts/bench/report/plot.ts'
import { verdictOf, type ReportPlot, type Verdict } from '../scripts/bench/report/report.ts'
import { tableText } from '../scripts/bench/report/tables.ts'
import { summarize } from '../scripts/profile/profile-table.ts'

function checkVerdict (
  t: Test, measured: number, limits: { floor: number, goal: number }, verdict: Verdict
): void {
  t.equal(verdictOf(measured, limits), verdict, `${measured} of ${limits.floor}, ${limits.goal}`)
}

t.test('bench report: more is better where the goal is above the floor', async t => {
  const limits = { floor: 1.7, goal: 2 }
  checkVerdict(t, 2, limits, 'goal')
  checkVerdict(t, 1.99, limits, 'floor')
  checkVerdict(t, 1.7, limits, 'floor')
  checkVerdict(t, 1.69, limits, 'missed')
  checkVerdict(t, NaN, limits, 'missed')
})

t.test('bench report: less is better where the goal is below the floor', async t => {
  const limits = { floor: 4, goal: 3.3 }
  checkVerdict(t, 3.3, limits, 'goal')
  checkVerdict(t, 3.4, limits, 'floor')
  checkVerdict(t, 4, limits, 'floor')
  checkVerdict(t, 4.1, limits, 'missed')
})

t.test('bench report: the median is of each round\'s own ratio', async t => {
  t.strictSame(ratios([10, 40], [5, 10]), [2, 4])
  t.equal(median([9, 1, 2]), 2)
  t.equal(median([1, 2, 3, 10]), 2.5)
  t.equal(spread([0.28, 0.18], 2), '0.23 (0.18 to 0.28)', 'of two as well')
})

t.test('bench report: what others took of the cores is not what the server and the load took', async t => {
  const clock = (wallMs: number, busySeconds: number, ownSeconds: number) => (
    { wallMs, busySeconds, ownSeconds }
  )
  // Two cores for a second: one for the server, .5 for the load, .2 for somebody else.
  t.equal(foreignShare(clock(0, 10, 3), clock(1000, 11.7, 3.5), 1).toFixed(2), '0.10')
  t.equal(foreignShare(clock(0, 10, 3), clock(1000, 11.4, 3.5), 1), 0)
})

t.test('bench report: a case says how many times a peer Usher is, and whether that is enough', async t => {
  const page = CASES.find(({ id }) => id === 'page')!
  const { tables: [table], goals } = resultOf(page, new Map([
    ['Usher', samples([200, 210, 220], 2)],
    ['nginx, sendfile alone', samples([100, 100, 100], 4)],
    ['nginx', samples([200, 200, 200], 4)],
    ['haproxy', samples([250, 100, 250], 1)]
  ]), { seconds: 1, commandOf: part => `bench ${part}` })
  t.strictSame(table!.rows.map(([name, figure, ratio]) => [name, figure, ratio]), [
    ['Usher', '210', ''],
    ['nginx, sendfile alone', '100', '2.10 (2.00 to 2.20)'],
    ['nginx', '200', '1.05 (1.00 to 1.10)'],
    ['haproxy', '250', '0.88 (0.80 to 2.10)']
  ])
  t.strictSame(goals.map(({ floor, verdict }) => [floor, verdict]), [
    ['1.7 x nginx `sendfile`', 'goal'],
    ['0.9 x haproxy `return file`', 'missed']
  ])
  t.equal(goals[0]!.measured,
    '2.10 (2.00 to 2.20) x; with `open_file_cache` 1.05 (1.00 to 1.10) x')
})

t.test('bench report: how long answers take, beside those of each peer', async t => {
  const { tables: [table], goals } = latencyResult(new Map([
    ['Usher', samples([1, 1, 1], 2)],
    ['haproxy', samples([1, 1, 1], 1)]
  ]), { seconds: 1, commandOf: part => `bench ${part}` })
  t.strictSame(table!.rows.map(row => row.at(-1)), ['', '2.00 (2.00 to 2.00)'])
  t.strictSame(goals.map(({ floor, verdict }) => [floor, verdict]), [['3 x haproxy\'s', 'floor']])
})

t.test('bench report: a peer that is not there takes its goals along', async t => {
  const page = CASES.find(({ id }) => id === 'page')!
  const { goals } = resultOf(page, new Map([['Usher', samples([1], 1)]]), {
    seconds: 1, commandOf: part => part
  })
  t.strictSame(goals, [])
})

t.test('bench report: the document has every goal, table and plot', async t => {
  const markdown = performanceMarkdown({
    results: [{
      tables: [TABLE],
      plots: [PLOT],
      goals: [
        { case: 'a', floor: '1', goal: '2', measured: '3', verdict: 'goal' },
        { case: 'b | c', floor: '1', goal: '2', measured: '0', verdict: 'missed' }
      ]
    }],
    machine: ['A machine.'],
    date: '2026-01-02',
    failures: ['idle: it broke'],
    byHand: '## Why\n\nBecause.\n'
  })
  for (const line of [
    '| case | floor | goal | measured |  |', '| a | 1 | 2 | 3 | goal met |',
    '| b \\| c | 1 | 2 | 0 | **missed** |', '- idle: it broke', '## Why', 'Because.',
    '### Things', '| name | figure |', '|---|---|', '| one | 1 |', 'A note.', '`measure it`',
    '![Growth](performance/growth.svg)'
  ]) t.ok(markdown.split('\n').includes(line), line)
  t.notMatch(markdown, /\n{3}/, 'no two empty lines')
})

t.test('bench report: goals stand in their own order, however the parts were measured', async t => {
  const goal = (name: string, floor = '1') => (
    { case: name, floor, goal: '2', measured: '3', verdict: 'goal' as const }
  )
  const markdown = performanceMarkdown({
    results: [
      ['something else'], ['first redirect'], ['p99 at 64 connections, page', 'Heartbeat'], ['touch']
    ].map(names => ({ tables: [], plots: [], goals: names.map(name => goal(name)) })),
    machine: [],
    date: '2026-01-02',
    failures: [],
    byHand: ''
  })
  t.strictSame(
    markdown.split('\n').flatMap(line => /^\| ([^|]+) \| 1 /.exec(line)?.[1] ?? []),
    ['Heartbeat', 'p99 at 64 connections, page', 'touch', 'first redirect', 'something else'])
})

t.test('bench report: a table in a terminal has its columns in line', async t => {
  t.equal(tableText(TABLE), [
    'Things', 'name  figure', '----  ------', 'one        1', 'A note.', ''
  ].join('\n'))
})

t.test('bench report: plots are whole SVG files, whatever their names are', async t => {
  const plots = [
    plotSvg(PLOT),
    plotSvg({ ...PLOT, isLogX: true, isLogY: true }),
    barsSvg({ id: 'b', title: '<b>', unit: 'x & y', bars: [{ name: 'a', value: 2 }, { name: 'b', value: 0 }] })
  ]
  for (const svg of plots) {
    t.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
    t.notMatch(svg, /NaN|undefined|Infinity/)
    t.strictSame(unclosed(svg), [])
    t.match(svg, 'prefers-color-scheme: dark')
  }
  t.match(plots[2], '&lt;b&gt;')
})

t.test('bench report: a plot\'s line goes from its first point to its last', async t => {
  const [, path] = /class="line c0" d="M([^"]+)"/.exec(plotSvg(PLOT))!
  const [first, last] = path!.split('L').map(point => point.split(' ').map(Number))
  t.ok(last![0]! > first![0]!, 'to the right')
  t.ok(last![1]! < first![1]!, 'and up')
})

t.test('profile: self time is told by function, without what a thread waits', async t => {
  const frame = (functionName: string, url = '', lineNumber = 0) => (
    { functionName, url, lineNumber, columnNumber: 0 }
  )
  const { busyMs, functions, kinds } = summarize({
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('touch', 'file:///a/packages/shared/src/x.ts', 9) },
      { id: 3, callFrame: frame('constructor', 'node:net', 4) },
      { id: 4, callFrame: frame('(garbage collector)') }
    ],
    samples: [1, 2, 3, 2, 4],
    timeDeltas: [5000, 4000, 2000, 3000, 1000]
  }, () => undefined)
  t.equal(busyMs, 10)
  t.strictSame(functions.map(({ name, place, share }) => [name, place, share]), [
    ['touch', 'packages/shared/src/x.ts:10', 0.7],
    ['constructor', 'node:net:5', 0.2],
    ['(garbage collector)', 'garbage collection', 0.1]
  ])
  t.strictSame(kinds.map(({ name }) => name), ['ours', 'node', 'garbage collection'])
})

const TABLE = {
  id: 'things',
  title: 'Things',
  columns: ['name', 'figure'],
  rows: [['one', '1']],
  notes: ['A note.'],
  command: 'measure it'
}

const PLOT: ReportPlot = {
  id: 'growth',
  title: 'Growth',
  xLabel: 'users',
  yLabel: 'ns & more',
  isLogX: false,
  isLogY: false,
  series: [
    { name: 'a', points: [[1000, 10], [4_000_000, 20]] },
    { name: 'b', points: [[1000, 10.1], [4_000_000, 20.1]] }
  ]
}

/** One round each, of a second's processor time. */
function samples (requests: readonly number[], p99Ms: number): ReadonlyArray<Sample<LoadResult>> {
  return requests.map(requests => ({
    value: { requests, seconds: 1, p50Ms: 1, p99Ms, refused: 0, broken: 0 },
    serverSeconds: 1,
    wallSeconds: 1,
    foreignShare: 0
  }))
}

/** Elements of an SVG that are opened and not closed, or the other way round. */
function unclosed (svg: string): readonly string[] {
  const open: string[] = []
  for (const [, end, name = '', isWhole] of svg.matchAll(/<(\/?)(\w+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (isWhole === '/') continue
    if (end === '') open.push(name)
    else if (open.at(-1) === name) open.pop()
    else open.push(`/${name}`)
  }
  return open
}
