/**
 * The console's stream behind a proxy as people set one up: nginx with nothing but `proxy_pass`,
 * which speaks HTTP/1.0 to the monitor and buffers what it answers; and HTTP/1.0 without a proxy.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EventStream, Operator } from '../scripts/kit/operator.ts'
import { startCluster, until, type Cluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'
const HAS_NGINX = spawnSync('nginx', ['-v']).error === undefined

/** Returns the socket that it listens on. A test's own folder has too long a path for one. */
async function startNginx (t: Test, { monitoringPort }: Cluster): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; master_process off; pid nginx.pid; error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen unix:nginx.sock;
    location / { proxy_pass http://127.0.0.1:${monitoringPort}; }
  }
}
`)
  const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { cwd: folder, stdio: 'ignore' })
  t.teardown(async () => {
    const ended = once(nginx, 'exit')
    nginx.kill('SIGKILL')
    await ended
  })
  const socketPath = join(folder, 'nginx.sock')
  await until(async () => existsSync(socketPath), isThere => isThere)
  return socketPath
}

async function streamBy (socketPath: string, cookie: string): Promise<EventStream> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ socketPath, path: '/events', agent: false, headers: { cookie } }, resolve)
      .on('error', reject)
  })
  return new EventStream(response)
}

/** What changes is told while the stream is open, not once a buffer is full. */
async function holdLive (
  t: Test, cluster: Cluster, admin: Operator, stream: Pick<EventStream, 'next'>
): Promise<void> {
  const name = String(cluster.ports[0])
  const stateOf = (data: Record<string, unknown>): string =>
    (data['servers'] as Record<string, { state: string }>)[name]!.state
  await stream.next(data => stateOf(data) === 'up')
  t.equal((await admin.post(`/servers/${name}/drain`)).status, 200)
  await stream.next(data => stateOf(data) === 'draining')
}

t.test('proxy: behind the default nginx each event arrives when it is sent', {
  skip: HAS_NGINX ? false : 'no nginx was found on this machine'
}, async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const stream = await streamBy(await startNginx(t, cluster), admin.cookie!)
  t.equal(stream.status, 200)
  await holdLive(t, cluster, admin, stream)
  stream.close()
})

t.test('proxy: a client of HTTP/1.0 is sent the events as they are', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const socket = net.connect(cluster.monitoringPort, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  socket.write(`GET /events HTTP/1.0\r\nCookie: ${admin.cookie!}\r\n\r\n`)
  const blocks = (): string[] => text.split(/\r?\n\r?\n/)
  await holdLive(t, cluster, admin, {
    async next (isWanted) {
      const found = await until(async () => blocks().slice(1, -1)
        .map(block => JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as Record<string, unknown>)
        .find(isWanted), data => data !== undefined)
      return found!
    }
  })
  const [head] = blocks()
  t.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  t.notMatch(head, /transfer-encoding/i)
  t.match(head, /\r\nx-accel-buffering: no/i)
})
