/**
 * Bounded concurrency: many requests for one action, a few at a time. Stops at the first that
 * fails: what comes after it would fail, too, or not be expected. Pure but for the requests.
 */
import type { Failure } from './api.ts'

export interface BatchResult {
  readonly doneCount: number
  readonly failure: Failure | undefined
}

/** The monitor carries out one after the other; further ones are in flight meanwhile. */
export const AT_A_TIME_MAX = 4

/** @param onDone told after each, of how many are done */
export async function withBoundedConcurrency<Item> (
  items: readonly Item[], act: (item: Item) => Promise<Failure | undefined>,
  onDone: (doneCount: number) => void
): Promise<BatchResult> {
  let next = 0
  let doneCount = 0
  let failure: Failure | undefined
  const work = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const failed = await act(items[next++]!)
      if (failed === undefined) onDone(++doneCount)
      else failure ??= failed
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME_MAX }, work))
  return { doneCount, failure }
}
