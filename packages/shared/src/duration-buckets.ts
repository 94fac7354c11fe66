/**
 * Durations counted in buckets that are narrow enough for a percentile: a microsecond wide below
 * 100 us, then 90 buckets per factor of ten, up to 100 s. Their edges are decimal, so coarser
 * buckets made of them are exact. Computes only; any thread.
 */

export const DURATION_BUCKETS = 640
/** Longer ones share the last bucket. */
const LONGEST_US = 1e8 - 1

export function bucketOf (durationMs: number): number {
  let rest = Math.max(0, Math.min(Math.floor(durationMs * 1000), LONGEST_US))
  let decade = 0
  while (rest >= 100) {
    rest = Math.floor(rest / 10)
    decade++
  }
  return decade * 90 + rest
}

/** Where a bucket begins, and the one before it ends. */
export function bucketStartMs (bucket: number): number {
  const decade = Math.max(0, Math.floor((bucket - 10) / 90))
  return (bucket - decade * 90) * 10 ** decade / 1000
}

/**
 * The duration that this share of all (0 to 1) does not exceed, taken as evenly spread within a
 * bucket; undefined when none was counted.
 */
export function quantileMs (counts: ArrayLike<number>, share: number): number | undefined {
  let left = share * sumOf(counts)
  let last: number | undefined
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket]!
    if (count === 0) continue
    const startMs = bucketStartMs(bucket)
    last = bucketStartMs(bucket + 1)
    if (left <= count) return startMs + (last - startMs) * left / count
    left -= count
  }
  return last // Floating point may leave a crumb.
}

function sumOf (counts: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < counts.length; at++) sum += counts[at]!
  return sum
}
