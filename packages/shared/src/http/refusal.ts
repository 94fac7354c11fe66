/**
 * What a client reads when its request is refused before any handler has seen it: one complete,
 * well-formed reply that closes the connection. Made here as bytes, because a request that could
 * not be parsed has no ServerResponse to answer it with. Holds no state.
 */
import { STATUS_CODES } from 'node:http'

export type RefusalStatus = 400 | 405 | 408 | 413 | 417 | 431 | 501 | 505

/** @param allow the value of `Allow`, told with 405. @param isHead leaves the body out. */
export function refusalBytes (status: RefusalStatus, allow: string, isHead: boolean): Buffer {
  const body = `${status} ${STATUS_CODES[status]}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    ...(status === 405 ? [`Allow: ${allow}`] : []),
    `Content-Length: ${body.length}`,
    'Connection: close'
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${isHead ? '' : body}`, 'latin1')
}

/** The errors of node:http's parser and timers, as its `clientError` event hands them over. */
export interface ParserError extends Error {
  readonly code?: string | undefined
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

/** The status for a request that broke off, or undefined when nobody is left to answer. */
export function refusalOfError (error: ParserError): RefusalStatus | undefined {
  const { code = '' } = error
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': return 408
    case 'HPE_HEADER_OVERFLOW': return 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW': return 413
    case 'HPE_INVALID_VERSION':
    case 'HPE_PAUSED_H2_UPGRADE': return 505
    case 'HPE_INVALID_METHOD': return hasRequestLine(error) ? 501 : 400
    default: return code.startsWith('HPE_') ? 400 : undefined
  }
}

/** RFC 9112 section 3; RFC 9110 section 9.1 asks for 501 when only the method is unknown. */
const REQUEST_LINE = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+ \S+ HTTP\/\d\.\d\r?$/
const LINE_LENGTH_MAX = 16_384

/** Whether the line that the parser stopped in is a request line all the same. */
function hasRequestLine ({ rawPacket, bytesParsed = 0 }: ParserError): boolean {
  if (rawPacket === undefined) return false
  const start = rawPacket.subarray(0, bytesParsed).lastIndexOf('\n') + 1
  const end = rawPacket.indexOf('\n', start)
  if (end === -1 || end - start > LINE_LENGTH_MAX) return false
  return REQUEST_LINE.test(rawPacket.toString('latin1', start, end))
}
