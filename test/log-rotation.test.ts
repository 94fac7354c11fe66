/** logrotate renames the log file and sends SIGHUP: no line is lost, of no thread. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LogLine } from '../scripts/kit/program.ts'
import { ask, startCluster, until, workingFolder } from './cluster.ts'

const RELOADED = 'all servers serve the files as they are now'
const ROTATIONS = 4
const VISITORS_AT_ONCE = 8
/** So many come at least after each rotation, before the next one. */
const VISITORS_BETWEEN = 50

t.test('log rotation: a rename under load loses no line', async t => {
  const cwd = workingFolder(t)
  const settings = { LOG_LEVEL: 'debug', LOG_FILE: 'server.log', DELAY_BETWEEN_ROUTING: '0' }
  const cluster = await startCluster(t, settings, { cwd })
  const counts = { visitors: 0, isOver: false }
  const visits = Array.from({ length: VISITORS_AT_ONCE }, async () => {
    while (!counts.isOver) {
      const id = randomUUID()
      const server = cluster.ports[counts.visitors++ % cluster.ports.length]!
      await ask(cluster.routingPort, '/', { headers: { cookie: `client_id=${id}` } })
      await ask(server, `/heartbeat?client_id=${id}`, { method: 'POST' })
    }
  })
  // From the files: the console may lose lines when its reader is slow.
  const having = (message: string): number =>
    linesIn(cwd).filter(({ msg }) => msg === message).length
  const sizes = new Map<string, number>()
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    const before = counts.visitors
    await until(async () => counts.visitors, count => count >= before + VISITORS_BETWEEN)
    const old = join(cwd, `server.log.${rotation}`)
    renameSync(join(cwd, 'server.log'), old)
    cluster.process.kill('SIGHUP')
    await until(async () => having(RELOADED), count => count === rotation)
    sizes.set(old, statSync(old).size)
  }
  counts.isOver = true
  await Promise.all(visits)
  for (const [old, bytes] of sizes) {
    t.equal(statSync(old).size, bytes, 'after the reload no thread writes into what was moved')
  }
  t.equal(await cluster.stop(), 0)
  t.equal(having('visitor routed'), counts.visitors)
  t.equal(having('user arrived'), counts.visitors)
  t.equal(having('stopped'), 1)
})

/** Of all log files in the folder; one that is no JSON is an error. */
function linesIn (cwd: string): LogLine[] {
  return readdirSync(cwd).filter(name => name.startsWith('server.log'))
    .flatMap(name => readFileSync(join(cwd, name), 'utf8').split('\n').slice(0, -1))
    .map(line => JSON.parse(line) as LogLine)
}
