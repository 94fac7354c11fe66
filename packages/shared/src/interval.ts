/** setInterval as a value, so that tests can put their own clock in its place. Any thread. */

/** Returns the function that ends it. The timer keeps no thread alive. */
export type StartInterval = (ms: number, work: () => void) => () => void

export const startInterval: StartInterval = (ms, work) => {
  const timer = setInterval(work, ms)
  timer.unref()
  return () => { clearInterval(timer) }
}
