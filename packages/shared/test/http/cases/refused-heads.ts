/**
 * Refusals of HEAD, which have no content whatever the reason (RFC 9110 section 9.3.2), also where
 * the parser has seen no more than the method when it stops.
 */
import { HOST, refused, type HttpCase } from './http-case.ts'

/** @param fields behind Host, then what follows the head */
function head (fields: string, body = '', target = '/', version = '1.1'): string {
  return `HEAD ${target} HTTP/${version}\r\n${HOST}${fields}\r\n${body}`
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n'

const OF_HEADS: ReadonlyArray<[status: number, name: string, bytes: string]> = [
  [400, 'without Host', 'HEAD / HTTP/1.1\r\n\r\n'],
  [400, 'with two Hosts', head(HOST)],
  [400, 'with a space before a colon', head('X : 1\r\n')],
  [400, 'with a folded line', head('X: 1\r\n 2\r\n')],
  [400, 'with a NUL in a value', head('X: a\0b\r\n')],
  [400, 'with a bare CR in a value', head('X: a\rb\r\n')],
  [400, 'with lines that end with LF', 'HEAD / HTTP/1.1\nHost: example.org\n\n'],
  [400, 'with a version that is none', head('', '', '/', '1.10')],
  [400, 'with a target without a slash', head('', '', 'a')],
  [400, 'with a target that has a NUL', head('', '', '/\0')],
  [400, 'with a bad length', head('Content-Length: x\r\n')],
  [400, 'with two lengths', head('Content-Length: 3\r\nContent-Length: 4\r\n')],
  [400, 'with a length and chunks', head(`${CHUNKED}Content-Length: 3\r\n`)],
  [400, 'with a coding that does not end', head('Transfer-Encoding: gzip\r\n')],
  [501, 'with a coding we do not know', head('Transfer-Encoding: gzip, chunked\r\n')],
  [417, 'with an expectation we do not know', head('Expect: miracles\r\n')],
  [413, 'with a length over the limit', head('Content-Length: 1000000\r\n')],
  [414, 'with a target over 16 KiB', head('', '', `/${'a'.repeat(17_000)}`)],
  [414, 'with a target of 100 KB', head('', '', `/${'a'.repeat(100_000)}`)],
  [421, 'with a target that wants TLS', head('', '', 'https://example.org/')],
  [431, 'with a field over 16 KiB', head(`X: ${'a'.repeat(17_000)}\r\n`)],
  [431, 'with a name of 100 KB', head(`${'X'.repeat(100_000)}: 1\r\n`)],
  [431, 'with 2,000 header lines', head('X:1\r\n'.repeat(2_000))],
  [505, 'of HTTP/2.0', head('', '', '/', '2.0')]
]

const OF_BODIES: ReadonlyArray<[status: number, name: string, body: string]> = [
  [400, 'with a chunk size that is no number', 'x\r\n'],
  [400, 'with a chunk longer than it says', '3\r\nabcd\r\n0\r\n\r\n'],
  [400, 'with a trailer without a colon', '0\r\nX\r\n\r\n'],
  [413, 'with an extension of 64 KiB', `3;${'a'.repeat(65_536)}\r\nabc\r\n0\r\n\r\n`],
  [431, 'with a trailer over 16 KiB', `0\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`]
]

export const REFUSED_HEADS: readonly HttpCase[] = [
  ...OF_HEADS.map(([status, name, bytes]) =>
    refused('9110 9.3.2', status, `HEAD ${name}`, bytes, { isHead: true })),
  ...OF_BODIES.map(([status, name, body]) =>
    refused('9110 9.3.2', status, `HEAD ${name}`, head(CHUNKED, body), { isHead: true, isBodyAtFault: true }))
]
