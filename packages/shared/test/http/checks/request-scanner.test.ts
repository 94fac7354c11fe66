/** What the parser is given instead of what came; the cases of HTTP hold the two together. */
import t from 'tap'
import { RequestScanner } from '@usher/shared/http/checks/request-scanner.ts'
import { ALL_CASES } from '../cases/all-cases.ts'
import { chunked, get, HOST, post, withLine } from '../cases/http-case.ts'

/** What becomes of the text when it comes in pieces of so many bytes. */
function mended (text: string, pieceBytes = text.length): string {
  const scanner = new RequestScanner()
  let result = ''
  for (let at = 0; at < text.length; at += pieceBytes) {
    const piece = Buffer.from(text.slice(at, at + pieceBytes), 'latin1')
    result += scanner.mend(piece).toString('latin1')
  }
  return result
}

const GET = get('')

t.test('request-scanner: puts into the parser\'s words what that reads otherwise', async t => {
  const cases: ReadonlyArray<[given: string, expected: string]> = [
    [withLine('GET / HTTP/1.2\r\n'), GET],
    [withLine('GET / HTTP/1.9\r\n').repeat(3), GET.repeat(3)],
    [withLine('GET / HTTP/1.20\r\n'), withLine('GET / HTTP/1.10\r\n')],
    [withLine('GET /x\r\nGET / HTTP/1.2\r\n'), withLine('GET /x\r\nGET / HTTP/1.2\r\n')],
    [post('Content-Length: 3\t\r\n', 'abc') + `\r${GET}`, `${post('Content-Length: 3 \r\n', 'abc')}\r ${GET}`],
    [`\r${GET}`, `\r ${GET}`],
    [`\r\n\r\r\n${GET}`, `\r\n\r \r\n${GET}`],
    [post('content-LENGTH:\t3 \t\r\n', 'a\t ') + GET, post('content-LENGTH: 3  \r\n', 'a\t ') + GET],
    [post('Transfer-Encoding: chunked\t\r\nX: \t\r\n', '0\r\nContent-Length: \t\r\n\r\n'), post('Transfer-Encoding: chunked \r\nX: \t\r\n', '0\r\nContent-Length: \t\r\n\r\n')],
    [chunked('3 ; a = "b ; c"\t;\td\r\nabc\r\n0\r\n\r\n') + GET, chunked('3;a="b ; c";d\r\nabc\r\n0\r\n\r\n') + GET],
    [chunked('3;a="\\" ; \\\\" ; b\r\nabc\r\n'), chunked('3;a="\\" ; \\\\";b\r\nabc\r\n')],
    [chunked('A\r\n1 ; 3 ; 5 \r\n0 ;a\r\n\r\n'), chunked('A\r\n1 ; 3 ; 5 \r\n0;a\r\n\r\n')],
    [chunked('3 \r\nabc\r\n'), chunked('3 \r\nabc\r\n')],
    [chunked('3   3 ; a\r\nabc\r\n'), chunked('3 3 ; a\r\nabc\r\n')]
  ]
  for (const [given, expected] of cases) {
    for (const bytes of [given.length, 1, 2, 3, 7]) {
      t.equal(mended(given, bytes), expected, `${JSON.stringify(given)} in pieces of ${bytes}`)
    }
  }
})

t.test('request-scanner: leaves a body as it is', async t => {
  const body = `${withLine('GET / HTTP/1.2\r\n')}\r\rContent-Length: 3\t\r\n3 ;a\r\n`
  const size = body.length.toString(16)
  for (const given of [
    post(`Content-Length: ${body.length}\r\n`, body),
    post(`X: 1\r\nContent-length:${body.length}\r\nY: 2\r\n`, body),
    chunked(`${size}\r\n${body}\r\n${size.toUpperCase()};a\r\n${body}\r\n0\r\nX: 1\r\n\r\n`)
  ]) {
    for (const bytes of [given.length, 1, 5]) {
      t.equal(mended(given.repeat(2), bytes), given.repeat(2), `in pieces of ${bytes}`)
    }
  }
})

t.test('request-scanner: gives the same chunk back where nothing is to mend', async t => {
  const chunk = Buffer.from(GET + post('Content-Length: 3\r\n', 'abc'))
  t.equal(new RequestScanner().mend(chunk), chunk)
})

t.test('request-scanner: the cases are mended alike, whole and in pieces', async t => {
  for (const { bytes, name } of ALL_CASES) {
    if (bytes.length > 5_000) continue
    const whole = mended(bytes)
    for (const pieceBytes of [1, 3, 10]) {
      t.equal(mended(bytes, pieceBytes), whole, `${name}, in pieces of ${pieceBytes}`)
    }
  }
})

t.test('request-scanner: knows what the request began with in which the parser stopped', async t => {
  const HEAD = `HEAD / HTTP/1.1\r\n${HOST}`
  /** Each piece is a chunk; the parser stops at the mark `^` in the last one, or behind it. */
  const cases: ReadonlyArray<[pieces: readonly string[], expected: string]> = [
    [['HEAD /^'], 'HEAD /'],
    [['\r\nHEAD /a^b'], 'HEAD /a'],
    [[`${GET}HEAD / ^HTTP/1.1\r\n\r\n${GET}`], 'HEAD / '],
    [[`${GET}^${HEAD}`], ''],
    [[GET, HEAD, 'X ^: 1\r\n'], 'HEAD / HTTP/1.1\r\nX '],
    [['HEAD', ' /', 'a^a'], 'HEAD /a'],
    [[`HEAD /${'a'.repeat(100)}`, 'a^'], `HEAD /${'a'.repeat(26)}a`],
    [[HEAD, `\r\n${GET}X^`], 'X'],
    [[`${HEAD}Content-Length: 3\r\n\r\n`, 'ab'], 'HEAD / HTTP/1.1\r\nab'],
    [[post('Content-Length: 3\r\n', 'ab'), `c${HEAD}^`], HEAD],
    [[`${post('Content-Length: 7\r\n', '\r\n\r\nabc')}HEAD /^`], 'HEAD /'],
    [[chunked('3 ; a\r\nabc\r\n0\r\n\r\n') + HEAD], HEAD],
    [[withLine('GET / HTTP/1.2\r\n') + HEAD], HEAD]
  ]
  for (const [pieces, expected] of cases) {
    const scanner = new RequestScanner()
    let rawPacket = Buffer.alloc(0)
    let bytesParsed = 0
    for (const piece of pieces) {
      const mark = piece.indexOf('^')
      rawPacket = scanner.mend(Buffer.from(piece.replace('^', ''), 'latin1')) as typeof rawPacket
      bytesParsed = mark === -1 ? rawPacket.length : mark
    }
    t.equal(scanner.beginningAt({ rawPacket, bytesParsed }), expected, JSON.stringify(pieces))
  }
})

t.test('request-scanner: knows what a request that does not go on began with', async t => {
  const scanner = new RequestScanner()
  t.equal(scanner.beginningAt({}), '')
  scanner.mend(Buffer.from('HEA'))
  t.equal(scanner.beginningAt({}), 'HEA')
  scanner.mend(Buffer.from(`D / HTTP/1.1\r\n${HOST}`))
  t.match(scanner.beginningAt({}), /^HEAD \/ HTTP\/1\.1\r\n$/)
  scanner.mend(Buffer.from('\r\n'))
  t.equal(scanner.beginningAt({}), '', 'it is whole')
})
