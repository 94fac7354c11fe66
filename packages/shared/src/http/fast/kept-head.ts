/**
 * The last plain head of a connection, with what each of its lines said: the next head mostly has
 * the same lines but for a few, and a line that comes again is not read again. Written by the
 * reader of plain heads (plain-head.ts).
 */

/** What the lines of a head say, in arrays that are used again for the next one. */
export interface HeadLines {
  /** How many lines there are behind the request line. */
  count: number
  /** Where each of them ends and the next one begins. */
  ends: number[]
  /** Which field each is, as the reader numbers them. */
  fields: number[]
  /** In the order of REQUEST_FIELDS. */
  values: Array<string | undefined>
}

/** Heads of one connection differ by a few bytes. */
const ROOM_BYTES = 64
/** Heads that differ mostly do so in their path, which spares them the call. */
const BEGINNING_BYTES = 24

export function noLines (fieldCount: number): HeadLines {
  const values = new Array<string | undefined>(fieldCount).fill(undefined)
  return { count: 0, ends: [], fields: [], values }
}

export class KeptHead {
  lines: HeadLines
  #bytes = Buffer.alloc(0)
  #view: DataView = new DataView(this.#bytes.buffer)
  /** 0 when none is kept. */
  #length = 0
  /** Where the first line behind the request line begins. */
  #firstAt = 0

  constructor (lines: HeadLines) {
    this.lines = lines
  }

  /** Keeps these bytes, whose `lines` have been set. */
  keep (bytes: Buffer, length: number, firstAt: number): void {
    if (this.#bytes.length < length) {
      this.#bytes = Buffer.allocUnsafeSlow(length + ROOM_BYTES)
      this.#view = new DataView(this.#bytes.buffer)
    }
    bytes.copy(this.#bytes, 0, 0, length)
    this.#length = length
    this.#firstAt = firstAt
  }

  forget (): void {
    this.#length = 0
    this.lines.count = 0
  }

  /** Whether these are the same bytes again. */
  isSame (bytes: Buffer, length: number): boolean {
    if (length !== this.#length) return false
    const beginning = Math.min(length, BEGINNING_BYTES)
    for (let at = 0; at < beginning; at++) {
      if (bytes[at] !== this.#bytes[at]) return false
    }
    return bytes.compare(this.#bytes, beginning, length, beginning, length) === 0
  }

  /**
   * How many bytes the line has that stands there, if it is the same as that one of the kept head;
   * otherwise 0. @param view of bytes of which so many count
   */
  sameLine (line: number, view: DataView, at: number, length: number): number {
    const { count, ends } = this.lines
    if (line >= count) return 0
    const keptAt = line === 0 ? this.#firstAt : ends[line - 1]!
    const size = ends[line]! - keptAt
    if (at + size > length) return 0
    const kept = this.#view
    let offset = 0
    for (; offset <= size - 4; offset += 4) {
      if (view.getInt32(at + offset) !== kept.getInt32(keptAt + offset)) return 0
    }
    for (; offset < size; offset++) {
      if (view.getUint8(at + offset) !== kept.getUint8(keptAt + offset)) return 0
    }
    return size
  }
}
