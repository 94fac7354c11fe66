/**
 * Transfer-Encoding: `chunked`, once, in HTTP/1.1 and without a length, or the request is refused.
 * The bodies are right in chunks, and end before what a length or no framing at all would end.
 */
import { accepted, get, HOST, post, refused, SECOND, type HttpCase } from './http-case.ts'

const BODY = '3\r\nabc\r\n0\r\n\r\n'

/** @param lines behind Host, with their line ends */
function coded (lines: string): string {
  return post(lines, BODY)
}

function coding (value: string): string {
  return coded(`Transfer-Encoding: ${value}\r\n`)
}

export const TRANSFER_CODINGS: readonly HttpCase[] = [
  accepted('9112 7.1', 'a body in chunks', coding('chunked'), ['POST /']),
  accepted('9112 7', 'chunked in capitals', coding('CHUNKED'), ['POST /']),
  accepted('9112 7', 'chunked with one capital', coding('Chunked'), ['POST /']),
  accepted('9110 5.1', 'a name in capitals', coded('TRANSFER-ENCODING: chunked\r\n'), ['POST /']),
  accepted('9110 5.5', 'a space behind chunked', coding('chunked '), ['POST /']),
  accepted('9110 5.5', 'a tab before chunked', coding('\tchunked'), ['POST /']),
  accepted('9110 5.5', 'a tab behind chunked', coding('chunked\t'), ['POST /']),
  accepted('9110 5.5', 'spaces and tabs around chunked', coding('\t chunked \t '), ['POST /']),
  accepted('9112 6.3', 'a GET with chunks', get('Transfer-Encoding: chunked\r\n') + BODY),
  accepted(
    '9112 6.3', 'a body in chunks that is a request',
    post('Transfer-Encoding: chunked\r\n', `${SECOND.length.toString(16)}\r\n${SECOND}\r\n0\r\n\r\n`), ['POST /']
  ),

  refused('9112 6.1', 400, 'an empty Transfer-Encoding', coding('')),
  refused('9112 6.3', 400, 'a body whose last coding is not chunked', coding('gzip')),
  refused('9112 6.3', 400, 'chunked, then another', coding('chunked, gzip')),
  refused('9112 7', 400, 'identity', coding('identity')),
  refused('9112 7', 400, 'chunked, then identity', coding('chunked, identity')),
  refused('9112 6.1', 501, 'a coding we do not know', coding('gzip, chunked')),
  refused('9112 6.1', 501, 'a coding we do not know, between tabs', coding('\tgzip\t,\tchunked\t')),
  refused('9112 6.1', 501, 'identity, then chunked', coding('identity, chunked')),
  refused('9112 6.1', 501, 'a coding we do not know on a line of its own', coded('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.1', 400, 'chunked twice', coding('chunked, chunked')),
  refused('9112 6.1', 400, 'two lines of chunked', coded('Transfer-Encoding: chunked\r\n'.repeat(2))),
  refused('9112 6.1', 400, 'a line of chunked and one of identity', coded('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n')),
  refused('9112 6.1', 400, 'an empty line and one of chunked', coded('Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.1', 400, 'chunked behind a comma', coding(', chunked')),
  refused('9112 6.1', 400, 'chunked before a comma', coding('chunked,')),
  refused('9112 7', 400, 'chunked that is not quite', coding('xchunked')),
  refused('9112 7', 400, 'chunked and a letter', coding('chunkedx')),
  refused('9112 7', 400, 'chunked, short', coding('chunk')),
  refused('9112 7', 400, 'chunked with a space in it', coding('chun ked')),
  refused('9112 7', 400, 'chunked with a byte past ASCII', coding('chunke\xe4d')),
  refused('9112 7.1', 400, 'chunked with a parameter', coding('chunked;a=b')),
  refused('9112 7', 400, 'chunked in quotes', coding('"chunked"')),
  refused('9112 7', 400, 'chunked in single quotes', coding("'chunked'")),
  refused('9112 7', 400, 'chunked behind a vertical tab', coding('\x0bchunked')),
  refused('9112 7', 400, 'chunked behind a form feed', coding('\x0cchunked')),
  refused('9112 7', 400, 'chunked before a NUL', coding('chunked\0')),
  refused('9112 7', 400, 'chunked with a tab in it', coding('chun\tked')),
  refused('9112 6.3', 400, 'chunked with a tab, and a length with one', coded('Transfer-Encoding: chunked\t\r\nContent-Length: 3\t\r\n')),
  refused('9112 2.2', 400, 'chunked before a bare CR', coding('chunked\r')),
  refused('9112 2.2', 400, 'chunked behind a bare CR', coding('\rchunked')),
  refused('9112 5.2', 400, 'chunked on a folded line', coding('\r\n chunked')),
  refused('9112 5.2', 400, 'chunked and a folded line', coding('chunked\r\n , identity')),
  refused('9112 5.1', 400, 'a space before the colon of a coding', coded('Transfer-Encoding : chunked\r\n')),
  refused('9112 5.1', 400, 'a tab before the colon of a coding', coded('Transfer-Encoding\t: chunked\r\n')),
  refused('9112 5.1', 400, 'a space before the name', coded(' Transfer-Encoding: chunked\r\n')),
  refused('9112 5', 400, 'a control character before the name', coded('\x01Transfer-Encoding: chunked\r\n')),
  refused('9112 2.2', 400, 'chunked behind a bare LF', coded('X: 1\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.1', 400, 'chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${BODY}`),
  refused(
    '9112 6.1', 400, 'chunked and a length in HTTP/1.0 that keeps the connection',
    `POST / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n${BODY}`
  ),
  refused('9112 6.3', 400, 'chunked and a length', coded('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n')),
  refused('9112 6.3', 400, 'a length and chunked', coded('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.3', 400, 'a length that is right in both ways', coded(`Content-Length: ${BODY.length}\r\nTransfer-Encoding: chunked\r\n`)),
  refused('9112 6.3', 400, 'a length of 0 and chunked', coded('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.3', 400, 'a length and chunked that is not quite', coded('Content-Length: 3\r\nTransfer-Encoding: xchunked\r\n')),
  refused('9112 6.3', 400, 'a length and an empty coding', post('Content-Length: 3\r\nTransfer-Encoding:\r\n', 'abc')),
  refused('9112 6.3', 400, 'a length and identity', post('Content-Length: 3\r\nTransfer-Encoding: identity\r\n', 'abc')),
  {
    // An underscore makes it another field, so there is no body.
    name: 'chunks of a coding with an underscore',
    rfc: '9110 5.1',
    bytes: coded('Transfer_Encoding: chunked\r\n') + SECOND,
    statuses: [200, 400],
    isKept: false,
    seen: ['POST /']
  }
]
