import t from 'tap'
import { testTable } from '../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../shared/test/settings/test-servers.ts'
import { ServerStates } from '../src/server-states.ts'
import { testLog } from './fixtures/log.ts'

function testStates ({ up = [0, 1, 2] } = {}) {
  const { table } = testTable({ servers: NAMED_SERVERS.length })
  const { log, lines } = testLog()
  const states = new ServerStates({ table, servers: NAMED_SERVERS, log })
  for (const server of up) states.setUp(server)
  lines.length = 0
  return { states, lines, shown: () => NAMED_SERVERS.map(({ index }) => table.serverState(index)) }
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
  const { states, lines, shown } = testStates()
  t.equal(states.setDraining(1, true, false), 'done')
  t.same(shown(), ['up', 'draining', 'up'])
  t.equal(states.setDraining(1, true, false), 'done', 'once more is no change')
  t.equal(states.setDraining(1, false, false), 'done')
  t.same(shown(), ['up', 'up', 'up'])
  t.match(lines, [
    { level: 30, server: 'green', msg: 'server is draining' },
    { level: 30, server: 'green', msg: 'server is up' }
  ])
  t.equal(lines.length, 2)
})

t.test('server states: the last available one drains only when forced', async t => {
  const { states, shown } = testStates()
  states.setDraining(0, true, false)
  states.setDown(1)
  t.equal(states.setDraining(2, true, false), 'last-available')
  t.same(shown(), ['draining', 'down', 'up'], 'nothing was changed')
  t.equal(states.setDraining(1, true, false), 'done', 'one that is down is not the last')
  t.equal(states.setDraining(0, true, false), 'done', 'nor one that drains already')
  t.equal(states.setDraining(2, true, true), 'done')
  t.same(shown(), ['draining', 'down', 'draining'])
  t.equal(states.setDraining(2, false, false), 'done', 'ready needs no force')
})

t.test('server states: the only one that may come back is not drained while it is down', async t => {
  const { states } = testStates({ up: [] })
  t.equal(states.setDraining(0, true, false), 'last-available')
})

t.test('server states: one that drains and dies drains when it is back', async t => {
  const { states, shown, lines } = testStates()
  states.setDraining(0, true, false)
  t.equal(states.isUp(0), true)
  states.setDown(0)
  t.equal(states.isUp(0), false)
  t.same(shown(), ['down', 'up', 'up'])
  states.setUp(0)
  t.same(shown(), ['draining', 'up', 'up'])
  t.same(lines.map(({ msg }) => msg), ['draining', 'down', 'draining'].map(state => `server is ${state}`))
})

t.test('server states: what is asked of one that is down is remembered', async t => {
  const { states, shown } = testStates()
  states.setDraining(0, true, false)
  states.setDown(0)
  states.setDraining(0, false, false)
  t.same(shown(), ['down', 'up', 'up'])
  states.setUp(0)
  t.same(shown(), ['up', 'up', 'up'])
  states.setDown(1)
  states.setDraining(1, true, false)
  states.setUp(1)
  t.same(shown(), ['up', 'draining', 'up'])
})

t.test('server states: a server that there is not is an error', async t => {
  const { states, shown } = testStates()
  for (const server of [-1, 3, 0.5]) {
    t.throws(() => states.setDraining(server, true, true), { name: 'RangeError' })
  }
  t.same(shown(), ['up', 'up', 'up'])
})
