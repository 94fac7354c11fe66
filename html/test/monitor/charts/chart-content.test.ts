import t from 'tap'
import {
  areasOf, endLabelsOf, lonePoints, marksOf, readingAt
} from '../../../monitor-script/charts/chart-content.ts'
import { LoadHistory } from '../../../monitor-script/charts/load-history.ts'
import type { Charted } from '../../../monitor-script/charts/chart-scope.ts'

const START_MS = Date.parse('2026-11-23T14:00:00Z')

function historyOf (...series: ReadonlyArray<ReadonlyArray<number | null>>): LoadHistory {
  const history = new LoadHistory(5)
  history.load({
    from: new Date(START_MS).toISOString(),
    step_seconds: 5,
    servers: Object.fromEntries(series.map((loads, at) =>
      [8000 + at, {
        index: at, removed: false, active_users: loads, reserved: loads.map(() => 0)
      }])),
    events: [
      { at: new Date(START_MS + 4000).toISOString(), type: 'drain', server: '8001' },
      { at: new Date(START_MS + 60_000).toISOString(), type: 'start', server: null }
    ]
  })
  return history
}

const server = (name: string, state: Charted['state'], load: number | null): Charted =>
  ({ name, state, load, weight: 1 })

t.test('chart content: areas stand on each other, in their order from the bottom', async t => {
  const [first, second, third] = areasOf(historyOf([1, 2], [10, null], [100, 100]))
  t.same(first, { tops: [1, 2], bases: [0, 0], colour: 's1' })
  t.same(second, { tops: [11, null], bases: [1, 2], colour: 's2' }, 'a server without a load has none')
  t.same(third, { tops: [111, 102], bases: [11, 2], colour: 's3' }, 'and holds nothing up')
})

t.test('chart content: a name stands where its line ends, in red when the server is down', async t => {
  const history = historyOf([1, 7], [5, null], [null, null])
  const labels = endLabelsOf(history, [server('8000', 'up', 7), server('8001', 'down', null)])
  t.same(labels, [
    { load: 7, text: '8000', colour: 's1', textColour: 'ink' },
    { load: 5, text: '8001 down', colour: 's2', textColour: 'down' }
  ], 'without a line there is no name')
})

t.test('chart content: events in the words of the console', async t => {
  t.same(marksOf(historyOf([1])).map(({ text, colour }) => [text, colour]), [
    ['drain 8001', 'drain'], ['start', 'ink-2']
  ])
})

t.test('chart content: reads now, or the point that is pointed at', async t => {
  const history = historyOf([1, 7, 8], [5, null, null])
  const servers = [server('8000', 'draining', 9), { ...server('8001', 'down', null), weight: 2 }]
  t.same(readingAt(history, servers, undefined), {
    atMs: undefined,
    loads: [
      { name: '8000', state: 'draining', weight: 1, load: 9 },
      { name: '8001', state: 'down', weight: 2, load: null }
    ],
    events: []
  })
  t.same(readingAt(history, servers, 1), {
    atMs: START_MS + 5000,
    loads: [
      { name: '8000', load: 7, weight: 1, state: undefined },
      { name: '8001', load: null, weight: 2, state: undefined }
    ],
    events: ['drain 8001']
  })
  t.same(readingAt(history, servers, 2).events, [], 'a step and more away')
})

t.test('chart content: a server that was removed is said to be so, and has no name beside now', async t => {
  const history = new LoadHistory(5)
  const points = { active_users: [5, 6], reserved: [0, 0] }
  history.load({
    from: new Date(START_MS).toISOString(),
    step_seconds: 5,
    servers: {
      a: { index: 0, removed: false, ...points }, gone: { index: 1, removed: true, ...points }
    },
    events: [{ at: new Date(START_MS + 5000).toISOString(), type: 'remove', server: 'gone' }]
  })
  const servers = [server('a', 'up', 6)]
  t.same(endLabelsOf(history, servers).map(({ text }) => text), ['a'])
  t.same(marksOf(history).map(({ text }) => text), ['gone removed'])
  t.match(readingAt(history, servers, undefined).loads, [
    { name: 'a', load: 6 }, { name: 'gone', load: null, state: 'removed' }
  ])
  t.match(readingAt(history, servers, 0).loads, [{ name: 'a', load: 5 }, { name: 'gone', load: 5 }])
  t.equal(areasOf(history).length, 2)
})

t.test('chart content: lone points', async t => {
  t.same(lonePoints([1, null, 2, 3, null, undefined, 4]), [0, 6])
  t.same(lonePoints([]), [])
})
