import t from 'tap'
import type { HealthReport } from '@usher/shared/messages.ts'
import { testTable } from '../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../shared/test/settings/test-servers.ts'
import { ServerStates } from '../src/server-states.ts'
import { testLog } from './fixtures/log.ts'

const HEALTHY: HealthReport = {
  server: 0, isUp: true, found: 'status 200', reason: undefined, goodCount: 1, badCount: 0, tookMs: 1, atMs: 2
}
const STAYING = { movesFromMs: undefined }

function testStates ({ up = [0, 1, 2] } = {}) {
  const { table, clock } = testTable({ servers: NAMED_SERVERS.length })
  const { log, lines } = testLog()
  const states = new ServerStates({
    table, servers: NAMED_SERVERS, now: () => clock.nowMs, log
  })
  for (const server of up) states.setUp(server)
  lines.length = 0
  return {
    states,
    lines,
    clock,
    table,
    shown: () => NAMED_SERVERS.map(({ index }) => table.serverState(index)),
    phases: () => NAMED_SERVERS.map(({ index }) => table.drainPhase(index))
  }
}

t.test('server states: what a server is stands in the table, each change in the log', async t => {
  const { states, lines, shown } = testStates({ up: [] })
  states.setUp(1)
  t.same(shown(), ['starting', 'up', 'starting'])
  states.setUp(1)
  states.setDown(1)
  states.setDown(1)
  t.same(shown(), ['starting', 'down', 'starting'])
  t.match(lines, [
    { level: 30, server: 'green', msg: 'server is up' },
    { level: 30, server: 'green', msg: 'server is down' }
  ])
  t.equal(lines.length, 2, 'what does not change is not logged')
})

t.test('server states: drains, and takes visitors again', async t => {
  const { states, lines, shown, phases, clock } = testStates()
  states.setDrain(1, STAYING)
  t.same(shown(), ['up', 'draining', 'up'])
  t.same(phases(), ['none', 'newcomers', 'none'])
  states.setDrain(1, { movesFromMs: clock.nowMs })
  t.same(phases(), ['none', 'everybody', 'none'], 'in place of the earlier one')
  states.setDrain(1, undefined)
  t.same(shown(), ['up', 'up', 'up'])
  t.same(phases(), ['none', 'none', 'none'])
  t.match(lines, [
    { level: 30, server: 'green', msg: 'server is draining' },
    { level: 30, server: 'green', msg: 'server is up' }
  ])
  t.equal(lines.length, 2)
})

t.test('server states: the time of a drain comes, also for one that was down meanwhile', async t => {
  const { states, phases, clock } = testStates()
  const movesFromMs = clock.nowMs + 60_000
  states.setDrain(0, { movesFromMs })
  states.setDown(0)
  states.setDrain(2, { movesFromMs })
  clock.nowMs += 59_000
  states.setUp(0)
  t.same(phases(), ['newcomers', 'none', 'newcomers'])
  clock.nowMs += 1000
  t.same(phases(), ['everybody', 'none', 'everybody'])
})

t.test('server states: a drain from before the start is one from the first moment on', async t => {
  const { states, shown, lines } = testStates({ up: [] })
  states.setDrain(0, STAYING)
  t.same(shown(), ['starting', 'starting', 'starting'])
  states.setUp(0)
  t.same(shown(), ['draining', 'starting', 'starting'])
  t.same(lines.map(({ msg }) => msg), ['server is draining'])
})

t.test('server states: one that drains and dies drains when it is back', async t => {
  const { states, shown, lines } = testStates()
  states.setDrain(0, STAYING)
  states.setDown(0)
  t.same(shown(), ['down', 'up', 'up'])
  states.setUp(0)
  t.same(shown(), ['draining', 'up', 'up'])
  t.same(lines.map(({ msg }) => msg), ['draining', 'down', 'draining'].map(state => `server is ${state}`))
})

t.test('server states: what is asked of one that is down is remembered', async t => {
  const { states, shown } = testStates()
  states.setDrain(0, STAYING)
  states.setDown(0)
  states.setDrain(0, undefined)
  t.same(shown(), ['down', 'up', 'up'])
  states.setUp(0)
  t.same(shown(), ['up', 'up', 'up'])
  states.setDown(1)
  states.setDrain(1, STAYING)
  states.setUp(1)
  t.same(shown(), ['up', 'draining', 'up'])
})

t.test('server states: a server that there is not is an error', async t => {
  const { states, shown } = testStates()
  for (const server of [-1, 3, 0.5]) {
    t.throws(() => states.setDrain(server, STAYING), { name: 'RangeError' })
  }
  t.same(shown(), ['up', 'up', 'up'])
})

const report = (isUp: boolean, reason?: string): HealthReport =>
  ({ server: 1, isUp, found: 'status 200', reason, goodCount: 0, badCount: 0, tookMs: 3, atMs: 0 })

t.test('server states: of an external server a health check decides, and says why', async t => {
  const { states, shown, lines } = testStates({ up: [0, 2] })
  states.setHealth(report(false, 'connection refused'))
  t.same(shown(), ['up', 'down', 'up'], 'also the first one')
  states.setHealth(report(false, 'timeout'))
  states.setHealth(report(true))
  states.setHealth(report(true))
  t.same(shown(), ['up', 'up', 'up'])
  states.setDrain(1, STAYING)
  states.setHealth(report(false, 'status 500'))
  t.same(shown(), ['up', 'down', 'up'])
  states.setHealth(report(true))
  t.same(shown(), ['up', 'draining', 'up'], 'it drains on')
  t.strictSame(lines.map(({ msg, reason }) => [msg, reason]), [
    ['server is down', 'connection refused'],
    ['server is up', undefined],
    ['server is draining', undefined],
    ['server is down', 'status 500'],
    ['server is draining', undefined]
  ], 'each change once')
})

t.test('server states: who comes back starts slowly, never at the first up', async t => {
  const { states, table, clock } = testStates({ up: [0, 2] })
  const percents = (...agoMs: number[]): number[] => {
    const sinceMs = clock.nowMs
    return agoMs.map(ms => {
      clock.nowMs = sinceMs + ms
      return table.weightPercent(1)
    })
  }
  states.setHealth(report(false, 'timeout'))
  states.setHealth(report(true))
  t.same(percents(0), [100], 'the first up, though it was down at the start')
  states.setHealth(report(false, 'timeout'))
  states.setHealth(report(true))
  t.same(percents(0, 100, 2500, 5000, 9900, 10_000, 60_000), [1, 1, 25, 50, 99, 100, 100])
  t.same([table.weightPercent(0), table.weightPercent(2)], [100, 100])
})

t.test('server states: in maintenance nothing else counts, and what comes after is what was found', async t => {
  const { states, shown, table, lines } = testStates({ up: [0, 2] })
  const maintenance = { ...STAYING, isMaintenance: true }
  states.setDrain(1, maintenance)
  t.same(shown(), ['up', 'maintenance', 'up'], 'also before the first look')
  states.setHealth(report(true))
  states.setHealth(report(false, 'timeout'))
  t.same(shown(), ['up', 'maintenance', 'up'])
  states.setDrain(1, undefined)
  t.same(shown(), ['up', 'down', 'up'])
  states.setDrain(1, maintenance)
  states.setHealth(report(true))
  states.setDrain(1, undefined)
  t.same(shown(), ['up', 'up', 'up'])
  t.equal(table.weightPercent(1), 1, 'nobody is there yet')
  t.same(lines.map(({ msg }) => msg), [
    'server is in maintenance', 'server is down', 'server is in maintenance', 'server is up'
  ])
})

t.test('server states: one that is gone gets nobody, and the next of its index inherits nothing', async t => {
  const { states, table, shown } = testStates()
  states.setHealth({ ...HEALTHY, server: 1 })
  states.setDrain(1, { movesFromMs: 5 })
  states.remove(1)
  t.same(shown(), ['up', 'down', 'up'])
  states.add(1)
  t.same(shown(), ['up', 'starting', 'up'])
  t.equal(states.isDrained(1), false)
  states.setHealth({ ...HEALTHY, server: 1 })
  t.same(shown(), ['up', 'up', 'up'])
  t.equal(table.weightPercent(1), 100, 'its first up')
})
