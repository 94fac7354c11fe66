/**
 * How many have arrived since the list was loaded, from first pages by `first_seen`: those who are
 * in the later one, not in the earlier one, and were first seen no earlier than all in it. Pure.
 */
import type { User } from '@usher/shared/api/users.ts'

/** A moment may differ by this from answer to answer, through rounding. */
const ROUNDING_MS = 20

export class Arrivals {
  #known: ReadonlySet<string> | undefined
  #newestMs = 0
  #count = 0
  #isMore = false

  /** The list has been loaded anew: the next page is what later ones are compared with. */
  forget (): void {
    this.#known = undefined
    this.#count = 0
    this.#isMore = false
  }

  /** @param newestFirst as many as are compared, or all there are */
  hear (newestFirst: readonly User[]): void {
    if (this.#known === undefined) {
      this.#known = new Set(newestFirst.map(({ id }) => id))
      this.#newestMs = newestFirst[0] === undefined ? 0 : Date.parse(newestFirst[0].first_seen)
      return
    }
    const known = this.#known
    // Arrivals are told in whole seconds, hence those of the same one, too.
    const sinceMs = this.#newestMs - ROUNDING_MS
    const fresh = newestFirst.filter(user =>
      !known.has(user.id) && Date.parse(user.first_seen) >= sinceMs)
    this.#count = fresh.length
    this.#isMore = fresh.length > 0 && fresh.length === newestFirst.length && known.size > 0
  }

  get count (): number {
    return this.#count
  }

  /** There may be more than `count`: the page had room for no others. */
  get isMore (): boolean {
    return this.#isMore
  }
}
