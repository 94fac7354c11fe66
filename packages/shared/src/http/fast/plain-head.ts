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
import { KeptHead } from './kept-head.ts'
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

export class PlainHeadReader {
  readonly #readSource: ReadSource
  readonly #texts = new TextPool()
  /** The last well-formed host: clients name the same one again and again. */
  #host: string | undefined
  /** The buffer that was read last, and a view of it. */
  #bytes: Buffer = NO_BODY
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** Of the head that was read last: where the lines that have changed begin and end. */
  #changedFrom = 0
  #changedTo = 0

  constructor (readSource: ReadSource) {
    this.#readSource = readSource
  }

  /** For the first heads of all connections. */
  readonly firstHead = this.newKeptHead()

  /** For a connection, which gives it with each of its heads from the second one on. */
  newKeptHead (): KeptHead {
    return new KeptHead(REQUEST_FIELDS.length)
  }

  /** Whether the same bytes are kept. @param length of `bytes`, so many were read */
  isSame (bytes: Buffer, length: number, kept: KeptHead): boolean {
    return kept.isSame(this.#viewOf(bytes), length)
  }

  /**
   * Undefined for what is not such a request. @param length of `bytes`, so many were read
   * @param kept the head before it, and then this one
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
    const linesAt = targetEnd + VERSION.length
    if (!this.#readLines(bytes, linesAt, length, kept) || !this.#isHost(kept.values[0])) {
      kept.forget()
      return undefined
    }
    kept.keep(this.#view, length, linesAt, this.#changedFrom, this.#changedTo)
    const headers = toFields(kept.values)
    const path = this.#texts.read(bytes, pathFrom, pathEnd)
    const query = pathEnd === targetEnd ? '' : bytes.toString('latin1', pathEnd, targetEnd)
    const source = this.#readSource(headers, peer)
    return {
      request: new HttpRequest(method, path, query, headers, NO_BODY, source),
      isKeptAlive: kept.isKeptAlive
    }
  }

  #isHost (host: string | undefined): boolean {
    if (host === undefined) return false
    if (host === this.#host) return true
    if (parseAuthority(host) === undefined) return false
    this.#host = host
    return true
  }

  /** False when the head is not plain after all. @param at where the first line begins */
  #readLines (bytes: Buffer, at: number, length: number, kept: KeptHead): boolean {
    const view = this.#viewOf(bytes)
    const { sizes } = kept
    this.#changedFrom = length
    this.#changedTo = at
    let keptAt = kept.linesAt
    for (let line = 0; ; line++) {
      let same = line < kept.count ? kept.sameBytes(view, at, length, keptAt) : 0
      for (; line < kept.count && sizes[line]! <= same; line++) {
        same -= sizes[line]!
        at += sizes[line]!
        keptAt += sizes[line]!
      }
      if (at >= length - 2) {
        if (line < kept.count) kept.cut(line)
        return true
      }
      const keptSize = line < kept.count ? sizes[line]! : 0
      if (line === HEADER_LINES_MAX) return false
      if (!this.#readLine(bytes, at, length, kept, line, same)) return false
      const size = sizes[line]!
      this.#changedFrom = Math.min(this.#changedFrom, at)
      keptAt += keptSize
      at += size
      this.#changedTo = size === keptSize ? Math.max(this.#changedTo, at) : length
    }
  }

  /** @param same so many bytes of the line are the same as in the kept one */
  #readLine (
    bytes: Buffer, at: number, length: number, kept: KeptHead, line: number, same: number
  ): boolean {
    const { sizes, nameSizes, fields, values } = kept
    const isSameName = line < kept.count && same > nameSizes[line]!
    const colon = isSameName ? at + nameSizes[line]! : endOf(TOKEN, bytes, at)
    if (bytes[colon] !== COLON || colon === at) return false
    // What is the same is well-formed, but for the end of the line.
    const valueFrom = isSameName ? at + Math.min(same, sizes[line]! - 2) : colon + 1
    const end = this.#valueEnd(bytes, valueFrom, length)
    if (bytes[end] !== CR || bytes[end + 1] !== LF) return false
    const field = isSameName ? fields[line]! : knownField(bytes, at, colon)
    if (field === NOT_PLAIN) return false
    if (line < kept.count && field !== fields[line]) kept.cut(line)
    const isNew = line >= kept.count
    if (isNew) kept.count = line + 1
    sizes[line] = end + 2 - at
    nameSizes[line] = colon - at
    fields[line] = field
    if (field === OTHER) return true
    const value = this.#valueOf(bytes, field, colon, end)
    if (field === CONNECTION) {
      const option = connectionOption(value)
      kept.isKeptAlive = option === 'keep-alive'
      return option !== undefined && !(isNew && fields.indexOf(CONNECTION) < line)
    }
    if (isNew && values[field] !== undefined) return false
    values[field] = value
    return true
  }

  #viewOf (bytes: Buffer): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    return this.#view
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
   * @param to where the line ends
   */
  #valueOf (bytes: Buffer, field: number, colon: number, to: number): string {
    let from = colon + 1
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
