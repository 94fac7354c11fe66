import t from 'tap'
import { hashToken, isToken, makeToken, sessionHandle } from '../../src/accounts/session-token.ts'

t.test('session token: 256 bits, each time others', async t => {
  const tokens = Array.from({ length: 1000 }, makeToken)
  t.equal(new Set(tokens).size, 1000)
  t.ok(tokens.every(isToken))
  t.ok(tokens.every(token => Buffer.from(token, 'base64url').length === 32))
  const ones = Array.from({ length: 32 }, (_, at) => {
    return tokens.filter(token => (Buffer.from(token, 'base64url')[at]! & 1) === 1).length
  })
  t.ok(ones.every(count => count > 350 && count < 650), 'no bit stands still')
})

t.test('session token: anything else is none', async t => {
  const token = makeToken()
  for (const text of ['', token.slice(1), `${token}A`, `${token}=`, `${token.slice(1)}+`,
    `${token}\n`, `${token.slice(1)}\u0000`, `${token.slice(1)}é`, 'x'.repeat(1e6)]) {
    t.notOk(isToken(text), JSON.stringify(text.slice(0, 50)))
  }
})

t.test('session token: its hash is SHA-256', async t => {
  t.equal(hashToken('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
})

t.test('session token: a handle tells sessions apart, and holds no part of their hash', async t => {
  const hashes = Array.from({ length: 1000 }, () => hashToken(makeToken()))
  const handles = hashes.map(sessionHandle)
  t.equal(new Set(handles).size, 1000)
  t.strictSame(hashes.map(sessionHandle), handles, 'the same each time')
  t.ok(handles.every(handle => /^[\w-]{16}$/.test(handle)))
  t.notOk(handles.some((handle, at) => hashes[at]!.includes(handle.slice(0, 6))))
})
