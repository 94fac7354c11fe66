/** Figures as the benchmarks print them. */

/** The median, and from where to where. */
export function spread (values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, median, high] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!]
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

/** The value that `share` of all values do not exceed. */
export function quantile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
