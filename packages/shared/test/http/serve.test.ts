import { once } from 'node:events'
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'
import type { Handler, Reply, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { ALL_CASES, VALID } from './cases/all-cases.ts'
import { checkCase } from './fixtures/check-case.ts'
import { RawClient } from './fixtures/raw-client.ts'
import { echo, testDoor } from './fixtures/test-door.ts'
import type { TestDoor } from './fixtures/test-door.ts'
import { until } from './fixtures/until.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'

/** Sends a request on a connection of its own and returns what comes until it ends. */
async function ask (door: TestDoor, bytes: string): Promise<string> {
  const client = await RawClient.connect(door.port)
  client.send(bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  const text = await client.end()
  client.close()
  return text
}

t.test('serve: each case has a name of its own, and the section that decides', async t => {
  const names = ALL_CASES.map(({ name }) => name)
  t.strictSame(names.filter((name, at) => names.indexOf(name) !== at), [])
  for (const { name, rfc } of ALL_CASES) t.match(rfc, /^911[02] \d+(\.\d+)*$/, name)
})

t.test('serve: answers what is valid', async t => {
  const door = await testDoor(t)
  for (const given of VALID) await checkCase(t, door, given)
})

t.test('serve: a request in two parts, cut anywhere, gets the same reply', async t => {
  const door = await testDoor(t)
  for (const { name, bytes, statuses, isKept, isHead } of VALID) {
    if (bytes.length > 120) continue
    let client = await RawClient.connect(door.port)
    const read = async () => {
      const replies: Array<string | undefined> = []
      while (replies.length < statuses.length) replies.push((await client.reply(isHead))?.bytes)
      if (isKept) return replies
      await client.end()
      client.close()
      client = await RawClient.connect(door.port)
      return replies
    }
    client.send(bytes)
    const whole = await read()
    let sameCount = 0
    for (let cut = 1; cut < bytes.length; cut++) {
      client.send(bytes.slice(0, cut))
      await readByServer()
      client.send(bytes.slice(cut))
      if (JSON.stringify(await read()) === JSON.stringify(whole)) sameCount++
    }
    t.equal(sameCount, bytes.length - 1, `${name}: two parts`)
    for (const byte of bytes) {
      client.send(byte)
      await readByServer()
    }
    t.strictSame(await read(), whole, `${name}: byte by byte`)
    client.close()
  }
})

/** Two turns of the loop: what was sent has been read, for both ends live in this process. */
async function readByServer (): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('serve: replies leave in the order of their requests', async t => {
  const waiting: Array<() => void> = []
  const door = await testDoor(t, {
    handler: request => new Promise(resolve => waiting.push(() => resolve(echo(request))))
  })
  const count = 500
  const client = await RawClient.connect(door.port)
  const padded = GET.replace('\r\n\r\n', `\r\nX: ${'x'.repeat(2_000)}\r\n\r\n`)
  for (let at = 0; at < count; at++) client.send(padded.replace('/', `/${at}`))
  await until(() => waiting.length >= 100)
  await readByServer()
  t.ok(waiting.length < 200, `it is not read on and on (${waiting.length} are waiting)`)
  const answering = (async () => {
    for (let answered = 0; answered < count;) {
      await until(() => waiting.length > 0)
      for (const answer of waiting.splice(0).reverse()) {
        answer()
        answered++
      }
    }
  })()
  for (let at = 0; at < count; at++) {
    t.equal(JSON.parse((await client.reply())!.body).path, `/${at}`)
  }
  await answering
  client.close()
})

t.test('serve: 100 Continue waits for the replies before its own', async t => {
  const body = 'POST /2 HTTP/1.1\r\nHost: a.org\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n'
  const last = GET.replace('/', '/3')
  for (const isTls of [false, true]) {
    let release = (): void => {}
    const door = await testDoor(t, {
      ...isTls ? { tls: { cert: CERT, key: KEY } } : {},
      handler: request => request.path !== '/1'
        ? echo(request)
        : new Promise(resolve => { release = () => resolve(echo(request)) })
    })
    for (const sent of [`${body}abc${last}`, body]) {
      door.seen.length = 0
      const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
      client.send(GET.replace('/', '/1') + sent)
      await until(() => door.seen.length === 1)
      await readByServer()
      release()
      t.equal(JSON.parse((await client.reply())!.body).path, '/1')
      t.equal((await client.reply())?.status, 100, 'whole, and behind the reply before it')
      if (sent === body) client.send(`abc${last}`)
      t.match(JSON.parse((await client.reply())!.body), { path: '/2', body: 'abc' })
      t.equal(JSON.parse((await client.reply())!.body).path, '/3', 'and the connection is kept')
      client.close()
    }
  }
})

t.test('serve: who waits for 100 Continue behind a slow reply has the time for the body from then', async t => {
  const door = await testDoor(t, {
    socketTimeoutMs: 300,
    handler: async request => {
      if (request.path === '/1') await new Promise(resolve => setTimeout(resolve, 600))
      return echo(request)
    }
  })
  const client = await RawClient.connect(door.port)
  client.send(`${GET.replace('/', '/1')}POST /2 HTTP/1.1\r\nHost: a.org\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`)
  t.equal((await client.reply())?.status, 200)
  t.equal((await client.reply())?.status, 100)
  client.send('abc')
  t.equal((await client.reply())?.status, 200)
  client.close()
})

t.test('serve: tells the handler all of the request', async t => {
  const values: RequestValue[] = []
  const handler: Handler = request => {
    values.push(request)
    return echo(request)
  }
  const door = await testDoor(t, { handler, trustProxy: ['127.0.0.1'] })
  await ask(door, 'POST http://B.org:81//a%20?b=c?d HTTP/1.1\r\nHost: a.org\r\nX-Y: 1\r\nX-Y: 2\r\nContent-Length: 2\r\n\r\n\0\xff')
  await ask(door, 'GET / HTTP/1.0\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: c.org\r\n\r\n')
  await ask(door, 'GET /? HTTP/1.0\r\n\r\n')
  t.match(values, [
    {
      method: 'POST',
      path: '//a%20',
      query: '?b=c?d',
      headers: { 'x-y': '1, 2' },
      body: Buffer.from([0, 255]),
      authority: 'B.org:81',
      isSecure: false,
      address: parseAddress('127.0.0.1')!
    },
    { authority: 'c.org', isSecure: true, address: parseAddress('1.2.3.4')!, body: NO_BODY },
    { path: '/', query: '?', authority: undefined }
  ])
})

t.test('serve: counts the length, and leaves the body out where none belongs', async t => {
  const body = Buffer.from('é!')
  const handler: Handler = ({ path }) =>
    ({ status: Number(path.slice(1)), headers: ['X-A', 'b'], body })
  const door = await testDoor(t, { handler })
  type Case = [method: string, status: number, length: RegExp | null, body: string]
  const cases: readonly Case[] = [
    ['GET', 200, /\r\nContent-Length: 3\r\n/, '\xc3\xa9!'],
    ['POST', 404, /\r\nContent-Length: 3\r\n/, '\xc3\xa9!'],
    ['HEAD', 200, /\r\nContent-Length: 3\r\n/, ''],
    ['GET', 204, null, ''],
    ['GET', 304, null, ''],
    ['HEAD', 304, null, '']
  ]
  for (const [method, status, length, expected] of cases) {
    const text = await ask(door, GET.replace('GET /', `${method} /${status}`))
    const [head = '', sent] = text.split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `), `${method} ${status}`)
    t.match(head, /\r\nX-A: b\r\n/, 'its own fields')
    t.match(head, /\r\nDate: .* GMT\r\n/, 'the date')
    t.notMatch(head, /Transfer-Encoding/)
    if (length === null) t.notMatch(head, /Content-Length/)
    else t.match(`${head}\r\n`, length)
    t.equal(sent, expected)
  }
})

t.test('serve: a fault is a 500 with a code that is logged once', async t => {
  const broken = { status: 200, headers: ['X', 'a\nb'], body: NO_BODY }
  const faults: ReadonlyArray<[name: string, handler: Handler, logged: RegExp]> = [
    ['throws', () => { throw new Error('one') }, /one/],
    ['rejects', () => Promise.reject(new Error('two')), /two/],
    ['throws no error', () => { throw 'three' }, /three|undefined/], // eslint-disable-line no-throw-literal
    ['replies what cannot be sent', () => broken, /Invalid character/]
  ]
  for (const [name, handler, logged] of faults) {
    const door = await testDoor(t, { handler })
    const code = /^HTTP\/1\.1 500 [^]*fault ([0-9a-f]{8})$/.exec(await ask(door, GET))?.[1]
    t.ok(code, name)
    t.equal(door.lines.length, 1, `${name}: logged once`)
    t.match(door.lines[0], { level: 50, code, method: 'GET', path: '/' }, `${name}: with its code`)
    t.match(JSON.stringify(door.lines[0]), logged, `${name}: and its cause`)
  }
})

t.test('serve: a 500 survives its own page failing', async t => {
  const pages: ReadonlyArray<[renderFault: (code: string) => Reply]> = [
    [() => { throw new Error('page') }],
    [() => ({ status: 500, headers: ['\n', ''], body: NO_BODY })]
  ]
  for (const [renderFault] of pages) {
    const door = await testDoor(t, { renderFault, handler: () => { throw new Error('x') } })
    t.match(await ask(door, GET), /^HTTP\/1\.1 500 [^]*Internal Server Error [0-9a-f]{8}\n$/)
    t.equal(door.lines.length, 1)
  }
})

t.test('serve: a fault leaves the connection to the next request', async t => {
  const door = await testDoor(t, {
    handler: request => {
      if (request.path === '/fault') throw new Error('x')
      return echo(request)
    }
  })
  const client = await RawClient.connect(door.port)
  client.send(GET.replace('/', '/fault') + GET)
  t.equal((await client.reply())?.status, 500)
  t.equal((await client.reply())?.status, 200)
  client.close()
})

t.test('serve: a client that leaves is no fault', async t => {
  let release = () => {}
  const handler: Handler = request => new Promise(resolve => {
    release = () => resolve(echo(request))
  })
  const door = await testDoor(t, { handler })
  for (const bytes of [GET, 'POST / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 3\r\n\r\na']) {
    const client = await RawClient.connect(door.port)
    const seenCount = door.seen.length
    client.send(bytes)
    await until(() => bytes !== GET || door.seen.length > seenCount)
    await until(() => door.connectionCount() === 1)
    client.socket.resetAndDestroy()
    await until(() => door.connectionCount() === 0)
    release()
  }
  await readByServer()
  t.strictSame(door.lines, [])
  t.strictSame(door.seen, ['GET /'])
})

t.test('serve: a client that takes nothing of its reply is ended, a slow one is not', async t => {
  const body = Buffer.alloc(50 * 1024 * 1024)
  const door = await testDoor(t, {
    socketTimeoutMs: 100, handler: () => ({ status: 200, headers: [], body })
  })
  const stalled = await RawClient.connect(door.port)
  stalled.socket.pause()
  stalled.send(GET)
  await until(() => door.seen.length === 1 && door.connectionCount() === 0)
  stalled.close()

  const slow = await RawClient.connect(door.port)
  slow.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  await once(slow.socket, 'data')
  let receivedBytes = 0
  slow.socket.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length
    slow.socket.pause()
    setTimeout(() => slow.socket.resume(), 1)
  })
  await once(slow.socket, 'end')
  t.ok(receivedBytes >= body.length - 65_536, 'all of it arrived')
  slow.close()
})

/** A meter that takes notes. */
function testMeter () {
  const answered: Array<[status: number, durationMs?: number]> = []
  const meter = {
    answered (...reply: [status: number, durationMs?: number]) { answered.push(reply) }
  }
  return { answered, meter }
}

t.test('serve: every reply is metered with its status and how long it took', async t => {
  const { meter, answered } = testMeter()
  const replies: Record<string, Handler> = {
    '/now': () => ({ status: 204, headers: [], body: NO_BODY }),
    '/later': async () => {
      await new Promise(resolve => setTimeout(resolve, 30))
      return { status: 302, headers: [], body: NO_BODY }
    },
    '/fault': () => { throw new Error('a fault of ours') }
  }
  const door = await testDoor(t, { meter, handler: request => replies[request.path]!(request) })
  for (const path of ['/now', '/later', '/fault']) await ask(door, GET.replace('/', path))
  t.same(answered.map(([status]) => status), [204, 302, 500])
  t.ok(answered[0]![1]! >= 0)
  t.ok(answered[1]![1]! >= 29)
  t.type(answered[2]![1], 'number')
})

t.test('serve: the time that a client takes to send its body is not the reply\'s', async t => {
  const { meter, answered } = testMeter()
  const door = await testDoor(t, { meter })
  const client = await RawClient.connect(door.port)
  client.send('POST / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 2\r\n\r\na')
  await new Promise(resolve => setTimeout(resolve, 200))
  const sentMs = performance.now()
  client.send('b')
  await client.reply()
  const tookMs = performance.now() - sentMs
  client.close()
  t.equal(answered.length, 1)
  t.ok(answered[0]![1]! <= tookMs, 'no longer than from its last byte to the reply')
})

t.test('serve: what is refused counts, but took no time', async t => {
  const { meter, answered } = testMeter()
  const door = await testDoor(t, { meter })
  const body = 'x'.repeat(2_000)
  for (const bytes of [
    'GET / HTTP/1.1\r\n\r\n',
    'nonsense\r\n\r\n',
    'CONNECT a.org:80 HTTP/1.1\r\nHost: a.org\r\n\r\n',
    `POST / HTTP/1.1\r\nHost: a.org\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${body}\r\n0\r\n\r\n`
  ]) {
    const client = await RawClient.connect(door.port)
    client.send(bytes)
    await client.end()
    client.close()
  }
  t.same(answered, [[400], [400], [405], [413]])
})

t.test('serve: a reply to nobody is not counted', async t => {
  const { meter, answered } = testMeter()
  let give = (): void => {}
  const door = await testDoor(t, {
    meter,
    handler: request => new Promise(resolve => { give = () => resolve(echo(request)) })
  })
  const client = await RawClient.connect(door.port)
  client.send(GET)
  await until(() => door.seen.length === 1)
  client.socket.resetAndDestroy()
  await until(() => door.connectionCount() === 0)
  give()
  await readByServer()
  t.same(answered, [])
})

t.test('serve: listens on both families by default, and says which port', async t => {
  const door = await testDoor(t, { host: '::' })
  const addresses: ReadonlyArray<[host: string, address: string]> =
    [['127.0.0.1', '127.0.0.1'], ['::1', '::1']]
  for (const [host, address] of addresses) {
    const client = await RawClient.connect(door.port, host)
    client.send(GET)
    t.strictSame(JSON.parse((await client.reply())!.body).address, parseAddress(address))
    client.close()
  }
  await t.rejects(testDoor(t, { port: door.port, host: '::' }), { code: 'EADDRINUSE' })
})

t.test('serve: with TLS every request is secure', async t => {
  const door = await testDoor(t, { tls: { cert: CERT, key: KEY } })
  const client = await RawClient.connect(door.port, '127.0.0.1', true)
  client.send(GET)
  t.match(JSON.parse((await client.reply())!.body), { isSecure: true, authority: 'a.org' })
  client.close()
})
