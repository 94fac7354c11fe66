/**
 * The last plain head of a connection, with what each of its lines says: the next head mostly has
 * the same lines but for a few, and a line that comes again is not read again. The reader of plain
 * heads (plain-head.ts) changes in it what has changed.
 */
import { CONNECTION, OTHER } from './field-names.ts'

/** Heads of one connection differ by a few bytes. */
const ROOM_BYTES = 64

export class KeptHead {
  /** How many lines there are behind the request line. */
  count = 0
  /** Of each line: how many bytes it has, how many its name has, and the number of its field. */
  readonly sizes: number[] = []
  readonly nameSizes: number[] = []
  readonly fields: number[] = []
  /** In the order of REQUEST_FIELDS. */
  readonly values: Array<string | undefined>
  /** False: the client has said `Connection: close`. */
  isKeptAlive = true
  /** Its bytes, as far as they are of a line. */
  view = new DataView(new ArrayBuffer(0))
  /** Where the first line begins; the request line stands before it. */
  linesAt = 0
  /** Of the lines, and the empty one behind them. */
  #linesBytes = 0
  /** 0 when none is kept. */
  #length = 0

  constructor (fieldCount: number) {
    this.values = new Array<string | undefined>(fieldCount).fill(undefined)
  }

  /** Whether these are the same bytes again. */
  isSame (view: DataView, length: number): boolean {
    if (length !== this.#length) return false
    const from = this.linesAt + this.#linesBytes - length
    return sameBytes(view, 0, this.view, from, length) === length
  }

  /** How many bytes are the same there, up to the empty line. @param keptAt where in this one */
  sameBytes (view: DataView, at: number, length: number, keptAt: number): number {
    const keptBytes = this.linesAt + this.#linesBytes - keptAt
    return sameBytes(view, at, this.view, keptAt, Math.min(length - at, keptBytes) - 2)
  }

  /**
   * Keeps these bytes, whose lines have been set.
   * @param linesAt where the first line begins in `view`
   * @param from where the first line begins that has changed
   * @param to where the last one ends; `length` when one has moved
   */
  keep (view: DataView, length: number, linesAt: number, from: number, to: number): void {
    const linesBytes = length - linesAt
    const isRoomy = linesAt <= this.linesAt && this.linesAt + linesBytes <= this.view.byteLength
    if (!isRoomy) {
      this.linesAt = linesAt + ROOM_BYTES
      this.view = new DataView(new ArrayBuffer(this.linesAt + linesBytes + ROOM_BYTES))
    }
    const moved = this.linesAt - linesAt
    if (isRoomy) {
      copyBytes(view, 0, this.view, moved, linesAt)
      copyBytes(view, from, this.view, moved + from, to - from)
    } else {
      copyBytes(view, 0, this.view, moved, length)
    }
    this.#length = length
    this.#linesBytes = linesBytes
  }

  /** Forgets this line and those behind it. */
  cut (line: number): void {
    for (let at = line; at < this.count; at++) {
      const field = this.fields[at]!
      if (field === CONNECTION) this.isKeptAlive = true
      else if (field !== OTHER) this.values[field] = undefined
    }
    this.count = line
  }

  forget (): void {
    this.cut(0)
    this.#length = 0
  }
}

/** How many bytes are the same in both, each from its own index on, of `length`. */
function sameBytes (
  a: DataView, aAt: number, b: DataView, bAt: number, length: number
): number {
  let offset = 0
  // Eight at a time. Those that are no number differ from themselves, and are looked at below.
  while (offset <= length - 8) {
    if (a.getFloat64(aAt + offset, true) !== b.getFloat64(bAt + offset, true)) break
    offset += 8
  }
  while (offset < length && a.getUint8(aAt + offset) === b.getUint8(bAt + offset)) offset++
  return Math.max(offset, 0)
}

function copyBytes (
  from: DataView, fromAt: number, to: DataView, toAt: number, length: number
): void {
  let offset = 0
  for (; offset <= length - 4; offset += 4) {
    to.setInt32(toAt + offset, from.getInt32(fromAt + offset, true), true)
  }
  for (; offset < length; offset++) to.setUint8(toAt + offset, from.getUint8(fromAt + offset))
}
