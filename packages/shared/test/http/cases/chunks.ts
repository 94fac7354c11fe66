/**
 * Bodies in chunks: sizes, extensions, line ends and trailers. A port that answers by the head has
 * done so when the parser meets what is wrong here; it must end the connection all the same.
 */
import { accepted, chunked, refusedBody, type HttpCase } from './http-case.ts'

const SEEN = ['POST /']

/** One chunk as it stands, then the end of the body. */
function chunk (text: string): string {
  return chunked(`${text}0\r\n\r\n`)
}

/** A good chunk, then the end as it stands. */
function ending (text: string): string {
  return chunked(`3\r\nabc\r\n${text}`)
}

const SIZES: readonly HttpCase[] = [
  accepted('9112 7.1', 'two chunks', chunk('3\r\nabc\r\n2\r\nde\r\n'), SEEN),
  accepted('9112 7.1', 'no chunk but the last', chunked('0\r\n\r\n'), SEEN),
  accepted('9112 7.1', 'a size in small letters', chunk('a\r\n0123456789\r\n'), SEEN),
  accepted('9112 7.1', 'a size in capitals', chunk('A\r\n0123456789\r\n'), SEEN),
  accepted('9112 7.1', 'a size with zeros before it', chunk(`${'0'.repeat(20)}3\r\nabc\r\n`), SEEN),
  accepted('9112 7.1', 'a last size of many zeros', ending('000000\r\n\r\n'), SEEN),
  accepted('9112 7.1', 'a chunk with line ends in it', chunk('4\r\n\r\n\r\n\r\n'), SEEN),
  refusedBody('9112 7.1', 400, 'a chunk size that is no number', chunk('x\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'an empty size', chunk('\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a chunk size with a sign', chunk('+3\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a negative size', chunk('-3\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a size with 0x', chunk('0x3\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a size with an underscore', chunk('0_3\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a size with a dot', chunk('3.0\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a space before a size', chunk(' 3\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a tab before a size', chunk('\t3\r\nabc\r\n')),
  // White space may stand before an extension only.
  refusedBody('9112 7.1.1', 400, 'a space behind a size', chunk('3 \r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a tab behind a size', chunk('3\t\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a NUL behind a size', chunk('3\0\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a size that is 3 past 64 bits', chunk('10000000000000003\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a size of 100 digits', chunk(`${'f'.repeat(100)}\r\nabc\r\n`)),
  refusedBody('9112 7.1', 400, 'a chunk longer than it says', chunk('3\r\nabcd\r\n')),
  refusedBody('9112 7.1', 400, 'a chunk shorter than it says', chunk('5\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'no end', chunked('3\r\nabc\r\n'))
]

const LINE_ENDS: readonly HttpCase[] = [
  refusedBody('9112 7.1', 400, 'no line end behind a chunk', chunk('3\r\nabc')),
  refusedBody('9112 7.1', 400, 'an LF behind a chunk', chunk('3\r\nabc\n')),
  refusedBody('9112 7.1', 400, 'a CR behind a chunk', chunk('3\r\nabc\r')),
  refusedBody('9112 7.1', 400, 'two bytes behind a chunk that are no line end', chunk('3\r\nabcXX')),
  refusedBody('9112 7.1', 400, 'an LF behind a size', chunk('3\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'a CR behind a size', chunk('3\rabc\r\n')),
  refusedBody('9112 7.1', 400, 'a CR and a letter behind a size', chunk('3\rXabc\r\n')),
  refusedBody('9112 7.1', 400, 'a CR CR LF behind a size', chunk('3\r\r\nabc\r\n')),
  refusedBody('9112 7.1', 400, 'an LF behind the last size', ending('0\n\r\n')),
  refusedBody('9112 7.1', 400, 'an LF as the last line', ending('0\r\n\n')),
  refusedBody('9112 7.1', 400, 'a CR as the last line', ending('0\r\n\r')),
  refusedBody('9112 7.1', 400, 'LF everywhere', chunked('3\nabc\n0\n\n'))
]

const EXTENSIONS: readonly HttpCase[] = [
  accepted('9112 7.1.1', 'an extension', chunk('3;a=b\r\nabc\r\n'), SEEN),
  accepted('9112 7.1.1', 'an extension without a value', chunk('3;a\r\nabc\r\n'), SEEN),
  accepted('9112 7.1.1', 'two extensions', chunk('3;a=b;c\r\nabc\r\n'), SEEN),
  accepted('9112 7.1.1', 'a quoted extension', chunk('3;a="b;c"\r\nabc\r\n'), SEEN),
  accepted('9112 7.1.1', 'a quoted extension with an escape', chunk('3;a="b\\"c"\r\nabc\r\n'), SEEN),
  ...[
    '3 ;a', '3\t;a', '3 \t ;\ta', '3; a', '3;a =b', '3;a= b', '3;a = b', '3 ; a = b', '3;a ;b', '3;a; b', '3;a=b ; c=d',
    '3 ; a = "b ; c" ; d', '3;a="b\tc"', '3;a= "b = \\" ; "', `3${' '.repeat(100)};a`
  ].map(line => accepted('9112 7.1.1', `white space in ${JSON.stringify(line)}`, chunk(`${line}\r\nabc\r\n`), SEEN)),
  accepted('9112 7.1.1', 'white space in an extension of the last chunk', ending('0 ; a = b\r\n\r\n'), SEEN),
  accepted('9112 7.1.1', 'white space in the extensions of two chunks', chunk('3 ;a\r\nabc\r\n2; b\r\nde\r\n'), SEEN),
  accepted('9112 7.1.1', 'a chunk that looks like an extension', chunk('6\r\n1 ; a \r\n'), SEEN),
  refusedBody('9112 7.1.1', 400, 'white space without end before an extension', chunk(`3${' '.repeat(300)};a\r\nabc\r\n`)),
  ...['3 3', '3\t3', '3;a b', '3;a=b c', '3;a="b" c', '3 a', '3 "a"', '3; ', '3 ; ', '3;a ', '3;a=b ', '3;a = ', '3 = a', '3;"a', '3;a="b ', ' 3;a', '3 ;;a', '3; ;a'].map(line =>
    refusedBody('9112 7.1.1', 400, `white space that is not optional in ${JSON.stringify(line)}`, chunk(`${line}\r\nabc\r\n`))),
  accepted('9112 7.1.1', 'an extension of the last chunk', ending('0;a=b\r\n\r\n'), SEEN),
  refusedBody('9112 7.1.1', 400, 'a semicolon and no extension', chunk('3;\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'two semicolons', chunk('3;;\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'two semicolons before an extension', chunk('3;;a\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'an extension with an empty value', chunk('3;a=\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'an extension with an empty value before another', chunk('3;a=;b\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a line end in a quoted extension', chunk('3;a="\r\n"\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a quote that does not end', chunk('3;a="b\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'an LF in an extension', chunk('3;a\nb\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'an LF behind an extension', chunk('3;a\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'an LF behind a semicolon', chunk('3;\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a CR in an extension', chunk('3;a\rb\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a NUL in an extension', chunk('3;a\0b\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 400, 'a control character in an extension', chunk('3;a=\x0b\r\nabc\r\n')),
  refusedBody('9112 7.1.1', 413, 'an extension of 64 KiB', chunk(`3;${'a'.repeat(65_536)}\r\nabc\r\n`))
]

const TRAILERS: readonly HttpCase[] = [
  accepted('9112 7.1.2', 'a trailer', ending('0\r\nX: 1\r\n\r\n'), SEEN),
  accepted('9112 7.1.2', 'three trailers', ending('0\r\nX: 1\r\nY:\r\nZ: 3\r\n\r\n'), SEEN),
  // RFC 9110 section 6.5.1: what a trailer says of routing or access is not listened to.
  accepted('9110 6.5.1', 'a Host in a trailer', ending('0\r\nHost: evil.example\r\n\r\n'), SEEN),
  accepted('9110 6.5.1', 'a cookie in a trailer', ending('0\r\nCookie: client_id=x\r\n\r\n'), SEEN),
  accepted('9110 6.5.1', 'an expectation in a trailer', ending('0\r\nExpect: miracles\r\n\r\n'), SEEN),
  accepted('9110 6.5.1', 'an upgrade in a trailer', ending('0\r\nUpgrade: h2c\r\n\r\n'), SEEN),
  refusedBody('9110 6.5.1', 400, 'a length in a trailer', ending('0\r\nContent-Length: 30\r\n\r\n')),
  refusedBody('9110 6.5.1', 400, 'a coding in a trailer', ending('0\r\nTransfer-Encoding: chunked\r\n\r\n')),
  refusedBody('9112 5', 400, 'a trailer without a colon', ending('0\r\nX\r\n\r\n')),
  refusedBody('9112 5.1', 400, 'a space before the colon of a trailer', ending('0\r\nX : 1\r\n\r\n')),
  refusedBody('9112 5.2', 400, 'a folded trailer', ending('0\r\nX: 1\r\n 2\r\n\r\n')),
  refusedBody('9112 2.2', 400, 'an LF behind a trailer', ending('0\r\nX: 1\n\r\n')),
  refusedBody('9112 2.2', 400, 'a CR in a trailer', ending('0\r\nX: 1\rY: 2\r\n\r\n')),
  refusedBody('9112 2.2', 400, 'a NUL in a trailer', ending('0\r\nX: \0\r\n\r\n')),
  refusedBody('9112 5', 400, 'a request as a trailer', ending('0\r\nGET /second HTTP/1.1\r\n\r\n')),
  refusedBody('9110 5.4', 431, 'a trailer over 16 KiB', ending(`0\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`))
]

export const CHUNKS: readonly HttpCase[] = [...SIZES, ...LINE_ENDS, ...EXTENSIONS, ...TRAILERS]
