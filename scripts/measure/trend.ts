/**
 * Whether a series of measurements rises: a line laid through it by least squares, and how far that
 * line may be off for the noise around it. Pure.
 */

export type Point = readonly [x: number, y: number]

export interface Trend {
  /** Of the line, from its first x to its last. */
  readonly growth: number
  /** The standard error of that growth: two of them are seldom exceeded by chance. */
  readonly growthError: number
  /** Growth for each unit of x. */
  readonly slope: number
}

const SURE_ERRORS = 2

/** Nothing can be said of fewer than three points: no growth, of any size. */
export function trendOf (points: readonly Point[]): Trend {
  if (points.length < 3) return { growth: 0, growthError: Infinity, slope: 0 }
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const spreadX = sum(points.map(([x]) => (x - meanX) ** 2))
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spreadX
  const misses = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2))
  const slopeError = Math.sqrt(misses / (points.length - 2) / spreadX)
  const span = points.at(-1)![0] - points[0]![0]
  return { growth: slope * span, growthError: slopeError * span, slope }
}

/** Whether it has surely grown by more than this. */
export function isRising ({ growth, growthError }: Trend, tolerance: number): boolean {
  return growth - SURE_ERRORS * growthError > tolerance
}

/** The later half: what is made once, at first, is no growth. */
export function steadyPart<T> (samples: readonly T[]): readonly T[] {
  return samples.slice(Math.floor(samples.length / 2))
}

function mean (values: readonly number[]): number {
  return sum(values) / values.length
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
