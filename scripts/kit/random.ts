/**
 * Repeatable chance: the same seed and place give the same numbers on every machine, whatever was
 * drawn elsewhere. Owns nothing but its state.
 */

const WORDS = 2 ** 32

export class Random {
  #state: number

  /** @param place tells one sequence of a seed from another: its name's number, an index */
  constructor (seed: number, ...place: readonly number[]) {
    this.#state = place.reduce((state, part) => scramble(scramble(state) ^ part), seed)
  }

  /** 32 bits: mulberry32, which passes the usual tests of such short generators. */
  word (): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    return scramble(this.#state)
  }

  /** 0 to below 1. */
  share (): number {
    return this.word() / WORDS
  }

  /** A whole number, 0 to below `count`. */
  below (count: number): number {
    return Math.floor(this.share() * count)
  }

  /** A whole number, both ends included. */
  between (min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance (share: number): boolean {
    return this.share() < share
  }

  pick<T> (values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** One of the names, each as often as its weight says. */
  pickByWeight<K extends string | number> (weights: Readonly<Record<K, number>>): `${K}` {
    const entries = Object.entries<number>(weights) as Array<[`${K}`, number]>
    const sum = entries.reduce((total, [, weight]) => total + weight, 0)
    let at = this.share() * sum
    for (const [name, weight] of entries) {
      at -= weight
      if (at < 0) return name
    }
    return entries.at(-1)![0]
  }

  shuffled<T> (values: readonly T[]): T[] {
    const keys = values.map(value => ({ value, key: this.share() }))
    return keys.sort((a, b) => a.key - b.key).map(({ value }) => value)
  }

  /** Any bytes, as a text of Latin-1. */
  bytes (count: number): string {
    return Array.from({ length: count }, () => String.fromCharCode(this.below(256))).join('')
  }
}

function scramble (value: number): number {
  let word = value >>> 0
  word = Math.imul(word ^ (word >>> 15), word | 1)
  word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
  return (word ^ (word >>> 14)) >>> 0
}
