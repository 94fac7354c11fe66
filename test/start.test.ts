/** How the program starts, and what it says when it does not. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { newAddress } from '../packages/shared/test/fleet/engine-process.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { PROGRAM } from '../scripts/kit/program.ts'
import { ask, ROOT, samePorts, startCluster, Visitor, workingFolder, type Answer } from './cluster.ts'

/**
 * An address that no other test takes ports of while the program starts: it would start again, with
 * other ports. And a port of it.
 */
async function ownAddress () {
  const host = newAddress()
  const taken = createServer()
  await once(taken.listen(0, host), 'listening')
  const { port } = taken.address() as AddressInfo
  await new Promise(resolve => taken.close(resolve))
  const settings = {
    HOST: host, IP: host, MONITORING_HOST: host, ROUTING_PORT: String(port), DELAY_BETWEEN_ROUTING: '0'
  }
  return { host, settings, routingPort: port }
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run (cwd: string, args: readonly string[], env = {}): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => { stdout += text.toString() })
  child.stderr.on('data', (text: Buffer) => { stderr += text.toString() })
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr }
}

t.test('start: help, version and check say so and end with 0', async t => {
  const help = await run(t.testdir(), ['--help', '--routing-port', 'nonsense'])
  t.equal(help.code, 0)
  t.match(help.stdout, /--routing-port/)
  const version = await run(t.testdir(), ['--version'])
  t.same([version.code, version.stdout], [0, '0.1.0\n'])
  const check = await run(t.testdir(), ['--check'], { METRICS_TOKEN: 'a-secret-of-sixteen' })
  t.equal(check.code, 0)
  t.match(check.stdout, /METRICS_TOKEN.*\(set\)/)
  t.notMatch(check.stdout, /a-secret/)
})

t.test('start: a wrong setting ends with 2 and names setting, value and what is allowed', async t => {
  const cwd = workingFolder(t, { 'usher.env': 'ROUTNIG_PORT=8080\n' })
  const { code, stderr } = await run(cwd, ['--delay-between-routing', '61'])
  t.equal(code, 2)
  t.match(stderr, /ROUTNIG_PORT.*did you mean ROUTING_PORT\?/)
  t.match(stderr, /DELAY_BETWEEN_ROUTING.*61/)
})

t.test('start: a Node whose parser is too lenient is refused, and nothing is opened', async t => {
  const cwd = workingFolder(t, {
    'old.mjs': `Object.defineProperty(process, 'versions', {
      value: { ...process.versions, node: '20.19.2' }
    })`
  })
  const env = { NODE_OPTIONS: '--import ./old.mjs', PORTS: '0', ROUTING_PORT: '0', MONITORING_PORT: '0' }
  for (const args of [[], ['--check']]) {
    const { code, stderr } = await run(cwd, args, env)
    t.equal(code, 1)
    t.equal(stderr, 'usher: this is Node 20.19.2; Usher needs 20.19.3 or newer, 24 at best: ' +
      'older ones read HTTP too leniently\n')
  }
  t.notOk(readdirSync(cwd).includes('db'))
})

t.test('start: every taken port is named in one message, with what to do, and the exit code is 1', async t => {
  const takers = [createServer(), createServer()]
  for (const taker of takers) await once(taker.listen(0, '127.0.0.1'), 'listening')
  const [a, b] = takers.map(taker => (taker.address() as AddressInfo).port)
  const { code, stderr } = await run(t.testdir(), [
    '--host', '127.0.0.1', '--ports', `0,${a},0`, '--routing-port', '0', '--monitoring-port', `${b}`
  ])
  for (const taker of takers) taker.close()
  t.equal(code, 1)
  t.match(stderr, new RegExp(`PORTS: port ${a} is taken`))
  t.match(stderr, new RegExp(`MONITORING_PORT: port ${b} is taken`))
  t.match(stderr, /choose others/)
})

/** The first ports that workers open are taken, as far as they can tell. */
const takenMeanwhile = (times: number): string => `
  import { appendFileSync, readFileSync } from 'node:fs'
  import { constants } from 'node:os'
  import { isMainThread } from 'node:worker_threads'
  const { TCP } = process.binding('tcp_wrap')
  const { listen } = TCP.prototype
  TCP.prototype.listen = function (backlog) {
    const name = {}
    this.getsockname(name)
    const taken = readFileSync('taken', 'utf8').split('\\n').slice(0, -1)
    const isTaken = taken.includes(String(name.port))
    if (isMainThread || (!isTaken && taken.length >= ${times})) return listen.call(this, backlog)
    if (!isTaken) appendFileSync('taken', name.port + '\\n')
    return -constants.errno.EADDRINUSE
  }`

t.test('start: a port that is taken after it was chosen is chosen again', async t => {
  const cwd = workingFolder(t, { taken: '', 'preload.mjs': takenMeanwhile(1) })
  const cluster = await startCluster(t, {}, { cwd, nodeOptions: '--import ./preload.mjs' })
  // Once by the preload; on a busy machine another program may really take the next one.
  await cluster.logged(/a port was taken during the start/)
  t.equal(new Set([...cluster.ports, cluster.routingPort, cluster.monitoringPort]).size, 5)
  await new Visitor().enter(cluster)
  t.equal(await cluster.stop(), 0)
})

t.test('start: whose ports are taken again and again ends, and says why', async t => {
  const cwd = workingFolder(t, { taken: '', 'preload.mjs': takenMeanwhile(1000) })
  await t.rejects(startCluster(t, {}, { cwd, nodeOptions: '--import ./preload.mjs' }),
    /ended with 1 .*EADDRINUSE/)
})

/** All servers but the first open their ports only when there is a file named `go`. */
const HELD_SERVERS = `
  import { existsSync } from 'node:fs'
  import { isMainThread, workerData } from 'node:worker_threads'
  const { TCP } = process.binding('tcp_wrap')
  const { listen } = TCP.prototype
  const isHeld = !isMainThread && workerData.server > 0
  const look = new Int32Array(new SharedArrayBuffer(4))
  TCP.prototype.listen = function (backlog) {
    while (isHeld && !existsSync('go')) Atomics.wait(look, 0, 0, 10)
    return listen.call(this, backlog)
  }`

t.test('start: the router opens with the first server, and places a burst among all of them', async t => {
  const cwd = workingFolder(t, { 'preload.mjs': HELD_SERVERS })
  const { host, settings, routingPort } = await ownAddress()
  const starting = startCluster(t, settings, { cwd, nodeOptions: '--import ./preload.mjs' })
  while (await ask(routingPort, '/healthz', { host }).catch(() => undefined) === undefined) await setTimeout(10)
  t.match(await ask(routingPort, '/healthz', { host }), { status: 503, body: /starting/ })
  const places: string[] = []
  const burst = Array.from({ length: 9 }, async () => {
    const { headers } = await ask(routingPort, '/', { host })
    places.push(new URL(headers.location!).port)
  })
  while (places.length < 3) await setTimeout(10)
  t.equal(new Set(places).size, 1, 'only those of the server that is up are sent on')
  writeFileSync(join(cwd, 'go'), '')
  await Promise.all(burst)
  const cluster = await starting
  t.strictSame(places.sort(), cluster.ports.flatMap(port => Array(3).fill(String(port))).sort())
  t.equal((await ask(routingPort, '/healthz', { host })).status, 200)
  t.match(await ask(cluster.ports[0]!, '/', { host, headers: { 'accept-encoding': 'br' } }),
    { headers: { 'content-encoding': 'br' } }, 'once it is ready, files are compressed')
})

/** A copy of the program whose servers run this first of all. */
function programWhere (cwd: string, serverBegins: string): string {
  const folder = join(cwd, 'program')
  cpSync(join(ROOT, 'dist'), folder, { recursive: true })
  const path = join(folder, 'static-server.js')
  writeFileSync(path, `${serverBegins}\n${readFileSync(path, 'utf8')}`)
  return join(folder, 'coordinator.js')
}

/** The thread does nothing else until there is a file named `go`. */
const WAITS = `{
  const look = new Int32Array(new SharedArrayBuffer(4))
  while (!require('node:fs').existsSync('go')) Atomics.wait(look, 0, 0, 10)
}`

t.test('start: a visitor is redirected as soon as a server listens, and waits there', async t => {
  const cwd = workingFolder(t)
  const { host, settings, routingPort } = await ownAddress()
  const starting = startCluster(t, settings, { cwd, program: programWhere(cwd, WAITS) })
  let redirect: Answer | undefined
  while (redirect === undefined) redirect = await ask(routingPort, '/', { host }).catch(() => undefined)
  t.equal(redirect.status, 302)
  const { port } = new URL(redirect.headers.location!)
  let isAnswered = false
  const page = ask(Number(port), '/', { host }).finally(() => { isAnswered = true })
  t.match(await ask(routingPort, '/healthz', { host }), { status: 503, body: /starting/ })
  t.notOk(isAnswered)
  writeFileSync(join(cwd, 'go'), '')
  t.match(await page, { status: 200, body: /<title>/ })
  const cluster = await starting
  t.equal(Number(port), cluster.ports[0])
  t.equal(await cluster.stop(), 0)
})

t.test('start: a server that cannot start ends the program, in its own words', async t => {
  const cwd = workingFolder(t)
  const program = programWhere(cwd, 'throw new RangeError("half a release")')
  await t.rejects(startCluster(t, {}, { cwd, program }),
    /ended with 1 .*RangeError: half a release/s)
  writeFileSync(join(cwd, 'program/thread.js'), 'throw new RangeError("no release")')
  await t.rejects(startCluster(t, {}, { cwd, program }), /ended with 1 .*RangeError: no release/s)
})

t.test('start: nobody is placed on a server that drained before, though it starts', async t => {
  const cwd = workingFolder(t, { 'preload.mjs': HELD_SERVERS, go: '' })
  const settings = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: 'correct horse battery' }
  const options = { cwd, nodeOptions: '--import ./preload.mjs' }
  const before = await startCluster(t, settings, options)
  const operator = await Operator.loggedIn(before, 'admin', settings.ADMIN_PASSWORD)
  const drained = before.ports.at(-1)!
  t.equal((await operator.post(`/servers/${drained}/drain`, {})).status, 200)
  t.equal(await before.stop(), 0)
  rmSync(join(cwd, 'go'))
  const starting = startCluster(t, { ...settings, ...samePorts(before) }, options)
  const { routingPort } = before
  while (await ask(routingPort, '/healthz').catch(() => undefined) === undefined) await setTimeout(10)
  const burst = Promise.all(Array.from({ length: 6 }, async () => {
    const { headers } = await ask(routingPort, '/')
    return new URL(headers.location!).port
  }))
  writeFileSync(join(cwd, 'go'), '')
  const others = before.ports.filter(port => port !== drained)
  t.strictSame((await burst).sort(), others.flatMap(port => Array(3).fill(String(port))).sort())
  await starting
})

t.test('start: a restart straight after a stop finds its ports free', async t => {
  const cwd = workingFolder(t)
  const first = await startCluster(t, {}, { cwd })
  await new Visitor().enter(first)
  t.equal(await first.stop(), 0)
  const same = {
    PORTS: first.ports.join(','),
    ROUTING_PORT: String(first.routingPort),
    MONITORING_PORT: String(first.monitoringPort)
  }
  const second = await startCluster(t, same, { cwd })
  t.same(second.ports, first.ports)
})

t.test('start: the monitor answers its probes, and nothing else without a login', async t => {
  const { monitoringPort } = await startCluster(t)
  t.equal((await ask(monitoringPort, '/healthz')).status, 200)
  t.equal((await ask(monitoringPort, '/readyz')).status, 200)
  t.equal((await ask(monitoringPort, '/stats')).status, 401)
})

t.test('start: a damaged database is refused and left as it is', async t => {
  const cwd = workingFolder(t, { 'usher.db': 'this is not a database, but somebody may need it' })
  const { code, stderr, stdout } = await run(cwd, [
    '--host', '127.0.0.1', '--ports', '0,0,0', '--routing-port', '0', '--monitoring-port', '0',
    '--db-path', 'usher.db'
  ])
  t.equal(code, 1)
  t.notMatch(stdout, /server is up/, 'who is denied stands in it: nobody was let in')
  t.match(stderr, /usher\.db is damaged, or no SQLite database\. Nothing was changed/)
})
