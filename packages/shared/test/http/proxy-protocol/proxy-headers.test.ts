/** Connections from trusted proxies at each kind of door, with TLS behind the header or without. */
import net from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { formatAddress } from '@usher/shared/client.ts'
import { jsonReply } from '@usher/shared/http/vocabulary/replies.ts'
import { binaryHeader, field, lineHeader } from '../fixtures/proxy-header.ts'
import { CERT, KEY } from '../../fixtures/tls-pems.ts'
import { PROXY_HEADERS, type ProxyHeaderCase } from '../cases/proxy-headers.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { testDoor, type TestDoor } from '../fixtures/test-door.ts'
import { until } from '../fixtures/until.ts'

const PROXY = '127.0.0.1'
const ELSEWHERE = '127.0.0.2'
const CLIENT = '203.0.113.7'
const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'
const FORWARDED = 'GET / HTTP/1.1\r\nHost: a.org\r\nX-Forwarded-For: 198.51.100.9\r\n' +
  'X-Forwarded-Proto: https\r\nX-Forwarded-Host: b.org\r\n\r\n'

interface HeaderDoor extends TestDoor {
  readonly isTls: boolean
  readonly refused: () => number
}

type Given = Parameters<typeof testDoor>[1]

const DOORS = [
  { kind: 'the fast door', hasFastDoor: true, isTls: false },
  { kind: 'the checked server', hasFastDoor: false, isTls: false },
  { kind: 'the fast door with TLS', hasFastDoor: true, isTls: true },
  { kind: 'the checked server with TLS', hasFastDoor: false, isTls: true }
]

async function headerDoor (
  t: Test, { hasFastDoor, isTls }: { hasFastDoor: boolean, isTls: boolean }, given: Given = {}
): Promise<HeaderDoor> {
  let refused = 0
  const door = await testDoor(t, {
    trustProxy: [PROXY],
    proxyProtocol: 'trusted',
    hasFastDoor,
    tls: isTls ? { cert: CERT, key: KEY } : undefined,
    socketTimeoutMs: 60_000,
    meter: { answered () {}, proxyHeaderRefused () { refused++ } },
    handler: ({ address, authority, isSecure }) =>
      jsonReply(200, { address: formatAddress(address), authority, isSecure }),
    ...given
  })
  return { ...door, isTls, refused: () => refused }
}

/** A raw connection on which these pieces have been sent, each in a packet of its own. */
async function begun (
  t: Test, { port }: TestDoor, pieces: readonly string[], from = PROXY
): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
  t.teardown(() => socket.destroy())
  for (const piece of pieces) {
    await new Promise(resolve => { socket.write(Buffer.from(piece, 'latin1'), resolve) })
    await new Promise(resolve => setImmediate(resolve))
  }
  return socket
}

/** A client that is ready to ask behind the header. */
async function behind (
  t: Test, door: HeaderDoor, pieces: readonly string[], from = PROXY
): Promise<RawClient> {
  const socket = await begun(t, door, pieces, from)
  if (!door.isTls) return new RawClient(socket)
  const secure = tls.connect({ socket, rejectUnauthorized: false })
  secure.on('error', () => {})
  return new RawClient(secure)
}

async function told (
  t: Test, door: HeaderDoor, header: readonly string[], request = GET, from = PROXY
): Promise<Record<string, unknown>> {
  const client = await behind(t, door, header, from)
  client.send(request)
  const reply = await client.reply()
  client.close()
  return reply === undefined ? {} : JSON.parse(reply.body) as Record<string, unknown>
}

/** Resolves when the door has closed the connection; nothing may have come by then. */
async function isClosed (socket: net.Socket): Promise<string> {
  let text = ''
  socket.on('data', bytes => { text += bytes.toString('latin1') }).on('error', () => {})
  await new Promise(resolve => { socket.once('close', resolve) })
  return text
}

function saidAddress ({ says }: ProxyHeaderCase): string {
  return says === 'proxy' || says === 'unknown' ? PROXY : says
}

for (const { kind, ...given } of DOORS) {
  t.test(`proxy headers: ${kind} holds to every case`, async t => {
    const door = await headerDoor(t, given)
    let refused = 0
    for (const header of PROXY_HEADERS) {
      if (header.isRefused !== true) {
        const { address, isSecure } = await told(t, door, [header.bytes])
        t.strictSame([address, isSecure], [
          saidAddress(header), given.isTls || header.isTls === true], header.name)
        continue
      }
      const socket = await begun(t, door, [header.bytes + GET])
      t.equal(await isClosed(socket), '', `${header.name}: closed without a word`)
      refused++
    }
    t.equal(door.refused(), refused, 'each refusal is counted')
    const lines = door.lines.filter(({ msg }) => /PROXY_PROTOCOL=trusted/.test(String(msg)))
    t.match(lines, [{ proxy: PROXY, reason: /^its line is too long/ }], 'and one of them logged')
    t.equal(lines.length, 1)
  })

  t.test(`proxy headers: ${kind} takes them in any pieces`, async t => {
    const door = await headerDoor(t, given)
    for (const header of [lineHeader(CLIENT), binaryHeader({ fields: field(4, 'abc') })]) {
      t.equal((await told(t, door, [...header]))['address'], CLIENT, 'byte by byte')
      t.equal((await told(t, door, [header.slice(0, 9), header.slice(9)]))['address'], CLIENT)
    }
  })

  t.test(`proxy headers: ${kind} keeps to the client for all requests of a connection`, async t => {
    const door = await headerDoor(t, given)
    const client = await behind(t, door, [lineHeader(CLIENT)])
    const requests = [
      FORWARDED, GET, 'POST / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 1\r\n\r\nx', FORWARDED
    ]
    for (const request of requests) {
      client.send(request)
      const reply = await client.reply()
      t.strictSame(JSON.parse(reply!.body), {
        address: CLIENT, authority: 'a.org', isSecure: given.isTls
      }, 'a client is not believed what only a proxy may say')
    }
    client.close()
  })

  t.test(`proxy headers: ${kind} believes X-Forwarded-* of nobody but proxies`, async t => {
    const door = await headerDoor(t, given, { trustProxy: [PROXY, '10.0.0.0/8'] })
    const forwarded = { address: '198.51.100.9', authority: 'b.org', isSecure: true }
    const local = binaryHeader({ command: 0, family: 0, addresses: '' })
    t.strictSame(await told(t, door, [lineHeader('10.1.2.3')], FORWARDED), forwarded,
      'a proxy behind a proxy')
    t.strictSame(await told(t, door, [lineHeader('::ffff:10.1.2.3')], FORWARDED), forwarded)
    t.strictSame(await told(t, door, [local], FORWARDED), forwarded, 'the proxy itself')
    t.strictSame(await told(t, door, ['PROXY UNKNOWN\r\n'], FORWARDED), {
      address: PROXY, authority: 'a.org', isSecure: given.isTls
    }, 'somebody unknown behind the proxy')
  })

  t.test(`proxy headers: ${kind} serves connections from elsewhere as ever`, async t => {
    const door = await headerDoor(t, given)
    t.equal((await told(t, door, [], FORWARDED, ELSEWHERE))['address'], ELSEWHERE)
    for (const header of [lineHeader(CLIENT), binaryHeader({})]) {
      const client = await RawClient.connect(door.port, '127.0.0.1', given.isTls, ELSEWHERE)
      client.send(header + GET)
      t.equal((await client.reply())?.status, 400, 'a header is a malformed request')
      await client.end()
      client.close()
    }
    t.strictSame(door.seen, ['GET /'], 'and nothing behind it is a request')
    t.equal(door.refused(), 2, 'which is counted')
    t.match(door.lines.map(({ address, msg }) => [address, msg]), [
      [ELSEWHERE, /^a request was refused \(400\), because it is a header of the PROXY protocol/]
    ], 'and logged within bounds')
  })

  t.test(`proxy headers: ${kind} takes one for each connection`, async t => {
    const door = await headerDoor(t, given)
    const client = await behind(t, door, [lineHeader(CLIENT)])
    client.send(lineHeader('198.51.100.9') + GET)
    t.equal((await client.reply())?.status, 400)
    client.close()
    t.strictSame(door.seen, [])
  })

  t.test(`proxy headers: ${kind} waits for them no longer than for a head`, async t => {
    const door = await headerDoor(t, given, { socketTimeoutMs: 300 })
    const sockets = await Promise.all([
      begun(t, door, []), begun(t, door, ['PROXY TCP4 ']), begun(t, door, [binaryHeader({}).slice(0, -1)])
    ])
    t.strictSame(await Promise.all(sockets.map(isClosed)), ['', '', ''])
    await until(() => door.connectionCount() === 0)
    t.equal(door.refused(), 3)
  })

  t.test(`proxy headers: ${kind} lets go of whoever leaves before the end of one`, async t => {
    const door = await headerDoor(t, given)
    for (const pieces of [[], ['PROXY '], [binaryHeader({}).slice(0, 20)]]) {
      const socket = await begun(t, door, pieces)
      const closed = isClosed(socket)
      socket.end()
      t.equal(await closed, '')
    }
    await until(() => door.connectionCount() === 0)
    t.equal(door.refused(), 2, 'a header that ends too early is refused; a look at the port is not')
  })

  t.test(`proxy headers: ${kind} closes while one is waited for`, async t => {
    const door = await headerDoor(t, given)
    const socket = await begun(t, door, ['PROXY '])
    await until(() => door.connectionCount() === 1)
    const closed = isClosed(socket)
    await door.close()
    t.equal(await closed, '')
  })

  t.test(`proxy headers: ${kind} has the quota of connections of the client`, async t => {
    const door = await headerDoor(t, given, { maxConnections: 40 })
    const slow = async (header: string): Promise<RawClient> => {
      const client = await behind(t, door, [header])
      client.send('GET / HTTP/1.1\r\nHost: a.org\r\nX: ')
      t.teardown(() => { client.close() })
      return client
    }
    const ended = (clients: readonly RawClient[]): number =>
      clients.filter(({ socket }) => socket.readableEnded || socket.closed).length
    const crowd: RawClient[] = []
    for (let count = 0; count < 32; count++) {
      crowd.push(await slow(lineHeader(CLIENT)))
      await until(() => door.connectionCount() === count + 1)
    }
    const others: RawClient[] = []
    for (let count = 1; count <= 16; count++) {
      others.push(await slow(lineHeader(`198.51.100.${count}`)))
      await until(() => ended(crowd) === count)
    }
    t.equal(ended(others), 0, 'those of other clients are kept, all by the same proxy')
    for (const client of [...crowd, ...others]) client.close()
    await until(() => door.connectionCount() === 0)
    const again = await slow(lineHeader(CLIENT))
    again.send('\r\n\r\n')
    t.equal((await again.reply())?.status, 200)
  })

  t.test(`proxy headers: ${kind} closes the connections of a client, not the proxy's`, async t => {
    const door = await headerDoor(t, given)
    const clients = await Promise.all([lineHeader(CLIENT), lineHeader('203.0.113.8')]
      .map(header => behind(t, door, [header])))
    for (const client of clients) {
      client.send(GET)
      t.equal((await client.reply())?.status, 200)
    }
    await door.closeClients((_client, address) => formatAddress(address) === CLIENT)
    t.equal(await clients[0]!.end(), '')
    clients[1]!.send(GET)
    t.equal((await clients[1]!.reply())?.status, 200)
    clients[1]!.close()
  })
}

t.test('proxy headers: a header and the first request, or the first of TLS, come together', async t => {
  const [fast, , secure] = await Promise.all(DOORS.map(given => headerDoor(t, given)))
  const client = await behind(t, fast!, [lineHeader(CLIENT) + GET + GET])
  for (let count = 0; count < 2; count++) {
    t.equal(JSON.parse((await client.reply())!.body).address, CLIENT, 'plain')
  }
  client.close()
  // What a TLS client says first, in one packet with the header.
  const raw = net.connect(secure!.port, '127.0.0.1')
  t.teardown(() => raw.destroy())
  const first = await firstOfTls(t)
  raw.write(Buffer.concat([Buffer.from(lineHeader(CLIENT)), first]))
  const [answer] = await new Promise<[Buffer]>(resolve => {
    raw.once('data', bytes => { resolve([bytes]) })
  })
  t.strictSame([...answer.subarray(0, 1)], [0x16], 'a handshake is answered')
})

async function firstOfTls (t: Test): Promise<Buffer> {
  return new Promise(resolve => {
    const server = net.createServer(socket => {
      socket.once('data', bytes => {
        resolve(bytes)
        socket.destroy()
      })
    })
    t.teardown(() => server.close())
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      tls.connect({ port, host: '127.0.0.1' }).on('error', () => {})
    })
  })
}

t.test('proxy headers: off, a header is a malformed request from a trusted proxy too', async t => {
  for (const given of DOORS.slice(0, 2)) {
    const door = await headerDoor(t, given, { proxyProtocol: 'off' })
    const client = await behind(t, door, [lineHeader(CLIENT) + GET])
    t.equal((await client.reply())?.status, 400)
    client.close()
    t.equal((await told(t, door, [], FORWARDED))['address'], '198.51.100.9', 'as without the setting')
  }
})
