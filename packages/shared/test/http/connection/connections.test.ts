import { readdirSync } from 'node:fs'
import t from 'tap'
import { lowestFreeDescriptor, SPARE_DESCRIPTORS } from '@usher/shared/descriptors.ts'
import { SILENT_CLOSE_MS } from '@usher/shared/http/connection/connections.ts'
import type { Handler } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../../fixtures/tls-pems.ts'
import { bareDoor } from '../fixtures/bare-door.ts'
import { frontServer, handOver, readSome } from '../fixtures/front-server.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { echo, testDoor } from '../fixtures/test-door.ts'
import { testServer } from '../fixtures/test-server.ts'
import { until } from '../fixtures/until.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'

/** A connection that has been answered once and is idle now. */
async function idleClient (port: number, isTls = false): Promise<RawClient> {
  const client = await RawClient.connect(port, '127.0.0.1', isTls)
  client.send(GET)
  await client.reply()
  return client
}

async function isServed (client: RawClient): Promise<boolean> {
  client.send(GET)
  return (await client.reply())?.status === 200
}

for (const tls of [undefined, { cert: CERT, key: KEY }]) {
  const isTls = tls !== undefined
  t.test(`connections: above 80 % the longest idle makes room${isTls ? ', with TLS' : ''}`, async t => {
    const door = await testDoor(t, { maxConnections: 10, tls })
    const clients: RawClient[] = []
    for (let at = 0; at < 8; at++) clients.push(await idleClient(door.port, isTls))
    t.ok(await isServed(clients[0]!), 'none is ended at 80 %, and the first is now the last')
    t.equal(door.connectionCount(), 8)

    clients.push(await idleClient(door.port, isTls))
    t.equal(await clients[1]!.end(), '', 'the longest idle')
    t.equal(door.connectionCount(), 8)

    clients[2]!.send('GET / HTTP/1.1\r\n')
    await until(() => clients[2]!.socket.writableLength === 0)
    clients.push(await idleClient(door.port, isTls))
    t.equal(await clients[3]!.end(), '', 'not the one whose request has begun')
    clients[2]!.send('Host: a.org\r\n\r\n')
    t.equal((await clients[2]!.reply())?.status, 200)
    for (const at of [0, 4, 5, 6, 7, 8, 9]) t.ok(await isServed(clients[at]!), `${at} is served`)
    for (const client of clients) client.close()
  })
}

t.test('connections: the maximum holds when all are busy', async t => {
  const waiting: Array<() => void> = []
  const handler: Handler = request => new Promise(resolve => {
    waiting.push(() => resolve(echo(request)))
  })
  const door = await testDoor(t, { maxConnections: 5, handler })
  const clients: RawClient[] = []
  for (let at = 0; at < 5; at++) {
    clients.push(await RawClient.connect(door.port))
    clients[at]!.send(GET)
    await until(() => waiting.length === at + 1)
  }
  const sixth = await RawClient.connect(door.port)
  t.equal(await sixth.end(), '', 'one more is closed')
  sixth.close()
  for (const answer of waiting) answer()
  for (const client of clients) {
    t.equal((await client.reply())?.status, 200)
    client.close()
  }
})

for (const tls of [undefined, { cert: CERT, key: KEY }]) {
  const isTls = tls !== undefined
  t.test(`connections: the last descriptors are for nobody${isTls ? ', with TLS' : ''}`, async t => {
    // Above all that are taken: what earlier tests still hold may leave holes below.
    const highest = Math.max(...readdirSync('/proc/self/fd').map(Number))
    const descriptorLimit = highest + SPARE_DESCRIPTORS + 8
    const door = await testDoor(t, { descriptorLimit, tls })
    const refused = async (): Promise<boolean> => {
      const client = await RawClient.connect(door.port, '127.0.0.1', isTls).catch(() => undefined)
      const isRefused = client === undefined || await client.end() === ''
      client?.close()
      return isRefused
    }
    const clients: RawClient[] = []
    // Its listening socket, and two for each connection, as both its ends are here.
    while (lowestFreeDescriptor() < descriptorLimit - SPARE_DESCRIPTORS - 1) {
      clients.push(await idleClient(door.port, isTls))
    }
    t.ok(clients.length >= 3)
    for (let attempt = 0; attempt < 3; attempt++) t.ok(await refused())
    t.equal(door.connectionCount(), clients.length)
    for (const client of clients) t.ok(await isServed(client))

    clients[0]!.close()
    await until(() => door.connectionCount() === clients.length - 1 && clients[0]!.socket.closed)
    clients[0] = await idleClient(door.port, isTls)
    for (const client of clients) {
      t.ok(await isServed(client))
      client.close()
    }
  })
}

t.test('connections: newcomers are read before anybody calls them idle', async t => {
  const server = await testServer(t, (_request, response) => {
    response.end('read')
  }, { maxConnections: 10 })
  const front = await frontServer(t)
  const ends = []
  for (let at = 0; at < 10; at++) ends.push(await front.connect())
  for (const { client } of ends) client.send(GET)
  for (const { socket } of ends) handOver(socket, server.server)
  for (const { client } of ends) {
    t.equal((await client.reply())?.status, 200)
    client.close()
  }
})

t.test('connections: one handed over with half a request is not idle', async t => {
  const server = await testServer(t, (_request, response) => {
    response.end('read')
  }, { maxConnections: 5, socketTimeoutMs: 5_000 })
  const front = await frontServer(t)
  const { client, socket } = await front.connect()
  client.send(GET.slice(0, 20))
  handOver(socket, server.server, await readSome(socket))
  await until(() => server.connectionCount() === 1)
  const others: RawClient[] = []
  for (let at = 0; at < 4; at++) others.push(await idleClient(server.port))
  t.equal(await others[0]!.end(), '', 'the longest idle one makes room')
  client.send(GET.slice(20))
  t.equal((await client.reply())?.status, 200)
  for (const one of [client, ...others]) one.close()
})

t.test('connections: 200 busy clients lose nothing when the door closes', async t => {
  const handler: Handler = request => {
    const delayMs = Number(request.path.slice(1))
    if (delayMs === 0) return echo(request)
    return new Promise(resolve => setTimeout(() => resolve(echo(request)), delayMs))
  }
  const door = await testDoor(t, { handler })
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(door.port)))
  const servedCounts = clients.map(() => 0)
  const lost: number[] = []
  const hammer = async (client: RawClient, at: number) => {
    for (;;) {
      client.send(GET.replace('/', `/${at % 4}`))
      const reply = await client.reply()
      if (reply?.status === 200) servedCounts[at]!++
      else lost.push(at)
      if (reply?.headers['connection'] !== 'keep-alive') return
    }
  }
  const hammering = Promise.all(clients.map(hammer))
  // All of them, for the kernel connects more than the server has accepted.
  await until(() => servedCounts.every(count => count >= 5))
  await Promise.all([door.close(), hammering, ...clients.map(client => client.end())])
  t.strictSame(lost, [], 'no request without its reply')
  t.strictSame(clients.filter(client => client.error !== undefined), [], 'no reset')
  t.equal(door.connectionCount(), 0)
  for (const client of clients) client.close()
})

for (const tls of [undefined, { cert: CERT, key: KEY }]) {
  const isTls = tls !== undefined
  t.test(`connections: a close answers what has begun${isTls ? ', with TLS' : ''}`, async t => {
    const waiting: Array<() => void> = []
    const handler: Handler = request => {
      if (request.path !== '/wait') return echo(request)
      return new Promise(resolve => waiting.push(() => resolve(echo(request))))
    }
    // So long that what ends within the test has not waited for it.
    const door = await testDoor(t, { handler, tls, socketTimeoutMs: 60_000 })
    const connect = () => RawClient.connect(door.port, '127.0.0.1', isTls)
    const idle = await idleClient(door.port, isTls)
    const late = await idleClient(door.port, isTls)
    const [silent, half, afterReply, pending] =
      [await connect(), await connect(), await idleClient(door.port, isTls), await connect()]
    half.send(GET.slice(0, 20))
    afterReply.send(GET.slice(0, 3))
    pending.send(GET.replace('/', '/wait').repeat(2))
    await until(() => waiting.length === 2)

    const start = performance.now()
    const closed = door.close()
    pending.send(GET.replace('/', '/wait'))
    late.send(GET)
    const closedAgain = door.close()
    await t.rejects(connect(), { code: 'ECONNREFUSED' })
    t.match((await late.reply())?.headers, { connection: 'close' }, 'a request in the last moment')
    t.equal(await late.end(), '')

    t.equal(await idle.end(), '', 'a silent connection ends')
    const tookMs = performance.now() - start
    t.ok(tookMs >= SILENT_CLOSE_MS - 5, `${tookMs} ms`)
    t.equal(await silent.end(), '', 'and one that never asked')

    half.send(GET.slice(20))
    t.match(await half.reply(), { status: 200, headers: { connection: 'close' } }, 'half a head')
    afterReply.send(GET.slice(3))
    t.match(await afterReply.reply(), { status: 200, headers: { connection: 'close' } }, 'the second')
    for (const answer of waiting) answer()
    t.match(await pending.reply(), { status: 200, headers: { connection: 'keep-alive' } })
    t.match(await pending.reply(), { status: 200, headers: { connection: 'keep-alive' } })
    t.match(await pending.reply(), { status: 200, headers: { connection: 'close' } }, 'only the last')
    for (const client of [idle, late, silent, half, afterReply, pending]) {
      await client.end()
      client.close()
    }
    await Promise.all([closed, closedAgain])
    t.equal(door.connectionCount(), 0)
  })
}

t.test('connections: bytes that begin no request do not hold a close up', async t => {
  const door = await testDoor(t, { socketTimeoutMs: 500 })
  const client = await idleClient(door.port)
  client.send('\r\n')
  await until(() => client.socket.bytesWritten === GET.length + 2)
  await Promise.all([door.close(), client.end()])
  t.equal(door.connectionCount(), 0)
  client.close()
})

t.test('connections: a close ends handshakes that never come', async t => {
  const door = await testDoor(t, { tls: { cert: CERT, key: KEY }, socketTimeoutMs: 60_000 })
  const client = await RawClient.connect(door.port)
  await until(() => door.connectionCount() === 1)
  await Promise.all([door.close(), client.end()])
  t.equal(door.connectionCount(), 0)
  client.close()
})

t.test('connections: a door that nobody came to closes at once', async t => {
  const door = await testDoor(t)
  let hasWaited = false
  const silence = setTimeout(() => { hasWaited = true }, SILENT_CLOSE_MS)
  await door.close()
  t.notOk(hasWaited)
  clearTimeout(silence)
})

t.test('connections: a door without node:http has the same limits', async t => {
  const door = await bareDoor(t, 10)
  const clients: RawClient[] = []
  for (let at = 0; at < 8; at++) clients.push(await idleClient(door.port))
  t.equal(door.connections.count, 8)
  clients.push(await idleClient(door.port))
  t.equal(await clients[0]!.end(), '', 'the longest idle makes room')
  for (const client of clients.slice(1)) t.ok(await isServed(client))
  for (const client of clients) client.close()
})

t.test('connections: a door without node:http ends those that match', async t => {
  const door = await bareDoor(t, 10)
  const [waiting, idle, other] =
    [await RawClient.connect(door.port), await idleClient(door.port), await idleClient(door.port)]
  waiting.send(GET.replace('/', '/wait'))
  await until(() => door.waitingCount() === 1)
  idle.send(GET.replace('/', '/idle'))
  await idle.reply()

  const closed = door.connections.closeWhere(({ path }) => path === '/wait' || path === '/idle')
  t.equal(await idle.end(), '', 'a silent one at once')
  door.answerAll()
  t.match(await waiting.reply(), { status: 200, headers: { connection: 'close' } })
  t.equal(await waiting.end(), '')
  await closed
  t.ok(await isServed(other))
  for (const client of [waiting, idle, other]) client.close()
})

t.test('connections: a door without node:http answers what has begun as it closes', async t => {
  const door = await bareDoor(t, 10)
  const [waiting, idle] = [await RawClient.connect(door.port), await idleClient(door.port)]
  waiting.send(GET.replace('/', '/wait').repeat(2))
  await until(() => door.waitingCount() === 2)
  const closed = door.close()
  t.equal(await idle.end(), '')
  door.answerAll()
  t.match(await waiting.reply(), { status: 200, headers: { connection: 'keep-alive' } })
  t.match(await waiting.reply(), { status: 200, headers: { connection: 'close' } }, 'the last')
  t.equal(await waiting.end(), '')
  await closed
  t.equal(door.connections.count, 0)
  for (const client of [waiting, idle]) client.close()
})
