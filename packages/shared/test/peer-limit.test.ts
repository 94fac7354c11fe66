/** Who is late: the peer, and not this thread. */
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ProxyHeaders } from '@usher/shared/http/proxy-protocol/proxy-headers.ts'
import { limitPeer } from '@usher/shared/peer-limit.ts'
import { lineHeader } from './http/fixtures/proxy-header.ts'

const LIMIT_MS = 20

/** This thread does nothing for longer than the limit. */
function holdUp (): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * LIMIT_MS)
}

/** Both ends of a connection. */
async function connection (t: Test): Promise<{ here: net.Socket, peer: net.Socket }> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [here] = await once(server, 'connection') as [net.Socket]
  if (peer.connecting) await once(peer, 'connect')
  t.teardown(() => {
    peer.destroy()
    here.destroy()
    server.close()
  })
  return { here, peer }
}

t.test('peer limit: calls once it is over, unless it was ended before', async t => {
  let calls = 0
  limitPeer(1, () => { calls++ })()
  await new Promise<void>(resolve => {
    limitPeer(1, () => {
      calls++
      resolve()
    })
  })
  await nextTurn()
  t.equal(calls, 1)
})

t.test('peer limit: what has arrived while this thread was held up is in time', async t => {
  const { here, peer } = await connection(t)
  let isLate = false
  const end = limitPeer(LIMIT_MS, () => { isLate = true })
  here.once('data', end)
  peer.write('x')
  holdUp()
  await once(here, 'data')
  await nextTurn()
  t.notOk(isLate)
})

t.test('peer limit: the header of a proxy that came while the thread was held up counts', async t => {
  const { here, peer } = await connection(t)
  const headers = new ProxyHeaders({
    trustProxy: [], socketTimeoutMs: LIMIT_MS, tls: undefined, log: { warn () {} } as never
  })
  const begun = new Promise<string>((resolve, reject) => {
    here.once('close', () => { reject(new Error('it was closed')) })
    here.on('data', headers.expect(here, bytes => {
      resolve(bytes.toString())
      return true
    }))
  })
  peer.write(`${lineHeader('203.0.113.7')}GET / HTTP/1.1\r\n`)
  holdUp()
  t.equal(await begun, 'GET / HTTP/1.1\r\n')
})
