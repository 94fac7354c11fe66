/** Malformed and hostile requests to the ports of the running program: bytes in, the answer out. */
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { startCluster, type Cluster, workingFolder } from './cluster.ts'

const SECRET = 'a secret outside of the folder'

/** The status, the whole answer, and that the connection ended in the client's sight. */
interface Reply {
  readonly status: number
  readonly text: string
}

/** Sends pieces one after the other and reads until the server ends the connection. */
async function send (port: number, pieces: Iterable<string | Buffer>): Promise<Reply> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let text = ''
  socket.on('data', (bytes: Buffer) => { text += bytes.toString('latin1') })
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  for (const piece of pieces) {
    if (!socket.writable) break
    const isTaken = socket.write(piece)
    await new Promise(resolve => setImmediate(resolve))
    if (!isTaken) await Promise.race([once(socket, 'drain').catch(() => {}), closed])
  }
  await closed
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }
}

function get (target: string, headers = 'Host: localhost\r\n'): string {
  return `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`
}

async function hostileCluster (settings: Record<string, string> = {}): Promise<Cluster> {
  const cwd = workingFolder(t, { 'secret.txt': SECRET, '.env': SECRET })
  const site = join(cwd, 'site')
  mkdirSync(join(site, '.git'), { recursive: true })
  writeFileSync(join(site, 'index.html'), 'the start page')
  writeFileSync(join(site, '.env'), SECRET)
  writeFileSync(join(site, '.git/config'), SECRET)
  symlinkSync('../secret.txt', join(site, 'link.txt'))
  symlinkSync('..', join(site, 'up'))
  return startCluster(t, { HTML_DIRS: 'site', DELAY_BETWEEN_ROUTING: '0', ...settings }, { cwd })
}

const TRAVERSALS = [
  '/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/%2e%2e%2fsecret.txt',
  '/..%5csecret.txt', '/..\\secret.txt', '/%252e%252e%252fsecret.txt', '/%c0%ae%c0%ae/secret.txt',
  '/..%c0%afsecret.txt', '/%uff0e%uff0e/secret.txt', '/site/../../secret.txt', '/./../secret.txt',
  '//secret.txt', '//../secret.txt', '/.env', '/%2eenv', '/.git/config', '/.git/', '/link.txt',
  '/up/secret.txt', '/index.html%00.txt', '/%00', '/%', '/%zz', '/%e0%a4%a', '/index.html/',
  '/index.html/../../secret.txt', `/${'a/'.repeat(3000)}`, '/file:///etc/passwd', '/etc/passwd'
]

t.test('hostile: no path leads out of a folder, and none to a 500', async t => {
  const cluster = await hostileCluster()
  const port = cluster.ports[0]!
  for (const path of TRAVERSALS) {
    const { status, text } = await send(port, [get(path)])
    t.ok([400, 404].includes(status), `${path.slice(0, 60)}: ${status}`)
    t.notMatch(text, SECRET)
  }
  t.equal((await send(port, [get('/')])).status, 200)
})

t.test('hostile: nothing in a request but a name of ours reaches the authority of Location', async t => {
  const { routingPort: port, ports } = await hostileCluster({
    IP: '127.0.0.1', PUBLIC_HOSTS: 'shop.example'
  })
  const cases: ReadonlyArray<[target: string, headers: string, location: RegExp | number]> = [
    ['/', 'Host: localhost\r\n', /^http:\/\/localhost:\d+\/$/],
    ['/', 'Host: SHOP.example:99\r\n', /^http:\/\/shop\.example:\d+\/$/],
    ['/', 'Host: [::1]:8080\r\n', /^http:\/\/\[::1\]:\d+\/$/],
    ['/a/b?c=d&e', 'Host: 127.0.0.1\r\n', /^http:\/\/127\.0\.0\.1:\d+\/a\/b\?c=d&e$/],
    ['/', 'Host: evil.example\r\n', /^http:\/\/127\.0\.0\.1:\d+\/$/],
    ['/', 'Host: localhost.evil.example\r\n', /^http:\/\/127\.0\.0\.1:\d+\/$/],
    ['/', 'Host: localhost\r\nX-Forwarded-Host: evil.example\r\n', /^http:\/\/localhost:\d+\/$/],
    ['//evil.example/', 'Host: localhost\r\n', /^http:\/\/localhost:\d+\/\/evil\.example\/$/],
    ['/\\evil.example', 'Host: localhost\r\n', /^http:\/\/localhost:\d+\/%5Cevil\.example$/],
    ['/@evil.example', 'Host: localhost\r\n', /^http:\/\/localhost:\d+\/@evil\.example$/],
    ['/%0d%0aA:b', 'Host: localhost\r\n', /^http:\/\/localhost:\d+\/%0d%0aA:b$/],
    ['http://evil.example/a', 'Host: localhost\r\n', /^http:\/\/127\.0\.0\.1:\d+\/a$/],
    ['http://localhost/a', 'Host: evil.example\r\n', /^http:\/\/localhost:\d+\/a$/],
    ['http://user@localhost/', 'Host: localhost\r\n', 400],
    ['/', 'Host: evil.example/@localhost\r\n', 400],
    ['/', 'Host: localhost:99999\r\n', 400],
    ['/', 'Host: \r\n', 400],
    ['/', 'Host: a\r\nHost: b\r\n', 400],
    ['/', '', 400]
  ]
  for (const [target, headers, wanted] of cases) {
    const { status, text } = await send(port, [get(target, headers)])
    const shown = JSON.stringify(`${target} ${headers}`)
    if (typeof wanted === 'number') {
      t.equal(status, wanted, shown)
      continue
    }
    const location = /^Location: (.*)\r$/m.exec(text)?.[1] ?? `none, status ${status}`
    t.match(location, wanted, shown)
    const { port: there } = new URL(location)
    t.ok(ports.includes(Number(there)))
  }
})

for (const which of ['router', 'server', 'monitor'] as const) {
  t.test(`hostile: slow, endless and huge requests to the ${which}`, async t => {
    const cluster = await hostileCluster({ SOCKET_TIMEOUT: '0.5' })
    const port = {
      router: cluster.routingPort, server: cluster.ports[0]!, monitor: cluster.monitoringPort
    }[which]
    const path = which === 'monitor' ? '/healthz' : '/'
    const wanted = which === 'router' ? 302 : 200

    const byteByByte = await send(port, get(path))
    t.equal(byteByByte.status, wanted, 'byte by byte is a request like any other')

    const startMs = performance.now()
    const unfinished = await send(port, ['GET / HTTP/1.1\r\nHost: local'])
    t.equal(unfinished.status, 408)
    t.ok(performance.now() - startMs >= 500, 'not before SOCKET_TIMEOUT')

    // The monitor looks at the head first: a body that it would not take is not waited for.
    const post = which === 'monitor' ? 'POST /login' : 'POST /leave'
    const fields = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 9'
    const noBody = await send(port, [`${post} HTTP/1.1\r\n${fields}\r\n\r\nhalf`])
    t.equal(noBody.status, 408)

    const line = `X-Filler: ${'a'.repeat(1000)}\r\n`
    const head = ['GET / HTTP/1.1\r\nHost: localhost\r\n', ...new Array<string>(10_000).fill(line), '\r\n']
    t.equal((await send(port, head)).status, 431, '10 MB of headers')

    const body = 'x'.repeat(20_000)
    const large = `POST /leave HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n${body}`
    t.equal((await send(port, [large])).status, 413)

    t.equal((await send(port, [get(path)])).status, wanted, 'and it still answers')
  })
}
