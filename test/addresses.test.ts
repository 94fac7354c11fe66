/** What the ready line and redirects name answers; a name that is not ours is said once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { PROGRAM } from '../scripts/kit/program.ts'
import { ask, startCluster, until, workingFolder } from './cluster.ts'

const OWN = Object.values(networkInterfaces()).flatMap(infos => infos ?? [])
const LAN = OWN.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
const HAS_IPV6 = OWN.some(({ address }) => address === '::1')

/** `HOST`, `MONITORING_HOST` and the hosts that are named then. */
const CASES: ReadonlyArray<readonly [host: string, monitoringHost: string, named: RegExp]> = [
  ['127.0.0.1', '', /^127\.0\.0\.1$/],
  ['127.0.0.2', '127.0.0.1', /^127\.0\.0\.[12]$/],
  ['localhost', '', /^(?:127\.0\.0\.1|\[::1\])$/],
  ['0.0.0.0', '127.0.0.1', /^[\d.]+$/],
  ['::', '', /./],
  ...(HAS_IPV6 ? [['::1', '', /^\[::1\]$/] as const] : []),
  ...(LAN === undefined ? [] : [[LAN, '', new RegExp(`^${LAN.replaceAll('.', '\\.')}$`)] as const])
]

t.test('addresses: what the ready line and redirects name answers', async t => {
  for (const [host, monitoringHost, named] of CASES) {
    const cluster = await startCluster(t, { HOST: host, MONITORING_HOST: monitoringHost, IP: '' })
    const { routerUrl, monitorUrl, serverUrls } = cluster
    for (const url of [routerUrl, monitorUrl, ...serverUrls]) {
      t.match(new URL(url).hostname, named, `${host}: ${url}`)
      t.equal(await statusOf(`${url}/healthz`), 200, `${host}: ${url}`)
    }
    const location = await locationOf(routerUrl, 'not.ours.example')
    t.equal(await statusOf(location), 200, `${host}: a redirect to ${location}`)
    await cluster.stop()
  }
})

t.test('addresses: a name that PUBLIC_HOSTS does not list is one warning, with what to type', async t => {
  const cluster = await startCluster(t, { PUBLIC_HOSTS: 'a.example', DELAY_BETWEEN_ROUTING: '0' })
  const headers = { host: 'Shop.Example:8080' }
  const warnings = (): unknown[] => cluster.log.filter(({ msg }) => /PUBLIC_HOSTS/.test(msg))
  await ask(cluster.routingPort, '/', { headers: { host: 'a.example' } })
  for (let count = 0; count < 3; count++) await ask(cluster.routingPort, '/', { headers })
  await cluster.logged(/requests come for shop\.example/)
  t.match(warnings(), [{
    level: 40,
    host: 'shop.example',
    msg: /redirects lead to 127\.0\.0\.1 instead.* set PUBLIC_HOSTS=a\.example,shop\.example and/
  }])
  for (let count = 0; count < 3; count++) {
    t.equal((await ask(cluster.monitoringPort, '/', { headers })).status, 421)
  }
  await until(() => Promise.resolve(warnings()), lines => lines.length > 1)
  t.match(warnings()[1], { thread: 'monitor', msg: /the monitor does not answer to that name/ })
  await cluster.stop()
  t.equal(warnings().length, 2)
})

t.test('addresses: a HOST that has no address is exit code 2 and named, by --check too', async t => {
  for (const name of ['HOST', 'MONITORING_HOST']) {
    for (const args of [[], ['--check']]) {
      const { code, said } = await run(workingFolder(t), args, { [name]: 'no-such-host.invalid' })
      t.equal(code, 2, `${name} ${args.join('')}`)
      t.match(said, new RegExp(`^usher: ${name} \\(environment\\) is "no-such-host.invalid": it has no address`))
    }
  }
})

function request (url: string, headers = {}): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(url, { headers }, answer => {
      answer.resume()
      resolve(answer)
    }).on('error', reject)
  })
}

async function statusOf (url: string): Promise<number | undefined> {
  return (await request(url)).statusCode
}

async function locationOf (url: string, host: string): Promise<string> {
  return (await request(url, { host })).headers.location!
}

async function run (
  cwd: string, args: readonly string[], env: Record<string, string>
): Promise<{ readonly code: number | null, readonly said: string }> {
  const ports = { PORTS: '0', ROUTING_PORT: '0', MONITORING_PORT: '0' }
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { ...ports, ...env } })
  let said = ''
  child.stderr.on('data', (text: Buffer) => { said += text.toString() })
  const [code] = await once(child, 'close') as [number | null]
  return { code, said }
}
