/** Servers that are restarted, one by the interface or all by SIGUSR2, under visitors who go on. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { Operator } from '../scripts/kit/operator.ts'
import {
  ask, ROOT, startCluster, until, Visitor, workingFolder, type Cluster, type StartOptions
} from './cluster.ts'
import { RetryingClients, type Outcome } from './retrying-clients.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }
const CLIENTS = 12

interface ServerFigures {
  readonly state: string
  readonly active_users: number
  readonly restarts: number
  readonly up_since: string
}

async function start (
  t: Test, settings: Record<string, string> = {}, options: StartOptions = {}
): Promise<{ cluster: Cluster, operator: Operator }> {
  const cluster = await startCluster(t, { ...SETTINGS, ...settings }, options)
  return { cluster, operator: await Operator.loggedIn(cluster, 'admin', PASSWORD) }
}

const restart = (operator: Operator, port: number, body: object = {}) =>
  operator.post(`/servers/${port}/restart`, body)

async function figures (operator: Operator): Promise<Record<string, ServerFigures>> {
  return (await operator.get('/stats')).json['servers'] as Record<string, ServerFigures>
}

/** How often a new thread was put in the place of one that served. */
function replacements ({ log }: Cluster): string[] {
  return log.filter(({ msg }) => msg === 'a worker is restarted').map(({ worker }) => String(worker))
}

/**
 * Nothing was lost, and nothing failed but what met the port while it was closed; where the new
 * thread shares it, what the old one had not accepted yet.
 */
function checkOutcome (t: Test, { requests, failed, lost }: Outcome): void {
  const { ECONNRESET: reset = 0, ECONNREFUSED: refused = 0, ...others } = failed
  // A second attempt may meet the next restart.
  const isOfPort = (what: string): boolean => !canSharePorts && /ECONN(?:REFUSED|RESET)$/.test(what)
  const lostOpen = lost.filter(what => !isOfPort(what))
  t.strictSame([lostOpen, others], [[], {}], 'no request failed while a port was open')
  if (canSharePorts) t.equal(refused, 0, 'the port was open all the time')
  t.ok(reset + refused < requests / 10, `${reset} and ${refused} of ${requests}`)
}

t.test('restart: one server under load; its users stay, and nobody else notices', async t => {
  const { cluster, operator } = await start(t)
  const ana = new Visitor()
  const port = await ana.enter(cluster)
  const { [port]: before } = await figures(operator)
  const clients = new RetryingClients(cluster, CLIENTS)
  await until(async () => clients.requests, requests => requests > 20 * CLIENTS)
  for (let times = 0; times < 3; times++) t.equal((await restart(operator, port)).status, 200)
  const requests = clients.requests
  await until(async () => clients.requests, now => now > requests + 20 * CLIENTS)
  checkOutcome(t, await clients.stop())
  t.strictSame(replacements(cluster), Array(3).fill(`server ${port}`))
  t.match(await figures(operator), { [port]: { state: 'up', restarts: 0 } })
  t.ok(before!.active_users >= 1)
  t.equal((await ana.ask(port, '/heartbeat')).status, 204, 'she is here still: a beat by GET adds nobody')
  t.match((await operator.get('/audit')).json, { entries: [{ action: 'restart', target: String(port) }] })
  t.strictSame(cluster.log.filter(({ level }) => Number(level) > 30), [])
})

t.test('restart: SIGUSR2 restarts all in turn; twice at once is no harm', async t => {
  const { cluster, operator } = await start(t)
  const clients = new RetryingClients(cluster, CLIENTS)
  await until(async () => clients.requests, requests => requests > 20 * CLIENTS)
  cluster.process.kill('SIGUSR2')
  cluster.process.kill('SIGUSR2')
  await cluster.logged(/all servers have been restarted/)
  const passes = (): number =>
    cluster.log.filter(({ msg }) => msg === 'all servers have been restarted').length
  // Two signals that come apart are two passes, the second one after the first.
  await until(() => figures(operator), servers => replacements(cluster).length === 3 * passes() &&
    Object.values(servers).every(({ state }) => state === 'up'))
  const before = passes()
  cluster.process.kill('SIGUSR2')
  await until(async () => passes(), now => now > before)
  checkOutcome(t, await clients.stop())
  const names = cluster.ports.map(port => `server ${port}`)
  t.strictSame(replacements(cluster).slice(0, 3), names, 'one after another, in their order')
  t.ok(passes() <= 3 && replacements(cluster).length === 3 * passes())
  for (const { restarts } of Object.values(await figures(operator))) t.equal(restarts, 0)
})

t.test('restart: a server that drains drains on, and keeps who is there', async t => {
  const { cluster, operator } = await start(t)
  const ana = new Visitor()
  const port = await ana.enter(cluster)
  t.equal((await operator.post(`/servers/${port}/drain`, { note: 'new disk' })).status, 200)
  t.equal((await restart(operator, port)).status, 200)
  t.match(await figures(operator), { [port]: { state: 'draining', active_users: 1, drain: { note: 'new disk' } } })
  t.equal((await ana.ask(port)).status, 200)
  t.equal((await ask(port)).status, 302)
})

t.test('restart: the only server needs force where it leaves a gap', async t => {
  const { cluster, operator } = await start(t, { PORTS: '0', HTML_DIRS: join(ROOT, 'html/site-1') })
  const [port] = cluster.ports as [number]
  const ana = new Visitor()
  await ana.enter(cluster)
  const answer = await restart(operator, port)
  if (canSharePorts) t.equal(answer.status, 200)
  else t.match(answer, { status: 409, json: { message: /last available.*"force": true/ } })
  t.equal((await restart(operator, port, { force: true })).status, 200)
  t.equal((await ana.ask(port, '/heartbeat')).status, 204)
  t.match(await operator.post('/servers/nobody/restart', {}), { status: 404, json: { message: /nobody/ } })
})

t.test('restart: a new thread that cannot start is an error, and harms nobody who can be served', async t => {
  const cwd = workingFolder(t)
  const folder = join(cwd, 'program')
  cpSync(join(ROOT, 'dist'), folder, { recursive: true })
  const { cluster, operator } = await start(t, {}, { cwd, program: join(folder, 'coordinator.js') })
  const [first, , third] = cluster.ports as [number, number, number]
  const ana = new Visitor()
  const hers = await ana.enter(cluster)
  writeFileSync(join(folder, 'static-server.js'), 'throw new Error("half a release")')
  t.match(await restart(operator, first), {
    status: 503, json: { error: 'busy', message: /was not restarted: half a release/ }
  })
  cluster.process.kill('SIGUSR2')
  await cluster.logged(/behind this one are not restarted|all servers have been restarted/)
  t.equal((await new Visitor().ask(third)).status, 200, 'no further server is touched')
  cpSync(join(ROOT, 'dist/static-server.js'), join(folder, 'static-server.js'))
  await until(() => figures(operator), servers =>
    Object.values(servers).every(({ state }) => state === 'up'))
  t.equal((await restart(operator, first)).status, 200)
  t.equal((await ana.ask(hers, '/heartbeat')).status, 204)
})
