/**
 * The texts of fields that come again and again: one that is known is found by its bytes and not
 * made once more. Belongs to one door, of fixed size: a text gives way to the next one of its slot.
 */

const SLOTS = 512
/** Longer texts are made each time. */
const POOLED_BYTES_MAX = 64
const FNV_PRIME = 0x01000193

export class TextPool {
  readonly #texts = new Array<string>(SLOTS).fill('')
  /** Those of each text, POOLED_BYTES_MAX for a slot. */
  readonly #bytes = new Uint8Array(SLOTS * POOLED_BYTES_MAX)

  /** The bytes from `from` to before `to` as latin1. */
  read (bytes: Buffer, from: number, to: number): string {
    const length = to - from
    if (length > POOLED_BYTES_MAX) return bytes.toString('latin1', from, to)
    let hash = length
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME)
    const slot = (hash ^ hash >>> 16) & (SLOTS - 1)
    const known = this.#texts[slot]!
    const pooled = this.#bytes
    const pooledFrom = slot * POOLED_BYTES_MAX
    if (known.length === length && areSame(bytes, from, pooled, pooledFrom, length)) return known
    const text = bytes.toString('latin1', from, to)
    this.#texts[slot] = text
    for (let at = 0; at < length; at++) pooled[pooledFrom + at] = bytes[from + at]!
    return text
  }
}

/** Whether so many bytes are the same in both, each from its own index on. */
function areSame (
  a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number
): boolean {
  for (let at = 0; at < length; at++) {
    if (a[aFrom + at] !== b[bFrom + at]) return false
  }
  return true
}
