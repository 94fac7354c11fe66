/** No file descriptor is left: open connections are served, and new ones once some are free. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import {
  ask, startCluster, until, Visitor, workingFolder, type Answer, type Cluster
} from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

/** Some 60 are taken when it has started, and 32 are for no connection. */
const LIMITED = 'ulimit -n 120; exec "$@"'
const CLIENTS = 100
/** On each port at once, and so many one after the other: what threads do in the same moment. */
const CROWD = 5
const RETURNS = 40
/** How long the processor time of a process that can accept no connection is measured. */
const WATCHED_MS = 2000
const TICKS_PER_SECOND = 100
const PASSWORD = 'correct horse battery'
/** Open connections stay, silent or not. */
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', SOCKET_TIMEOUT: '60' }
const WITH_ADMIN = { ...SETTINGS, ADMIN_PASSWORD: PASSWORD }

/** Of all threads, in seconds: utime and stime of proc(5). */
function cpuSeconds ({ process }: Cluster): number {
  const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8')
  const [utime, stime] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number)
  return (utime! + stime!) / TICKS_PER_SECOND
}

const portsOf = ({ ports, routingPort, monitoringPort }: Cluster): number[] =>
  [...ports, routingPort, monitoringPort]

const attempt = (port: number): Promise<Answer | undefined> =>
  ask(port, '/', { agent: new http.Agent() }).catch(() => undefined)

/** As many as it takes, and more; a second time for what others held in the meantime. */
async function exhaust (cluster: Cluster): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let round = 0; round < 2; round++) {
    const more = Array.from({ length: CLIENTS }, () => connect(cluster.ports[1]!, '127.0.0.1'))
    for (const socket of more) socket.on('error', () => {})
    await Promise.all(more.map(async socket => once(socket, 'connect').catch(() => {})))
    sockets.push(...more)
  }
  return sockets
}

t.test('descriptors: with none left it serves on, says so once and does not spin', async t => {
  const cluster = await startCluster(t, SETTINGS, { shell: LIMITED })
  const visitor = new Visitor()
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const port = cluster.ports[0]!
  await visitor.ask(port, '/', { agent })

  const sockets = await exhaust(cluster)
  await cluster.logged(/no file descriptors are left/)
  const crowd = portsOf(cluster).flatMap(other => Array.from({ length: CROWD }, () => other))
  const admitted = await Promise.all(crowd.map(async other => {
    for (let count = 0; count < RETURNS; count++) {
      if (await attempt(other) !== undefined) return other
    }
    return undefined
  }))
  t.same(admitted.filter(other => other !== undefined), [], 'a crowd is sent away')

  const [busyBefore, fromMs] = [cpuSeconds(cluster), performance.now()]
  let served = 0
  while (performance.now() - fromMs < WATCHED_MS) {
    for (const other of portsOf(cluster)) {
      t.equal(await attempt(other), undefined, 'newcomers are sent away at once')
    }
    t.equal((await visitor.ask(port, '/heartbeat', { agent })).status, 204)
    served++
    await setTimeout(100)
  }
  const share = (cpuSeconds(cluster) - busyBefore) / (performance.now() - fromMs) * 1000
  t.ok(share < 0.5, `${Math.round(share * 100)} % of a core, ${served} beats served`)

  for (const socket of sockets) socket.destroy()
  await until(() => attempt(port), answer => answer?.status === 200)
  await new Visitor().enter(cluster)
  t.equal((await ask(cluster.monitoringPort, '/readyz')).status, 200)
  t.equal(cluster.log.filter(({ level }) => Number(level) >= 50).length, 1)
  t.equal(await cluster.stop(), 0)
})

t.test('descriptors: with none left an operator who is connected logs in', async t => {
  const cwd = workingFolder(t)
  // With an account already: the thread that verifies passwords starts at the first login.
  const first = await startCluster(t, WITH_ADMIN, { cwd })
  t.equal(await first.stop(), 0)
  const cluster = await startCluster(t, WITH_ADMIN, { cwd, shell: LIMITED })
  const operator = new Operator(cluster)
  await operator.get('/healthz')
  const sockets = await exhaust(cluster)
  const isSaid = (): boolean => cluster.log.some(({ msg }) => /no file descriptors/.test(msg))
  await until(() => operator.get('/healthz'), isSaid) // Asked on, so that its connection stays.
  t.match(await operator.logIn('admin', PASSWORD), { status: 200 })
  t.equal(await attempt(cluster.monitoringPort), undefined)
  for (const socket of sockets) socket.destroy()
})

t.test('descriptors: with none left it stops as ever', async t => {
  const cluster = await startCluster(t, SETTINGS, { shell: LIMITED })
  const sockets = await exhaust(cluster)
  await cluster.logged(/no file descriptors are left/)
  t.equal(await cluster.stop(), 0)
  for (const socket of sockets) socket.destroy()
})

t.test('descriptors: with too few to start it says so and ends', async t => {
  await t.rejects(startCluster(t, SETTINGS, { shell: 'ulimit -n 40; exec "$@"' }), {
    message: /^ended with 1 [^]*EMFILE/
  })
})
