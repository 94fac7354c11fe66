/**
 * What a benchmark measured, as values: tables, plots and the verdict on each goal. Every part of
 * docs/performance.md is a function that returns them; `tables.ts` prints them.
 */

export interface ReportTable {
  /** Small letters and hyphens; names its anchor. */
  readonly id: string
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: ReadonlyArray<readonly string[]>
  /** Sentences below it: how it was measured, what to keep in mind. */
  readonly notes: readonly string[]
  /** What measures it again. */
  readonly command: string
}

export interface ReportPlot {
  /** Names its file, docs/performance/ID.svg. */
  readonly id: string
  readonly title: string
  /** With the unit. */
  readonly xLabel: string
  readonly yLabel: string
  readonly isLogX: boolean
  readonly isLogY: boolean
  readonly series: readonly PlotSeries[]
}

export interface PlotSeries {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

/** One figure of several, side by side. */
export interface ReportBars {
  /** Names its file, docs/performance/ID.svg. */
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly bars: ReadonlyArray<{ readonly name: string, readonly value: number }>
}

export interface GoalRow {
  readonly case: string
  readonly floor: string
  readonly goal: string
  readonly measured: string
  readonly verdict: Verdict
}

/** The goal is reached, at least the floor is, or not even that. */
export type Verdict = 'goal' | 'floor' | 'missed'

export interface BenchResult {
  readonly tables: readonly ReportTable[]
  readonly plots: readonly ReportPlot[]
  readonly bars?: readonly ReportBars[]
  readonly goals: readonly GoalRow[]
}

interface BenchOptions {
  /** Each side's measurements; the medians are of so many. */
  readonly rounds: number
  /** So few of everything that it is only seen whether all of it works. */
  readonly isTrial?: boolean
}

export type BenchPart = (options: BenchOptions) => Promise<BenchResult>

/** Higher is better where the goal is not below the floor; lower is better else. */
export function verdictOf (
  measured: number, limits: { readonly floor: number, readonly goal: number }
): Verdict {
  const { floor, goal } = limits
  const isMoreBetter = goal >= floor
  const reaches = (limit: number): boolean => isMoreBetter ? measured >= limit : measured <= limit
  if (reaches(goal)) return 'goal'
  return reaches(floor) ? 'floor' : 'missed'
}
