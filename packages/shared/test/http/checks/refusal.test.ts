import t from 'tap'
import { refusalBytes } from '@usher/shared/http/checks/refusal.ts'

t.test('refusal: is a complete reply that closes the connection', async t => {
  const [head = '', body] = refusalBytes(400, 'GET', false).toString().split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 400 Bad Request\r\nDate: .* GMT\r\n/)
  t.match(head, /\r\nContent-Length: 16\r\n/)
  t.match(head, /\r\nConnection: close$/)
  t.match(head, /\r\nCache-Control: no-store\r\n/)
  t.notMatch(head, /Allow/)
  t.equal(body, '400 Bad Request\n')
})

t.test('refusal: 413 says what is allowed, where that is known', async t => {
  const bodyOf = (bytesMax?: number): string =>
    refusalBytes(413, 'GET', false, bytesMax).toString().split('\r\n\r\n')[1]!
  t.equal(bodyOf(16_384), '413 Payload Too Large: the body may have 16384 bytes at most\n')
  t.equal(bodyOf(), '413 Payload Too Large\n')
})

t.test('refusal: 405 says what is allowed, and HEAD gets no body', async t => {
  const text = refusalBytes(405, 'GET, HEAD', true).toString()
  t.match(text, /\r\nAllow: GET, HEAD\r\n/)
  t.match(text, /\r\nContent-Length: 23\r\n/)
  t.ok(text.endsWith('\r\n\r\n'))
})
