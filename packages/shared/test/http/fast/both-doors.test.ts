/** The fast door and the checked server give the same bytes for the same bytes. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { jsonReply, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../../fixtures/tls-pems.ts'
import { ALL_CASES } from '../cases/all-cases.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { echo, testDoor, type TestDoor } from '../fixtures/test-door.ts'

const LAST = 'GET /last HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n'
const DATE = /^Date: .*\r\n/gm

/** Tells all of a request that a handler may see. */
const tellAll: Handler = request => {
  const { method, headers, cookieClient, countEffect } = request
  const { isSecure, authority, address, path, query } = request
  // In a fixed order, which the two doors do not have.
  const fields = Object.entries(headers).filter(([, value]) => value !== undefined).sort()
    .filter(([name]) => KNOWN.has(name))
  return jsonReply(200, {
    method, path, query, fields, cookieClient, countEffect, isSecure, authority, address
  })
}
const KNOWN = new Set([
  'host', 'cookie', 'accept-encoding', 'origin', 'referer', 'if-none-match', 'range',
  'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site', 'purpose', 'x-forwarded-for'
])

/** All that a door sends for these bytes and a last request. */
async function ask (door: TestDoor, bytes: string, isTls = false): Promise<string> {
  door.seen.length = 0
  const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
  client.send(bytes)
  client.send(LAST)
  const text = await client.end()
  client.close()
  return text.replace(DATE, '')
}

async function twoDoors (
  t: Test, given: Parameters<typeof testDoor>[1]
): Promise<[fast: TestDoor, checked: TestDoor]> {
  const fast = await testDoor(t, given)
  const checked = await testDoor(t, { ...given, hasFastDoor: false })
  t.same([fast.isFast, checked.isFast], [true, false])
  return [fast, checked]
}

for (const tls of [undefined, { cert: CERT, key: KEY }]) {
  const isTls = tls !== undefined
  t.test(`both doors: the cases${isTls ? ', with TLS' : ''}`, async t => {
    const [fast, checked] = await twoDoors(t, { tls, socketTimeoutMs: 60_000 })
    // What waits for more, or for a 100, would wait here too.
    const cases = ALL_CASES.filter(({ bytes, seen }) =>
      !/\r\nexpect:/i.test(bytes) && (seen.length > 0 || bytes.includes('\r\n\r\n')))
    t.ok(cases.length > 300, `${cases.length} cases`)
    for (const { name, bytes } of isTls ? cases.filter((_, at) => at % 5 === 0) : cases) {
      t.equal(await ask(fast, bytes, isTls), await ask(checked, bytes, isTls), name)
      t.strictSame(fast.seen, checked.seen, `${name}: what the handler saw`)
    }
  })
}

const REPLIES = [
  textReply(200, 'text'),
  { ...textReply(200, 'kept'), isKept: true },
  { ...textReply(200, 'x'.repeat(70_000)), isKept: true },
  textReply(200, 'y'.repeat(200_000)),
  { status: 204, headers: ['X-A', 'b'], body: Buffer.from('never sent') },
  { status: 304, headers: ['ETag', '"e"'], body: Buffer.from('never sent'), isKept: true },
  { status: 302, headers: ['Location', 'http://a.org/\xe9'], body: Buffer.alloc(0) },
  { status: 499, headers: [], body: Buffer.from('a status without a name') }
]

t.test('both doors: replies of every kind, at once and later', async t => {
  for (const isLater of [false, true]) {
    const [fast, checked] = await twoDoors(t, {
      handler: ({ path }) => {
        const reply = REPLIES[Number(path.slice(1))] ?? textReply(404, '')
        return isLater ? new Promise(resolve => setImmediate(resolve, reply)) : reply
      }
    })
    for (const [at] of REPLIES.entries()) {
      for (const method of ['GET', 'HEAD']) {
        const bytes = `${method} /${at} HTTP/1.1\r\nHost: a.org\r\n\r\n`
        t.equal(await ask(fast, bytes), await ask(checked, bytes), `${method} ${at}`)
        const closing = bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
        t.equal(await ask(fast, closing), await ask(checked, closing), `${method} ${at}, the last`)
      }
    }
  }
})

const NAMES = [
  'Host', 'host', 'Cookie', 'COOKIE', 'Accept-Encoding', 'Origin', 'Referer', 'If-None-Match',
  'Range', 'Sec-Fetch-Dest', 'sec-fetch-mode', 'Sec-Fetch-Site', 'Purpose', 'X-Forwarded-For',
  'User-Agent', 'Connection', 'Content-Length', 'Transfer-Encoding', 'Upgrade', 'Keep-Alive', 'X-a'
]
/** None announces a body: its request would wait for it. */
const VALUES = [
  'a.org', 'A.org:80', 'b.org', '', ' ', 'client_id=0123abcd-93d4-4c11-8a77-0b9e5d2f4a61',
  'a=b; client_id="0123abcd-93d4-4c11-8a77-0b9e5d2f4a61"', 'gzip, br', 'document', 'navigate',
  'cross-site', 'prefetch', 'keep-alive', 'close', 'Close', 'keep-alive, close', '0', 'gzip',
  'websocket', '192.0.2.7', 'x\ty', '\xe9', '\x7f', '"e", W/"f"'
]
const line = fc.tuple(
  fc.constantFrom(...NAMES), fc.constantFrom(':', ': ', ':\t', ' : ', ': \t '),
  fc.constantFrom(...VALUES), fc.constantFrom('\r\n', ' \r\n', '\r\n', '\r\n', '\n', '\r\n b\r\n')
).map(parts => parts.join(''))
const aHead = fc.tuple(
  fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'get', 'OPTIONS'),
  fc.constantFrom('/', '/a?b=c', '//a', '/%zz', '/a b', '/\xe9', 'http://a.org/x', '*', '/<', '/|'),
  fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2'),
  fc.boolean(), fc.array(line, { maxLength: 6 })
).map(([method, target, version, hasHost, lines]) =>
  `${method} ${target} ${version}\r\n${hasHost ? 'Host: a.org\r\n' : ''}${lines.join('')}\r\n`)

t.test('both doors: heads of any kind, alone, again and behind one another', async t => {
  const [fast, checked] = await twoDoors(t, {
    handler: tellAll, trustProxy: ['127.0.0.1'], socketTimeoutMs: 60_000
  })
  await fc.assert(fc.asyncProperty(aHead, aHead, async (first, second) => {
    for (const heads of [[first], [first, first], [first, second, first]]) {
      const texts = []
      for (const door of [fast, checked]) {
        const client = await RawClient.connect(door.port)
        let text = ''
        for (const head of heads) {
          client.send(head)
          const reply = await client.reply(head.startsWith('HEAD'))
          text += `${reply?.bytes}\n`
          if (reply === undefined || reply.headers['connection'] === 'close') break
        }
        client.send(LAST)
        texts.push(text + (await client.end()).replace(DATE, ''))
        client.close()
      }
      t.equal(texts[0], texts[1], JSON.stringify(heads))
    }
  }), { numRuns: 150 })
})

t.test('both doors: what is not plain takes the connection along', async t => {
  const post = `POST / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 1000\r\n\r\n${'b'.repeat(1000)}`
  const [fast, checked] = await twoDoors(t, { handler: echo })
  for (const door of [fast, checked]) {
    const client = await RawClient.connect(door.port)
    for (const round of [1, 2]) {
      client.send(LAST.replace('Connection: close\r\n', ''))
      t.equal((await client.reply())?.status, 200)
      for (const part of [post.slice(0, 30), post.slice(30, 500), post.slice(500)]) {
        client.send(part)
        await new Promise(resolve => setImmediate(resolve))
      }
      t.match((await client.reply())?.body, /b{1000}/, `round ${round}`)
    }
    client.send('GET /a HTTP/1.1\r\nHost: a.org\r\n\r\n'.repeat(40) + LAST)
    const text = await client.end()
    t.equal(text.match(/"path":"\/a"/g)?.length, 40)
    t.match(text, /"path":"\/last"[^]*$/)
    client.close()
  }
})
