import t from 'tap'
import { ReplyBytes } from '../../../src/http/fast/reply-bytes.ts'
import { NO_BODY } from '../../../src/http/vocabulary/values.ts'

const TARGET = 'http://127.0.0.1:8000/'

t.test('reply bytes: a field that no reply may have is refused, whatever went before it', t => {
  const { sent, write } = replies()
  write(['Location', TARGET])
  write(['Location', TARGET])
  t.equal(sent[0], sent[1])
  t.match(sent[0], `\r\nLocation: ${TARGET}\r\n`)
  for (const value of [`${TARGET}\r\nSet-Cookie: a=b`, `${TARGET}\0`, `${TARGET}\u0100`]) {
    for (const again of [false, true]) {
      t.throws(() => write(['Location', value]), { code: 'ERR_INVALID_CHAR' }, `${again} ${value}`)
    }
  }
  t.throws(() => write(['Loca tion', TARGET]), { code: 'ERR_INVALID_HTTP_TOKEN' })
  t.throws(() => write(['Location\r\nA', TARGET]), { code: 'ERR_INVALID_HTTP_TOKEN' })
  t.equal(sent.length, 2, 'and nothing of it is sent')
  write(['Location', TARGET])
  t.equal(sent.length, 3)
  t.end()
})

function replies () {
  const sent: string[] = []
  const socket = { write: (bytes: string | Buffer) => { sent.push(String(bytes)) } }
  const bytes = new ReplyBytes(5000)
  const write = (headers: readonly string[]) => {
    const reply = { status: 302, headers, body: NO_BODY }
    bytes.write(socket as Parameters<ReplyBytes['write']>[0], reply, false, true, 0)
  }
  return { sent, write }
}
