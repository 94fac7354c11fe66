import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { lingeringClose } from '@usher/shared/http/connection/lingering-close.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { until } from '../fixtures/until.ts'

const LAST_WORDS = Buffer.from('farewell')
const MIB = 1024 * 1024

/** A server that sends its final bytes to every connection at once. */
async function testServer (t: Test, stallMs = 30_000, finalBytes = LAST_WORDS) {
  const server = net.createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    socket.on('data', () => t.fail('nobody is to read what comes now'))
    lingeringClose(socket, finalBytes, stallMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { server, port }
}

t.test('lingering close: the final bytes arrive, however much the client still sends', async t => {
  const { port } = await testServer(t)
  const client = await RawClient.connect(port)
  client.send(Buffer.alloc(10 * MIB))
  t.equal(await client.end(), 'farewell')
  await new Promise<void>(resolve => client.socket.end(resolve))
  t.equal(client.error, undefined)
})

t.test('lingering close: ends when the client has ended, without any timer', async t => {
  const { server, port } = await testServer(t)
  t.capture(globalThis, 'setTimeout', () => undefined) // None of them ever fires.
  const taken = once(server, 'connection')
  const client = await RawClient.connect(port)
  const [socket] = await taken
  client.socket.end()
  await once(socket, 'close')
  t.pass('closed all the same')
})

t.test('lingering close: has a limit of bytes', async t => {
  const { port } = await testServer(t)
  const client = await RawClient.connect(port)
  const chunk = Buffer.alloc(MIB)
  let sentCount = 0
  while (!client.socket.destroyed && sentCount < 200) {
    await new Promise(resolve => client.socket.write(chunk, resolve))
    sentCount++
  }
  t.ok(client.socket.destroyed)
  t.ok(sentCount >= 16, 'but not before 16 MiB')
})

t.test('lingering close: has a limit of time, and a shorter one for a silent client', async t => {
  const { server, port } = await testServer(t)
  const closedPorts = new Set<number>()
  server.on('connection', socket => {
    const remotePort = socket.remotePort!
    socket.once('close', () => closedPorts.add(remotePort))
  })
  const ends: string[] = []
  const cases: ReadonlyArray<[name: string, text: string, lowMs: number]> =
    [['talking', 'and another thing', 4_900], ['silent', '', 490]]
  await Promise.all(cases.map(async ([name, text, lowMs]) => {
    const client = await RawClient.connect(port)
    const start = performance.now()
    const talk = setInterval(() => client.send(text), 50)
    await until(() => closedPorts.has(client.socket.localPort!))
    clearInterval(talk)
    ends.push(name)
    const tookMs = performance.now() - start
    t.ok(tookMs > lowMs, `${name}: ${tookMs} ms`)
    client.close()
  }))
  t.strictSame(ends, ['silent', 'talking'])
})

t.test('lingering close: gives up on a client that does not take its final bytes', async t => {
  const { server, port } = await testServer(t, 100, Buffer.alloc(50 * MIB))
  const taken = once(server, 'connection')
  const client = await RawClient.connect(port)
  client.socket.pause()
  const [socket] = await taken
  await once(socket, 'close')
  t.pass('closed')
  client.close()
})
