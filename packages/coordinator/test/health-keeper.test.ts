import t from 'tap'
import type { HealthNews, HealthReport, HealthTask, Order } from '@usher/shared/messages.ts'
import { testExternal } from '../../shared/test/settings/test-servers.ts'
import type * as keeper from '../src/health-keeper.ts'
import type { TaskSpec } from '../src/supervisor.ts'
import { testLog } from './fixtures/log.ts'

const SERVERS = testExternal(3, ['a', 'b'])

const report = (server: number, isUp: boolean): HealthReport =>
  ({ server, isUp, found: 'status 200', reason: undefined, goodCount: 1, badCount: 0, tookMs: 1, atMs: 2 })

/** A keeper whose thread says what the test says. */
async function testKeeper (servers = SERVERS) {
  const threads: Array<TaskSpec<HealthNews>> = []
  const ended: number[] = []
  const sent: HealthTask[] = []
  const { HealthKeeper } = await t.mockImport<typeof keeper>('../src/health-keeper.ts', {
    '../src/supervisor.ts': {
      startTask (spec: TaskSpec<HealthNews>) {
        const number = threads.push(spec)
        return {
          end: () => { ended.push(number) },
          tell: (task: unknown) => { sent.push(task as HealthTask) }
        }
      }
    }
  })
  const states: HealthReport[] = []
  const told: Order[] = []
  const { log, lines } = testLog()
  let firstLooks = 0
  const health = new HealthKeeper({
    servers,
    programDir: '/opt/usher',
    states: { setHealth: news => { states.push(news) } },
    onFirstLook: () => { firstLooks++ },
    tellMonitor: async order => {
      told.push(order)
      throw new Error('it is down')
    },
    log
  })
  t.teardown(() => { health.close() })
  const say = (...reports: HealthReport[]): void => {
    threads.at(-1)!.onNews({ type: 'checked', version: sent.at(-1)?.version ?? given().version, reports })
  }
  const given = (): HealthTask => threads.at(-1)!.data as HealthTask
  return {
    health, threads, ended, sent, states, told, lines, say, given, firstLooks: () => firstLooks
  }
}

t.test('health keeper: has started when every server has been looked at', async t => {
  const { health, states, told, say, given, firstLooks } = await testKeeper()
  let isStarted = false
  const started = health.start().then(() => { isStarted = true })
  t.match(given().servers, [{ index: 3, isUp: undefined }, { index: 4, publicUrl: 'https://b.example' }])
  say(report(3, true))
  say(report(3, true))
  await Promise.resolve()
  t.equal(isStarted, false)
  t.equal(firstLooks(), 1)
  say(report(4, false))
  await started
  t.equal(firstLooks(), 2)
  t.match(states, [{ server: 3, isUp: true }, { server: 3 }, { server: 4, isUp: false }])
  t.match(told.at(-1), { type: 'note-health', reports: [{ server: 4 }] })
  t.match(health.reports, [{ server: 3, isUp: true }, { server: 4, isUp: false }])
})

t.test('health keeper: a thread that dies is replaced by one that goes on from there', async t => {
  const { health, threads, say, given, lines } = await testKeeper()
  void health.start()
  say(report(3, false))
  threads[0]!.onEnd(new Error('died'))
  while (threads.length < 2) await new Promise(resolve => setTimeout(resolve, 1))
  const known = given().servers.map(({ index, isUp }) => [index, isUp])
  t.strictSame(known, [[3, false], [4, undefined]])
  t.match(lines, [{ level: 50, msg: /died and is replaced/ }])
})

t.test('health keeper: closed, it ends its thread and starts no other', async t => {
  const { health, threads, ended, say, states } = await testKeeper()
  void health.start()
  health.close()
  t.same(ended, [1])
  say(report(3, true))
  t.same(states, [])
  threads[0]!.onEnd(new Error('terminated'))
  t.equal(threads.length, 1)
})

t.test('health keeper: without external servers there is no thread', async t => {
  const { health, threads } = await testKeeper([])
  await health.start()
  t.equal(threads.length, 0)
})

t.test('health keeper: other servers are checked from now on, and old news of theirs is not heard', async t => {
  const { health, threads, say, sent, states } = await testKeeper()
  void health.start()
  say(report(3, true), report(4, false))
  const [a, b] = SERVERS as [typeof SERVERS[number], typeof SERVERS[number]]
  health.replace([a, b])
  t.same(sent, [], 'nothing is another')
  const moved = { ...b, publicUrl: 'https://elsewhere.example' }
  const [, , c] = testExternal(3, ['a', 'b', 'c'])
  health.replace([a, moved, c!])
  t.match(sent, [{
    version: 1,
    servers: [
      { index: 3, isUp: true }, { index: 4, isUp: undefined, publicUrl: moved.publicUrl },
      { index: 5, isUp: undefined }
    ]
  }])
  health.replace([{ ...a, check: { ...a.check, fall: a.check.fall + 1, path: '/other' } }, moved, c!])
  t.match(sent.at(-1), { servers: [{ index: 3, isUp: true }, {}, {}] }, 'checked in another way')
  health.replace([a, moved, c!])
  const before = states.length
  threads[0]!.onNews({ type: 'checked', version: 0, reports: [report(4, true)] })
  t.equal(states.length, before, 'of the address before')
  say(report(4, true), report(5, true))
  t.match(states.slice(before), [{ server: 4, isUp: true }, { server: 5 }])
  health.replace([a, c!])
  t.same(health.reports.map(({ server }) => server), [3, 5])
  t.equal(threads.length, 1)
})

t.test('health keeper: begins with the first server that there is', async t => {
  const { health, threads, given } = await testKeeper([])
  await health.start()
  health.replace(SERVERS)
  t.equal(threads.length, 1)
  t.same(given().servers.map(({ index }) => index), [3, 4])
})

t.test('health keeper: has not started while one that was added has not been looked at', async t => {
  const { health, say } = await testKeeper()
  let isStarted = false
  const started = health.start().then(() => { isStarted = true })
  say(report(3, true))
  health.replace(testExternal(3, ['a', 'b', 'c']))
  say(report(4, true))
  await Promise.resolve()
  t.equal(isStarted, false)
  say(report(5, false))
  await started
})
