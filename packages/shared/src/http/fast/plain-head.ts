/**
 * The requests that the fast door answers itself: a whole GET or HEAD of HTTP/1.1, alone in what
 * was read, with a strict head, no body and nothing that changes how the connection goes on but
 * `Connection: close`. Everything else is for the checked server to judge. Reads bytes as they
 * stand and makes texts of those fields only that handlers read. Holds no connection.
 */
import { HEADER_LINES_MAX } from '../checks/request-head.ts'
import { parseAuthority } from '../vocabulary/authority.ts'
import type { Peer, RequestSource } from '../vocabulary/forwarded.ts'
import { HttpRequest } from '../vocabulary/http-request.ts'
import { NO_BODY, REQUEST_FIELDS, type RequestFields } from '../vocabulary/values.ts'
import { CONNECTION, COOKIE, knownField, NOT_PLAIN, octetsOf, OTHER } from './field-names.ts'
import { noLines, KeptHead } from './kept-head.ts'
import { TextPool } from './text-pool.ts'

/** Longer heads are rare; the checked server knows the limit of all. */
export const PLAIN_HEAD_BYTES_MAX = 8192

export interface PlainHead {
  readonly request: HttpRequest
  /** False: the client has said `Connection: close`. */
  readonly isKeptAlive: boolean
}

export type ReadSource = (headers: RequestFields, peer: Peer) => RequestSource

const GET = octetsOf('GET /')
const HEAD = octetsOf('HEAD /')
const VERSION = octetsOf(' HTTP/1.1\r\n')
const END = octetsOf('\r\n\r\n')

/** What a byte may stand in: a bit for each, none for a carriage return. */
const TOKEN = 1
const PATH = 2
const TARGET = 4
const VALUE = 8
/** RFC 9110 sections 5.5 and 5.6.2; the target as parseTarget takes it. */
const GRAMMAR: ReadonlyArray<readonly [bit: number, octets: RegExp]> = [
  [TOKEN, /[!#$%&'*+.^_`|~0-9A-Za-z-]/],
  [PATH, /[!\x24-\x3b=\x40-\x7e]/],
  [TARGET, /[!\x24-\x3b=\x3f-\x7e]/],
  [VALUE, /[\t\x20-\x7e\x80-\xff]/]
]
const OCTETS = Uint8Array.from({ length: 256 }, (_, code) => GRAMMAR.reduce(
  (bits, [bit, octets]) => octets.test(String.fromCharCode(code)) ? bits | bit : bits, 0))

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const QUESTION_MARK = 0x3f

const NOT_A_LINE = -1

export class PlainHeadReader {
  readonly #readSource: ReadSource
  readonly #texts = new TextPool()
  /** Of the head that is being read. */
  #lines = noLines(REQUEST_FIELDS.length)
  /** The last well-formed host: clients name the same one again and again. */
  #host: string | undefined
  /** The buffer that was read last, and a view of it. */
  #bytes: Buffer = NO_BODY
  #view: DataView = new DataView(new ArrayBuffer(0))

  constructor (readSource: ReadSource) {
    this.#readSource = readSource
  }

  /** For the first heads of all connections. */
  readonly firstHead = this.newKeptHead()

  /** For a connection, which gives it with each of its heads from the second one on. */
  newKeptHead (): KeptHead {
    return new KeptHead(noLines(REQUEST_FIELDS.length))
  }

  /**
   * Undefined for what is not such a request. @param length of `bytes`, so many were read
   * @param kept the head before it, and then this one, unless the connection ends with it
   */
  read (bytes: Buffer, length: number, peer: Peer, kept: KeptHead): PlainHead | undefined {
    // Everything below stops at a carriage return, and so at the first of these.
    const isWhole = isAt(bytes, length - END.length, END)
    const method = isWhole && length <= PLAIN_HEAD_BYTES_MAX ? methodOf(bytes) : undefined
    if (method === undefined) return undefined
    const pathFrom = method.length + 1
    const pathEnd = endOf(PATH, bytes, pathFrom)
    const targetEnd = bytes[pathEnd] === QUESTION_MARK ? endOf(TARGET, bytes, pathEnd) : pathEnd
    if (!isAt(bytes, targetEnd, VERSION)) return undefined
    const firstAt = targetEnd + VERSION.length
    const connection = this.#readFields(bytes, firstAt, length, kept)
    if (connection === undefined) return undefined
    const headers = toFields(this.#lines.values)
    if (!this.#isHost(headers.host)) return undefined
    if (connection === 'keep-alive') this.#keep(kept, bytes, length, firstAt)
    else kept.forget()
    const path = this.#texts.read(bytes, pathFrom, pathEnd)
    const query = pathEnd === targetEnd ? '' : bytes.toString('latin1', pathEnd, targetEnd)
    const source = this.#readSource(headers, peer)
    return {
      request: new HttpRequest(method, path, query, headers, NO_BODY, source),
      isKeptAlive: connection === 'keep-alive'
    }
  }

  #isHost (host: string | undefined): boolean {
    if (host === undefined) return false
    if (host === this.#host) return true
    if (parseAuthority(host) === undefined) return false
    this.#host = host
    return true
  }

  #keep (kept: KeptHead, bytes: Buffer, length: number, firstAt: number): void {
    const { lines } = kept
    kept.lines = this.#lines
    this.#lines = lines
    kept.keep(bytes, length, firstAt)
  }

  /** Undefined when the head is not plain after all. @param at where the first field begins */
  #readFields (
    bytes: Buffer, at: number, length: number, kept: KeptHead
  ): 'keep-alive' | 'close' | undefined {
    const view = this.#viewOf(bytes)
    const { values, fields, ends } = this.#lines
    for (let field = 0; field < values.length; field++) values[field] = undefined
    let connection: 'keep-alive' | 'close' | undefined
    let line = 0
    for (; at < length - 2; line++) {
      if (line === HEADER_LINES_MAX) return undefined
      const sameBytes = kept.sameLine(line, view, at, length)
      const isSame = sameBytes > 0
      const colon = isSame ? at : endOf(TOKEN, bytes, at)
      const end = isSame ? at + sameBytes : this.#lineEnd(bytes, at, colon, length)
      const field = isSame ? kept.lines.fields[line]! : knownField(bytes, at, colon)
      if (end === NOT_A_LINE || field === NOT_PLAIN) return undefined
      if (field === CONNECTION) {
        if (connection !== undefined) return undefined
        connection = isSame ? 'keep-alive' : connectionOption(this.#valueOf(bytes, field, colon, end))
        if (connection === undefined) return undefined
      } else if (field !== OTHER) {
        if (values[field] !== undefined) return undefined
        values[field] = isSame ? kept.lines.values[field] : this.#valueOf(bytes, field, colon, end)
      }
      ends[line] = at = end
      fields[line] = field
    }
    this.#lines.count = line
    return connection ?? 'keep-alive'
  }

  #viewOf (bytes: Buffer): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    return this.#view
  }

  /** Where the next line begins. @param colon where the name ends, with a colon as it should be */
  #lineEnd (bytes: Buffer, at: number, colon: number, length: number): number {
    if (bytes[colon] !== COLON || colon === at) return NOT_A_LINE
    const end = this.#valueEnd(bytes, colon + 1, length)
    return bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : NOT_A_LINE
  }

  /** Where a value ends. Four bytes at a time, as long as all are visible ASCII or spaces. */
  #valueEnd (bytes: Buffer, at: number, length: number): number {
    const view = this.#view
    for (; at <= length - 4; at += 4) {
      const four = view.getInt32(at, true)
      const deletes = four ^ 0x7f7f7f7f
      // The top bit of a byte that is below the space, or that has become zero.
      const isOther = (four - 0x20202020 & ~four | deletes - 0x01010101 & ~deletes) & 0x80808080
      if (isOther !== 0) break
    }
    return endOf(VALUE, bytes, at)
  }

  /**
   * Without the white space around it, RFC 9110 section 5.5. Few requests have equal cookies.
   * @param end of the line
   */
  #valueOf (bytes: Buffer, field: number, colon: number, end: number): string {
    let from = colon + 1
    let to = end - 2
    while (from < to && isBlank(bytes[from]!)) from++
    while (to > from && isBlank(bytes[to - 1]!)) to--
    return field === COOKIE ? bytes.toString('latin1', from, to) : this.#texts.read(bytes, from, to)
  }
}

function methodOf (bytes: Buffer): 'GET' | 'HEAD' | undefined {
  if (isAt(bytes, 0, GET)) return 'GET'
  return isAt(bytes, 0, HEAD) ? 'HEAD' : undefined
}

/** The first byte from `at` on that may not stand there; a carriage return is one. */
function endOf (bit: number, bytes: Buffer, at: number): number {
  while ((OCTETS[bytes[at]!]! & bit) !== 0) at++
  return at
}

function connectionOption (value: string): 'keep-alive' | 'close' | undefined {
  if (value === 'keep-alive' || value === 'close') return value
  const lower = value.toLowerCase()
  return lower === 'keep-alive' || lower === 'close' ? lower : undefined
}

function isAt (bytes: Buffer, from: number, octets: Uint8Array): boolean {
  for (let at = 0; at < octets.length; at++) {
    if (bytes[from + at] !== octets[at]) return false
  }
  return true
}

function isBlank (octet: number): boolean {
  return octet === SPACE || octet === TAB
}

/** Every object of it has the same shape, which handlers read fastest. */
function toFields (
  values: ReadonlyArray<string | undefined>
): Record<typeof REQUEST_FIELDS[number], string | undefined> {
  return {
    host: values[0],
    cookie: values[1],
    'accept-encoding': values[2],
    origin: values[3],
    referer: values[4],
    'if-match': values[5],
    'if-none-match': values[6],
    'if-modified-since': values[7],
    'if-unmodified-since': values[8],
    'if-range': values[9],
    range: values[10],
    'sec-fetch-dest': values[11],
    'sec-fetch-mode': values[12],
    'sec-fetch-site': values[13],
    'sec-purpose': values[14],
    purpose: values[15],
    'x-moz': values[16],
    'x-purpose': values[17],
    'x-forwarded-for': values[18],
    'x-forwarded-host': values[19],
    'x-forwarded-proto': values[20],
    'x-forwarded-method': values[21],
    'x-forwarded-uri': values[22],
    'x-original-uri': values[23]
  }
}
