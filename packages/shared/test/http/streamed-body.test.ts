import t, { type Test } from 'tap'
import type { Reply, StreamedBody } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { RawClient } from './fixtures/raw-client.ts'
import { testDoor, type TestDoor } from './fixtures/test-door.ts'
import { until } from './fixtures/until.ts'

const PIECE_BYTES = 65_536
const MIB = 2 ** 20

const PATTERN = Buffer.from(Array.from({ length: PIECE_BYTES + 251 }, (_, at) => at % 251))

interface TestBody extends StreamedBody {
  readBytes: number
  closedCount: number
}

/** Counts from 0 to 250 over and over, in one piece of memory. @param failAfter so many bytes */
function testBody (bytes: number, failAfter = Infinity): TestBody {
  const memory = Buffer.alloc(PIECE_BYTES)
  return {
    bytes,
    readBytes: 0,
    closedCount: 0,
    async next () {
      await new Promise(resolve => setImmediate(resolve))
      if (this.readBytes >= failAfter) throw new Error('the rest is gone')
      const piece = memory.subarray(0, Math.min(PIECE_BYTES, bytes - this.readBytes))
      PATTERN.copy(piece, 0, this.readBytes % 251)
      this.readBytes += piece.length
      return piece
    },
    close () { this.closedCount++ }
  }
}

function isRight (body: string): boolean {
  return Buffer.from(body, 'latin1').every((byte, at) => byte === at % 251)
}

function replyOf (streamed: StreamedBody): Reply {
  return { status: 200, headers: ['Content-Type', 'video/mp4'], body: Buffer.alloc(0), streamed }
}

/** `/N` is a body of N bytes; those that were given are in `bodies`. */
async function streamingDoor (
  t: Test, given: Parameters<typeof testDoor>[1] = {}, failAfter?: number
): Promise<TestDoor & { bodies: TestBody[] }> {
  const bodies: TestBody[] = []
  const door = await testDoor(t, {
    ...given,
    handler: ({ path }) => {
      const body = testBody(Number(path.slice(1)), failAfter)
      bodies.push(body)
      // One as it is opened, one that is there already.
      return bodies.length % 2 === 1 ? Promise.resolve(replyOf(body)) : replyOf(body)
    }
  })
  return { ...door, bodies }
}

const get = (bytes: number, rest = ''): string => `GET /${bytes} HTTP/1.1\r\nHost: a.org\r\n${rest}\r\n`

const DOORS: ReadonlyArray<readonly [name: string, given: Parameters<typeof testDoor>[1]]> = [
  ['the fast door', {}],
  ['the checked server', { hasFastDoor: false }],
  ['the fast door, with TLS', { tls: { cert: CERT, key: KEY } }],
  ['the checked server, with TLS', { hasFastDoor: false, tls: { cert: CERT, key: KEY } }]
]

for (const [name, given] of DOORS) {
  const isTls = given?.tls !== undefined

  t.test(`streamed body: ${name} sends each whole, and keeps the connection`, async t => {
    const door = await streamingDoor(t, given)
    t.equal(door.isFast, given?.hasFastDoor !== false)
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    for (const bytes of [3 * MIB + 7, 1, PIECE_BYTES, PIECE_BYTES + 1]) {
      client.send(get(bytes))
      const reply = await client.reply()
      t.match(reply, { status: 200, headers: { 'content-length': String(bytes), 'content-type': 'video/mp4' } })
      t.ok(isRight(reply!.body), `${bytes} bytes`)
      client.send(`HEAD /${bytes} HTTP/1.1\r\nHost: a.org\r\n\r\n`)
      t.equal((await client.reply(true))?.headers['content-length'], String(bytes))
    }
    client.send(get(2 * MIB, 'Connection: close\r\n'))
    t.equal((await client.reply())?.headers['connection'], 'close')
    t.equal(await client.end(), '')
    await until(() => door.bodies.every(({ closedCount }) => closedCount > 0))
    t.equal(door.bodies.filter(({ readBytes }) => readBytes === 0).length, 4, 'nothing is read for HEAD')
    client.close()
  })

  t.test(`streamed body: ${name} sends pipelined ones in their order`, async t => {
    const door = await streamingDoor(t, given)
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    const lengths = [MIB, 5, 2 * MIB, 70_000, 3]
    client.send(lengths.map(bytes => get(bytes)).join(''))
    for (const bytes of lengths) {
      const reply = await client.reply()
      t.equal(reply?.body.length, bytes)
      t.ok(isRight(reply!.body))
    }
    await until(() => door.bodies.every(({ closedCount }) => closedCount > 0))
    client.close()
  })

  t.test(`streamed body: ${name} cuts the connection when the rest cannot be had`, async t => {
    const door = await streamingDoor(t, given, 2 * PIECE_BYTES)
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    client.send(get(10 * PIECE_BYTES))
    const text = await client.end()
    const bodyAt = text.indexOf('\r\n\r\n') + 4
    t.match(text.slice(0, bodyAt), `Content-Length: ${10 * PIECE_BYTES}`)
    t.ok(text.length - bodyAt <= 2 * PIECE_BYTES, 'so the client knows that something is missing')
    await until(() => door.connectionCount() === 0 && door.bodies[0]!.closedCount > 0)
    t.strictSame(door.lines, [], 'told by whoever reads it')
    client.close()
  })

  t.test(`streamed body: ${name} reads no further than the client takes, and cuts it in time`, async t => {
    const door = await streamingDoor(t, { ...given, socketTimeoutMs: 100 })
    const stalled = await RawClient.connect(door.port, '127.0.0.1', isTls)
    stalled.socket.pause()
    stalled.send(get(2 ** 40) + get(1))
    await until(() => door.bodies[0]?.closedCount === 1 && door.connectionCount() === 0)
    t.ok(door.bodies[0]!.readBytes < 64 * MIB, `${door.bodies[0]!.readBytes} bytes were read`)
    await until(() => door.bodies.every(({ closedCount }) => closedCount > 0))
    stalled.close()
  })

  t.test(`streamed body: ${name} lets go of it when the client leaves`, async t => {
    const door = await streamingDoor(t, given)
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    client.send(get(2 ** 40) + get(2 ** 30))
    await until(() => door.bodies[0] !== undefined && door.bodies[0].readBytes > 0)
    client.close()
    await until(() => door.bodies.every(({ closedCount }) => closedCount > 0))
    await until(() => door.connectionCount() === 0)
  })
}

t.test('streamed body: a slow client gets all of it', async t => {
  const bytes = 30 * MIB
  for (const hasFastDoor of [true, false]) {
    const door = await streamingDoor(t, { hasFastDoor, socketTimeoutMs: 1_000 })
    const slow = await RawClient.connect(door.port)
    let receivedBytes = 0
    slow.socket.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length
      slow.socket.pause()
      setTimeout(() => slow.socket.resume(), 1)
    })
    slow.send(get(bytes, 'Connection: close\r\n'))
    await slow.end()
    t.ok(receivedBytes > bytes)
    slow.close()
  }
})

t.test('streamed body: one for a client that has gone meanwhile is closed', async t => {
  const body = testBody(5)
  let give = (_reply: Reply): void => {}
  for (const hasFastDoor of [true, false]) {
    const handler = () => new Promise<Reply>(resolve => { give = resolve })
    const door = await testDoor(t, { hasFastDoor, handler })
    const client = await RawClient.connect(door.port)
    client.send(get(5))
    await until(() => door.seen.length === 1)
    client.socket.resetAndDestroy()
    await until(() => door.connectionCount() === 0)
    body.closedCount = 0
    give(replyOf(body))
    await until(() => body.closedCount === 1)
  }
})

t.test('streamed body: one whose head may not be sent is closed', async t => {
  for (const hasFastDoor of [true, false]) {
    const body = testBody(5)
    const door = await testDoor(t, { hasFastDoor, handler: () => ({ ...replyOf(body), headers: ['a b', 'c'] }) })
    const client = await RawClient.connect(door.port)
    client.send(get(5))
    t.equal((await client.reply())?.status, 500)
    t.equal(body.closedCount, 1)
    client.close()
  }
})

t.test('streamed body: the connections of a client are closed in the middle of one', async t => {
  for (const hasFastDoor of [true, false]) {
    const door = await streamingDoor(t, { hasFastDoor, socketTimeoutMs: 60_000 })
    const client = await RawClient.connect(door.port)
    client.socket.pause()
    client.send(get(2 ** 40))
    await until(() => door.bodies[0] !== undefined && door.bodies[0].readBytes > 0)
    await door.closeClients(() => true)
    await until(() => door.bodies[0]!.closedCount === 1)
    client.close()
  }
})
