/** The load tool, on small loads: what it prints, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { ROOT, startCluster } from './cluster.ts'

async function load (...args: string[]): Promise<{ code: number | null, printed: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'dist/load.js'), ...args])
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => { printed += text.toString() })
  }
  const [code] = await once(child, 'close') as [number | null]
  return { code, printed }
}

t.test('load: a burst prints how visitors were spread', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0.1' })
  const { code, printed } = await load(
    'burst', '--connections', '90', '--routing-port', String(cluster.routingPort)
  )
  t.equal(code, 0)
  t.match(printed, /^answered +90$/m)
  for (const port of cluster.ports) t.match(printed, new RegExp(`^to server ${port} +30$`, 'm'))
})

for (const [scenario, flag] of [['page', '--port'], ['heartbeat', '--port'], ['redirect', '--routing-port']] as const) {
  t.test(`load: ${scenario} runs for as long as it is told and ends with 0`, async t => {
    const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0' })
    const port = flag === '--port' ? cluster.ports[0]! : cluster.routingPort
    const { code, printed } = await load(scenario, '--connections', '3', '--seconds', '1', flag, String(port))
    t.equal(code, 0, printed)
    t.match(printed, /^answered +[1-9]/m)
  })
}

t.test('load: failed requests end with 1, wrong words with 2 and the usage', async t => {
  t.equal((await load('burst', '--connections', '2', '--routing-port', '1')).code, 1)
  for (const args of [[], ['nope'], ['page', 'burst'], ['page', '--connections', '1e3'], ['page', '--nope']]) {
    const { code, printed } = await load(...args)
    t.equal(code, 2, args.join(' '))
    t.match(printed, /npm run load -- SCENARIO/)
  }
})
