/** Work that must not overlap, such as reloads and restarts, one after another. Any thread. */

/** Begins the work when all that was given before has ended; ends as the work does. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

export function oneAtATime (): InTurn {
  let earlier: Promise<unknown> = Promise.resolve()
  return work => {
    const turn = earlier.then(work)
    earlier = turn.catch(() => {})
    return turn
  }
}
