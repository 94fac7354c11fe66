/**
 * Whether a program that was under load for long has ended where it began: for each measure its
 * beginning, its end, how it went in between, and what that means. Pure.
 */
import { isRising, steadyPart, trendOf, type Trend } from '../measure/trend.ts'
import type { Sample } from './measures.ts'

/** What was measured: at rest before the load, under it, and at rest again. */
export interface Soaked {
  readonly begin: Sample
  /** In the order of time. */
  readonly under: readonly Sample[]
  readonly end: Sample
  /** Rows that the database has got for what operators did and for the history. */
  readonly rowCount: number
}

export interface Row {
  readonly measure: string
  readonly begin: string
  readonly end: string
  /** The most under load. */
  readonly most: string
  readonly slope: string
  /** Empty when it is as it should be. */
  readonly wrong: string
}

/**
 * What the heaps of all threads may have gained in the end, garbage collected: code that is
 * compiled when it is used a lot, and caches that fill up to their bounds, take some 3 MB, most of
 * it within the first minutes.
 */
export const HEAP_GAIN_BYTES_MAX = 6e6
/** And over the later half of the load, when all that has been done: noise. */
export const HEAP_GROWTH_BYTES_MAX = 2e6
/**
 * The allocator keeps what bursts needed, in steps of some MB, and reaches its level within the
 * first minutes, later on a busy machine; a leak goes on. In the end, 10 to 45 MB are seen.
 */
export const RESIDENT_GAIN_BYTES_MAX = 96e6
export const RESIDENT_GROWTH_BYTES_MAX = 12e6
/** An entry of the audit with its index and its share of a page takes some 150 bytes. */
export const ROW_BYTES_MAX = 400
/** Pages that were begun. */
export const DATABASE_SLACK_BYTES = 128 * 1024
/** SQLite writes it back at 1,000 pages of 4 KiB; a reader may hold that up for a moment. */
export const WAL_BYTES_MAX = 6e6
/** Late by more than this, an operator sees it; by less, it is the machine's other work. */
export const LOOP_DELAY_GROWTH_MS_MAX = 100
/**
 * In the later half: of fewer, an allocator that still fills up looks like a leak, and a loop's
 * delay, known by its histogram's bucket only, rises with one step up. Heaps are measured after a
 * collection, and of them a few tell.
 */
export const NOISY_SAMPLES_MIN = 10

export function rowsOf (soaked: Soaked): Row[] {
  const { begin, under, end, rowCount } = soaked
  const databaseMax = DATABASE_SLACK_BYTES + rowCount * ROW_BYTES_MAX
  const gain = (key: keyof Sample): number => end[key] - begin[key]
  return [
    row(soaked, 'users', 'users', whole, end.users === 0 ? '' : 'not all are gone'),
    row(soaked, 'descriptors', 'descriptors', whole,
      gain('descriptors') <= 0 ? '' : `${gain('descriptors')} more than before`),
    row(soaked, 'heap, MB', 'heapBytes', megabytes,
      tooMuch(gain('heapBytes'), HEAP_GAIN_BYTES_MAX) ||
        rising(under, 'heapBytes', HEAP_GROWTH_BYTES_MAX)),
    row(soaked, 'rss, MB', 'residentBytes', megabytes,
      tooMuch(gain('residentBytes'), RESIDENT_GAIN_BYTES_MAX) ||
        rising(enough(under), 'residentBytes', RESIDENT_GROWTH_BYTES_MAX)),
    row(soaked, 'database, MB', 'databaseBytes', megabytes,
      tooMuch(gain('databaseBytes'), databaseMax)),
    row(soaked, 'write-ahead log, MB', 'walBytes', megabytes,
      tooMuch(most(soaked, 'walBytes'), WAL_BYTES_MAX)),
    row(soaked, 'loop delay p99, ms', 'loopDelayMs', whole,
      rising(enough(under), 'loopDelayMs', LOOP_DELAY_GROWTH_MS_MAX) === '' ? '' : 'it rises')
  ]
}

/** As many columns as `Row` has fields, the verdict last. */
export function tableOf (rows: readonly Row[]): string {
  const lines = [
    ['measure', 'begin', 'end', 'most', 'slope', 'verdict'],
    ...rows.map(({ measure, begin, end, most, slope, wrong }) =>
      [measure, begin, end, most, slope, wrong === '' ? 'good' : `BAD: ${wrong}`])
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  return lines.map(line => line.map((cell, column) =>
    column === 0 || column === 5 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  ).join('  ').trimEnd()).join('\n')
}

function row (
  soaked: Soaked, measure: string, key: keyof Sample, show: (value: number) => string, wrong: string
): Row {
  const { slope } = trendBy(soaked.under, key)
  return {
    measure,
    begin: show(soaked.begin[key]),
    end: show(soaked.end[key]),
    most: show(most(soaked, key)),
    slope: `${slope < 0 ? '-' : '+'}${show(Math.abs(slope) * 60)}/h`,
    wrong
  }
}

function most ({ under, end }: Soaked, key: keyof Sample): number {
  return Math.max(end[key], ...under.map(sample => sample[key]))
}

function rising (under: readonly Sample[], key: keyof Sample, tolerance: number): string {
  const trend = trendBy(under, key)
  if (!isRising(trend, tolerance)) return ''
  return `it rises by ${megabytes(trend.growth)} MB in the later half`
}

/** None where there are too few of what is noisy. */
function enough (under: readonly Sample[]): readonly Sample[] {
  return steadyPart(under).length < NOISY_SAMPLES_MIN ? [] : under
}

function tooMuch (gained: number, allowed: number): string {
  return gained <= allowed ? '' : `${megabytes(gained)} MB is more than ${megabytes(allowed)} MB`
}

function trendBy (under: readonly Sample[], key: keyof Sample): Trend {
  return trendOf(steadyPart(under).map(sample => [sample.minutes, sample[key]]))
}

function megabytes (bytes: number): string {
  return (bytes / 1e6).toFixed(2)
}

function whole (value: number): string {
  return value.toFixed(0)
}
