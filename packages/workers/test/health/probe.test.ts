import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { CERT, EXPIRED_CERT, KEY } from '../../../shared/test/fixtures/tls-pems.ts'
import { CHECK } from '../../../shared/test/settings/test-servers.ts'
import { probe, type Found } from '../../src/health/probe.ts'

/** Where it listens, as host and port. */
async function listen (t: Test, server: net.Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  server.on('connection', socket => sockets.add(socket))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function look (publicUrl: string, changes: Partial<typeof CHECK> = {}): Promise<Found> {
  return probe({ publicUrl, check: { ...CHECK, timeoutMs: 5000, ...changes } })
}

t.test('probe: the status decides, and is said', async t => {
  const answers = http.createServer((request, response) => {
    response.writeHead(Number(request.url!.slice(1))).end('x')
  })
  const url = `http://${await listen(t, answers)}`
  const cases: ReadonlyArray<[status: number, statuses: [number, number], isGood: boolean]> = [
    [200, [200, 399], true], [302, [200, 399], true], [399, [200, 399], true],
    [400, [200, 399], false], [500, [200, 399], false], [503, [200, 399], false],
    [204, [204, 204], true], [200, [204, 204], false], [401, [401, 403], true]
  ]
  for (const [status, [min, max], isGood] of cases) {
    t.strictSame(await look(url, { path: `/${status}`, statuses: { min, max } }),
      { isGood, what: `status ${status}` })
  }
})

t.test('probe: asks for the path after the URL, each time on a connection of its own', async t => {
  const asked: unknown[] = []
  const server = http.createServer((request, response) => {
    const { method, url, headers, socket } = request
    asked.push([method, url, headers['user-agent'], headers.host, socket.remotePort])
    response.end()
  })
  const host = await listen(t, server)
  await look(`http://${host}/base`, { path: '/up?deep=1' })
  await look(`http://${host}`)
  t.match(asked, [
    ['GET', '/base/up?deep=1', 'Usher-health', host, Number],
    ['GET', '/', 'Usher-health', host, Number]
  ])
  const ports = asked.map(parts => (parts as unknown[])[4])
  t.not(ports[0], ports[1])
})

t.test('probe: what is wrong is said in words', async t => {
  const closed = await listen(t, net.createServer(socket => { socket.destroy() }))
  const silent = await listen(t, net.createServer(() => {}))
  const chatty = await listen(t, net.createServer(socket => { socket.end('SSH-2.0-OpenSSH_9.6\r\n') }))
  const free = net.createServer()
  const refused = await listen(t, free)
  await new Promise(resolve => free.close(resolve))
  const plain = await listen(t, http.createServer((_request, response) => { response.end() }))
  const secure = (cert: string, key = KEY): https.Server =>
    https.createServer({ cert, key }, (_request, response) => { response.end() })
  const selfSigned = await listen(t, secure(CERT))
  const expired = await listen(t, secure(EXPIRED_CERT))
  const cases: ReadonlyArray<[url: string, what: RegExp]> = [
    [`http://${refused}`, /^connection refused$/],
    [`http://${closed}`, /^connection (?:closed|reset)$/],
    [`http://${chatty}`, /^no HTTP$/],
    ['http://nowhere.invalid', /^(?:unknown host name|host name cannot be looked up)$/],
    [`https://${plain}`, /^no TLS$/],
    [`https://${selfSigned}`, /^self-signed certificate$/],
    [`https://${expired}`, /certificate/]
  ]
  for (const [url, what] of cases) {
    const found = await look(url)
    t.equal(found.isGood, false, url)
    t.match(found.what, what, url)
  }
  t.strictSame(await look(`http://${silent}`, { timeoutMs: 100 }), { isGood: false, what: 'timeout' })
})

t.test('probe: whoever never ends the handshake is given up in time, and its connection closed',
  async t => {
    const silent = net.createServer()
    const url = `https://${await listen(t, silent)}`
    const came = once(silent, 'connection') as Promise<[net.Socket]>
    t.strictSame(await look(url, { timeoutMs: 100 }), { isGood: false, what: 'timeout' })
    const [socket] = await came
    socket.resume()
    await once(socket, 'close')
  })

t.test('probe: a page that never ends does not keep it', async t => {
  const server = http.createServer((_request, response) => {
    response.writeHead(200)
    response.write('a line\n')
  })
  const url = `http://${await listen(t, server)}`
  t.strictSame(await look(url, { timeoutMs: 200 }), { isGood: true, what: 'status 200' })
})
