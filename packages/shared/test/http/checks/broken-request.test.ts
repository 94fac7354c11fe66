import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { faultOf, judgeLine } from '@usher/shared/http/checks/broken-request.ts'
import type { Fault, ParserError } from '@usher/shared/http/checks/broken-request.ts'

/** An error of the parser that stopped at the mark `^` of this packet. */
function stopped (packet: string): ParserError {
  const [before = '', behind = ''] = packet.split('^')
  const rawPacket = Buffer.from(before + behind, 'latin1')
  return Object.assign(new Error('x'), { code: '', rawPacket, bytesParsed: before.length })
}

t.test('broken-request: every error of the parser has its status', async t => {
  type Case = [code: string | undefined, expected: Fault | undefined, reason?: string]
  const cases: readonly Case[] = [
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
    ['HPE_INVALID_VERSION', 505, 'Invalid HTTP version'],
    ['HPE_INVALID_VERSION', 400, 'Expected CRLF after version'],
    ['HPE_INVALID_VERSION', 400],
    ['HPE_PAUSED_H2_UPGRADE', 505],
    ['HPE_INVALID_CONSTANT', 501, 'Invalid method for HTTP/x.x request'],
    ['HPE_INVALID_CONSTANT', 400, 'Expected HTTP/'],
    ['HPE_INVALID_METHOD', 'by line'],
    ['HPE_INVALID_HEADER_TOKEN', 400],
    ['HPE_SOMETHING_NEW', 400],
    ['ECONNRESET', undefined],
    [undefined, undefined]
  ]
  for (const [code, expected, reason] of cases) {
    t.equal(faultOf(Object.assign(new Error('x'), { code, reason }), ''), expected, `${code} ${reason}`)
  }
})

t.test('broken-request: a head that is too long is 414 where that is the target\'s fault', async t => {
  const error = Object.assign(new Error('x'), { code: 'HPE_HEADER_OVERFLOW' })
  const cases: ReadonlyArray<[beginning: string, expected: number]> = [
    ['GET /aaaa', 414],
    ['M-SEARCH /aaaa', 414],
    ['GET / HTTP/1.1\r\nX: aaaa', 431],
    ['GET /\naaaa', 431],
    ['', 431]
  ]
  for (const [beginning, expected] of cases) {
    t.equal(faultOf(error, beginning), expected, JSON.stringify(beginning))
  }
})

/** What is said of an unknown method, whose line comes in these pieces. */
function judge (packet: string, pieces: readonly string[] = [], timeoutMs = 60_000): number[] {
  const socket = new EventEmitter()
  socket.on('data', () => { throw new Error('the parser is given no more') })
  const said: number[] = []
  judgeLine(stopped(packet), socket as Socket, timeoutMs, status => { said.push(status) })
  for (const piece of pieces) socket.emit('data', Buffer.from(piece, 'latin1'))
  if (said.length === 0) socket.emit('end')
  socket.emit('close')
  return said
}

t.test('broken-request: an unknown method is 501 in a request line, and 400 in what is none', async t => {
  const cases: ReadonlyArray<[packet: string, expected: number]> = [
    ['B^REW / HTTP/1.1\r\n\r\n', 501],
    ['^get / HTTP/1.1\r\n\r\n', 501],
    ['^get / HTTP/1.1\n', 501],
    ['GET / HTTP/1.1\r\n\r\n^BREW / HTTP/1.1\r\n\r\n', 501],
    ['GET / HTTP/1.1\r\n\r\nB^REW /\r\n\r\n', 400],
    ['G^@T / HTTP/1.1\r\n\r\n', 400],
    ['^ / HTTP/1.1\r\n\r\n', 400],
    ['B^REW', 400],
    [`B^REW /${'a'.repeat(17_000)} HTTP/1.1\r\n`, 400],
    ['', 400]
  ]
  for (const [packet, expected] of cases) {
    t.strictSame(judge(packet), [expected], JSON.stringify(packet.slice(0, 60)))
  }
})

t.test('broken-request: the line of an unknown method is read to its end', async t => {
  t.strictSame(judge('^b', ['rew / HT', 'TP/1.1\r', '\n', 'more']), [501])
  t.strictSame(judge('^g', ['arbage', '\r\n']), [400])
  t.strictSame(judge('^x', ['x'.repeat(20_000)]), [400], 'up to a limit')
})

t.test('broken-request: a line that does not end in time is 408, and is said once', async t => {
  const socket = new EventEmitter()
  const said: number[] = []
  await new Promise<void>(resolve => {
    judgeLine(stopped('^b'), socket as Socket, 1, status => {
      said.push(status)
      resolve()
    })
  })
  for (const event of ['end', 'close']) socket.emit(event)
  t.strictSame(said, [408])
})
