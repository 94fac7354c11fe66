import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { linger } from '@usher/shared/http/linger.ts'
import { RawClient } from './fixtures/raw-client.ts'

const LAST_WORDS = Buffer.from('farewell')
const MIB = 1024 * 1024

/** A server that says its last words to everybody at once, and the sockets it has taken. */
async function testServer (t: Test, stallMs = 30_000, lastWords = LAST_WORDS) {
  const server = net.createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    socket.on('data', () => t.fail('nobody is to read what comes now'))
    linger(socket, lastWords, stallMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { server, port }
}

t.test('linger: the last words arrive, however much the client still sends', async t => {
  const { port } = await testServer(t)
  const client = await RawClient.connect(port)
  client.send(Buffer.alloc(10 * MIB))
  t.equal(await client.end(), 'farewell')
  await new Promise<void>(resolve => client.socket.end(resolve))
  t.equal(client.error, undefined)
})

t.test('linger: ends at once when the client has ended', async t => {
  const { server, port } = await testServer(t)
  const taken = once(server, 'connection')
  const client = await RawClient.connect(port)
  const [socket] = await taken
  const start = performance.now()
  client.socket.end()
  await once(socket, 'close')
  t.ok(performance.now() - start < 1_000)
})

t.test('linger: has a limit of bytes', async t => {
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

t.test('linger: has a limit of time, and a shorter one for a silent client', async t => {
  const { server, port } = await testServer(t)
  const cases: ReadonlyArray<[name: string, text: string, lowMs: number, highMs: number]> =
    [['silent', '', 490, 1_500], ['talking', 'and another thing', 4_900, 6_500]]
  for (const [name, text, lowMs, highMs] of cases) {
    const taken = once(server, 'connection')
    const client = await RawClient.connect(port)
    const [socket] = await taken
    const start = performance.now()
    const talk = setInterval(() => client.send(text), 100)
    await once(socket, 'close')
    clearInterval(talk)
    const tookMs = performance.now() - start
    t.ok(tookMs > lowMs && tookMs < highMs, `${name}: ${tookMs} ms`)
    client.close()
  }
})

t.test('linger: gives up on a client that does not take its last words', async t => {
  const { server, port } = await testServer(t, 100, Buffer.alloc(50 * MIB))
  const taken = once(server, 'connection')
  const client = await RawClient.connect(port)
  client.socket.pause()
  const [socket] = await taken
  await once(socket, 'close')
  t.pass('closed')
  client.close()
})
