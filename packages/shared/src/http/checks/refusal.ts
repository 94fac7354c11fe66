/**
 * What a client reads when its request is refused before any handler has seen it: one complete,
 * well-formed reply that closes the connection. Made here as bytes, because a request that could
 * not be parsed has no ServerResponse to answer it with. Holds no state.
 */
import { STATUS_CODES } from 'node:http'

export type RefusalStatus = 400 | 405 | 408 | 413 | 414 | 417 | 421 | 431 | 501 | 505

/**
 * @param allow the value of `Allow`, told with 405. @param isHead leaves the body out.
 * @param bodyBytesMax what 413 names as the limit, where it is known
 */
export function refusalBytes (
  status: RefusalStatus, allow: string, isHead: boolean, bodyBytesMax?: number
): Buffer {
  const limit = status === 413 && bodyBytesMax !== undefined
    ? `: the body may have ${bodyBytesMax} bytes at most`
    : ''
  const body = `${status} ${STATUS_CODES[status]}${limit}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    // RFC 9111 section 4.2.2 would let a cache keep 405, 414 and 501.
    'Cache-Control: no-store',
    ...(status === 405 ? [`Allow: ${allow}`] : []),
    `Content-Length: ${body.length}`,
    'Connection: close'
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${isHead ? '' : body}`, 'latin1')
}
