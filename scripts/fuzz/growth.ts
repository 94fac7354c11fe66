/** Whether a program has grown while it was fuzzed, and in what words that is said. Pure. */
import type { ProcessFigures } from '../measure/process-figures.ts'
import { isRising, steadyPart, trendOf } from '../measure/trend.ts'

/** By the monotonic clock. */
export interface Measured extends ProcessFigures {
  readonly atMs: number
}

export interface Growth {
  readonly text: string
  /** What grows and should not. */
  readonly wrongs: readonly string[]
}

/** Rounds of a few seconds each; fewer say nothing of growth. */
const ROUNDS_MIN = 8
/**
 * What the heaps may gain over the later half of a run: code that is compiled late and tables that
 * double take 1 to 2 MB. A request that leaks 100 bytes takes as much in 40,000.
 */
export const HEAP_GROWTH_BYTES_MAX = 4e6
/** The allocator keeps pages of bursts, by steps of some MB. */
const RESIDENT_GROWTH_BYTES_MAX = 32e6
/** It reaches its level, 30 to 40 MB more, within the first two minutes. */
export const RESIDENT_ROUNDS_MIN = 40

export function growthOf (measured: readonly Measured[]): Growth {
  const parts = [
    growthBy(measured, 'heap', 'heapBytes', ROUNDS_MIN, HEAP_GROWTH_BYTES_MAX),
    growthBy(measured, 'rss', 'residentBytes', RESIDENT_ROUNDS_MIN, RESIDENT_GROWTH_BYTES_MAX)
  ]
  return {
    text: parts.map(({ text }) => text).join(', '),
    wrongs: parts.filter(({ isWrong }) => isWrong).map(({ text }) => `memory rises: ${text}`)
  }
}

function growthBy (
  measured: readonly Measured[], name: string, key: 'heapBytes' | 'residentBytes',
  roundsMin: number, tolerance: number
): { readonly text: string, readonly isWrong: boolean } {
  const steady = steadyPart(measured)
  const trend = trendOf(steady.map(({ atMs, [key]: bytes }) => [atMs / 60_000, bytes]))
  const [first, last] = [steady[0]?.[key], steady.at(-1)?.[key]].map(megabytes)
  const rate = `${trend.slope < 0 ? '' : '+'}${megabytes(trend.slope)} MB/min`
  return {
    text: `${name} ${first} to ${last} MB, ${rate}`,
    isWrong: measured.length >= roundsMin && isRising(trend, tolerance)
  }
}

function megabytes (bytes = 0): string {
  return (bytes / 1e6).toFixed(1)
}
