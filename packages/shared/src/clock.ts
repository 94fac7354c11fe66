/**
 * The one clock for everything that is measured or waited for: monotonic, the same in every thread
 * of the process, untouched by changes of the wall clock. Owns no state.
 */

/** A thread put aside between its two readings measures too little, so the most is right. */
const MEASUREMENTS = 5

/** Moves `performance.now()`, whose zero is the process's or the thread's, to the system's zero. */
const offsetMs = Math.max(...Array.from({ length: MEASUREMENTS }, measureOffsetMs))

/**
 * Milliseconds since an arbitrary instant, with a fraction. Equal in all threads (CLOCK_MONOTONIC).
 */
export function monotonicNowMs (): number {
  return performance.now() + offsetMs
}

function measureOffsetMs (): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now()
}
