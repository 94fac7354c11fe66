/**
 * The line that a chunk begins with, RFC 9112 section 7.1: its size, and extensions that nobody
 * uses, with optional white space around `;` and `=`. Read byte by byte by the scanner. Pure state.
 */
import { CR, LF, SPACE, TAB } from './bytes.ts'

/**
 * What becomes of a byte: the parser sees it; it is left out; it must be refused, for which the
 * parser is to see a space before it; it ends the line; or the parser refuses it by itself.
 */
export type ByteFate = 'kept' | 'left out' | 'spoilt' | 'end' | 'lost'

const QUOTE = 0x22
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const BACKSLASH = 0x5c
/** Each takes time; nobody writes more of it into a line. */
const SPACE_BYTES_MAX = 256

export class ChunkLine {
  #dataBytes = 0
  /** The byte before, white space left out. */
  #previous = 0
  #isInNumber = true
  #isQuoted = false
  #isSpaceLeftOut = false
  #spaceBytes = 0

  /** The size of the chunk as far as the line has come. */
  get dataBytes (): number {
    return this.#dataBytes
  }

  read (byte: number): ByteFate {
    if (byte === LF) return this.#previous === CR && !this.#isQuoted ? 'end' : 'lost'
    if (this.#previous === CR) return 'lost'
    if (this.#isQuoted) this.#readQuoted(byte)
    else if (byte === SPACE || byte === TAB) return this.#leaveOut()
    else if (!mayFollow(this.#previous, byte, this.#isSpaceLeftOut)) return 'spoilt'
    else this.#readToken(byte)
    return 'kept'
  }

  #readQuoted (byte: number): void {
    const isEscaped = this.#previous === BACKSLASH
    if (byte === QUOTE && !isEscaped) this.#isQuoted = false
    this.#previous = isEscaped ? 0 : byte
  }

  #leaveOut (): ByteFate {
    if (++this.#spaceBytes > SPACE_BYTES_MAX) return 'lost'
    this.#isInNumber = false
    this.#isSpaceLeftOut = true
    return 'left out'
  }

  #readToken (byte: number): void {
    const digit = this.#isInNumber ? parseInt(String.fromCharCode(byte), 16) : NaN
    if (Number.isNaN(digit)) this.#isInNumber = false
    else this.#dataBytes = this.#dataBytes * 16 + digit
    if (byte === QUOTE) this.#isQuoted = true
    this.#isSpaceLeftOut = false
    this.#previous = byte
  }
}

/** Whether section 7.1.1 has one behind the other, with white space or without. */
function mayFollow (before: number, byte: number, hasSpace: boolean): boolean {
  if (isJoint(before)) return !isJoint(byte) && byte !== CR
  return !hasSpace || isJoint(byte)
}

/** What stands before an extension's name or value, and may have white space around it. */
function isJoint (byte: number): boolean {
  return byte === SEMICOLON || byte === EQUALS
}
