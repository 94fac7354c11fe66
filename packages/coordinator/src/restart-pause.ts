/**
 * How long a dead worker's replacement waits: not at all the first time, longer and longer while
 * it keeps dying. Computes only.
 */

/** A worker that has lived for so long has earned a new start without a pause. */
const HEALTHY_AFTER_MS = 10_000
/** By deaths in a row. A replacement is up within a second of a first death. */
const PAUSES_MS = [0, 100, 500, 1000, 2000, 5000, 10_000] as const

export interface Restart {
  /** This death included. */
  readonly deathsInARow: number
  readonly pauseMs: number
}

/** @param deathsBefore in a row, up to the start of the worker that has now died */
export function nextRestart (deathsBefore: number, livedMs: number): Restart {
  const deathsInARow = livedMs >= HEALTHY_AFTER_MS ? 1 : deathsBefore + 1
  const at = Math.min(deathsInARow, PAUSES_MS.length) - 1
  return { deathsInARow, pauseMs: PAUSES_MS[at]! }
}
