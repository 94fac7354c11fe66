/** Charts of a fleet: of all its nodes, and of one node's servers. */
import t from 'tap'
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import { readingAt, endLabelsOf } from '../../../monitor-script/charts/chart-content.ts'
import { chartedNow, pastOf, type ChartScope } from '../../../monitor-script/charts/chart-scope.ts'
import { LoadHistory } from '../../../monitor-script/charts/load-history.ts'
import { CHARTS } from '../../../monitor-script/kit/texts.ts'
import { testFleet, testFleetServer, testNode, testStats } from '../fixtures/test-stats.ts'

const NODES: ChartScope = { kind: 'nodes' }
const ELM: ChartScope = { kind: 'node', node: 'elm' }
const START_MS = Date.parse('2026-11-24T14:00:00Z')

const points = (...active: Array<number | null>) =>
  ({ active_users: active, reserved: active.map(value => value === null ? null : 1) })

const HISTORY: History = {
  from: new Date(START_MS).toISOString(),
  step_seconds: 5,
  servers: { 8000: { index: 0, removed: false, ...points(4, 5) } },
  events: [],
  fleet: {
    nodes: { asked: 3, answered: 2, missing: ['fir'] },
    loads: { oak: points(4, 5), elm: points(null, 7) },
    total: points(4, 12),
    events: [
      { at: new Date(START_MS).toISOString(), type: 'start', node: 'elm', server: null },
      { at: new Date(START_MS).toISOString(), type: 'drain', node: 'elm', server: '8001' }
    ]
  }
}

function statsAt (second: number, elm: Parameters<typeof testNode>[1] = {}): Stats {
  const servers = {
    8001: testFleetServer({ index: 1, active_users: 2 }), 8000: testFleetServer({ state: 'down' })
  }
  return testStats({
    timestamp: new Date(START_MS + second * 1000).toISOString(),
    fleet: testFleet([
      testNode('elm', { load: 2, servers, ...elm }),
      testNode('fir', { load: 3 }),
      testNode('oak', { load: 9 })
    ])
  })
}

t.test('chart scope: all nodes, each by its sums, with what happened at any of them', async t => {
  const { series, events } = pastOf(NODES, HISTORY)
  t.same(series.map(({ name, loads }) => [name, loads]), [['elm', [null, 8]], ['oak', [5, 6]]])
  t.same(events.map(({ type, server }) => CHARTS.event(type, server)), ['elm started', 'drain elm/8001'])
  t.same(chartedNow(NODES, statsAt(0)).map(({ name, state, load }) => [name, state, load]),
    [['elm', 'up', 2], ['fir', 'up', 3], ['oak', 'up', 9]])
  const { fleet: _, ...alone } = HISTORY
  t.same(pastOf(NODES, alone).series.map(({ name }) => name), ['8000'], 'without a fleet its servers')
})

t.test('chart scope: another node, by its servers', async t => {
  t.same(chartedNow(ELM, statsAt(0)), [
    { name: '8000', state: 'down', weight: 1, load: null },
    { name: '8001', state: 'up', weight: 1, load: 2 }
  ])
  t.match(chartedNow(ELM, statsAt(0, { state: 'away' })), [{ state: 'away', load: null }, { state: 'away' }])
})

t.test('chart scope: news go on where the history of all nodes ends', async t => {
  const history = new LoadHistory(5, NODES)
  history.load(HISTORY)
  history.hear(statsAt(6), START_MS)
  t.same(history.names, ['elm', 'fir', 'oak'])
  t.same([...history.loads('oak')], [5, 9])
  t.same([...history.loads('fir')], [null, 3], 'one that did not answer is known from now on')
  t.notOk(history.isRemoved('fir'))
})

t.test('chart scope: the line of a node that is away ends, and both is said', async t => {
  const history = new LoadHistory(5, NODES)
  history.load(HISTORY)
  history.hear(statsAt(6), START_MS)
  const away = statsAt(16, { state: 'away', total_users: 2 })
  history.hear(away, START_MS + 10_000)
  history.hear(statsAt(21, { state: 'unknown' }), START_MS + 15_000)
  history.hear(statsAt(26), START_MS + 20_000)
  t.same([...history.loads('elm')], [null, 8, 2, null, null, 2])
  history.hear(statsAt(31, { state: 'away' }), START_MS + 25_000)
  history.hear(statsAt(36), START_MS + 30_000)
  const texts = history.events.map(({ type, server }) => CHARTS.event(type, server))
  t.same(texts.slice(2), ['elm away', 'elm away', 'elm back'],
    'nothing has happened to one of which nothing is known')
  const charted = chartedNow(NODES, away)
  t.match(endLabelsOf(history, charted)[0], { text: 'elm away', textColour: 'down' })
  const { loads } = readingAt(history, charted, undefined)
  t.match(loads[0], { name: 'elm', state: 'away', load: null })
  t.equal(CHARTS.lines.wholeOf(loads), '', 'nodes are not to have alike')
  t.equal(CHARTS.stack.wholeOf(loads), '12')
})

t.test('chart scope: what happens to servers of any node is marked', async t => {
  const history = new LoadHistory(5, NODES)
  history.load({ ...HISTORY, fleet: { ...HISTORY.fleet!, events: [] } })
  history.hear(statsAt(6), START_MS)
  const servers = { 8001: testFleetServer({ state: 'draining' }) }
  history.hear(statsAt(7, { servers }), START_MS + 1000)
  t.same(history.events.map(({ type, server }) => [type, server]), [['drain', 'elm/8001']])
})
