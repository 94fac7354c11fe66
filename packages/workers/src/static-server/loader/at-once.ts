/** Bounded concurrency. Holds no state. */

/** In no order. Rejects with the first error, when nothing runs any more. */
export async function atOnce<T> (
  count: number, list: readonly T[], work: (item: T) => Promise<void>
): Promise<void> {
  // All loops take from one generator; a loop that throws ends it for all of them.
  const rest = oneByOne(list)
  async function workOff (): Promise<void> {
    for (const item of rest) await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: count }, workOff))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

function * oneByOne<T> (list: readonly T[]): Generator<T, void, undefined> {
  yield * list
}
