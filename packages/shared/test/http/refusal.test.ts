import t from 'tap'
import { refusalBytes, refusalOfError } from '@usher/shared/http/refusal.ts'

t.test('refusal: is a complete reply that closes the connection', async t => {
  const [head = '', body] = refusalBytes(400, 'GET', false).toString().split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 400 Bad Request\r\nDate: .* GMT\r\n/)
  t.match(head, /\r\nContent-Length: 16\r\n/)
  t.match(head, /\r\nConnection: close$/)
  t.notMatch(head, /Allow/)
  t.equal(body, '400 Bad Request\n')
})

t.test('refusal: 405 says what is allowed, and HEAD gets no body', async t => {
  const text = refusalBytes(405, 'GET, HEAD', true).toString()
  t.match(text, /\r\nAllow: GET, HEAD\r\n/)
  t.match(text, /\r\nContent-Length: 23\r\n/)
  t.ok(text.endsWith('\r\n\r\n'))
})

t.test('refusal: every error of the parser has its status', async t => {
  type Case =
    [code: string | undefined, expected: number | undefined, packet?: string, bytesParsed?: number]
  const cases: readonly Case[] = [
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_HEADER_OVERFLOW', 431],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
    ['HPE_INVALID_VERSION', 505],
    ['HPE_PAUSED_H2_UPGRADE', 505],
    ['HPE_INVALID_HEADER_TOKEN', 400],
    ['HPE_SOMETHING_NEW', 400],
    ['HPE_INVALID_METHOD', 501, 'BREW / HTTP/1.1\r\n\r\n', 1],
    ['HPE_INVALID_METHOD', 501, 'get / HTTP/1.1\r\n\r\n', 0],
    ['HPE_INVALID_METHOD', 501, 'GET / HTTP/1.1\r\n\r\nBREW / HTTP/1.1\r\n\r\n', 18],
    ['HPE_INVALID_METHOD', 400, 'GET / HTTP/1.1\r\n\r\nBREW /\r\n\r\n', 19],
    ['HPE_INVALID_METHOD', 400, 'G@T / HTTP/1.1\r\n\r\n', 1],
    ['HPE_INVALID_METHOD', 400, 'BREW', 1],
    ['HPE_INVALID_METHOD', 400, `BREW /${'a'.repeat(17_000)} HTTP/1.1\r\n`, 1],
    ['HPE_INVALID_METHOD', 400],
    ['ECONNRESET', undefined],
    [undefined, undefined]
  ]
  for (const [code, expected, packet, bytesParsed = 0] of cases) {
    const place = packet === undefined ? {} : { rawPacket: Buffer.from(packet), bytesParsed }
    const error = Object.assign(new Error('x'), { code, ...place })
    t.equal(refusalOfError(error), expected, `${code} ${packet?.slice(0, 30)}`)
  }
})
