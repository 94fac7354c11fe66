/** The end of single clients' connections: Connections, checked server and door together. */
import { once } from 'node:events'
import t from 'tap'
import { areSameWords, parseAddress, parseClientId } from '@usher/shared/client.ts'
import type { Door } from '@usher/shared/http/serve.ts'
import type { Handler } from '@usher/shared/http/vocabulary/values.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { RawClient } from './fixtures/raw-client.ts'
import { echo, testDoor } from './fixtures/test-door.ts'
import { until } from './fixtures/until.ts'

const ANA = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const BEN = '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'

function get (id: string | undefined, path = '/', more = ''): string {
  const cookie = id === undefined ? '' : `Cookie: client_id=${id}\r\n`
  return `GET ${path} HTTP/1.1\r\nHost: a.org\r\n${cookie}${more}\r\n`
}

/** A connection on which these requests have been answered. */
async function answered (
  door: Door, requests: readonly string[], isTls = false
): Promise<RawClient> {
  const client = await RawClient.connect(door.port, '127.0.0.1', isTls)
  for (const request of requests) {
    client.send(request)
    await client.reply()
  }
  return client
}

const closeId = (door: Door, id: string): Promise<void> =>
  door.closeClients(client => client !== undefined && areSameWords(client, parseClientId(id)!))

/** Whether the server has ended the connection; another request finds out if it has not. */
async function isOpen (client: RawClient): Promise<boolean> {
  client.send(get(undefined))
  return (await client.reply())?.status === 200
}

for (const tls of [undefined, { cert: CERT, key: KEY }]) {
  const isTls = tls !== undefined
  t.test(`close clients: all idle connections of one client, and no other${isTls ? ', with TLS' : ''}`, async t => {
    const door = await testDoor(t, { tls })
    const hers = [
      await answered(door, [get(ANA)], isTls),
      await answered(door, [get(BEN), get(ANA)], isTls),
      await answered(door, [get(undefined, `/heartbeat?client_id=${ANA}`)], isTls),
      await answered(door, [get(BEN, `/leave?client_id=${ANA}`)], isTls)
    ]
    const others = [
      await answered(door, [get(BEN)], isTls),
      await answered(door, [get(undefined)], isTls),
      await answered(door, [get(ANA), get(BEN)], isTls),
      await answered(door, [get(BEN, `/page?client_id=${ANA}`)], isTls),
      await RawClient.connect(door.port, '127.0.0.1', isTls)
    ]
    await until(() => door.connectionCount() === hers.length + others.length)
    await closeId(door, ANA)
    t.equal(door.connectionCount(), others.length, 'they are closed when the promise resolves')
    for (const client of hers) {
      t.equal(await client.end(), '')
      t.equal(client.error, undefined, 'not by a reset')
    }
    for (const client of others) t.ok(await isOpen(client))
    for (const client of [...hers, ...others]) client.close()
  })
}

t.test('close clients: by address, and whoever was given an id on the connection', async t => {
  const newClient = parseClientId(ANA)!
  const door = await testDoor(t, {
    handler: request => request.path === '/new' ? { ...echo(request), newClient } : echo(request)
  })
  const given = await answered(door, [get(undefined, '/new')])
  await closeId(door, ANA)
  t.equal(await given.end(), '')
  const newcomer = await answered(door, [get(undefined, '/new')])
  const named = await answered(door, [get(BEN)])
  await door.closeClients((client, address) =>
    client === undefined && areSameWords(address, parseAddress('127.0.0.1')!))
  t.equal(await newcomer.end(), '', 'who is still known by the address')
  t.ok(await isOpen(named))
  for (const client of [given, newcomer, named]) client.close()
})

t.test('close clients: the reply in flight is finished first and says that it is the last', async t => {
  const waiting: Array<() => void> = []
  const handler: Handler = request => request.path === '/now'
    ? echo(request)
    : new Promise(resolve => { waiting.push(() => { resolve(echo(request)) }) })
  const door = await testDoor(t, { handler })
  const client = await RawClient.connect(door.port)
  client.send(get(ANA, '/1') + get(ANA, '/2'))
  await until(() => waiting.length === 2)
  let isClosed = false
  const closed = closeId(door, ANA).then(() => { isClosed = true })
  client.send(get(ANA, '/late'))
  for (const answer of waiting) answer()
  t.match(await client.reply(), { status: 200, headers: { connection: 'keep-alive' } })
  t.match(await client.reply(), { status: 200, headers: { connection: 'close' } })
  t.equal(isClosed, false, 'not before the connection is')
  t.equal(await client.end(), '')
  await closed
  t.same(door.seen, ['GET /1', 'GET /2'], 'nothing more is read as a request')
  t.equal(door.connectionCount(), 0)
  client.close()
})

t.test('close clients: a reply that does not come to its end is cut off', async t => {
  const body = Buffer.alloc(50 * 1024 * 1024)
  const handlers: Readonly<Record<string, Handler>> = {
    'that nobody reads': () => ({ status: 200, headers: [], body }),
    'that is never made': () => new Promise(() => {})
  }
  for (const [name, handler] of Object.entries(handlers)) {
    const door = await testDoor(t, { handler, socketTimeoutMs: 200 })
    const client = await RawClient.connect(door.port)
    client.socket.pause()
    client.send(get(ANA))
    await until(() => door.seen.length === 1)
    await Promise.all([closeId(door, ANA), closeId(door, ANA)])
    t.equal(door.connectionCount(), 0, name)
    client.close()
  }
})

t.test('close clients: one that sends half a request and then nothing is closed', async t => {
  const door = await testDoor(t)
  const head = await answered(door, [get(ANA)])
  head.send(get(ANA).slice(0, 20))
  const body = await RawClient.connect(door.port)
  body.send(get(ANA, '/', 'Content-Length: 5\r\n'))
  await until(() => door.connectionCount() === 2)
  await until(() => body.socket.bytesWritten > 0 && body.socket.writableLength === 0)
  const begun = await RawClient.connect(door.port)
  begun.send(get(ANA))
  await begun.reply()
  await closeId(door, ANA)
  t.equal(await head.end(), '')
  t.equal(await begun.end(), '')
  t.equal(door.connectionCount(), 0)
  for (const client of [head, body, begun]) client.close()
})

t.test('close clients: a trusted proxy\'s connection is for many and stays', async t => {
  const door = await testDoor(t, { trustProxy: ['127.0.0.1'] })
  const proxy = await answered(door, [get(ANA, '/', 'X-Forwarded-For: 192.0.2.7\r\n')])
  await closeId(door, ANA)
  await door.closeClients(() => true)
  t.ok(await isOpen(proxy))
  proxy.close()
})

t.test('close clients: hundreds of connections are looked at in turns of the loop', async t => {
  const door = await testDoor(t, { maxConnections: 5_000 })
  const clients = await Promise.all(
    Array.from({ length: 600 }, (_, at) => answered(door, [get(at % 2 === 0 ? ANA : BEN)])))
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const matching: Array<Promise<unknown>> = clients.filter((_, at) => at % 2 === 0)
    .map(client => once(client.socket, 'end'))
  let looked = 0
  await door.closeClients(client => {
    looked++
    return client !== undefined && areSameWords(client, parseClientId(ANA)!)
  })
  isOver = true
  t.equal(looked, clients.length)
  t.ok(turns > 2)
  await Promise.all(matching)
  t.equal(door.connectionCount(), 300)
  for (const client of clients) client.close()
})
