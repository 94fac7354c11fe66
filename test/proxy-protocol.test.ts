/**
 * The PROXY protocol as haproxy and nginx speak it, in front of every port of the program, with and
 * without TLS behind: who the client is for the table, the deny list, the audit log and redirects.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { CERT, KEY } from '../packages/shared/test/fixtures/tls-pems.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { startCluster, until, workingFolder, type Cluster } from './cluster.ts'
import { PROXY_PORT, startProxy, type Proxy } from './proxies.ts'

const PASSWORD = 'correct horse battery'
/** Where proxies connect from, and who they are told to speak for; all of it this machine. */
const PROXY = '127.0.0.5'
const CLIENT = '127.0.0.77'
/** haproxy listens here last. A look at its ports would be a connection that says nothing. */
const STATS_SOCKET = 'stats.sock'
const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so'
const SETTINGS = {
  ADMIN_PASSWORD: PASSWORD,
  HOST: '127.0.0.1',
  DELAY_BETWEEN_ROUTING: '0',
  TRUST_PROXY: PROXY,
  PROXY_PROTOCOL: 'trusted'
}

const noHaproxy = spawnSync('haproxy', ['-v']).error === undefined
  ? false
  : 'no haproxy was found on this machine'
const noNginx = spawnSync('nginx', ['-v']).error === undefined && existsSync(NGINX_STREAM)
  ? false
  : 'no nginx with its stream module was found on this machine'

interface HaproxyLine {
  readonly name: string
  /** Where it leads. */
  readonly port: number
  /** Options of haproxy's `server`. */
  readonly options: string
  /** haproxy itself speaks TLS with the client. */
  readonly endsTls?: boolean
}

function startHaproxy (t: Test, lines: readonly HaproxyLine[]): Promise<Proxy> {
  return startProxy(t, lines.map(({ name }) => name), (folder, addressOf) => {
    writeFileSync(join(folder, 'pair.pem'), CERT + KEY)
    const listens = lines.map(({ name, port, options, endsTls }) => `listen ${name}
  bind ${addressOf(name)}:${PROXY_PORT}${endsTls === true ? ' ssl crt pair.pem' : ''}
  option httpchk GET /healthz
  server usher 127.0.0.1:${port} source ${PROXY} ${options}
`)
    writeFileSync(join(folder, 'haproxy.cfg'), `global
  stats socket unix@${STATS_SOCKET}
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode tcp
  timeout connect 20s
  timeout client 60s
  timeout server 60s
  timeout check 20s
${listens.join('')}`)
    return spawn('haproxy', ['-db', '-f', 'haproxy.cfg'], {
      cwd: folder, stdio: ['ignore', 'ignore', 'pipe']
    })
  }, async folder => existsSync(join(folder, STATS_SOCKET)))
}

function startNginx (t: Test, ports: ReadonlyMap<string, number>): Promise<Proxy> {
  return startProxy(t, [...ports.keys()], (folder, addressOf) => {
    const servers = [...ports].map(([name, port]) => `  server {
    listen ${addressOf(name)}:${PROXY_PORT};
    proxy_pass 127.0.0.1:${port};
    proxy_bind ${PROXY};
    proxy_protocol on;
  }
`)
    writeFileSync(join(folder, 'nginx.conf'), `load_module ${NGINX_STREAM};
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
stream {
${servers.join('')}}
`)
    return spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], {
      cwd: folder, stdio: ['ignore', 'ignore', 'pipe']
    })
  })
}

interface Asked {
  readonly path?: string
  readonly isTls?: boolean
  readonly from?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Told {
  /** 0: the connection was closed without an answer. */
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
}

/** One request on a connection of its own. */
function ask (
  proxy: Proxy, name: string, { path = '/', isTls = false, from = CLIENT, headers = {}, body }: Asked = {}
): Promise<Told> {
  return new Promise(resolve => {
    const request = (isTls ? https : http).request({
      host: proxy.addresses.get(name)!,
      port: PROXY_PORT,
      localAddress: from,
      path,
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      rejectUnauthorized: false,
      headers: { host: 'localhost', ...headers }
    }, response => {
      response.resume()
      resolve({ status: response.statusCode!, headers: response.headers })
    })
    request.on('error', () => { resolve({ status: 0, headers: {} }) })
    request.end(body)
  })
}

/** Every user by its id, with the address that it was last seen from. */
async function addresses (admin: Operator): Promise<ReadonlyMap<string, string>> {
  const { json } = await admin.get('/users')
  const users = json['users'] as Array<{ id: string, address: string }>
  return new Map(users.map(({ id, address }) => [id, address]))
}

/** A page through each of these names: the table has the client's address, and it alone. */
async function holdAddresses (
  t: Test, admin: Operator, proxy: Proxy, names: readonly string[], isTls = false
): Promise<void> {
  for (const name of names) {
    const id = randomUUID()
    const headers = { cookie: `client_id=${id}`, 'x-forwarded-for': '198.51.100.9' }
    t.equal((await ask(proxy, name, { isTls, headers })).status, 200, name)
    t.equal((await addresses(admin)).get(id), CLIENT, `${name}: the client's address`)
  }
}

async function holdAudit (t: Test, admin: Operator, proxy: Proxy, isTls = false): Promise<void> {
  const body = JSON.stringify({ username: 'nobody', password: 'not the password' })
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  const { status } = await ask(proxy, 'monitor', { path: '/login', isTls, headers, body })
  t.equal(status, 401)
  const { json } = await admin.get('/audit')
  const [entry] = json['entries'] as Array<Record<string, unknown>>
  t.match(entry, { action: 'login-failed', address: CLIENT }, 'the audit log has the client')
}

async function refusedCount (admin: Operator): Promise<number> {
  const { text } = await admin.get('/metrics')
  const counts = [...text.matchAll(/^usher_proxy_headers_refused_total\{.*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

t.test('proxy protocol: haproxy names the client, by every version and option', {
  skip: noHaproxy
}, async t => {
  const { cluster, admin } = await clusterOf(t, false)
  const [port] = cluster.ports as [number]
  const kinds = {
    v1: 'send-proxy',
    v2: 'send-proxy-v2',
    ssl: 'send-proxy-v2-ssl-cn',
    checksum: 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority'
  }
  const proxy = await startHaproxy(t, [
    ...Object.entries(kinds).map(([name, options]) => ({ name, port, options })),
    { name: 'secure', port, options: 'send-proxy-v2-ssl', endsTls: true },
    { name: 'router', port: cluster.routingPort, options: 'send-proxy-v2-ssl', endsTls: true },
    { name: 'monitor', port: cluster.monitoringPort, options: 'send-proxy' },
    { name: 'silent', port, options: '' }
  ])
  await holdAddresses(t, admin, proxy, Object.keys(kinds))
  await holdAudit(t, admin, proxy)

  t.match((await ask(proxy, 'secure', { isTls: true })).headers['set-cookie'], [/; Secure$/],
    'whoever comes to the proxy by TLS gets a cookie for TLS')
  const redirect = await ask(proxy, 'router', { isTls: true, path: '/a' })
  t.match(redirect.headers.location, /^https:\/\/localhost:\d+\/a$/, 'and a redirect to it')

  // On a slow machine the look whether haproxy listens there has been refused already.
  const before = await refusedCount(admin)
  t.equal((await ask(proxy, 'silent')).status, 0, 'without a header the connection is closed')
  t.match(await cluster.logged(/PROXY_PROTOCOL=trusted/), { proxy: PROXY, reason: 'there is none' })
  await until(() => refusedCount(admin), count => count > before)

  t.equal((await admin.post('/deny', { address: CLIENT })).status, 200)
  t.equal((await ask(proxy, 'v2')).status, 403, 'who is denied is known behind the proxy')
  t.equal((await ask(proxy, 'v2', { from: '127.0.0.78' })).status, 200, 'and nobody else is denied')
})

t.test('proxy protocol: haproxy passes TLS on behind its header', { skip: noHaproxy }, async t => {
  const { cluster, admin } = await clusterOf(t, true)
  const [port] = cluster.ports as [number]
  const proxy = await startHaproxy(t, [
    { name: 'v1', port, options: 'send-proxy' },
    { name: 'v2', port, options: 'send-proxy-v2' },
    { name: 'router', port: cluster.routingPort, options: 'send-proxy' },
    { name: 'monitor', port: cluster.monitoringPort, options: 'send-proxy-v2' }
  ])
  await holdAddresses(t, admin, proxy, ['v1', 'v2'], true)
  await holdAudit(t, admin, proxy, true)
  const { headers } = await ask(proxy, 'router', { isTls: true })
  t.match(headers.location, /^https:\/\/localhost:\d+\/$/)
})

t.test('proxy protocol: haproxy\'s health checks pass', { skip: noHaproxy }, async t => {
  const { cluster, admin } = await clusterOf(t, false)
  // Its connections have no more time than that before it breaks them off, without a header.
  const check = 'check inter 5s check-send-proxy'
  const ports = [cluster.routingPort, cluster.ports[0]!, cluster.monitoringPort]
  const proxy = await startHaproxy(t, ports.flatMap((port, at) => [
    { name: `line${at}`, port, options: `${check} send-proxy` },
    { name: `binary${at}`, port, options: `${check} send-proxy-v2` }
  ]))
  const states = await until(() => checkStates(proxy), states =>
    [...states.values()].every(state => state === 'L7OK' || /^L\d(TOUT|CON|RSP|STS)/.test(state)))
  for (const name of proxy.addresses.keys()) t.equal(states.get(name), 'L7OK', name)
  t.equal(await refusedCount(admin), 0)
})

/** As haproxy's statistics have it, by the name of its line. */
async function checkStates (proxy: Proxy): Promise<ReadonlyMap<string, string>> {
  const socket = net.connect(join(proxy.folder, STATS_SOCKET))
  socket.end('show stat\n')
  const [head = '', ...rows] = (await text(socket)).trim().split('\n').map(line => line.split(','))
  const [name, server, state] = ['# pxname', 'svname', 'check_status'].map(of => head.indexOf(of)) as
    [number, number, number]
  return new Map(rows.filter(row => row[server] === 'usher')
    .map(row => [row[name]!, row[state]!.replace('* ', '')]))
}

t.test('proxy protocol: nginx names the client, with TLS behind its header or without', {
  skip: noNginx
}, async t => {
  for (const isTls of [false, true]) {
    const { cluster, admin } = await clusterOf(t, isTls)
    const proxy = await startNginx(t, new Map([
      ['page', cluster.ports[0]!], ['router', cluster.routingPort], ['monitor', cluster.monitoringPort]
    ]))
    await holdAddresses(t, admin, proxy, ['page'], isTls)
    await holdAudit(t, admin, proxy, isTls)
    t.match((await ask(proxy, 'router', { isTls })).headers.location,
      isTls ? /^https:\/\/localhost:/ : /^http:\/\/localhost:/)
  }
})

async function clusterOf (
  t: Test, isTls: boolean
): Promise<{ cluster: Cluster, admin: Operator }> {
  const tls = isTls ? { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' } : {}
  const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
  const cluster = await startCluster(t, { ...SETTINGS, ...tls }, { cwd })
  return { cluster, admin: await Operator.loggedIn(cluster, 'admin', PASSWORD, { isTls }) }
}
