/** With a certificate every port speaks HTTPS, and nothing else; a renewed one is taken over. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import t from 'tap'
import {
  CERT, EXPIRED_CERT, KEY, OTHER_CERT, OTHER_KEY
} from '../packages/shared/test/fixtures/tls-pems.ts'
import { PROGRAM } from '../scripts/kit/program.ts'
import { ask, startCluster, until, workingFolder, type Cluster } from './cluster.ts'

const TLS = { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' }

interface SecureAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly cookie: string | undefined
}

function askSecurely (port: number, path: string): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, response => {
      response.resume()
      const { location, 'set-cookie': cookies } = response.headers
      resolve({ status: response.statusCode!, location, cookie: cookies?.[0] })
    }).on('error', reject)
  })
}

t.test('tls: every port speaks HTTPS, redirects say https, cookies are Secure', async t => {
  const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
  const cluster = await startCluster(t, TLS, { cwd })
  const redirect = await askSecurely(cluster.routingPort, '/a')
  t.equal(redirect.status, 302)
  t.match(redirect.location, /^https:\/\/127\.0\.0\.1:\d+\/a$/)
  t.match(redirect.cookie, /; Secure$/)
  const page = await askSecurely(cluster.ports[0]!, '/')
  t.equal(page.status, 200)
  t.match(page.cookie, /; Secure$/)
  t.equal((await askSecurely(cluster.monitoringPort, '/healthz')).status, 200)
  await t.rejects(ask(cluster.ports[0]!), 'plain HTTP is not answered')
  t.equal(await cluster.stop(), 0)
})

/** A handshake, without a request. */
async function shake (port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

async function nameOn (port: number, options: ConnectionOptions = {}): Promise<unknown> {
  const socket = await shake(port, options)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

function portsOf ({ ports, routingPort, monitoringPort }: Cluster): number[] {
  return [...ports, routingPort, monitoringPort]
}

t.test('tls: 1.2 offers forward secrecy with authenticated encryption, and nothing else', async t => {
  const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
  // What the command line of Node allows is not what the program allows.
  const options = { cwd, nodeOptions: '--tls-min-v1.0' }
  const { routingPort, ports: [port], monitoringPort } = await startCluster(t, TLS, options)
  const old = { maxVersion: 'TLSv1.2', minVersion: 'TLSv1' } as const
  for (const at of [routingPort, port!, monitoringPort]) {
    for (const ciphers of [
      'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'
    ]) {
      t.equal((await shake(at, { ...old, ciphers })).getCipher().name, ciphers)
    }
    for (const ciphers of [
      'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-SHA256',
      'AES128-GCM-SHA256', 'AES256-SHA', 'DHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-CCM'
    ]) {
      await t.rejects(shake(at, { ...old, ciphers }), /handshake failure/, ciphers)
    }
    await t.rejects(shake(at, { ...old, maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }), 'TLS 1.1')
    t.equal((await shake(at)).getProtocol(), 'TLSv1.3')
  }
})

t.test('tls: SIGHUP takes a renewed certificate over on every port, and drops nobody', async t => {
  const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
  const cluster = await startCluster(t, TLS, { cwd })
  const all = portsOf(cluster)
  const agents = all.map(() => new https.Agent({ keepAlive: true, rejectUnauthorized: false }))
  const askOpen = (): Promise<unknown[]> => Promise.all(all.map((port, at) =>
    statusOn(port, agents[at]!)))
  t.same(await askOpen(), all.map(() => [200, false]), 'a connection to each port')
  const session = await sessionOf(all[0]!)

  cluster.process.kill('SIGHUP')
  await cluster.logged(/all servers serve the files as they are now/)
  t.notOk(cluster.log.some(({ msg }) => /certificate was changed/.test(msg)), 'it is the same')

  writeFileSync(join(cwd, 'cert.pem'), OTHER_CERT)
  cluster.process.kill('SIGHUP')
  const { problems } = await cluster.logged(/the reload failed: a setting is wrong/)
  t.match(problems, [/^TLS_KEY .*it is not the key of the certificate in /])
  t.same(await Promise.all(all.map(port => nameOn(port))), all.map(() => 'localhost'))

  writeFileSync(join(cwd, 'key.pem'), OTHER_KEY)
  cluster.process.kill('SIGHUP')
  const changed = await cluster.logged(/the certificate was changed: new connections get it/)
  t.equal(changed['validTo'], '2120-01-01T00:00:00.000Z')
  t.same(await Promise.all(all.map(port => nameOn(port))), all.map(() => 'shop.example'))
  t.equal(await nameOn(all[0]!, { session }), 'shop.example', 'an earlier session is not taken up')
  t.same(await askOpen(), all.map(() => [200, true]), 'the connections of before go on')
  await t.rejects(shake(all[0]!, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }))
  for (const agent of agents) agent.destroy()

  writeFileSync(join(cwd, 'cert.pem'), CERT)
  writeFileSync(join(cwd, 'key.pem'), KEY)
  cluster.process.kill('SIGHUP')
  await until(() => nameOn(all[0]!), name => name === 'localhost')
  t.pass('and back')
  t.equal(await cluster.stop(), 0)
})

t.test('tls: a server that is replaced has the renewed certificate', async t => {
  const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
  const crashing = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
  const cluster = await startCluster(t, { ...TLS, CRASH_DIR: cwd }, { cwd, nodeOptions: crashing })
  const [port] = cluster.ports as [number]
  writeFileSync(join(cwd, 'cert.pem'), OTHER_CERT)
  writeFileSync(join(cwd, 'key.pem'), OTHER_KEY)
  cluster.process.kill('SIGHUP')
  await cluster.logged(/the certificate was changed/)
  writeFileSync(join(cwd, `server ${port} exit`), '')
  await cluster.logged(/worker is up again/)
  t.equal(await nameOn(port), 'shop.example')
})

t.test('tls: an expired certificate is warned of at the start, by --check and in /stats', async t => {
  const cwd = workingFolder(t, { 'cert.pem': EXPIRED_CERT, 'key.pem': KEY })
  const password = 'a password for a test'
  const cluster = await startCluster(t, {
    ...TLS, ADMIN_PASSWORD: password, PUBLIC_HOSTS: 'shop.example'
  }, { cwd })
  const warnings = cluster.log.filter(line => line['setting'] === 'TLS_CERT')
  t.match(warnings, [
    { level: 40, msg: /^the certificate expired at 2021-01-01.* Renew TLS_CERT, then send SIGHUP$/ },
    { level: 40, msg: /^the certificate is not for shop\.example of PUBLIC_HOSTS/ }
  ])
  const { cookie } = await askMonitor(cluster, '/login', { username: 'admin', password })
  const stats = async (): Promise<object> =>
    (await askMonitor(cluster, '/stats', undefined, cookie)).json
  t.match(await stats(), { certificate: { valid_to: '2021-01-01T00:00:00.000Z', problem: 'expired' } })

  writeFileSync(join(cwd, 'cert.pem'), OTHER_CERT)
  writeFileSync(join(cwd, 'key.pem'), OTHER_KEY)
  cluster.process.kill('SIGHUP')
  await cluster.logged(/the certificate was changed/)
  t.match(await stats(), { certificate: { problem: 'none' } })

  writeFileSync(join(cwd, 'cert.pem'), EXPIRED_CERT)
  writeFileSync(join(cwd, 'key.pem'), KEY)
  const child = spawn(process.execPath, [PROGRAM, '--check'], { cwd, env: TLS })
  let said = ''
  child.stderr.on('data', (text: Buffer) => { said += text.toString() })
  const [code] = await once(child, 'close') as [number]
  t.equal(code, 0)
  t.match(said, /^usher: warning: TLS_CERT: the certificate expired at 2021-01-01/)
})

function askMonitor (
  { monitoringPort: port }: Cluster, path: string, body?: object, cookie = ''
): Promise<{ readonly json: object, readonly cookie: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = { 'content-type': 'application/json', cookie }
    https.request({ host: '127.0.0.1', port, path, method, headers, rejectUnauthorized: false }, answer => {
      let text = ''
      answer.on('data', (chunk: Buffer) => { text += chunk.toString() })
      answer.on('end', () => {
        const [given = ''] = answer.headers['set-cookie'] ?? []
        resolve({ json: JSON.parse(text) as object, cookie: given.split(';')[0]! })
      })
    }).on('error', reject).end(body && JSON.stringify(body))
  })
}

/** The status, and whether the connection was there before. */
function statusOn (port: number, agent: https.Agent): Promise<[number, boolean]> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host: '127.0.0.1', port, path: '/healthz', agent }, answer => {
      answer.resume().on('end', () => { resolve([answer.statusCode!, request.reusedSocket]) })
    }).on('error', reject)
  })
}

async function sessionOf (port: number): Promise<Buffer> {
  const socket = await shake(port)
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
  const [session] = await once(socket, 'session') as [Buffer]
  socket.destroy()
  return session
}
