/** Workers of the running program that die: what visitors and the other servers notice of it. */
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import {
  ask, startCluster, until, Visitor, type Answer, type Cluster, workingFolder
} from './cluster.ts'

const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`

async function crashingCluster (
  t: Parameters<typeof startCluster>[0], settings: Record<string, string> = {}
): Promise<{ cluster: Cluster, kill: (name: string, how: string) => void }> {
  const cwd = workingFolder(t)
  const cluster = await startCluster(
    t, { CRASH_DIR: cwd, DELAY_BETWEEN_ROUTING: '0', ...settings }, { cwd, nodeOptions: PRELOAD }
  )
  return { cluster, kill: (name, how) => { writeFileSync(join(cwd, `${name} ${how}`), '') } }
}

/** The answer, or what the connection came to. */
const attempt = (port: number, path = '/'): Promise<Answer | Error> =>
  ask(port, path).catch((error: Error) => error)
const isUp = (answer: Answer | Error): boolean => !(answer instanceof Error)

for (const how of ['throw', 'exit']) {
  t.test(`supervision: a server that dies by ${how} is replaced, and its users are still there`, async t => {
    const { cluster, kill } = await crashingCluster(t)
    const visitors = Array.from({ length: 30 }, () => new Visitor())
    const ports: number[] = []
    for (const visitor of visitors) ports.push(await visitor.enter(cluster))
    const [victim, ...others] = cluster.ports as [number, ...number[]]

    let failedElsewhere = 0
    const over = new AbortController()
    const elsewhere = others.map(async port => {
      const agent = new http.Agent({ keepAlive: true })
      while (!over.signal.aborted) {
        const { status } = await ask(port, '/', { agent }).catch(() => ({ status: 0 }))
        if (status !== 200) failedElsewhere++
      }
      agent.destroy()
    })
    kill(`server ${victim}`, how)
    await until(() => attempt(victim), answer => !isUp(answer))
    const diedMs = performance.now()
    // Its port closes a moment before the coordinator hears of its end.
    await cluster.logged(/server is down/)
    const newcomer = await new Visitor().knock(cluster)
    const isBack = cluster.log.some(({ msg }) => /worker is up again/.test(msg))
    t.ok(newcomer !== victim || isBack, 'nobody is sent to a server that is down')
    await until(() => attempt(victim), isUp)
    t.comment(`replaced within ${(performance.now() - diedMs).toFixed(0)} ms`)
    await cluster.logged(/worker is up again/)
    over.abort()
    await Promise.all(elsewhere)
    t.equal(failedElsewhere, 0, 'the others never noticed')

    const index = ports.indexOf(victim)
    t.equal(await visitors[index]!.beat(victim), 10, 'no user is lost')
    t.equal(await visitors[index]!.knock(cluster), victim, 'and it gets visitors again')
    t.equal(await cluster.stop(), 0)
  })
}

t.test('supervision: a server out of memory is replaced', async t => {
  const { cluster, kill } = await crashingCluster(t)
  const [victim] = cluster.ports as [number]
  const visitor = new Visitor()
  visitor.cookie = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  await visitor.beat(victim)
  kill(`server ${victim}`, 'oom')
  await cluster.logged(/worker died/)
  await cluster.logged(/worker is up again/)
  t.equal(await visitor.beat(victim), 1)
})

t.test('supervision: a server that leaks while it is asked is replaced, and takes nobody with it', async t => {
  const { cluster, kill } = await crashingCluster(t)
  const [victim, other] = cluster.ports as [number, number]
  const visitor = new Visitor()
  visitor.cookie = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  await visitor.beat(victim)
  const over = new AbortController()
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => {
    over.abort()
    agent.destroy()
  })
  const asking = Array.from({ length: 20 }, async () => {
    while (!over.signal.aborted) {
      await visitor.ask(victim, '/', { agent }).catch(() => setTimeout(10))
    }
  })
  kill(`server ${victim}`, 'leak')
  const death = await cluster.logged(/worker died/)
  t.match(death, { err: { message: /^memory is nearly exhausted/ } })
  await cluster.logged(/worker is up again/)
  over.abort()
  await Promise.all(asking)
  t.equal(await visitor.beat(victim), 1)
  t.equal(await visitor.beat(other), 1)
})

t.test('supervision: the monitor is replaced too, and is ready again', async t => {
  const { cluster, kill } = await crashingCluster(t)
  kill('monitor', 'throw')
  await cluster.logged(/worker is up again/)
  t.equal((await ask(cluster.monitoringPort, '/readyz')).status, 200)
  t.equal(await cluster.stop(), 0)
})

t.test('supervision: with all servers down the router says 503, readyz why', async t => {
  const { cluster, kill } = await crashingCluster(t)
  const down = (): boolean => cluster.log.filter(line => /worker died/.test(line.msg)).length >= 3
  const answers: number[] = []
  let reason = ''
  for (const port of cluster.ports) kill(`server ${port}`, 'exit')
  await until(async () => {
    const [router, ready] = await Promise.all([
      ask(cluster.routingPort), ask(cluster.monitoringPort, '/readyz')
    ])
    answers.push(router.status)
    if (router.status === 503) t.equal(router.headers['retry-after'], '1')
    if (ready.status === 503) reason = ready.body
    return down()
  }, isDown => isDown)
  await until(() => ask(cluster.routingPort), answer => answer.status === 302)
  t.ok(answers.every(status => status === 302 || status === 503), answers.join(' '))
  t.match(reason === '' ? 'no server is available' : reason, /no server is available/)
})
