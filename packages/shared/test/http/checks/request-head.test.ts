import t from 'tap'
import type { Test } from 'tap'
import {
  asksToClose, checkHead, expectsContinue, hasBody
} from '@usher/shared/http/checks/request-head.ts'
import type { RequestHead } from '@usher/shared/http/checks/request-head.ts'

/** A head as node:http hands it over; `lines` are names and values in turn. */
function head (lines: readonly string[], given: Partial<RequestHead> = {}): RequestHead {
  const headers: Record<string, string> = {}
  for (let at = 0; at < lines.length; at += 2) headers[lines[at]!.toLowerCase()] = lines[at + 1]!
  return { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: [...lines], headers, ...given }
}

const HOST = ['Host', 'a.org']

function check (t: Test, given: RequestHead, expected: number): void {
  const found = checkHead(given, 1024)
  const name = JSON.stringify(given.rawHeaders).slice(0, 80)
  t.equal(typeof found === 'number' ? found : 200, expected, name)
}

t.test('request-head: the version', async t => {
  const versions: ReadonlyArray<[httpVersion: string, expected: number]> =
    [['1.1', 200], ['1.0', 200], ['2.0', 505], ['3.0', 505], ['0.9', 400]]
  for (const [httpVersion, expected] of versions) check(t, head(HOST, { httpVersion }), expected)
})

t.test('request-head: lines and bytes, at the limit and one past it', async t => {
  const lines = (count: number) => head([...HOST, ...Array(count - 1).fill(['X', '1']).flat()])
  check(t, lines(100), 200)
  check(t, lines(101), 431)
  // "GET / HTTP/1.1", "Host: a.org", "X: ..." with three line ends, and the empty line.
  const bytes = (count: number) => head([...HOST, 'X', 'x'.repeat(count - 14 - 11 - 3 - 6 - 2)])
  check(t, bytes(16_384), 200)
  check(t, bytes(16_385), 431)
})

t.test('request-head: fields', async t => {
  const cases: ReadonlyArray<[expected: number, lines: readonly string[]]> = [
    [200, HOST],
    [400, []],
    [400, [...HOST, ...HOST]],
    [400, [...HOST, 'hOsT', 'b.org']],
    [400, ['Host', '']],
    [400, ['Host', 'a@b']],
    [200, [...HOST, 'Content-Length', '1024']],
    [413, [...HOST, 'Content-Length', '1025']],
    [400, [...HOST, 'Content-Length', '']],
    [400, [...HOST, 'Content-Length', '1', 'content-length', '1']],
    [400, [...HOST, 'Content-Length', '1e3']],
    [200, [...HOST, 'Transfer-Encoding', 'CHUNKED']],
    [400, [...HOST, 'Transfer-Encoding', '']],
    [400, [...HOST, 'Transfer-Encoding', ', chunked']],
    [400, [...HOST, 'Transfer-Encoding', 'chunked, gzip']],
    [501, [...HOST, 'Transfer-Encoding', 'gzip, chunked']],
    [501, [...HOST, 'Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked']],
    [400, [...HOST, 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    [400, [...HOST, 'Transfer-Encoding', 'chunked', 'Content-Length', '3']],
    [200, [...HOST, 'Expect', '100-Continue']],
    [200, [...HOST, 'Expect', '']],
    [200, [...HOST, 'Expect', '100-continue, ,100-CONTINUE']],
    [417, [...HOST, 'Expect', '100-continue, 200-maybe']],
    [417, [...HOST, 'Expect', '100-continue;a=b']],
    [417, [...HOST, 'Expect', '200-maybe']]
  ]
  for (const [expected, lines] of cases) check(t, head(lines), expected)
})

t.test('request-head: HTTP/1.0 needs no Host, knows no chunks and no expectations', async t => {
  const old = { httpVersion: '1.0' }
  check(t, head([], old), 200)
  check(t, head(['Host', ''], old), 400)
  check(t, head(['Transfer-Encoding', 'chunked'], old), 400)
  check(t, head(['Expect', '200-maybe'], old), 200)
})

t.test('request-head: a head that is too long is 414 where the target is', async t => {
  const long = (url: number, value: number) =>
    head([...HOST, 'X', 'x'.repeat(value)], { url: `/${'a'.repeat(url)}` })
  check(t, long(16_000, 1_000), 414)
  check(t, long(8_192, 8_192), 414)
  check(t, long(8_000, 9_000), 431)
})

t.test('request-head: CONNECT names a host and a port, and is refused all the same', async t => {
  const connect = (url: string, lines = HOST) => head(lines, { method: 'CONNECT', url })
  check(t, connect('a.org:443'), 405)
  for (const url of ['a.org', 'a.org:', '/', '*', 'http://a.org:80/', ':443']) check(t, connect(url), 400)
  check(t, connect('a.org:443', []), 400)
})

t.test('request-head: a method of another protocol', async t => {
  check(t, head(HOST, { method: 'DESCRIBE', httpVersion: '1.0' }), 400)
  check(t, head(HOST, { method: 'PURGE' }), 200)
})

t.test('request-head: knows who waits for 100 Continue', async t => {
  t.equal(expectsContinue(head(['Expect', '100-continue'])), true)
  t.equal(expectsContinue(head(['Expect', ''])), false)
  t.equal(expectsContinue(head([])), false)
  t.equal(expectsContinue(head(['Expect', '100-continue'], { httpVersion: '1.0' })), false)
})

t.test('request-head: knows who wants the connection closed', async t => {
  const cases: ReadonlyArray<[connection: string, expected: boolean]> = [
    ['close', true], ['CLOSE', true], ['\tclose\t', true], ['x,close', true], ['keep-alive, close', true],
    ['keep-alive', false], ['Keep-Alive', false], ['closed', false], ['', false], [' , ', false]
  ]
  for (const [connection, expected] of cases) {
    t.equal(asksToClose(head(['Connection', connection])), expected, JSON.stringify(connection))
  }
  t.equal(asksToClose(head([])), false)
})

t.test('request-head: TRACE and bad targets', async t => {
  check(t, head(HOST, { method: 'TRACE' }), 405)
  check(t, head(HOST, { url: 'a' }), 400)
  check(t, head([], { method: 'TRACE' }), 400)
})

t.test('request-head: knows whether a body follows', async t => {
  t.equal(hasBody(head(HOST)), false)
  t.equal(hasBody(head(['Content-Length', '0'])), false)
  t.equal(hasBody(head(['Content-Length', '1'])), true)
  t.equal(hasBody(head(['Transfer-Encoding', 'chunked'])), true)
})
