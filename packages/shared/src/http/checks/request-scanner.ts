/**
 * Reads what a client sends one step before node:http's parser, and puts it into words that the
 * parser reads as RFC 9112 says: see `mend`. Says also what a request began with that came in
 * pieces. The parser stays the judge of what is a request: what it is to refuse passes unchanged.
 * One for each connection; runs in its thread.
 *
 *     between -> line -> fields -> between, body, or size <-> data, then trailers -> between
 */
import type { ParserError } from './broken-request.ts'
import { CR, LF, TAB } from './bytes.ts'
import { ChunkLine } from './chunk-line.ts'

/** Where in a request the next byte is; lost: behind what the parser refuses. */
type Place = 'between' | 'line' | 'fields' | 'body' | 'size' | 'data' | 'trailers' | 'lost'

/** A part of a chunk that the parser is to see as something else. */
interface Edit {
  readonly at: number
  length: number
  text: string
}

/** Where the parser stopped: in the mended chunk, or between two chunks. */
type Stop = Pick<ParserError, 'rawPacket' | 'bytesParsed'>

const DIGIT_2 = 0x32
const DIGIT_9 = 0x39

/** Enough for any method that the parser knows, and the first of its target. */
const BEGINNING_LENGTH = 32
const VERSION = ' HTTP/1.'
/** The parser refuses longer ones. */
const FIELD_LENGTH_MAX = 16_384
const HEAD_LENGTH_USUAL = 4096
const PLAIN_LINE = /^[A-Z]+ [^ \r\n]+ HTTP\/1\.[01]\r\n/
const FIELDS_END = '\n\r\n'
const FRAMING_LINE = /\n(?:content-length|transfer-encoding):/i
const FRAMING_FIELD = /^(content-length|transfer-encoding):(.*)\r$/i
const CHUNKED = /^[ \t]*chunked[ \t]*$/i
const LENGTH = /^[ \t]*\d+[ \t]*$/
const FRAMING_NAME = /^(?:content-length|transfer-encoding):/i

export class RequestScanner {
  #place: Place = 'between'
  /** What the current request began with; behind its line, with an LF. */
  #beginning = ''
  /** The same of the request that the latest chunk went on with, and where in it others began. */
  #earlier = ''
  #starts: number[] = []
  /** What earlier chunks had of the line: of a request line the end, of a field all of it. */
  #line = ''
  /** Of the body as the head announces it; undefined until it does. */
  #framing: 'chunked' | number | undefined
  /** Still to come of the body, or of a chunk with its line end. */
  #bytesLeft = 0
  #chunkLine = new ChunkLine()
  /** Between requests: a CR whose LF has not come. */
  #isAfterCr = false
  #edits: Edit[] = []
  /** By how much the edits so far have made the chunk longer. */
  #growth = 0

  /**
   * What the parser is to be given instead of the next bytes: the same, but for
   *  - a CR before the request line without its LF (section 2.2), which it takes for an empty line;
   *  - a later minor version than 1 (RFC 9110 section 2.5), of which it knows none;
   *  - a tab in a length or a coding (section 5), where it knows spaces only;
   *  - white space in a chunk extension (section 7.1.1), of which it knows none.
   */
  mend (chunk: Buffer): Buffer {
    this.#earlier = this.#beginning
    if (this.#starts.length > 0) this.#starts = []
    if (this.#place === 'between' && !this.#isAfterCr && isWholeAndPlain(chunk)) {
      this.#starts.push(0)
      return chunk
    }
    let at = 0
    while (at < chunk.length) at = this.#read(chunk, at)
    if (this.#edits.length === 0) return chunk
    const mended = applyEdits(chunk, this.#edits, this.#growth)
    this.#edits = []
    this.#growth = 0
    return mended
  }

  /**
   * The beginning of the request in which the parser stopped, as far as it came and no further than
   * where it stopped.
   */
  beginningAt ({ rawPacket, bytesParsed = 0 }: Stop): string {
    if (rawPacket === undefined) return this.#beginning
    const start = this.#starts.findLast(start => start <= bytesParsed)
    const text = rawPacket.toString('latin1', start ?? 0, bytesParsed)
    return start === undefined ? this.#earlier + text : text
  }

  /** Reads a part of the chunk and says where the next one begins. */
  #read (chunk: Buffer, at: number): number {
    switch (this.#place) {
      case 'between': return this.#readBetween(chunk, at)
      case 'line': return this.#readLine(chunk, at)
      case 'fields':
      case 'trailers': return this.#readField(chunk, at)
      case 'size': return this.#readSize(chunk, at)
      case 'body':
      case 'data': return this.#readBody(chunk, at)
      case 'lost': return chunk.length
    }
  }

  #readBetween (chunk: Buffer, at: number): number {
    const byte = chunk[at]!
    if (this.#isAfterCr && byte !== LF) return this.#spoil(chunk, at)
    this.#isAfterCr = byte === CR
    if (byte === CR || byte === LF) return at + 1
    this.#starts.push(at + this.#growth)
    this.#place = 'line'
    this.#line = ''
    return at
  }

  #readLine (chunk: Buffer, at: number): number {
    const lineEnd = chunk.indexOf(LF, at)
    const end = lineEnd === -1 ? chunk.length : lineEnd
    const text = this.#line + chunk.toString('latin1', at, end)
    if (this.#beginning.length < BEGINNING_LENGTH) {
      this.#beginning += chunk.toString('latin1', at, Math.min(end, at + BEGINNING_LENGTH))
    }
    // No target has a space in it. What stands behind the digit is for the parser to see.
    const version = text.indexOf(VERSION)
    const minorAt = at - this.#line.length + version + VERSION.length
    if (version !== -1 && minorAt >= at && minorAt < end) this.#mendMinor(chunk, minorAt)
    this.#line = text.slice(-VERSION.length)
    if (lineEnd === -1) return end
    this.#beginning += '\n'
    this.#framing = undefined
    this.#line = ''
    this.#place = text.endsWith('\r') ? 'fields' : 'lost'
    return lineEnd + 1
  }

  #mendMinor (chunk: Buffer, at: number): void {
    const digit = chunk[at]!
    if (digit >= DIGIT_2 && digit <= DIGIT_9) this.#edit(at, 1, '1')
  }

  #readField (chunk: Buffer, at: number): number {
    const end = this.#line === '' ? plainFieldsEnd(chunk, at) : undefined
    if (end === undefined) return this.#readFieldLine(chunk, at)
    this.#endFields()
    return end
  }

  #readFieldLine (chunk: Buffer, at: number): number {
    const lineEnd = chunk.indexOf(LF, at)
    const end = lineEnd === -1 ? chunk.length : lineEnd
    this.#line += chunk.toString('latin1', at, end)
    const isFraming = this.#place === 'fields' && FRAMING_NAME.test(this.#line)
    if (isFraming) this.#spaceForTabs(chunk, at, end)
    if (lineEnd === -1) {
      if (this.#line.length > FIELD_LENGTH_MAX) this.#place = 'lost'
      return end
    }
    if (!this.#line.endsWith('\r')) this.#place = 'lost'
    else if (this.#line === '\r') this.#endFields()
    else if (isFraming) this.#noteFraming(this.#line)
    this.#line = ''
    return lineEnd + 1
  }

  #spaceForTabs (chunk: Buffer, from: number, end: number): void {
    for (let at = from; at < end; at++) {
      if (chunk[at] === TAB) this.#edit(at, 1, ' ')
    }
  }

  /** RFC 9112 section 6.3. What is refused by its head has no body that matters. */
  #noteFraming (line: string): void {
    const [, name = '', value = ''] = FRAMING_FIELD.exec(line) ?? []
    const isCoding = name.length === 'transfer-encoding'.length
    const isGood = (isCoding ? CHUNKED : LENGTH).test(value)
    if (!isGood || this.#framing !== undefined) this.#place = 'lost'
    else this.#framing = isCoding ? 'chunked' : Number(value)
  }

  #endFields (): void {
    if (this.#place === 'fields' && this.#framing === 'chunked') return this.#beginSize()
    this.#bytesLeft = this.#place === 'fields' ? Number(this.#framing ?? 0) : 0
    if (this.#bytesLeft > 0) this.#place = 'body'
    else this.#endRequest()
  }

  #endRequest (): void {
    this.#place = 'between'
    this.#isAfterCr = false
    this.#beginning = ''
  }

  #readBody (chunk: Buffer, at: number): number {
    const bytes = Math.min(this.#bytesLeft, chunk.length - at)
    this.#bytesLeft -= bytes
    if (this.#bytesLeft === 0) {
      if (this.#place === 'data') this.#beginSize()
      else this.#endRequest()
    }
    return at + bytes
  }

  #beginSize (): void {
    this.#place = 'size'
    this.#chunkLine = new ChunkLine()
  }

  #readSize (chunk: Buffer, at: number): number {
    const fate = this.#chunkLine.read(chunk[at]!)
    if (fate === 'spoilt') return this.#spoil(chunk, at)
    if (fate === 'lost') return this.#lose(chunk)
    if (fate === 'left out') this.#edit(at, 1, '')
    if (fate === 'end') this.#endSize(this.#chunkLine.dataBytes)
    return at + 1
  }

  #endSize (dataBytes: number): void {
    this.#place = dataBytes === 0 ? 'trailers' : 'data'
    this.#bytesLeft = dataBytes + '\r\n'.length
  }

  /** A space before a byte where none may be, so that the parser refuses it. */
  #spoil (chunk: Buffer, at: number): number {
    this.#edit(at, 0, ' ')
    return this.#lose(chunk)
  }

  #lose (chunk: Buffer): number {
    this.#place = 'lost'
    return chunk.length
  }

  #edit (at: number, length: number, text: string): void {
    this.#growth += text.length - length
    const last = this.#edits.at(-1)
    // A run of white space is one edit: a chunk could be nothing else.
    if (last === undefined || last.at + last.length !== at) this.#edits.push({ at, length, text })
    else {
      last.length += length
      last.text += text
    }
  }
}

/**
 * Whether a chunk is one request without a body that needs no mending, as nearly all are: a shorter
 * way to what the scanner would find.
 */
function isWholeAndPlain (chunk: Buffer): boolean {
  if (chunk.length > HEAD_LENGTH_USUAL) return false
  const text = chunk.toString('latin1')
  return text.indexOf(FIELDS_END) === text.length - FIELDS_END.length &&
    PLAIN_LINE.test(text) && !FRAMING_LINE.test(text)
}

/** The end of the fields, when all that are to come are there and none says where a body ends. */
function plainFieldsEnd (chunk: Buffer, at: number): number | undefined {
  if (at === 0) return undefined
  // With the end of the line before, since there may be no field at all.
  const lineEnd = at - 1
  const end = chunk.indexOf(FIELDS_END, lineEnd)
  if (end === -1 || FRAMING_LINE.test(chunk.toString('latin1', lineEnd, end))) return undefined
  return end + FIELDS_END.length
}

function applyEdits (chunk: Buffer, edits: readonly Edit[], growth: number): Buffer {
  const mended = Buffer.alloc(chunk.length + growth)
  let from = 0
  let to = 0
  for (const { at, length, text } of edits) {
    to += chunk.copy(mended, to, from, at)
    to += mended.write(text, to, 'latin1')
    from = at + length
  }
  chunk.copy(mended, to, from)
  return mended
}
