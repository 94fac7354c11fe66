import { once } from 'node:events'
import { pino } from 'pino'
import t from 'tap'
import { createCheckedServer } from '@usher/shared/http/checked-server.ts'
import type { CheckedServerOptions } from '@usher/shared/http/checked-server.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { ALL_CASES, REFUSED } from './cases/all-cases.ts'
import { checkCase } from './fixtures/check-case.ts'
import { frontServer, handOver, readSome } from './fixtures/front-server.ts'
import { RawClient } from './fixtures/raw-client.ts'
import { testDoor } from './fixtures/test-door.ts'
import { testServer } from './fixtures/test-server.ts'
import { until } from './fixtures/until.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a.org\r\n'
const SOCKET_TIMEOUT_MS = 200
/** node:http looks every 30 s unless it is told otherwise; the rest is for a busy machine. */
const LATENESS_MS = 10_000

t.test('checked-server: refuses what is not HTTP as it should be', async t => {
  const door = await testDoor(t)
  for (const given of REFUSED) await checkCase(t, door, given)
})

t.test('checked-server: is the same with TLS, up to the target that wants it', async t => {
  const door = await testDoor(t, { tls: { cert: CERT, key: KEY } })
  for (const given of ALL_CASES) {
    const isTold = given.statuses.every(status => status !== 421)
    if (isTold) await checkCase(t, { ...door, isTls: true }, given)
  }
})

t.test('checked-server: says in pieces too whether the target is to blame, or a field', async t => {
  const cases: ReadonlyArray<[status: number, before: string, start: string]> = [
    [414, '', 'GET /'],
    [414, '\r\n', 'GET /?a=b&'],
    [414, '', 'M-SEARCH http://a.org/'],
    [414, GET, 'GET /'],
    [414, `${POST}Content-Length: 7\r\n\r\nHEAD / `, 'GET /'],
    [431, '', 'GET / HTTP/1.1\r\nX: '],
    [431, '', 'GET / HTTP/1.1\r\n'],
    [431, GET, `${GET.slice(0, -2)}X: `],
    [431, '', `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: `]
  ]
  for (const isTls of [false, true]) {
    const door = await testDoor(t, isTls ? { tls: { cert: CERT, key: KEY } } : {})
    for (const [status, before, start] of cases) {
      const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
      const name = JSON.stringify(before + start)
      client.send(before + start)
      if (before.includes('/')) t.equal((await client.reply())?.status, 200, name)
      for (let piece = 0; piece < 20; piece++) {
        client.send('a'.repeat(1_000))
        await new Promise(resolve => setTimeout(resolve, 1))
      }
      t.equal((await client.reply())?.status, status, name)
      t.equal(await client.end(), '', `${name}: nothing more comes`)
      client.close()
    }
  }
})

t.test('checked-server: answers 408 to a slow request, in time, and ends it', async t => {
  const cases: ReadonlyArray<[name: string, before: string, bytes: string]> = [
    ['no byte at all', '', ''],
    ['part of a request line', '', 'GET /'],
    ['part of a field', '', 'GET / HTTP/1.1\r\nHos'],
    ['no empty line', '', GET.slice(0, -2)],
    ['a second head', GET, GET.slice(0, 30)],
    ['part of a HEAD', '', 'HEAD / HTTP/1.1\r\nHos'],
    ['a HEAD behind a GET', GET, 'HEAD / HTTP/1.1\r\nHos'],
    ['a HEAD without its body', '', 'HEAD / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 3\r\n\r\nab'],
    ['no body', '', `${POST}Content-Length: 3\r\n\r\n`],
    ['part of a body', '', `${POST}Content-Length: 3\r\n\r\nab`],
    ['a body of a GET', '', `${GET.slice(0, -2)}Content-Length: 3\r\n\r\nab`],
    ['part of a chunk', '', `${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nab`],
    ['no last chunk', '', `${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
    ['a second body', GET, `${POST}Content-Length: 3\r\n\r\nab`]
  ]
  const door = await testDoor(t, { socketTimeoutMs: SOCKET_TIMEOUT_MS })
  await Promise.all(cases.map(async ([name, before, bytes]) => {
    const client = await RawClient.connect(door.port)
    client.send(before)
    if (before !== '') t.equal((await client.reply())?.status, 200, `${name}: before`)
    const start = performance.now()
    client.send(bytes)
    const reply = await client.reply(bytes.startsWith('HEAD'))
    const tookMs = performance.now() - start
    t.equal(reply?.status, 408, name)
    t.equal(reply?.headers['connection'], 'close', `${name}: says close`)
    t.ok(tookMs >= SOCKET_TIMEOUT_MS - 5, `${name}: not early (${tookMs} ms)`)
    t.ok(tookMs <= SOCKET_TIMEOUT_MS + LATENESS_MS, `${name}: not late (${tookMs} ms)`)
    t.equal(await client.end(), '', `${name}: nothing more comes`)
    client.close()
  }))
  t.strictSame(door.seen, ['GET /', 'GET /', 'GET /'], 'no half request reached the handler')
})

t.test('checked-server: a head that trickles in is slow too', async t => {
  const door = await testDoor(t, { socketTimeoutMs: SOCKET_TIMEOUT_MS })
  const client = await RawClient.connect(door.port)
  client.send('GET / HTTP/1.1\r\nX: ')
  const trickle = setInterval(() => client.send('a'), 20)
  t.teardown(() => clearInterval(trickle))
  t.equal((await client.reply())?.status, 408)
  clearInterval(trickle)
  client.close()
})

t.test('checked-server: an idle connection outlives the limits of a request', async t => {
  const door = await testDoor(t, { socketTimeoutMs: SOCKET_TIMEOUT_MS })
  const idle = await RawClient.connect(door.port)
  idle.send(GET)
  t.match((await idle.reply())?.headers, { connection: 'keep-alive', 'keep-alive': 'timeout=75' })
  const slow = await RawClient.connect(door.port)
  t.equal((await slow.reply())?.status, 408)
  idle.send(GET)
  t.equal((await idle.reply())?.status, 200)
  idle.close()
  slow.close()
})

t.test('checked-server: a body has its own time, after that of the head', async t => {
  const door = await testDoor(t, { socketTimeoutMs: 1_500 })
  const client = await RawClient.connect(door.port)
  const start = performance.now()
  const rest = () => performance.now() - start
  client.send(`${POST}Content-`)
  await until(() => rest() > 900)
  client.send('Length: 3\r\n\r\nab')
  await until(() => rest() > 1_800)
  client.send('c')
  t.equal((await client.reply())?.status, 200)
  client.close()
})

t.test('checked-server: a refusal reaches a client that is still sending', async t => {
  const door = await testDoor(t)
  const line = `X-Long: ${'x'.repeat(1_000)}\r\n`
  const cases: ReadonlyArray<[name: string, status: number, bytes: string]> = [
    ['10 MB of fields', 431, `GET / HTTP/1.1\r\nHost: a.org\r\n${line.repeat(10_000)}\r\n`],
    ['10 MB of target', 414, `GET /${'a'.repeat(10_000_000)} HTTP/1.1\r\nHost: a.org\r\n\r\n`],
    ['10 MB of body', 413, `${POST}Content-Length: 10000000\r\n\r\n${'x'.repeat(10_000_000)}`],
    [
      '10 MB of chunks', 413,
      `${POST}Transfer-Encoding: chunked\r\n\r\n${`3e8\r\n${'x'.repeat(1_000)}\r\n`.repeat(10_000)}`
    ]
  ]
  for (const [name, status, bytes] of cases) {
    const client = await RawClient.connect(door.port)
    client.send(bytes)
    t.equal((await client.reply())?.status, status, name)
    t.equal(await client.end(), '', `${name}: nothing more comes`)
    t.equal(client.error, undefined, `${name}: no reset`)
    client.close()
  }
  t.strictSame(door.seen, [])
})

t.test('checked-server: replies before a refusal are sent first, however slow', async t => {
  let release = () => {}
  const server = await testServer(t, (_request, response) => {
    release = () => response.end('first')
  })
  for (const second of ['garbage\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n']) {
    const client = await RawClient.connect(server.port)
    client.send(GET.replace('\r\n\r\n', '\r\nX: 1\r\n\r\n') + second)
    await once(server.server, 'request')
    release()
    const text = await client.end()
    t.match(text, /^HTTP\/1\.1 200 [^]*first[^]*HTTP\/1\.1 4\d\d [^]*Connection: close/, second)
    client.close()
  }
})

t.test('checked-server: says nothing into a reply that has begun', async t => {
  const server = await testServer(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': '10' })
    response.write('12345')
  })
  for (const rest of ['', 'x\r\n']) { // a slow body, a broken one
    const client = await RawClient.connect(server.port)
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`)
    await once(server.server, 'request')
    client.send(rest)
    const text = await client.end()
    t.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\n12345$/, JSON.stringify(rest))
    client.close()
  }
})

t.test('checked-server: a whole reply given before the body came is not spoilt', async t => {
  const server = await testServer(t, (_request, response) => {
    response.writeHead(401, { 'Content-Length': '2' })
    response.end('no')
  })
  const client = await RawClient.connect(server.port)
  client.send(`${POST}Content-Length: 3\r\n\r\n`)
  t.match(await client.end(), /^HTTP\/1\.1 401 [^]*\r\n\r\nno$/)
  client.close()
})

t.test('checked-server: says nothing after a reply that ends the connection', async t => {
  let release = () => {}
  const server = await testServer(t, (_request, response) => {
    release = () => response.end('last')
  })
  const client = await RawClient.connect(server.port)
  const asked = once(server.server, 'request')
  client.send(GET.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'))
  await asked
  const broken = once(server.server, 'clientError')
  client.send('garbage\r\n\r\n')
  await broken
  release()
  t.match(await client.end(), /^HTTP\/1\.1 200 [^]*\r\n\r\nlast$/)
  client.close()
})

t.test('checked-server: a reply made without the body needs no 100 Continue any more', async t => {
  const server = await testServer(t, (request, response) => {
    if (request.method === 'POST') return response.end('no')
    setTimeout(() => response.end('first'), 50)
  })
  const client = await RawClient.connect(server.port)
  client.send(`${GET}${POST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n`)
  const text = await client.end()
  t.match(text, /^HTTP\/1\.1 200 [^]*first[^]*HTTP\/1\.1 200 [^]*Connection: close[^]*\r\n\r\nno$/)
  t.notMatch(text, / 100 /)
  client.close()
})

t.test('checked-server: an absolute target reaches the listener as path and Host', async t => {
  const server = await testServer(t, (request, response) => {
    response.end(`${request.url} ${request.headers.host}`)
  })
  const client = await RawClient.connect(server.port)
  client.send('GET http://b.org:81/c?d HTTP/1.1\r\nHost: a.org\r\nConnection: close\r\n\r\n')
  t.match(await client.end(), /\r\n\r\n\/c\?d b\.org:81$/)
  client.close()
})

t.test('checked-server: an https target is for TLS, or for a proxy that had it', async t => {
  const bytes = 'GET https://b.org/ HTTP/1.1\r\nHost: b.org\r\nConnection: close\r\n\r\n'
  const cases: ReadonlyArray<[given: Partial<CheckedServerOptions>, status: number]> = [
    [{}, 421],
    [{ trustProxy: ['127.0.0.1'] }, 200],
    [{ trustProxy: ['192.0.2.1'] }, 421],
    [{ tls: { cert: CERT, key: KEY } }, 200]
  ]
  for (const [given, status] of cases) {
    const options = { socketTimeoutMs: 60_000, ...given }
    const server = await testServer(t, (_request, response) => { response.end() }, options)
    const client = await RawClient.connect(server.port, '127.0.0.1', given.tls !== undefined)
    client.send(bytes)
    t.equal((await client.reply())?.status, status, Object.keys(given).join())
    client.close()
  }
})

t.test('checked-server: ends a connection that its parser has done with, whatever the reply said', async t => {
  const server = await testServer(t, (request, response) => {
    request.resume().once('end', () => response.end('done'))
  }, { socketTimeoutMs: 60_000 })
  const client = await RawClient.connect(server.port)
  client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n${GET}`)
  t.match(await client.end(), /^HTTP\/1\.1 200 [^]*done$/)
  client.close()
})

t.test('checked-server: a method nobody knows is 501 in pieces too, and 408 when it stays one', async t => {
  const door = await testDoor(t, { socketTimeoutMs: SOCKET_TIMEOUT_MS })
  for (const [pieces, status] of [
    [['BR', 'EW / HT', 'TP/1.1\r\n', 'Host: a.org\r\n\r\n'], 501],
    [['gar', 'bage\r\n\r\n'], 400],
    [['BREW'], 408]
  ] as const) {
    const client = await RawClient.connect(door.port)
    for (const piece of pieces) {
      client.send(piece)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    t.equal((await client.reply())?.status, status, pieces.join('|'))
    t.equal(await client.end(), '', `${pieces.join('|')}: nothing more comes`)
    client.close()
  }
  t.strictSame(door.seen, [])
})

t.test('checked-server: a client that has closed its half is answered', async t => {
  let release = () => {}
  const server = await testServer(t, (_request, response) => {
    release = () => response.end('yes')
  })
  const client = await RawClient.connect(server.port)
  const asked = once(server.server, 'request')
  client.send(GET)
  client.socket.end()
  const [request] = await asked
  await once(request.socket, 'end')
  release()
  t.match(await client.end(), /\r\n\r\nyes$/)

  const broken = await RawClient.connect(server.port)
  broken.send('GET / HT')
  broken.socket.end()
  t.equal((await broken.reply())?.status, 400, 'half a request and no more')
  t.equal(await broken.end(), '')
})

t.test('checked-server: a client that goes away disturbs nobody', async t => {
  let release = () => {}
  const server = await testServer(t, (_request, response) => {
    release = () => response.end('nobody')
  })
  for (const bytes of [GET, `${GET}${POST}Content-Length: 3\r\n\r\na`, 'GET / HT', '']) {
    const client = await RawClient.connect(server.port)
    const asked = bytes.startsWith(GET) ? once(server.server, 'request') : until(() => server.connectionCount() === 1)
    client.send(bytes)
    await asked
    client.socket.resetAndDestroy()
    await until(() => server.connectionCount() === 0)
    release()
    release = () => {}
  }
  const refused = await RawClient.connect(server.port)
  refused.send('CONNECT a.org:443 HTTP/1.1\r\nHost: a.org\r\n\r\n')
  t.equal((await refused.reply())?.status, 405)
  refused.socket.resetAndDestroy()
  await until(() => server.connectionCount() === 0)
})

t.test('checked-server: speaks HTTPS, and ends a handshake that does not come', async t => {
  const server = await testServer(t, (_request, response) => {
    response.end('secret')
  }, { tls: { cert: CERT, key: KEY } })
  const client = await RawClient.connect(server.port, '127.0.0.1', true)
  client.send(GET)
  t.match((await client.reply())?.status, 200)
  client.send('GET / HTTP/1.1\r\n\r\n')
  t.match(await client.end(), /HTTP\/1\.1 400 /)
  client.close()

  const plain = await RawClient.connect(server.port)
  plain.send(GET)
  await plain.end()
  plain.close()
  const silent = await RawClient.connect(server.port)
  await silent.end()
  silent.close()
  await until(() => server.connectionCount() === 0)
})

t.test('checked-server: has a listener for errors, which logs them', async t => {
  const lines: string[] = []
  const log = pino({}, { write: line => { lines.push(line) } })
  const limits = { bodyBytesMax: 1, socketTimeoutMs: 200, maxConnections: 1 }
  const options = { ...limits, allow: '', trustProxy: [], tls: undefined }
  const { server } = createCheckedServer({ ...options, log }, () => {})
  t.equal(server.emit('error', new Error('accept EMFILE')), true)
  t.match(lines, [/accept EMFILE/])
})

t.test('checked-server: takes over sockets that another server has read from', async t => {
  const server = await testServer(t, (request, response) => {
    response.end(request.url)
  })
  const front = await frontServer(t)
  const { client, socket } = await front.connect()
  client.send(GET.replace('/', '/handed-over'))
  handOver(socket, server.server, await readSome(socket))
  t.match((await client.reply())?.body, /handed-over/)
  t.equal(server.connectionCount(), 1)
  client.send('garbage\r\n\r\n')
  t.equal((await client.reply())?.status, 400)
  client.close()
})
