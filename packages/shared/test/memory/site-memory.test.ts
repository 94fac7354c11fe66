import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import {
  endHold, holderOfServer, holdSites, isHeld, MAIN_HOLDER, releaseSites, SiteWriter, viewOf,
  type HoldersMemory, type SiteMemory
} from '../../src/memory/site-memory.ts'

const MIB = 2 ** 20
const NO_BOUNDS = { limitBytes: Infinity, leftBytes: Infinity }

t.test('site memory: bodies of every size are there, one behind the other', async t => {
  const writer = new SiteWriter(NO_BOUNDS)
  const sizes = [0, 1, 5, MIB, MIB + 1, 7 * MIB, 0, 3, MIB, MIB, MIB, MIB, MIB, MIB, MIB, MIB - 1]
  const bodies = sizes.map((size, at) => Buffer.alloc(size, at + 1))
  const places = bodies.map(body => writer.store(body))
  const { chunks, bytes } = writer.finish(1)
  for (const [at, place] of places.entries()) t.ok(viewOf(chunks, place).equals(bodies[at]!), `${at}`)
  t.equal(bytes, sizes.reduce((sum, size) => sum + size, 0))
  t.equal(chunks.length, 4, 'two large ones and two that are shared')
  t.equal(viewOf(chunks, places[2]!).buffer, chunks[0], 'no copy')
})

t.test('site memory: it is bounded', async t => {
  const writer = new SiteWriter({ limitBytes: 100 * MIB, leftBytes: 10 })
  writer.take(6)
  t.throws(() => writer.take(5), { code: 'USHER_SITE_TOO_LARGE' })
  writer.take(4)
  writer.clear()
  writer.take(10)
})

t.test('site memory: it is held until the last thread has let go of it, and no longer', async t => {
  const { holders } = held(MAIN_HOLDER, holderOfServer(0), holderOfServer(1))
  t.ok(isHeld(holders))
  endHold(holders, holderOfServer(0))
  endHold(holders, holderOfServer(1))
  t.ok(isHeld(holders), 'by the main thread')
  await released(holders)
  t.notOk(isHeld(holders))
})

t.test('site memory: a reply that is still being sent holds it', async t => {
  const writer = new SiteWriter(NO_BOUNDS)
  const place = writer.store(Buffer.alloc(32 * MIB, 'x'))
  let memory: SiteMemory | undefined = writer.finish(1)
  writer.clear()
  holdSites(memory, MAIN_HOLDER)
  const { holders } = memory
  const server = createServer(socket => {
    socket.end(viewOf(memory!.chunks, place))
    memory = undefined // Nothing but the reply refers to it from here on.
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(server, 'connection')
  const isOver = released(holders)
  for (let turns = 0; turns < 5; turns++) await setTimeout(10)
  t.ok(isHeld(holders))
  let bytes = 0
  client.on('data', data => { bytes += data.length })
  await once(client, 'end')
  t.equal(bytes, 32 * MIB)
  await isOver
  t.notOk(isHeld(holders))
  server.close()
})

t.test('site memory: a thread that takes another one\'s place lets go for itself', async t => {
  const { holders } = heldAlready()
  await released(holders)
  t.notOk(isHeld(holders))
})

/** By another thread, too, as the same holder. */
function heldAlready (): SiteMemory {
  const writer = new SiteWriter(NO_BOUNDS)
  writer.store(Buffer.alloc(10))
  const memory = writer.finish(1)
  Atomics.store(new Int32Array(memory.holders.buffer), MAIN_HOLDER, 1)
  holdSites(memory, MAIN_HOLDER)
  return { ...memory, chunks: [] }
}

/** Its timers keep no process alive; this does. */
async function released (holders: HoldersMemory): Promise<void> {
  const alive = setInterval(() => {}, 100)
  await releaseSites(holders, MAIN_HOLDER)
  clearInterval(alive)
}

function held (...by: number[]): SiteMemory {
  const writer = new SiteWriter(NO_BOUNDS)
  writer.store(Buffer.alloc(10))
  const memory = writer.finish(by.length)
  for (const holder of by) holdSites(memory, holder)
  return { ...memory, chunks: [] }
}
