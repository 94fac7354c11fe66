/**
 * Work that is done again and again, as a value that tests replace by their own clock. Such a timer
 * keeps no thread alive.
 */

/** Calls `work` every `ms` milliseconds; the function that it returns ends that. */
export type Every = (ms: number, work: () => void) => () => void

export const every: Every = (ms, work) => {
  const timer = setInterval(work, ms)
  timer.unref()
  return () => { clearInterval(timer) }
}
