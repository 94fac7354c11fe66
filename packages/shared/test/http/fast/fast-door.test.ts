/** What the fast door does with connections; what it answers is in both-doors.test.ts. */
import type { Server } from 'node:net'
import t from 'tap'
import { areSameClients, parseClientId, type Client } from '@usher/shared/client.ts'
import { acceptLight, HAS_LIGHT_SOCKETS } from '@usher/shared/http/fast/accept.ts'
import { textReply } from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler, Reply } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../../fixtures/tls-pems.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { echo, testDoor } from '../fixtures/test-door.ts'
import { until } from '../fixtures/until.ts'

const ID = '0123abcd-93d4-4c11-8a77-0b9e5d2f4a61'
const WAIT = 'GET /wait HTTP/1.1\r\nHost: a.org\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a.org\r\nContent-Length: 1\r\n\r\nx'
const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'

/** Answers /wait when told to, and all else at once. */
function waitingHandler () {
  const waiting: Array<() => void> = []
  const handler: Handler = request => request.path !== '/wait'
    ? echo(request)
    : new Promise<Reply>(resolve => { waiting.push(() => resolve(echo(request))) })
  return { handler, waiting }
}

/** What was sent before is read meanwhile, or stands in the kernel. */
async function read (): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('fast door: runs on this Node', async t => {
  const door = await testDoor(t)
  t.equal(door.isFast, true, `Node ${process.version}`)
  t.equal(HAS_LIGHT_SOCKETS, true, `Node ${process.version}: sockets that are their handle only`)
  t.comment(`Node ${process.version}: light sockets`)
})

t.test('fast door: without what it takes, connections are node:net\'s own', async t => {
  const parts = {
    mayAccept: () => true,
    open: () => { throw new Error('not by this way') }
  }
  t.equal(acceptLight({} as Server, parts), false)
  t.equal(acceptLight({ _handle: null } as unknown as Server, parts), false)
  t.equal(acceptLight({ _handle: {} } as unknown as Server, parts), false)
  const door = await testDoor(t, { hasFastDoor: false })
  const client = await RawClient.connect(door.port)
  client.send(GET)
  t.equal((await client.reply())?.status, 200)
  client.close()
})

for (const [suffix, given] of [
  ['', {}],
  [', without light sockets', { hasLightSockets: false }],
  [', with TLS', { tls: { cert: CERT, key: KEY } }]
] as const) {
  const isTls = 'tls' in given

  t.test(`fast door: who sends nothing is told so, and ended${suffix}`, async t => {
    const answered: number[] = []
    const meter = { answered: (status: number) => { answered.push(status) } }
    const door = await testDoor(t, { ...given, socketTimeoutMs: 100, meter })
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    t.equal((await client.reply())?.status, 408)
    t.equal(await client.end(), '')
    t.strictSame(answered, [408])
    client.close()
  })

  t.test(`fast door: what comes while a reply is due waits for it${suffix}`, async t => {
    const { handler, waiting } = waitingHandler()
    const door = await testDoor(t, { ...given, handler })
    for (const next of [GET, GET + GET, GET.slice(0, 9), POST]) {
      const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
      client.send(WAIT)
      await until(() => waiting.length === 1)
      client.send(next)
      await read()
      waiting.pop()!()
      t.match((await client.reply())?.body, '"path":"/wait"')
      if (next.length < GET.length) client.send(GET.slice(next.length))
      t.match((await client.reply())?.body, '"path":"/"')
      if (next === GET + GET) t.equal((await client.reply())?.status, 200)
      client.send(GET)
      t.equal((await client.reply())?.status, 200)
      client.close()
    }
  })

  t.test(`fast door: an idle connection is its client's as long as it stands${suffix}`, async t => {
    const door = await testDoor(t, { ...given, headKeptMs: 0, socketTimeoutMs: 50 })
    const isKnown = (client: Client | undefined): boolean =>
      client !== undefined && areSameClients(client, parseClientId(ID)!)
    const named = await RawClient.connect(door.port, '127.0.0.1', isTls)
    const other = await RawClient.connect(door.port, '127.0.0.1', isTls)
    named.send(GET.replace('\r\n\r\n', `\r\nCookie: client_id=${ID}\r\n\r\n`))
    other.send(GET)
    await Promise.all([named.reply(), other.reply()])
    // Told so in the same round in which heads are forgotten.
    const silent = await RawClient.connect(door.port, '127.0.0.1', isTls)
    t.equal((await silent.reply())?.status, 408)
    await door.closeClients(isKnown)
    t.equal(await named.end(), '')
    other.send(GET)
    t.equal((await other.reply())?.status, 200)
    for (const client of [named, other, silent]) client.close()
  })

  t.test(`fast door: an idle connection ends when its time is over${suffix}`, async t => {
    const door = await testDoor(t, { ...given, keepAliveMs: 50 })
    const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
    client.send(GET)
    await client.reply()
    t.equal(await client.end(), '')
    client.close()
  })
}

for (const hasLightSockets of [true, false]) {
  t.test(`fast door: who has closed their half is answered, light: ${hasLightSockets}`, async t => {
    const { handler, waiting } = waitingHandler()
    const door = await testDoor(t, { handler, hasLightSockets })
    for (const [sent, replies] of [[WAIT, 1], [WAIT + GET, 2]] as const) {
      const client = await RawClient.connect(door.port)
      client.send(WAIT)
      await until(() => waiting.length === 1)
      client.send(sent.slice(WAIT.length))
      client.socket.end()
      await read()
      waiting.pop()!()
      const text = await client.end()
      t.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, replies)
      client.close()
    }
    const idle = await RawClient.connect(door.port)
    idle.send(GET)
    await idle.reply()
    idle.socket.end()
    t.equal(await idle.end(), '')
    t.equal(idle.error, undefined)
  })
}

for (const hasLightSockets of [true, false]) {
  t.test(`fast door: a reply is never mixed with another one, light: ${hasLightSockets}`, async t => {
    const big = textReply(200, 'b'.repeat(3_000_000))
    const door = await testDoor(t, {
      handler: request => request.path === '/' ? echo(request) : big,
      hasLightSockets
    })
    const client = await RawClient.connect(door.port)
    client.socket.pause()
    client.send(GET.replace('/', '/big'))
    await until(() => door.seen.length === 1)
    client.send(GET)
    client.socket.resume()
    t.equal((await client.reply())?.body.length, 3_000_000)
    t.equal((await client.reply())?.status, 200)
    client.close()
  })
}

t.test('fast door: small replies that nobody takes wait in order', async t => {
  const text = 'r'.repeat(60_000)
  const door = await testDoor(t, { handler: ({ path }) => textReply(200, path + text) })
  const client = await RawClient.connect(door.port)
  client.socket.pause()
  let sent = 0
  // Until the kernel takes no more of them, and so the next request is not read.
  while (door.seen.length === sent && sent < 1_000) {
    client.send(GET.replace('/', `/${sent++}`))
    await read()
  }
  t.ok(sent > 2 && sent < 1_000, `${sent} requests`)
  client.socket.resume()
  for (let at = 0; at < sent; at++) {
    const body = (await client.reply())?.body
    t.equal(body === `/${at}${text}`, true, `reply ${at}`)
  }
  client.send(GET)
  t.equal((await client.reply())?.status, 200)
  client.close()
})

t.test('fast door: who resets their connection is forgotten', async t => {
  const { handler, waiting } = waitingHandler()
  const door = await testDoor(t, { handler })
  for (const request of [GET, WAIT]) {
    const client = await RawClient.connect(door.port)
    client.send(request)
    await until(() => door.seen.length > 0)
    client.socket.resetAndDestroy()
    await until(() => door.connectionCount() === 0)
    waiting.pop()?.()
    door.seen.length = 0
  }
  const other = await RawClient.connect(door.port)
  other.send(GET)
  t.equal((await other.reply())?.status, 200)
  other.close()
})

t.test('fast door: the last reply arrives, whatever is sent behind its request', async t => {
  const door = await testDoor(t)
  const client = await RawClient.connect(door.port)
  client.send(GET.replace('Host', 'Connection: close\r\nHost'))
  await until(() => door.seen.length === 1)
  client.send(Buffer.alloc(1_000_000))
  t.match(await client.end(), 'HTTP/1.1 200 OK')
  t.equal(client.error, undefined)
  t.equal(door.connectionCount(), 1)
  client.socket.end()
  await until(() => door.connectionCount() === 0)
})
