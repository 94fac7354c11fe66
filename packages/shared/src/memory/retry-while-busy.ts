/**
 * What the main thread does when another thread holds a shard: it tries again on the next turns of
 * the event loop, where a dead owner's lock is freed meanwhile, and gives up after so many. Workers
 * wait for the lock itself and are never told `busy`; see `Patience` in table-view.ts.
 */
import { nowOrLater, type Steps } from '../now-or-later.ts'
import type { Busy } from './table-view.ts'

/** A shard is locked for microseconds, or until a dead worker's lock is recovered: some 10 ms. */
export const BUSY_RETRIES_MAX = 1000

/** What the operation returned at last; `busy` if it was busy BUSY_RETRIES_MAX times. */
export async function retryWhileBusy<T> (operation: () => T | Busy): Promise<T | Busy> {
  return await nowOrLater(whileBusy(operation), outcome => outcome)
}

/** The same as a part of other steps: pauses only while the operation is busy. */
export function * whileBusy<T> (operation: () => T | Busy): Steps<T | Busy> {
  for (let retry = 0; retry < BUSY_RETRIES_MAX; retry++) {
    const outcome = operation()
    if (outcome !== 'busy') return outcome
    yield setImmediate
  }
  return 'busy'
}
