/**
 * The checks of a request head that node:http leaves out: it answers 200 to heads that RFC 9110 and
 * RFC 9112 say to refuse. Looks at one parsed head and says why not; touches no socket.
 */
import { METHODS, type IncomingMessage } from 'node:http'
import { parseAuthority } from '../vocabulary/authority.ts'
import { parseTarget } from '../vocabulary/target.ts'
import type { Target } from '../vocabulary/target.ts'
import type { RefusalStatus } from './refusal.ts'

/** What the checks read; an IncomingMessage is one. */
export type RequestHead =
  Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'rawHeaders' | 'headers'>

/** The whole head, request line, field lines and the empty line, with their line ends. */
export const HEAD_BYTES_MAX = 16_384
export const HEADER_LINES_MAX = 100

/** The parser takes a few more, in requests of RTSP, and does not say so. */
const HTTP_METHODS: ReadonlySet<string> = new Set(METHODS)

/** The head's target when the request may go on, or the status that refuses it. */
export function checkHead (head: RequestHead, bodyBytesMax: number): Target | RefusalStatus {
  const { method = '', url = '' } = head
  if (head.httpVersion === '0.9') return 400 // what the parser calls a line without a version
  if (head.httpVersion !== '1.1' && head.httpVersion !== '1.0') return 505
  if (!HTTP_METHODS.has(method)) return 400
  if (head.rawHeaders.length / 2 > HEADER_LINES_MAX) return 431
  // RFC 9112 section 3: 414 where the target is to blame.
  if (headBytes(head) > HEAD_BYTES_MAX) return url.length > HEAD_BYTES_MAX / 2 ? 414 : 431
  if (method === 'CONNECT') return checkConnect(head, bodyBytesMax)
  const target = parseTarget(method, url)
  if (target === undefined) return 400
  return refusalOfFields(head, bodyBytesMax) ?? (method === 'TRACE' ? 405 : target)
}

/** RFC 9110 section 9.3.6: it names a host and a port, and nothing else. */
function checkConnect (head: RequestHead, bodyBytesMax: number): RefusalStatus {
  if (parseAuthority(head.url ?? '')?.port === undefined) return 400
  return refusalOfFields(head, bodyBytesMax) ?? 405
}

function headBytes ({ method = '', url = '', rawHeaders }: RequestHead): number {
  // Two spaces, the version and a line end; the empty line; a colon, a space and a line end each.
  let bytes = method.length + url.length + 12 + 2 + rawHeaders.length * 2
  for (const part of rawHeaders) bytes += part.length
  return bytes
}

function refusalOfFields (head: RequestHead, bodyBytesMax: number): RefusalStatus | undefined {
  const isHttp11 = head.httpVersion === '1.1'
  const { hosts, codings, lengths } = framingFields(head.rawHeaders)
  // RFC 9112 section 3.2.
  if (hosts.length > 1 || (hosts.length === 0 && isHttp11)) return 400
  if (hosts.length === 1 && parseAuthority(hosts[0]!) === undefined) return 400
  // RFC 9112 section 6.3.
  if (lengths.length > 1 || (lengths.length === 1 && !/^\d+$/.test(lengths[0]!))) return 400
  if (codings.length > 0) {
    if (!isHttp11 || lengths.length > 0) return 400
    const refusal = refusalOfCodings(codings)
    if (refusal !== undefined) return refusal
  }
  if (expectations(head).some(member => member !== '100-continue')) return 417
  return Number(lengths[0] ?? 0) > bodyBytesMax ? 413 : undefined
}

/** The values of the fields that must not be ambiguous, one element for each line. */
function framingFields (rawHeaders: readonly string[]) {
  const hosts: string[] = []
  const codings: string[] = []
  const lengths: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    const value = rawHeaders[at + 1]!
    // The length first: it spares most names the lower-case copy.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(value)
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') codings.push(value)
    if (name.length === 14 && name.toLowerCase() === 'content-length') lengths.push(value)
  }
  return { hosts, codings, lengths }
}

/**
 * RFC 9112 section 6.1: 501 for a coding we do not know; section 6.3: 400 when the body has no end
 * because `chunked` is not the last one, and for `chunked` upon `chunked`, which is not allowed.
 */
function refusalOfCodings (lines: readonly string[]): RefusalStatus | undefined {
  const codings = lines.join(',').split(',').map(coding => coding.trim().toLowerCase())
  if (codings.at(-1) !== 'chunked') return 400
  if (codings.length === 1) return undefined
  return codings.indexOf('chunked') < codings.length - 1 || codings.includes('') ? 400 : 501
}

/** The members of `Expect`, lower-case; RFC 9110 section 10.1.1 ignores those of HTTP/1.0. */
function expectations ({ httpVersion, headers: { expect } }: RequestHead): readonly string[] {
  return httpVersion === '1.1' && expect !== undefined ? members(expect) : []
}

/** The members of a list, lower-case; empty ones do not count (RFC 9110 section 5.6.1.2). */
function members (list: string): readonly string[] {
  return list.split(',').map(member => member.trim().toLowerCase()).filter(member => member !== '')
}

/** Whether the client waits for a 100 before it sends the body; of a head that was not refused. */
export function expectsContinue (head: RequestHead): boolean {
  return expectations(head).length > 0
}

/**
 * Whether the client wants the connection closed. The parser misses `close` between tabs, and where
 * HTTP/1.0 names `keep-alive` too (RFC 9112 section 9.3: `close` wins).
 */
export function asksToClose ({ headers: { connection } }: RequestHead): boolean {
  // What browsers send, and all that a plain request costs.
  if (connection === undefined || connection === 'keep-alive') return false
  return members(connection).includes('close')
}

/** Whether a body follows the head, RFC 9112 section 6.3. */
export function hasBody (head: RequestHead): boolean {
  if (head.headers['transfer-encoding'] !== undefined) return true
  return Number(head.headers['content-length'] ?? 0) > 0
}
