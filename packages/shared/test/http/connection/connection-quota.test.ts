/** One address that holds most connections of a crowded server, and everybody else. */
import t, { type Test } from 'tap'
import { CERT, KEY } from '../../fixtures/tls-pems.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { testDoor, type TestDoor } from '../fixtures/test-door.ts'
import { until } from '../fixtures/until.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n'
/** A head that is never finished: such a connection is not idle. */
const SLOW = 'GET / HTTP/1.1\r\nHost: a.org\r\nX: '
const CROWD = '127.0.0.2'
const MAX = 40
/** 80 % of the maximum. */
const CROWDED = 32
/** The least that an address may have. */
const SHARE = 16

async function come (t: Test, door: TestDoor, from: string, bytes: string): Promise<RawClient> {
  const client = await RawClient.connect(door.port, '127.0.0.1', false, from)
  t.teardown(() => { client.close() })
  client.send(bytes)
  return client
}

/** From one address, one after the other, until the server is crowded. */
async function crowdedDoor (t: Test, given: Parameters<typeof testDoor>[1] = {}) {
  const door = await testDoor(t, { maxConnections: MAX, socketTimeoutMs: 60_000, ...given })
  const crowd: RawClient[] = []
  for (let count = 0; count < CROWDED; count++) crowd.push(await come(t, door, CROWD, SLOW))
  await until(() => door.connectionCount() === CROWDED)
  const isEnded = ({ socket }: RawClient): boolean => socket.readableEnded || socket.closed
  return { door, crowd, ended: () => crowd.filter(isEnded).length }
}

t.test('connection shares: an address that has more than its share makes room for others', async t => {
  const { door, ended } = await crowdedDoor(t)
  const others: RawClient[] = []
  for (let count = 1; count <= CROWDED - SHARE; count++) {
    others.push(await come(t, door, `127.0.1.${count}`, SLOW))
    await until(() => ended() === count)
  }
  for (let count = 1; count <= MAX - CROWDED; count++) {
    others.push(await come(t, door, `127.0.2.${count}`, SLOW))
  }
  await until(() => door.connectionCount() === MAX)
  t.equal(ended(), CROWDED - SHARE, 'and keeps its share')
  for (const other of others) {
    other.send('\r\n\r\n')
    t.equal((await other.reply())?.status, 200)
  }
})

t.test('connection shares: its newcomers take the place of its own', async t => {
  const { door, crowd, ended } = await crowdedDoor(t)
  const others = [await come(t, door, '127.0.0.1', SLOW), await come(t, door, '127.0.0.1', SLOW)]
  await until(() => ended() === 2)
  for (let count = 0; count < 50; count++) crowd.push(await come(t, door, CROWD, SLOW))
  await until(() => ended() === 52)
  t.equal(door.connectionCount(), CROWDED)
  for (const other of others) {
    other.send('\r\n\r\n')
    t.equal((await other.reply())?.status, 200, 'others are not touched')
  }
})

t.test('connection shares: a reply that is due is not cut off; the newcomer goes', async t => {
  const waiting: Array<() => void> = []
  const door = await testDoor(t, {
    maxConnections: MAX,
    handler: () => new Promise(resolve => {
      waiting.push(() => resolve({ status: 200, headers: [], body: Buffer.alloc(0) }))
    })
  })
  const crowd: RawClient[] = []
  for (let count = 0; count < CROWDED; count++) crowd.push(await come(t, door, CROWD, GET))
  await until(() => waiting.length === CROWDED)
  const late = await come(t, door, CROWD, '')
  t.equal(await late.end(), '')
  t.equal(door.connectionCount(), CROWDED)
  const other = await come(t, door, '127.0.0.1', GET)
  await until(() => waiting.length === CROWDED + 1)
  for (const answer of waiting) answer()
  const replies = await Promise.all(crowd.map(client => client.reply()))
  t.ok(replies.every(reply => reply?.status === 200), 'all are answered')
  const last = replies.filter(reply => reply?.headers['connection'] === 'close').length
  t.equal(last, 1, 'and one of them for the last time, for another came')
  t.match(await other.reply(), { status: 200, headers: { connection: 'keep-alive' } })
})

t.test('connection shares: a trusted proxy holds as many as it likes', async t => {
  const { door, crowd, ended } = await crowdedDoor(t, { trustProxy: [CROWD] })
  for (let count = CROWDED; count < MAX; count++) crowd.push(await come(t, door, CROWD, SLOW))
  await until(() => door.connectionCount() === MAX)
  t.equal(ended(), 0)
})

t.test('connection shares: handshakes that never come count too', async t => {
  const door = await testDoor(t, { maxConnections: MAX, tls: { cert: CERT, key: KEY } })
  for (let count = 0; count < MAX + 20; count++) await come(t, door, CROWD, '')
  const other = await RawClient.connect(door.port, '127.0.0.1', true)
  other.send(GET)
  t.equal((await other.reply())?.status, 200)
  other.close()
})
