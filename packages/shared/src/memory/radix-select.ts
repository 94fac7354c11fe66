/**
 * Radix select: finds the position of a given rank among all that are offered, without sorting
 * them. Each pass counts how many keys have which value in the next 8 bits, from the highest on,
 * and so decides those bits of the wanted key. Works in steps, because a million keys in one piece
 * would hold the thread. Belongs to one search.
 */
import type { Position } from './first-slots.ts'

/** Positions looked at in one step: 0.1 ms, a few times that before it is compiled. */
const CHUNK = 8192
const BITS_PER_PASS = 8
const BINS = 2 ** BITS_PER_PASS
const KEY_BITS = 32
/**
 * Keys are signed; with their sign bit flipped their bits sort as those of unsigned ones. All are
 * kept as signed numbers: V8 makes an object of each unsigned one above 2^31.
 */
const SIGN = 0x80000000

/**
 * Chunks for the next search: of a million users they are 8 MB, which would be collected each time.
 * As many as that stay.
 */
const FREE_MAX = 256
const free: Int32Array[] = []

export class RadixSelect {
  /** How many of the keys that still match come before the wanted one. */
  #rank: number
  #count = 0
  readonly #keys: Int32Array[] = []
  readonly #places: Int32Array[] = []
  /** The bits that are known of the wanted key, and how many. */
  #known = 0
  #knownBits = 0
  #chunk = 0
  #bins = new Uint32Array(BINS)
  #found: Position | undefined

  /** @param rank 0 for the very first */
  constructor (rank: number) {
    this.#rank = rank
  }

  /** Places in ascending order. */
  offer (key: number, place: number): void {
    const at = this.#count++ % CHUNK
    if (at === 0) {
      this.#keys.push(free.pop() ?? new Int32Array(CHUNK))
      this.#places.push(free.pop() ?? new Int32Array(CHUNK))
    }
    this.#keys.at(-1)![at] = key ^ SIGN
    this.#places.at(-1)![at] = place
  }

  /** To be called when all are offered, until it returns true. */
  step (): boolean {
    const isDone = this.#rank >= this.#count ||
      (this.#knownBits === KEY_BITS && this.#findAmongEqual())
    if (isDone) this.#release()
    else if (this.#knownBits < KEY_BITS) this.#countChunk()
    return isDone
  }

  /** Undefined when fewer positions were offered. */
  get found (): Position | undefined {
    return this.#found
  }

  #release (): void {
    for (const chunk of [...this.#keys.splice(0), ...this.#places.splice(0)]) {
      if (free.length < FREE_MAX) free.push(chunk)
    }
  }

  #countChunk (): void {
    this.#countBins()
    if (++this.#chunk === this.#keys.length) this.#decide()
  }

  #countBins (): void {
    const keys = this.#chunkKeys()
    const bins = this.#bins
    const known = this.#known
    // A shift by all 32 bits would be none at all: of the first pass all keys are.
    const isFirst = this.#knownBits === 0
    const unknownBits = KEY_BITS - this.#knownBits
    const shift = unknownBits - BITS_PER_PASS
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!
      if (isFirst || key >>> unknownBits === known) bins[(key >>> shift) & (BINS - 1)]!++
    }
  }

  #decide (): void {
    let bin = 0
    while (this.#rank >= this.#bins[bin]!) this.#rank -= this.#bins[bin++]!
    this.#known = (this.#known << BITS_PER_PASS) | bin
    this.#knownBits += BITS_PER_PASS
    this.#bins.fill(0)
    this.#chunk = 0
  }

  /** Equal keys are in the order of their places. */
  #findAmongEqual (): boolean {
    const keys = this.#chunkKeys()
    for (let at = 0; at < keys.length; at++) {
      if (keys[at] !== this.#known || this.#rank-- > 0) continue
      this.#found = { key: this.#known ^ SIGN, place: this.#places[this.#chunk]![at]! }
      return true
    }
    this.#chunk++
    return false
  }

  #chunkKeys (): Int32Array {
    const isLast = this.#chunk === this.#keys.length - 1
    const keys = this.#keys[this.#chunk]!
    return isLast ? keys.subarray(0, this.#count - this.#chunk * CHUNK) : keys
  }
}
