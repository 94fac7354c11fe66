/** Content-Length: one number of digits, or the request is refused. */
import { accepted, get, post, refused, SECOND, type HttpCase } from './http-case.ts'

function length (value: string): string {
  return post(`Content-Length: ${value}\r\n`, 'abc')
}

export const LENGTHS: readonly HttpCase[] = [
  accepted('9112 6.3', 'a body with a length', length('3'), ['POST /']),
  accepted('9112 6.3', 'a body of length 0', post('Content-Length: 0\r\n', ''), ['POST /']),
  accepted('9112 6.3', 'a body of the longest length', post('Content-Length: 1024\r\n', 'x'.repeat(1024)), ['POST /']),
  accepted('9110 5.5', 'spaces around a length', length('  3  '), ['POST /']),
  accepted('9110 5.5', 'a tab before a length', length('\t3'), ['POST /']),
  accepted('9110 5.1', 'the name of a length in any case', post('cONTENT-lENGTH: 3\r\n', 'abc'), ['POST /']),
  accepted('9110 8.6', 'a length with leading zeros is decimal', length('0003'), ['POST /']),
  accepted('9110 8.6', 'a length of two zeros', post('Content-Length: 00\r\n', ''), ['POST /']),
  accepted('9110 5.1', 'an underscore is another name', post('Content_Length: 30\r\n', ''), ['POST /']),
  accepted('9110 9.3.1', 'a GET with a body', get('Content-Length: 3\r\n') + 'abc'),
  accepted('9112 6.3', 'a GET whose body is a request', get(`Content-Length: ${SECOND.length}\r\n`) + SECOND),
  accepted('9112 6.3', 'a POST whose body is a request', post(`Content-Length: ${SECOND.length}\r\n`, SECOND), ['POST /']),

  refused('9112 6.3', 400, 'two different lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd')),
  refused('9112 6.3', 400, 'two equal lengths', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('9112 6.3', 400, 'two lengths, the first one empty', post('Content-Length:\r\nContent-Length: 3\r\n', 'abc')),
  refused('9112 6.3', 400, 'two lengths of different case', post('Content-Length: 3\r\ncontent-length: 3\r\n', 'abc')),
  refused('9112 6.3', 400, 'a length and 0', post(`Content-Length: ${SECOND.length}\r\nContent-Length: 0\r\n`, '')),
  refused('9110 8.6', 400, 'a list of equal lengths', length('3, 3')),
  refused('9110 8.6', 400, 'a list of different lengths', length('3, 30')),
  refused('9110 8.6', 400, 'a list with an empty member', length('3,')),
  refused('9110 8.6', 400, 'a list that begins with an empty member', length(',3')),
  refused('9110 8.6', 400, 'an empty length', length('')),
  refused('9110 8.6', 400, 'a length of spaces', length('  ')),
  refused('9110 8.6', 400, 'a negative length', length('-3')),
  refused('9110 8.6', 400, 'a negative zero', length('-0')),
  refused('9110 8.6', 400, 'a length with a sign', length('+3')),
  refused('9110 8.6', 400, 'a length in hex', length('0x3')),
  refused('9110 8.6', 400, 'a length in octal', length('0o3')),
  refused('9110 8.6', 400, 'a length with a fraction', length('3.0')),
  refused('9110 8.6', 400, 'a length with an exponent', length('3e0')),
  refused('9110 8.6', 400, 'a length with an underscore', length('1_0')),
  refused('9110 8.6', 400, 'a length with a space in it', length('3 3')),
  refused('9110 8.6', 400, 'a length in quotes', length('"3"')),
  refused('9110 8.6', 400, 'a length with a parameter', length('3;a=b')),
  refused('9110 8.6', 400, 'a length with a letter behind it', length('3a')),
  refused('9110 8.6', 400, 'a word for a length', length('three')),
  refused('9110 8.6', 400, 'a length of another script', length('\xb3')),
  refused('9110 8.6', 400, 'a length with a NUL', length('3\0')),
  refused('9110 8.6', 400, 'a length past all numbers', length('9'.repeat(30))),
  refused('9110 8.6', 400, 'a length that is 3 past 64 bits', length('18446744073709551619')),
  refused('9110 15.5.14', 413, 'a length that is 3 past 32 bits', length('4294967299')),
  refused('9110 15.5.14', 413, 'a length of 63 bits', length('9223372036854775807')),
  refused('9110 15.5.14', 413, 'a length far over the limit', post('Content-Length: 1000000\r\n', 'x'.repeat(1025))),
  refused('9112 5.1', 400, 'a space before the colon of a length', post('Content-Length : 3\r\n', 'abc')),
  refused('9112 5.2', 400, 'a length on a folded line', post('Content-Length:\r\n 3\r\n', 'abc')),
  refused('9112 2.2', 400, 'a length behind a bare LF', post('X: 1\nContent-Length: 3\r\n', 'abc')),
  refused('9112 2.2', 400, 'a length behind a bare CR', post('X: 1\rContent-Length: 3\r\n', 'abc')),
  {
    name: 'a byte more than the length says',
    rfc: '9112 6.3',
    bytes: post('Content-Length: 3\r\n', 'abc\0') + SECOND,
    statuses: [200, 400],
    isKept: false,
    seen: ['POST /']
  }
]
