/**
 * The texts of fields that come again and again: one that is known is found by its bytes and not
 * made once more. Belongs to one door, of fixed size: a text gives way to the next one of its slot.
 */

const SLOTS = 1024
/** Longer texts are made each time. */
const POOLED_BYTES_MAX = 128
const FNV_PRIME = 0x01000193

export class TextPool {
  readonly #texts = new Array<string>(SLOTS).fill('')

  /** The bytes from `from` to before `to` as latin1. */
  read (bytes: Buffer, from: number, to: number): string {
    const length = to - from
    if (length > POOLED_BYTES_MAX) return bytes.toString('latin1', from, to)
    let hash = length
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME)
    const slot = (hash ^ hash >>> 16) & (SLOTS - 1)
    const known = this.#texts[slot]!
    if (known.length === length && isTextAt(bytes, from, known)) return known
    const text = bytes.toString('latin1', from, to)
    this.#texts[slot] = text
    return text
  }
}

/** Whether these characters, all of latin1, stand in `bytes` from `at` on. */
export function isTextAt (bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false
  }
  return true
}
