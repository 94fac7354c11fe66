/** Clients that do not wait for replies, and those who come meanwhile. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { DEPTH_MAX } from '@usher/shared/http/connection/pipeline.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { testDoor } from '../fixtures/test-door.ts'
import { until } from '../fixtures/until.ts'

/** How many requests the parser has found since, on every port of this process. */
function countRequests (t: Test): () => number {
  let count = 0
  const onStart = (): void => { count++ }
  subscribe('http.server.request.start', onStart)
  t.teardown(() => unsubscribe('http.server.request.start', onStart))
  return () => count
}

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

t.test('pipeline: who comes meanwhile does not wait for the end of it', async t => {
  const door = await testDoor(t)
  const greedy = await RawClient.connect(door.port)
  const other = await RawClient.connect(door.port)
  greedy.send(ask('/greedy').repeat(DEPTH_MAX))
  await until(() => door.seen.length > 0)
  other.send(ask('/other'))
  t.equal((await other.reply())?.status, 200)
  const before = door.seen.indexOf('GET /other')
  t.ok(before < DEPTH_MAX, `${before} of ${DEPTH_MAX} were answered before`)
  for (let count = 0; count < DEPTH_MAX; count++) {
    if ((await greedy.reply())?.status !== 200) t.fail(`reply ${count}`)
  }
  t.equal(door.seen.length, DEPTH_MAX + 1, 'and nobody is forgotten')
  for (const client of [greedy, other]) client.close()
})

t.test('pipeline: several take turns, one request each', async t => {
  const door = await testDoor(t)
  const clients = [await RawClient.connect(door.port), await RawClient.connect(door.port)]
  const names = ['/a', '/b']
  // Both are read in one turn of the loop, or the second one soon after the first.
  for (const [at, client] of clients.entries()) client.send(ask(names[at]!).repeat(200))
  for (const client of clients) {
    for (let count = 0; count < 200; count++) await client.reply()
    client.close()
  }
  const first = door.seen.indexOf('GET /b')
  t.ok(first < 200, 'the second does not wait for the first')
  const together = door.seen.slice(first, first + 100).filter(seen => seen === 'GET /b').length
  t.ok(together >= 40 && together <= 60, `${together} of 100 are the second one's`)
})

t.test('pipeline: whoever never waits for a reply is cut off', async t => {
  const door = await testDoor(t, { handler: () => new Promise(() => {}) })
  const greedy = await RawClient.connect(door.port)
  greedy.send(ask('/').repeat(DEPTH_MAX + 1))
  t.equal(await greedy.end(), '')
  t.equal(door.connectionCount(), 0)
})

t.test('pipeline: of a connection that was cut nothing more is read', async t => {
  const door = await testDoor(t, { handler: () => new Promise(() => {}) })
  const read = countRequests(t)
  const greedy = await RawClient.connect(door.port)
  greedy.send(ask('/').repeat(1500)) // as many as one chunk holds
  t.equal(await greedy.end(), '')
  t.ok(read() <= DEPTH_MAX + 2, `${read()} requests were read`)
})

t.test('pipeline: whoever sends on and on behind a refusal is cut off', async t => {
  const door = await testDoor(t)
  const read = countRequests(t)
  const broken = 'GET / HTTP/1.1\r\n\r\n' // without Host
  const greedy = await RawClient.connect(door.port)
  greedy.send(broken + ask('/').repeat(1500))
  await greedy.end()
  t.ok(read() < 20, `${read()} requests were read`)
  const other = await RawClient.connect(door.port)
  other.send(broken + ask('/').repeat(10))
  t.equal((await other.reply())?.status, 400, 'a few are let pass')
  t.equal(await other.end(), '')
  t.same(door.seen, [])
})

t.test('pipeline: behind a body that is too large nothing is answered or carried out', async t => {
  const body = `7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`
  const large = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
  const refused = 'GET / HTTP/1.1\r\n\r\n' // without Host
  const broken = 'GET / HTTP/1.1\r\nHost : a\r\n\r\n' // which the parser refuses
  for (const behind of [ask('/behind'), large, refused, broken, 'GET / HT']) {
    const door = await testDoor(t)
    const client = await RawClient.connect(door.port)
    client.send(ask('/before') + large + ask('/behind') + behind)
    t.equal((await client.reply())?.status, 200)
    const refusal = await client.reply()
    t.equal(refusal?.status, 413)
    t.equal(refusal?.headers['connection'], 'close')
    t.equal(await client.end(), '')
    await until(() => door.connectionCount() === 0)
    t.same(door.seen, ['GET /before'], JSON.stringify(behind.slice(0, 30)))
  }
})

t.test('pipeline: no more wait on a port than it may have connections', async t => {
  const waiting: Array<() => void> = []
  const door = await testDoor(t, {
    maxConnections: 10,
    handler: () => new Promise(resolve => { waiting.push(() => resolve(textReply(200, 'x'))) })
  })
  const greedy = await RawClient.connect(door.port)
  greedy.send(ask('/').repeat(25))
  await until(() => waiting.length === 11)
  const other = await RawClient.connect(door.port)
  other.send(ask('/other').repeat(2))
  await until(() => waiting.length === 12)
  for (const answer of waiting) answer()
  for (let count = 0; count < 11; count++) t.equal((await greedy.reply())?.status, 200)
  t.equal(await greedy.end(), '', 'and then its connection ends')
  t.equal((await other.reply())?.headers['connection'], 'close', 'so does one that asks for two')
  t.equal(await other.end(), '')
  t.equal(waiting.length, 12)

  // All are answered, and so forgotten.
  const later = await RawClient.connect(door.port)
  later.send(ask('/').repeat(11))
  await until(() => waiting.length === 23)
  for (const answer of waiting) answer()
  for (let count = 0; count < 11; count++) t.equal((await later.reply())?.status, 200)
  for (const client of [greedy, other, later]) client.close()
})

t.test('pipeline: what a client leaves behind when it goes is forgotten', async t => {
  const waiting: Array<() => void> = []
  const door = await testDoor(t, {
    maxConnections: 20,
    handler: () => new Promise(resolve => { waiting.push(() => resolve(textReply(200, 'x'))) })
  })
  for (let round = 0; round < 5; round++) {
    const client = await RawClient.connect(door.port)
    client.send(ask('/').repeat(15))
    await until(() => waiting.length === 15)
    client.close()
    for (const answer of waiting.splice(0)) answer()
    t.pass(`round ${round}`)
    await until(() => door.connectionCount() === 0)
  }
  const last = await RawClient.connect(door.port)
  last.send(ask('/').repeat(20))
  await until(() => waiting.length === 20)
  for (const answer of waiting) answer()
  for (let count = 0; count < 20; count++) t.equal((await last.reply())?.status, 200)
  last.close()
})
