/** What the fast door takes for a plain head, byte by byte, and what it reads of one. */
import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { HEADER_LINES_MAX } from '@usher/shared/http/checks/request-head.ts'
import { PlainHeadReader, type PlainHead } from '@usher/shared/http/fast/plain-head.ts'
import { TextPool } from '@usher/shared/http/fast/text-pool.ts'
import { Peer } from '@usher/shared/http/vocabulary/forwarded.ts'
import { REQUEST_FIELDS } from '@usher/shared/http/vocabulary/values.ts'

const PEER = new Peer(parseAddress('127.0.0.1')!, false)
const STALE = ' and what an earlier read has left\r\n\r\n'

const reader = new PlainHeadReader((headers, { address }) =>
  ({ address, authority: headers.host, isSecure: false }))

/** As a door has it: in a buffer with other bytes behind. @param kept of the same connection */
function read (text: string, from = 0, kept = reader.newKeptHead()): PlainHead | undefined {
  const bytes = Buffer.from('x'.repeat(from) + text + STALE, 'latin1')
  return reader.read(bytes.subarray(from), text.length, PEER, kept)
}

function headWith (value: string): string {
  return `GET /a HTTP/1.1\r\nHost: a.org\r\nX-Value: ${value}\r\nReferer:${value}\r\n\r\n`
}

/** Of what RFC 9110 section 5.6.3 calls white space. */
function trimmed (value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}

t.test('plain head: a value may hold what RFC 9110 section 5.5 says, and nothing else', async t => {
  for (let code = 0; code < 256; code++) {
    const may = /[\t\x20-\x7e\x80-\xff]/.test(String.fromCharCode(code))
    for (let at = 0; at < 9; at++) {
      const value = 'abcdefghi'.slice(0, at) + String.fromCharCode(code) + 'abcdefghi'.slice(at)
      const head = read(headWith(value), at % 4)
      t.equal(head !== undefined, may, `${code} at ${at}`)
      if (may) t.equal(head!.request.headers.referer, trimmed(value))
    }
  }
})

t.test('plain head: values of any bytes', async t => {
  const octet = fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0, max: 255 }))
  fc.assert(fc.property(fc.array(octet, { maxLength: 40 }), codes => {
    const value = String.fromCharCode(...codes)
    const head = read(headWith(value))
    const may = /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    t.equal(head !== undefined, may, JSON.stringify(value))
    if (may) t.equal(head!.request.headers.referer, trimmed(value))
  }), { numRuns: 2000 })
})

t.test('plain head: names and targets, each byte', async t => {
  for (let code = 0; code < 256; code++) {
    const octet = String.fromCharCode(code)
    const isName = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(octet)
    t.equal(read(`GET / HTTP/1.1\r\nHost: a\r\nx${octet}y: z\r\n\r\n`) !== undefined,
      isName || octet === ':', `in a name: ${code}`)
    const isTarget = /[!\x24-\x3b=\x3f-\x7e]/.test(octet)
    for (const before of ['/', '/a?']) {
      const head = read(`GET ${before}${octet} HTTP/1.1\r\nHost: a\r\n\r\n`)
      t.equal(head !== undefined, isTarget, `behind ${before}: ${code}`)
      if (head !== undefined) t.equal(head.request.path + head.request.query, before + octet)
    }
  }
})

t.test('plain head: every field that handlers read comes under its own name', async t => {
  const lines = REQUEST_FIELDS.map((name, at) =>
    `${at % 2 === 0 ? name.toUpperCase() : name}: ${name === 'host' ? 'a.org' : `v${at}`}\r\n`)
  const { headers } = read(`HEAD / HTTP/1.1\r\n${lines.join('')}\r\n`)!.request
  t.strictSame(headers, Object.fromEntries(REQUEST_FIELDS.map((name, at) =>
    [name, name === 'host' ? 'a.org' : `v${at}`])))
})

t.test('plain head: only a whole one, alone, with lines of its own', async t => {
  const whole = 'GET /a?b HTTP/1.1\r\nHost: a.org\r\nAccept: */*\r\n\r\n'
  t.ok(read(whole))
  for (let length = 0; length < whole.length; length++) {
    t.notOk(read(whole.slice(0, length)), `${length} bytes`)
  }
  for (const text of [
    `${whole}x`, whole + whole, `\r\n${whole}`, whole.replaceAll('\r\n', '\n'),
    whole.replace('*/*\r', '*/*'), whole.replace('*/*', '*/*\r'), whole.replace('Host', ''),
    whole.replace('Accept', ' Accept'), whole.replace('Accept', 'Accept '), '\r\n\r\n', 'GET /\r\n\r\n'
  ]) t.notOk(read(text), JSON.stringify(text))
})

const aLine = fc.tuple(
  fc.constantFrom('Host', 'Cookie', 'Referer', 'Range', 'Accept', 'X-A', 'Connection', 'Expect'),
  fc.constantFrom(': ', ':', ':  '),
  fc.constantFrom('a.org', 'a.orgs', 'keep-alive', 'close', '', 'abcdefgh', 'abcdefg\x01', '\xe9')
).map(parts => parts.join(''))
const aHead = fc.tuple(fc.constantFrom('/', '/a', '/a?b=c', '/longer/path'), fc.array(aLine))
  .map(([target, lines]) => `GET ${target} HTTP/1.1\r\nHost: a.org\r\n${
    lines.map(line => `${line}\r\n`).join('')}\r\n`)

t.test('plain head: says the same whichever heads came before it', async t => {
  fc.assert(fc.property(fc.array(aHead, { minLength: 2, maxLength: 8 }), heads => {
    const kept = reader.newKeptHead()
    for (const [at, head] of heads.entries()) {
      t.strictSame(read(head, at % 4, kept), read(head), JSON.stringify(heads.slice(0, at + 1)))
    }
  }), { numRuns: 1500 })
})

t.test('plain head: a line again, one less, one more, another order, a stale end', async t => {
  const lines = ['Host: a.org', 'User-Agent: x', 'Cookie: a=b', 'Referer: http://a.org/']
  const whole = (all: string[]): string => `GET / HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`
  const kept = reader.newKeptHead()
  for (const all of [
    lines, lines, lines.slice(0, 3), lines, ['Accept: y', ...lines], lines.toReversed(),
    [...lines, 'Range: bytes=0-1'], lines, [...lines, 'Cookie: c=d'], lines,
    [...lines, 'Connection: keep-alive'], [...lines, 'Connection: close'], lines,
    lines.with(1, 'User-Agent: x\r\t'), lines
  ]) t.strictSame(read(whole(all), 0, kept), read(whole(all)), all.join())
  // What an earlier read has left behind the end would make the last line whole.
  t.notOk(reader.read(Buffer.from(whole(lines), 'latin1'), whole(lines).length - 4, PEER, kept))
})

t.test('plain head: a line that moves to where an equal one stood', async t => {
  const whole = (...all: string[]): string => `GET / HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`
  const kept = reader.newKeptHead()
  const [cookie, referer] = ['Cookie: abcdef', 'Referer: abcde']
  const [short, long] = [`X: ${'a'.repeat(11)}`, `X: ${'a'.repeat(27)}`]
  read(whole('Host: a', short, cookie, referer), 0, kept)
  read(whole('Host: a', long, cookie, referer), 0, kept)
  const { headers } = read(whole('Host: a', long, referer), 0, kept)!.request
  t.match([headers.cookie, headers.referer], [undefined, 'abcde'])
})

t.test('plain head: as many lines as the checked server takes, one of each name', async t => {
  const whole = (lines: string[]): string =>
    `GET / HTTP/1.1\r\nHost: a\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`
  const most = Array<string>(HEADER_LINES_MAX - 1).fill('X: y')
  for (const kept of [reader.newKeptHead(), undefined]) {
    t.ok(read(whole(most), 0, kept))
    t.notOk(read(whole([...most, 'X: y']), 0, kept))
    for (const line of ['Connection: close', 'Cookie: a=b', 'Host: a']) {
      read(whole([line]), 0, kept)
      t.notOk(read(whole([line, line]), 0, kept), line)
    }
  }
})

t.test('text pool: gives what the bytes say, whatever was read before', async t => {
  const pool = new TextPool()
  fc.assert(fc.property(fc.string({ maxLength: 300, unit: 'binary-ascii' }), text => {
    const bytes = Buffer.from(`<${text}>`, 'latin1')
    t.equal(pool.read(bytes, 1, 1 + text.length), text)
    t.equal(pool.read(bytes, 1, 1 + text.length), text)
  }), { numRuns: 3000 })
})
