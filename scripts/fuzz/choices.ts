/**
 * Choices that a seed makes: the same seed and place give the same ones on every machine, whatever
 * was chosen elsewhere. Pure.
 */

const WORDS = 2 ** 32

export class Choices {
  #state: number

  /** @param place tells one sequence of a seed from another: its name's number, an index */
  constructor (seed: number, ...place: readonly number[]) {
    this.#state = place.reduce((state, part) => scramble(state ^ part), scramble(seed))
  }

  /** 32 bits: mulberry32, which passes the usual tests of such short generators. */
  word (): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    return scramble(this.#state)
  }

  /** 0 to below `count`. */
  below (count: number): number {
    return Math.floor(this.word() / WORDS * count)
  }

  /** Both ends included. */
  between (min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance (share: number): boolean {
    return this.word() < share * WORDS
  }

  pick<T> (values: readonly T[]): T {
    return values[this.below(values.length)]!
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
