/** The load tool, on small loads: what it prints, and how it ends. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask, startCluster, until, workingFolder } from './cluster.ts'
import { runTool, type ToolEnd } from './tool.ts'

const load = (...args: string[]): Promise<ToolEnd> => runTool('load', ...args)

t.test('load: a burst prints how visitors were spread', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0.1' })
  const { code, printed } = await load(
    'burst', '--connections', '90', '--routing-port', String(cluster.routingPort)
  )
  t.equal(code, 0)
  t.match(printed, /^answered +90$/m)
  for (const port of cluster.ports) {
    t.match(printed, new RegExp(`^to server ${port} +30, 33\\.3 %$`, 'm'))
  }
  t.match(printed, /^requests a second +[1-9]/m)
  t.match(printed, /^p50 +\d+ ms\np99 +\d+ ms$/m)
  t.match(printed, /^errors +0, of these 0 time-outs$/m)
  t.notMatch(printed, /Running|\[[=> -]+\]/, 'no progress bar where there is no terminal')
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

t.test('load: deploy prints each version of the page, and when it was answered', async t => {
  const cwd = workingFolder(t, { site: { 'index.html': 'one' } })
  const cluster = await startCluster(t, { HTML_DIRS: 'site' }, { cwd })
  const [port] = cluster.ports as [number]
  const ended = load('deploy', '--connections', '3', '--seconds', '8', '--port', String(port))
  await until(() => ask(port, '/heartbeat'), ({ headers }) => Number(headers['x-active-users']) > 0)
  writeFileSync(join(cwd, 'site/index.html'), 'two')
  cluster.process.kill('SIGHUP')
  const { code, printed } = await ended
  t.equal(code, 0, printed)
  t.match(printed, /^version "\S+" +[\d,]+, from 0\.0 s to \d+\.\d s\nversion "\S+" +[\d,]+, from/m)
  t.match(printed, /^4xx and 5xx +0$/m)
})

t.test('load: visitors are as many as the connections, each with a cookie of their own', async t => {
  const cluster = await startCluster(t, { HEARTBEAT_INTERVAL: '0.3' })
  const [port] = cluster.ports as [number]
  await load('heartbeat', '--connections', '7', '--seconds', '1', '--port', String(port))
  const answer = await ask(port, '/heartbeat?client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')
  t.strictSame([answer.status, answer.headers['x-active-users']], [404, '7'])
})

t.test('load: where nothing listens it says so and ends with 1', async t => {
  for (const [scenario, flag] of [['burst', '--routing-port'], ['page', '--port']] as const) {
    const { code, printed } = await load(scenario, '--connections', '2', flag, '1')
    t.equal(code, 1)
    t.match(printed, /^load: nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\); `npm start` starts Usher/)
  }
})

t.test('load: refused requests end with 1', async t => {
  const cluster = await startCluster(t, { MAX_USERS: '16', DELAY_BETWEEN_ROUTING: '0' })
  const [port] = cluster.ports as [number]
  // Seen twice, so that nobody takes their places.
  for (let visitor = 0; visitor < 16; visitor++) {
    const id = `00000000-0000-4000-8000-0000000000${String(visitor + 10)}`
    for (let beat = 0; beat < 2; beat++) {
      await ask(port, `/heartbeat?client_id=${id}`, { method: 'POST' })
    }
  }
  const { code, printed } = await load(
    'burst', '--connections', '5', '--routing-port', String(cluster.routingPort))
  t.equal(code, 1)
  t.match(printed, /^4xx and 5xx +5$/m)
})

t.test('load: wrong words end with 2 and the usage', async t => {
  for (const args of [[], ['nope'], ['page', 'burst'], ['page', '--connections', '1e3'], ['page', '--nope']]) {
    const { code, printed } = await load(...args)
    t.equal(code, 2, args.join(' '))
    t.match(printed, /npm run load -- SCENARIO/)
  }
})
