/**
 * The one clock for everything that is measured or waited for: monotonic, the same in every thread
 * of the process, untouched by changes of the wall clock. Also the same clock set to the wall's
 * time. Owns no state.
 */
// The global of this name is a getter in Node 20, which costs a tenth of a reading.
import { performance } from 'node:perf_hooks'

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

/**
 * A clock that begins at a wall-clock time and from then on goes as the monotonic one: for stored
 * deadlines, which no change of the wall clock may extend or cut short. Whole milliseconds.
 * @param startWallMs the wall clock's time, or the newest time stored if that is later
 */
export function steadyWallClock (startWallMs: number, now = monotonicNowMs): () => number {
  const startMs = now()
  return () => Math.floor(startWallMs + (now() - startMs))
}

function measureOffsetMs (): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now()
}
