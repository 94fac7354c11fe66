/**
 * The requests that the fast door answers itself: a whole GET or HEAD of HTTP/1.1, alone in what
 * was read, with a strict head, no body and nothing that changes how the connection goes on but
 * `Connection: close`. Everything else is for the checked server to judge. Holds no connection.
 */
import { HEADER_LINES_MAX } from '../checks/request-head.ts'
import { parseAuthority } from '../vocabulary/authority.ts'
import type { Peer, RequestSource } from '../vocabulary/forwarded.ts'
import { HttpRequest } from '../vocabulary/http-request.ts'
import { NO_BODY, REQUEST_FIELDS, type RequestFields } from '../vocabulary/values.ts'

/** Longer heads are rare; the checked server knows the limit of all. */
export const PLAIN_HEAD_BYTES_MAX = 8192

export interface PlainHead {
  readonly request: HttpRequest
  /** False: the client has said `Connection: close`. */
  readonly isKeptAlive: boolean
}

export type ReadSource = (headers: RequestFields, peer: Peer) => RequestSource

/** The target as parseTarget takes it, RFC 9112 sections 3 and 5: no line is folded, none empty. */
const PLAIN_HEAD = new RegExp('^(?:GET|HEAD) /[!\\x24-\\x3b=\\x3f-\\x7e]* HTTP/1\\.1\\r\\n' +
  '(?:[!#$%&\'*+.^_`|~0-9A-Za-z-]+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)+\\r\\n$')

type FieldName = typeof REQUEST_FIELDS[number]
/** What a field is to this door: one that handlers read, or one that decides by itself. */
type Known = FieldName | 'connection' | 'not plain'

/** Fields of a body, and those by which the client wants something besides a reply. */
const NOT_PLAIN = [
  'content-length', 'transfer-encoding', 'expect', 'upgrade', 'http2-settings', 'trailer',
  'proxy-connection', 'keep-alive'
]

/** All known names by their length, which spares most fields a comparison. */
const KNOWN_BY_LENGTH = byLength([
  ...REQUEST_FIELDS.map(name => [name, name] as const),
  ...NOT_PLAIN.map(name => [name, 'not plain'] as const),
  ['connection', 'connection']
])

/** Every object of it has the same shape, which handlers read fastest. */
const NO_FIELDS = Object.fromEntries(REQUEST_FIELDS.map(name => [name, undefined])) as
  Record<FieldName, string | undefined>

const SPACE = 0x20
const TAB = 0x09

export class PlainHeadReader {
  readonly #readSource: ReadSource
  /** The last well-formed host: clients name the same one again and again. */
  #host: string | undefined

  constructor (readSource: ReadSource) {
    this.#readSource = readSource
  }

  /** Undefined for what is not such a request. @param text all that was read, as latin1 */
  read (text: string, peer: Peer): PlainHead | undefined {
    if (!PLAIN_HEAD.test(text)) return undefined
    const lineEnd = text.indexOf('\r\n')
    const headers = { ...NO_FIELDS }
    const connection = readFields(text, lineEnd + 2, headers)
    const { host } = headers
    if (connection === undefined || host === undefined || !this.#isHost(host)) return undefined
    const method = text.startsWith('GET') ? 'GET' : 'HEAD'
    const target = text.slice(method.length + 1, lineEnd - ' HTTP/1.1'.length)
    const mark = target.indexOf('?')
    const path = mark === -1 ? target : target.slice(0, mark)
    const query = mark === -1 ? '' : target.slice(mark)
    const source = this.#readSource(headers, peer)
    return {
      request: new HttpRequest(method, path, query, headers, NO_BODY, source),
      isKeptAlive: connection === 'keep-alive'
    }
  }

  #isHost (host: string): boolean {
    if (host === this.#host) return true
    if (parseAuthority(host) === undefined) return false
    this.#host = host
    return true
  }
}

/** Undefined when the head is not plain after all. @param at where the first field begins */
function readFields (
  text: string, at: number, headers: Record<FieldName, string | undefined>
): 'keep-alive' | 'close' | undefined {
  let connection: 'keep-alive' | 'close' | undefined
  let lines = 0
  for (let end = text.indexOf('\r\n', at); end !== at; end = text.indexOf('\r\n', at)) {
    if (++lines > HEADER_LINES_MAX) return undefined
    const colon = text.indexOf(':', at)
    const known = knownName(text, at, colon)
    if (known === 'not plain') return undefined
    if (known === 'connection') {
      if (connection !== undefined) return undefined
      connection = connectionOption(valueOf(text, colon + 1, end))
      if (connection === undefined) return undefined
    } else if (known !== undefined) {
      if (headers[known] !== undefined) return undefined
      headers[known] = valueOf(text, colon + 1, end)
    }
    at = end + 2
  }
  return connection ?? 'keep-alive'
}

function connectionOption (value: string): 'keep-alive' | 'close' | undefined {
  if (value === 'keep-alive' || value === 'close') return value
  const lower = value.toLowerCase()
  return lower === 'keep-alive' || lower === 'close' ? lower : undefined
}

function knownName (text: string, from: number, to: number): Known | undefined {
  const names = KNOWN_BY_LENGTH[to - from]
  if (names === undefined) return undefined
  for (const { name, known } of names) {
    if (isName(text, from, name)) return known
  }
  return undefined
}

/** Letters in any case; the other characters of a known name are dashes and digits. */
function isName (text: string, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    if ((text.charCodeAt(from + at) | 0x20) !== name.charCodeAt(at)) return false
  }
  return true
}

/** Without the white space around it, RFC 9110 section 5.5. */
function valueOf (text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank (code: number): boolean {
  return code === SPACE || code === TAB
}

function byLength (
  names: ReadonlyArray<readonly [string, Known]>
): ReadonlyArray<ReadonlyArray<{ readonly name: string, readonly known: Known }> | undefined> {
  const lengths: Array<Array<{ name: string, known: Known }> | undefined> = []
  for (const [name, known] of names) (lengths[name.length] ??= []).push({ name, known })
  return Array.from(lengths)
}
