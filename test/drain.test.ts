/** Servers that drain, in the running cluster: no newcomers, and no user lost. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildAskingProgram, startAskingCluster } from './asking-cluster.ts'
import { ask, Visitor, workingFolder } from './cluster.ts'

const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`

const drain = (server: number, isDraining: boolean, isForced: boolean) =>
  ({ type: 'set-draining', server, isDraining, isForced } as const)

const program = buildAskingProgram(t.testdir())

t.test('drain: a server takes no visitors, those who were there go elsewhere; then it does again', async t => {
  const cluster = await startAskingCluster(t, program)
  const { asks, ports } = cluster
  const drained = ports.indexOf(Math.min(...ports))
  const hers = ports[drained]!
  const ana = new Visitor()
  t.equal(await ana.enter(cluster), hers)
  await t.rejects(asks(drain(3, true, true)), { code: 'RangeError' }, 'there are only three')
  t.same(await asks(drain(drained, true, false)), { outcome: 'done' })
  t.equal(await ana.beat(hers), 1, 'it keeps its users')
  for (let newcomer = 0; newcomer < 9; newcomer++) {
    t.not(await new Visitor().knock(cluster), hers)
  }
  const elsewhere = await ana.enter(cluster)
  t.not(elsewhere, hers, 'who comes by the router again is placed anew')
  t.equal(await ana.beat(elsewhere), 1)

  const others = cluster.ports.map((_, server) => server).filter(server => server !== drained)
  t.same(await asks(drain(others[0]!, true, false)), { outcome: 'done' })
  t.same(await asks(drain(others[1]!, true, false)), { outcome: 'last-available' })
  t.equal(await new Visitor().knock(cluster), cluster.ports[others[1]!])
  t.same(await asks(drain(others[1]!, true, true)), { outcome: 'done' })
  t.equal((await ask(cluster.routingPort)).status, 503)
  t.same(await asks(drain(drained, false, false)), { outcome: 'done' })
  t.equal(await new Visitor().knock(cluster), hers)
})

t.test('drain: outlives the server\'s thread', async t => {
  const cwd = workingFolder(t)
  const cluster = await startAskingCluster(
    t, program, { CRASH_DIR: cwd }, { cwd, nodeOptions: PRELOAD })
  const [victim] = cluster.ports as [number]
  t.same(await cluster.asks(drain(0, true, false)), { outcome: 'done' })
  writeFileSync(join(cwd, `server ${victim} exit`), '')
  await cluster.logged(/worker is up again/)
  for (let newcomer = 0; newcomer < 6; newcomer++) {
    t.not(await new Visitor().knock(cluster), victim)
  }
  t.equal((await ask(victim)).status, 200, 'it serves all the same')
  const said = cluster.log.filter(({ server }) => server === String(victim)).map(({ msg }) => msg)
  t.same(said, ['up', 'draining', 'down', 'draining'].map(state => `server is ${state}`))
  t.same(await cluster.asks(drain(0, false, false)), { outcome: 'done' })
  t.same(await Promise.all(cluster.ports.map(() => new Visitor().knock(cluster)))
    .then(ports => ports.includes(victim)), true)
})
