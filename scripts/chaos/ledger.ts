/**
 * The plain model of who is where: for each key of the user table (an id, or an address) the places
 * where it may be. One place where an answer said so; several while a request is under way, or when
 * its connection died and it is not known. Knows nothing of requests.
 * Lives of the program are counted: what was said in an earlier one need not be so any more.
 */
import { monotonicNowMs } from '@usher/shared/clock.ts'

/** The port of a server; undefined for nowhere. */
export type Place = number | undefined

/** Of a key whose place turns out to be another one, so many of its last changes are told. */
const CHANGES_TOLD = 20

export class Ledger {
  readonly #places = new Map<string, Set<Place>>()
  /** What became known of each key, in order, and when. */
  readonly #history = new Map<string, Array<{ readonly ms: number, readonly what: string }>>()
  #life = 1

  /** To be noted before a request, for `set`. */
  get life (): number {
    return this.#life
  }

  /** The program has been killed: nobody is anywhere. */
  startLife (): void {
    this.#life++
    for (const key of this.#places.keys()) this.#note(key, 'a new life', [undefined])
  }

  placesOf (key: string): ReadonlySet<Place> {
    return this.#places.get(key) ?? NOWHERE
  }

  /** The one place where it certainly is; undefined for nowhere, and when it is not known. */
  certainPlaceOf (key: string): Place {
    const places = this.placesOf(key)
    const [place] = places
    return places.size === 1 ? place : undefined
  }

  /** A request that puts it there is under way, and may have done so whatever becomes of it. */
  maybe (key: string, place: Place): void {
    this.#note(key, `maybe ${textOf(place)}`, [...this.placesOf(key), place])
  }

  /** It was said to be there. @param life in which that was asked */
  set (key: string, place: Place, life = this.#life): void {
    if (life !== this.#life) return this.maybe(key, place)
    this.#note(key, `said ${textOf(place)}`, [place])
  }

  /** It was said to have left this server: if it was there, it is nowhere now. */
  left (key: string, place: Place): void {
    const others = [...this.placesOf(key)].filter(other => other !== place)
    this.#note(key, `left ${textOf(place)}`, [...others, undefined])
  }

  /** Whatever is under the one key may be under the other by now. */
  maybeReplaced (key: string, by: string): void {
    const places = this.placesOf(key)
    if (places.size === 1 && places.has(undefined)) return
    for (const place of places) this.maybe(by, place)
    this.maybe(key, undefined)
  }

  /**
   * What is otherwise than it was said, as sentences.
   * @param found where active users are: the port of a server, or GONE
   */
  differences (found: ReadonlyMap<string, number>, isServer: (port: number) => boolean): string[] {
    const wrong: string[] = []
    for (const [key, port] of found) {
      if (!this.#places.has(key)) wrong.push(`${key} is ${textOf(port)}, and has never been anywhere`)
    }
    for (const [key, places] of this.#places) {
      const port = found.get(key)
      if (port === GONE ? gone(places, isServer).length > 0 : places.has(port)) continue
      wrong.push(`${key} is ${textOf(port)}, and was said to be ` +
        `${[...places].map(textOf).join(' or ')} (${this.#told(key)})`)
    }
    return wrong
  }

  /** From here on it is known where each user is; those who are nowhere are forgotten. */
  settle (found: ReadonlyMap<string, number>, isServer: (port: number) => boolean): void {
    const before = new Map(this.#places)
    this.#places.clear()
    this.#history.clear()
    for (const [key, port] of found) {
      const places = port === GONE ? gone(before.get(key) ?? NOWHERE, isServer) : [port]
      this.#note(key, 'was found', places)
    }
  }

  #note (key: string, what: string, places: Iterable<Place>): void {
    this.#places.set(key, new Set(places))
    const history = this.#history.get(key) ?? []
    this.#history.set(key, [...history, { ms: monotonicNowMs(), what }].slice(-CHANGES_TOLD))
  }

  #told (key: string): string {
    const nowMs = monotonicNowMs()
    const changes = this.#history.get(key) ?? []
    return changes.map(({ ms, what }) => `${((nowMs - ms) / 1000).toFixed(2)} s ago ${what}`).join(', ')
  }
}

/** Of those who are at a server that was removed, which of these is not known. */
export const GONE = -1

function gone (places: ReadonlySet<Place>, isServer: (port: number) => boolean): readonly Place[] {
  return [...places].filter(place => place !== undefined && !isServer(place))
}

const NOWHERE: ReadonlySet<Place> = new Set([undefined])

function textOf (place: Place): string {
  if (place === undefined) return 'nowhere'
  return place === GONE ? 'at a server that was removed' : `at ${place}`
}
