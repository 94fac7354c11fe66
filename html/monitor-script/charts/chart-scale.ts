/** Where the lines, ticks and labels of a chart go. Pure. */

/** Five ticks, a step apart. */
export interface LoadScale {
  readonly from: number
  readonly step: number
  readonly to: number
  /** It does not start at 0. */
  readonly isFitted: boolean
}

const INTERVALS = 4
/** Balanced lines would be one line on an axis from 0. */
const FITTED_SPREAD_MAX = 0.2
/** Below, an axis from 0 shows every single user. */
const FITTED_FROM = 20
const NICE_STEPS = [1, 2, 2.5, 5, 10]

/** @param canFit whether the axis may start above 0 */
export function loadScale (values: ReadonlyArray<number | null>, canFit: boolean): LoadScale {
  const known = values.filter(value => value !== null)
  const max = known.reduce((highest, value) => Math.max(highest, value), 0)
  const min = known.reduce((lowest, value) => Math.min(lowest, value), max)
  const isFitted = canFit && max >= FITTED_FROM && max - min < max * FITTED_SPREAD_MAX
  if (!isFitted) return scaleFrom(0, niceStep(max / INTERVALS), false)
  let step = niceStep(Math.max(1, (max - min) / INTERVALS))
  let from = startOf(min, step)
  while (from + INTERVALS * step < max) {
    step = niceStep(step + 1)
    from = startOf(min, step)
  }
  return scaleFrom(from, step, from > 0)
}

export function ticksOf ({ from, step }: LoadScale): number[] {
  return Array.from({ length: INTERVALS + 1 }, (_, at) => from + at * step)
}

/** Evenly over the time shown, both ends among them. */
export function timeTicks (fromMs: number, toMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => fromMs + (toMs - fromMs) * at / (count - 1))
}

/**
 * Labels that want to stand at these heights, moved apart until none covers another one. In the
 * order given; all within the bounds as long as there is room.
 */
export function spreadLabels (
  heights: readonly number[], apart: number, from: number, to: number
): number[] {
  const order = heights.map((_, at) => at).sort((a, b) => heights[a]! - heights[b]!)
  const placed = [...heights]
  let free = from
  for (const at of order) {
    placed[at] = Math.max(placed[at]!, free)
    free = placed[at]! + apart
  }
  let limit = to
  for (const at of order.reverse()) {
    placed[at] = Math.min(placed[at]!, limit)
    limit = placed[at]! - apart
  }
  return placed
}

/**
 * Of labels at these places those that have room; by index. The weightier one stays, and of equals
 * the one further right.
 */
export function roomyLabels (
  labels: ReadonlyArray<{ readonly place: number, readonly weight: number }>, apart: number
): Set<number> {
  const shown = new Set<number>()
  const byWeight = labels.map((_, at) => at).sort((a, b) =>
    labels[b]!.weight - labels[a]!.weight || labels[b]!.place - labels[a]!.place)
  for (const at of byWeight) {
    const isFree = [...shown].every(other =>
      Math.abs(labels[other]!.place - labels[at]!.place) >= apart)
    if (isFree) shown.add(at)
  }
  return shown
}

function scaleFrom (from: number, step: number, isFitted: boolean): LoadScale {
  return { from, step, to: from + INTERVALS * step, isFitted }
}

function startOf (min: number, step: number): number {
  return Math.floor(min / step) * step
}

/** The next step that is easy to count in; whole, because users are. */
function niceStep (atLeast: number): number {
  const wanted = Math.max(1, atLeast)
  const magnitude = 10 ** Math.floor(Math.log10(wanted))
  const nice = NICE_STEPS.map(step => step * magnitude)
    .find(step => step >= wanted && Number.isInteger(step))
  return nice ?? magnitude * 10
}
