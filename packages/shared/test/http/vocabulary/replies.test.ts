import t from 'tap'
import { htmlReply, jsonReply, NO_STORE, textReply } from '@usher/shared/http/vocabulary/replies.ts'

t.test('replies: name their type and charset, and forbid sniffing', async t => {
  const nosniff = ['X-Content-Type-Options', 'nosniff']
  t.strictSame(textReply(404, 'no é'), {
    status: 404,
    headers: ['Content-Type', 'text/plain; charset=utf-8', ...nosniff],
    body: Buffer.from('no é')
  })
  t.strictSame(htmlReply(403, '<p>', NO_STORE), {
    status: 403,
    headers: ['Content-Type', 'text/html; charset=utf-8', ...nosniff, 'Cache-Control', 'no-store'],
    body: Buffer.from('<p>')
  })
  t.strictSame(jsonReply(200, { a: [1] }, ['X-A', 'b']), {
    status: 200,
    headers: ['Content-Type', 'application/json; charset=utf-8', ...nosniff, 'X-A', 'b'],
    body: Buffer.from('{"a":[1]}')
  })
})
