/** The soak: that a short one ends well, and that its verdict tells a leak from noise. */
import t from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { delaysIn, tailMs, usersIn, type Sample } from '../scripts/soak/measures.ts'
import {
  DATABASE_SLACK_BYTES, HEAP_GAIN_BYTES_MAX, HEAP_GROWTH_BYTES_MAX, LOOP_DELAY_GROWTH_MS_MAX,
  NOISY_SAMPLES_MIN, RESIDENT_GAIN_BYTES_MAX, RESIDENT_GROWTH_BYTES_MAX, ROW_BYTES_MAX, rowsOf,
  tableOf, WAL_BYTES_MAX, type Soaked
} from '../scripts/soak/verdict.ts'
import { isRising, trendOf, type Point } from '../scripts/measure/trend.ts'
import { runTool, type ToolEnd } from './tool.ts'

const soak = (...args: string[]): Promise<ToolEnd> => runTool('soak', ...args)

t.test('soak: a short one ends where it began, and says so of each measure', async t => {
  const minutes = isLong ? '1' : '0.1'
  const { code, printed } = await soak('--minutes', minutes)
  t.equal(code, 0, printed)
  t.match(printed, /^measure +begin +end +most +slope +verdict$/m)
  t.match(printed, /^users +0 +0 +[1-9]\d* .* good$/m)
  t.match(printed, /^descriptors +(\d+) +\d+ .* good$/m)
  for (const measure of ['heap', 'rss', 'database', 'write-ahead log', 'loop delay p99']) {
    t.match(printed, new RegExp(`^${measure}, M?[Bms]+ .* good$`, 'm'))
  }
  t.match(printed, /^soak: [\d.]+ min, [1-9]\d* requests of visitors, .*; nothing failed$/m)
})

t.test('soak: wrong words end with 2', async t => {
  for (const args of [['--minutes', '0'], ['--minutes', 'x'], ['--hours', '1']]) {
    const { code, printed } = await soak(...args)
    t.equal(code, 2)
    t.match(printed, /^soak: /)
  }
})

/** Values that differ from a line by `noise` at most, in turns that no line explains. */
function series (count: number, slope: number, noise: number): Point[] {
  return Array.from({ length: count }, (_, x) => [x, 50 + slope * x + noise * Math.sin(x * 2.4)])
}

t.test('soak: a rising series rises, a flat or a falling one does not, however noisy', async t => {
  const cases: ReadonlyArray<[points: Point[], tolerance: number, isRise: boolean]> = [
    [series(40, 0.5, 0), 10, true], [series(40, 0.5, 3), 10, true], [series(40, 0.5, 3), 30, false],
    [series(40, 0, 0), 0, false], [series(40, 0, 20), 0, false], [series(40, -0.5, 3), 0, false],
    [series(2, 100, 0), 10, false], [[], 0, false], [series(6, 1, 30), 1, false]
  ]
  for (const [points, tolerance, isRise] of cases) {
    t.equal(isRising(trendOf(points), tolerance), isRise, JSON.stringify(points.slice(0, 3)))
  }
  const { slope, growth, growthError } = trendOf([[0, 1], [1, 3], [2, 5]])
  t.same([slope, growth, growthError], [2, 4, 0])
})

const REST: Sample = {
  minutes: 0,
  users: 0,
  descriptors: 50,
  heapBytes: 60e6,
  residentBytes: 200e6,
  databaseBytes: 1e6,
  walBytes: 4e6,
  loopDelayMs: 5
}
const MINUTES = 40

/** Good, but for what is given: under load by minute, and at rest. */
function soaked (
  under: (minute: number) => Partial<Sample> = () => ({}), end: Partial<Sample> = {}
): Soaked {
  const samples = Array.from({ length: MINUTES }, (_, minutes) => ({
    ...REST,
    users: 100,
    descriptors: 150,
    residentBytes: 220e6 + 1e6 * Math.sin(minutes),
    ...under(minutes),
    minutes
  }))
  return { begin: REST, under: samples, end: { ...REST, ...end }, rowCount: 1000 }
}

function wrongs (run: Soaked): string[] {
  return rowsOf(run).filter(({ wrong }) => wrong !== '')
    .map(({ measure, wrong }) => `${measure}: ${wrong}`)
}

/** By the end of the later half, this much more than at its start. */
function risesBy (amount: number): (minute: number) => number {
  return minute => amount * minute / (MINUTES / 2 - 1)
}

t.test('soak: each measure has its limit, and just below is good', async t => {
  const rowsMax = DATABASE_SLACK_BYTES + 1000 * ROW_BYTES_MAX
  const heap = risesBy(HEAP_GROWTH_BYTES_MAX)
  const resident = risesBy(RESIDENT_GROWTH_BYTES_MAX)
  const late = risesBy(LOOP_DELAY_GROWTH_MS_MAX)
  const cases: ReadonlyArray<[run: Soaked, wrong: RegExp | undefined]> = [
    [soaked(), undefined],
    [soaked(undefined, { users: 1 }), /^users: not all are gone$/],
    [soaked(undefined, { descriptors: 51 }), /^descriptors: 1 more than before$/],
    [soaked(undefined, { descriptors: 49 }), undefined],
    [soaked(undefined, { heapBytes: REST.heapBytes + HEAP_GAIN_BYTES_MAX }), undefined],
    [soaked(undefined, { heapBytes: REST.heapBytes + HEAP_GAIN_BYTES_MAX + 1 }), /^heap, MB: 6\.00 MB is more/],
    [soaked(at => ({ heapBytes: 60e6 + heap(at) * 0.99 })), undefined],
    [soaked(at => ({ heapBytes: 60e6 + heap(at) * 1.01 })), /^heap, MB: it rises by 2\.02 MB in the later half$/],
    [soaked(undefined, { residentBytes: REST.residentBytes + RESIDENT_GAIN_BYTES_MAX }), undefined],
    [soaked(undefined, { residentBytes: REST.residentBytes + RESIDENT_GAIN_BYTES_MAX + 1 }), /^rss, MB: 96\.00 MB is more/],
    [soaked(at => ({ residentBytes: 200e6 + resident(at) * 0.99 })), undefined],
    [soaked(at => ({ residentBytes: 200e6 + resident(at) * 1.01 })), /^rss, MB: it rises by 12\.12 MB/],
    [soaked(undefined, { databaseBytes: REST.databaseBytes + rowsMax }), undefined],
    [soaked(undefined, { databaseBytes: REST.databaseBytes + rowsMax + 1 }), /^database, MB: 0\.53 MB is more than/],
    [soaked(at => ({ walBytes: at === 3 ? WAL_BYTES_MAX + 1 : 0 })), /^write-ahead log, MB: 6\.00 MB is more/],
    [soaked(at => ({ loopDelayMs: late(at) * 1.01 })), /^loop delay p99, ms: it rises$/]
  ]
  for (const [run, wrong] of cases) {
    t.match(wrongs(run), wrong === undefined ? [] : [wrong])
    t.equal(wrongs(run).length, wrong === undefined ? 0 : 1, wrongs(run).join())
  }
})

t.test('soak: what is made at first and then kept is no leak', async t => {
  const fills = soaked(at => ({ heapBytes: 60e6 + Math.min(at, MINUTES / 4) * 1e6 }))
  t.same(wrongs(fills), [])
})

t.test('soak: in a short run nothing noisy is called rising, but a heap is', async t => {
  const rising = (sampleCount: number): Soaked => {
    const { under, ...rest } = soaked(at => ({
      loopDelayMs: at * 100, heapBytes: 60e6 + at * 1e6, residentBytes: 200e6 + at * 6e6
    }))
    return { ...rest, under: under.slice(0, sampleCount) }
  }
  t.match(wrongs(rising(2 * NOISY_SAMPLES_MIN - 2)), [/^heap, MB: it rises/])
  t.equal(wrongs(rising(2 * NOISY_SAMPLES_MIN - 2)).length, 1)
  t.match(wrongs(rising(2 * NOISY_SAMPLES_MIN)),
    [/^heap, MB: it rises/, /^rss, MB: it rises/, /^loop delay p99, ms: it rises$/])
})

t.test('soak: the table has a row for each measure', async t => {
  const lines = tableOf(rowsOf(soaked(undefined, { users: 2 }))).split('\n')
  t.equal(lines.length, 8)
  t.match(lines[0], /^measure +begin +end +most +slope +verdict$/)
  t.match(lines[1], /^users +0 +2 +100 +\+0\/h +BAD: not all are gone$/)
  t.match(lines[3], /^heap, MB +60\.00 +60\.00 +60\.00 +\+0\.00\/h +good$/)
})

t.test('soak: reads users and late loops from what Prometheus is told', async t => {
  const bucket = (thread: string, le: string, count: number): string =>
    `usher_event_loop_delay_seconds_bucket{thread="${thread}",le="${le}"} ${count}\n`
  const text = 'usher_table_users 12\n' + ['coordinator', 'monitor'].map(thread =>
    bucket(thread, '0.005', 90) + bucket(thread, '0.05', 99) + bucket(thread, '+Inf', 100)).join('')
  t.equal(usersIn(text), 12)
  const delays = delaysIn(text)
  t.same([...delays], [[5, 180], [50, 198], [20_000, 200]])
  t.equal(tailMs(delays, new Map()), 50)
  t.equal(tailMs(delays, new Map([[5, 80], [50, 98], [20_000, 100]])), 5)
  t.equal(tailMs(delays, new Map([[5, 180], [50, 180], [20_000, 180]])), 20_000)
  t.equal(tailMs(delays, delays), 0, 'nothing since')
})
