/**
 * A throw in an operation may have left a lock held. The thread must not live on with it: thrown
 * again where nobody catches, the error ends a worker (and the coordinator repairs) or the program.
 */
export function endingThread (error: unknown): unknown {
  process.nextTick(() => { throw error })
  return error
}
