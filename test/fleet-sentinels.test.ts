/** Sentinels that put another engine in the place of one that died, with writes that it had not. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openEngine, type CallEngine, type EngineReply } from '@usher/shared/fleet/engine.ts'
import {
  ENGINE_SKIP, startEngine, type TestEngine
} from '../packages/shared/test/fleet/engine-kit.ts'
import { addressOf, ENGINE_PROGRAMS } from '../packages/shared/test/fleet/engine-process.ts'
import { until } from './cluster.ts'
import { untilRight, untilUp } from './fleet-nodes.ts'
import { CAPACITY, CROWD, more, openScene, timed, watch } from './fleet-scene.ts'

const PORT = 26_379
const NAME = 'shop'
const DOWN_MS = 1000

interface Sentinel {
  /** As CLUSTER_URL has it. */
  readonly url: string
  readonly call: CallEngine
}

/** One that may decide alone. */
async function startSentinel (t: Test, { host, port }: TestEngine): Promise<Sentinel> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, [
    `bind ${host}`, `port ${PORT}`, `dir ${folder}`,
    `sentinel monitor ${NAME} ${host} ${port} 1`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`, ''
  ].join('\n'))
  const child = spawn(ENGINE_PROGRAMS[0]!, [file, '--sentinel'], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  const kill = (): void => { child.kill('SIGKILL') }
  process.once('exit', kill)
  const engine = openEngine({ address: addressOf(`redis://${host}:${PORT}`), name: 'test' })
  t.teardown(async () => {
    await engine.close()
    kill()
    await exited
    process.off('exit', kill)
    rmSync(folder, { recursive: true })
  })
  await until(async () => engine.isReady, isReady => isReady)
  return { url: `redis+sentinel://${host}:${PORT}/${NAME}`, call: engine.call }
}

const text = (reply: EngineReply): string => String(reply)

t.test('fleet sentinels: another engine that lacks what the one before knew is told it', { skip: ENGINE_SKIP }, async t => {
  const options = { args: ['--repl-diskless-sync-delay', '0'] }
  const [master, replica] = await Promise.all([startEngine(t, options), startEngine(t, options)])
  const isLinked = async (): Promise<boolean> =>
    text(await replica.call('INFO', 'replication')).includes('master_link_status:up')
  // Its connections come from another address of the loopback network.
  await replica.call('CONFIG', 'SET', 'replica-announce-ip', replica.host)
  await replica.call('REPLICAOF', master.host, master.port)
  await until(isLinked, is => is)
  const { url, call } = await startSentinel(t, master)
  await until(async () => text(await call('SENTINEL', 'REPLICAS', NAME)),
    replicas => replicas.includes(replica.host))
  const scene = await openScene(t, { CLUSTER_URL: url }, master)
  const { members, nodes, crowd } = scene
  const watching = watch(nodes)
  await until(isLinked, is => is)

  // What is written from here on the replica does not have: its link is refused.
  await replica.call('CONFIG', 'SET', 'masterauth', 'wrong')
  await master.call('CLIENT', 'KILL', 'TYPE', 'replica')
  await until(isLinked, is => !is)
  await more(scene, 2 * CROWD)
  await master.kill()
  await timed(t, 'failed over, under load: all have an engine again', async () => {
    await until(async () => text(await call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)),
      address => address.startsWith(replica.host))
    await untilUp(members, 9)
  })
  await more(scene, CROWD)
  await crowd.pause()
  await timed(t, 'the counts are right', () => untilRight({ engine: replica, members }))
  const { samples, most } = await watching.end()
  await crowd.end()
  t.strictSame(crowd.failures, [])
  t.equal(most, CAPACITY, `the most of ${samples} samples`)
  t.comment(crowd.counts)
})
