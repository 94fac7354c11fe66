/**
 * Work that mostly has nothing to wait for: a generator that pauses where it has to. It runs at
 * once, without a promise, for as long as it does not pause. Owns no state; used by any thread.
 */

/** Is given what goes on with the work, to be called once: later, or in the call itself. */
export type Pause = (resume: () => void) => void

export type Steps<T> = Generator<Pause, T, void>

/** What `finish` makes of the steps' result, or a promise of it once one of them has paused. */
export function nowOrLater<T, R> (
  steps: Steps<T>, finish: (result: T) => R | Promise<R>
): R | Promise<R> {
  const first = steps.next()
  if (first.done === true) return finish(first.value)
  return new Promise((resolve, reject) => {
    const resume = (): void => {
      try {
        const { done, value } = steps.next()
        if (done === true) resolve(finish(value))
        else value(resume)
      } catch (error) {
        reject(error)
      }
    }
    first.value(resume)
  })
}
