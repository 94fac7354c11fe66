import t from 'tap'
import type { History } from '@usher/shared/api/history.ts'
import type { ServerState, Stats } from '@usher/shared/api/stats.ts'
import { testStats } from '../fixtures/test-stats.ts'
import { LoadHistory } from '../../../monitor-script/charts/load-history.ts'

const START_MS = Date.parse('2026-11-23T14:00:00Z')
const STEP_MS = 5000
/** The browser's clock is an hour behind the monitor's. */
const BEHIND_MS = 3_600_000

function answer (
  first: ReadonlyArray<number | null>, second: ReadonlyArray<number | null>,
  events: History['events'] = []
): History {
  return {
    from: new Date(START_MS).toISOString(),
    step_seconds: STEP_MS / 1000,
    servers: {
      b: { index: 1, removed: false, active_users: second, reserved: second.map(() => 0) },
      a: {
        index: 0,
        removed: false,
        active_users: first,
        reserved: first.map(load => load === null ? null : 1)
      }
    },
    events
  }
}

const NAMES = ['a', 'b']

function statsAt (
  second: number, loads: readonly number[], states: readonly ServerState[] = []
): Stats {
  return testStats({
    timestamp: new Date(START_MS + second * 1000).toISOString(),
    servers: Object.fromEntries(loads.map((load, at) => [
      NAMES[at]!, { active_users: load, state: states[at] ?? 'up' }
    ]))
  })
}

function hear (history: LoadHistory, second: number, ...rest: [readonly number[], ServerState[]?]) {
  history.hear(statsAt(second, ...rest), START_MS + second * 1000 - BEHIND_MS)
}

const pass = (history: LoadHistory, second: number): void => {
  history.pass(START_MS + second * 1000 - BEHIND_MS)
}

t.test('load history: active users and reservations of the answer, in the order of the settings', async t => {
  const history = new LoadHistory(5)
  t.equal(history.isLoaded, false)
  history.load(answer([1, null, 3], [4, 5, null]))
  t.same(history.names, ['a', 'b'])
  t.same(history.loads('a'), [2, null, 4])
  t.same(history.loads('b'), [4, 5, null])
  t.same(history.times, [START_MS, START_MS + STEP_MS, START_MS + 2 * STEP_MS])
  t.same(history.span, { fromMs: START_MS + 10_000 - 300_000, toMs: START_MS + 10_000 })
})

t.test('load history: news go on where the answer ends; a point is the highest of its step', async t => {
  const history = new LoadHistory(5)
  history.load(answer([1], [4]))
  hear(history, 3, [7, 1])
  t.same(history.loads('a'), [7], 'in the same step')
  t.same(history.loads('b'), [4], 'lower than before in this step')
  hear(history, 6, [3, 3])
  t.same(history.loads('a'), [7, 7], 'so it was when the step began')
  hear(history, 12, [2, 8])
  t.same(history.loads('a'), [7, 7, 3])
  t.same(history.loads('b'), [4, 3, 8])
})

t.test('load history: without news nothing has changed, as long as the stream is up', async t => {
  const history = new LoadHistory(5)
  history.load(answer([1], [4]))
  hear(history, 1, [7, 5])
  pass(history, 14)
  t.same(history.loads('a'), [7, 7, 7])
  hear(history, 21, [9, 9])
  t.same(history.loads('a'), [7, 7, 7, 7, 9])
})

t.test('load history: what was not heard is a gap', async t => {
  const history = new LoadHistory(5)
  history.load(answer([1], [4]))
  hear(history, 1, [7, 5])
  history.interrupt()
  pass(history, 60)
  t.same(history.loads('a'), [7], 'nothing is made up')
  hear(history, 16, [9, 9])
  t.same(history.loads('a'), [7, null, null, 9])
  t.same(history.gaps, [{ fromIndex: 0, toIndex: 3 }])
})

t.test('load history: a server that is down has no load, and that is no gap', async t => {
  const history = new LoadHistory(5)
  history.load(answer([1], [4]))
  hear(history, 1, [2, 4])
  hear(history, 6, [2, 0], ['up', 'down'])
  pass(history, 11)
  t.same(history.loads('b'), [4, null, null])
  t.same(history.gaps, [])
})

t.test('load history: before the first point there is nothing, and no gap', async t => {
  const history = new LoadHistory(5)
  history.load(answer([null, null, 3, null, 5], [null, null, 3, null, 5]))
  t.equal(history.firstIndex, 2)
  t.same(history.gaps, [{ fromIndex: 2, toIndex: 4 }])
})

t.test('load history: what happened, by the answer and by the news', async t => {
  const at = new Date(START_MS).toISOString()
  const history = new LoadHistory(5)
  history.load(answer([1], [1], [
    { at, type: 'start', server: null }, { at, type: 'drain', server: 'b' }
  ]))
  t.same(history.events, [
    { atMs: START_MS, type: 'start', server: undefined },
    { atMs: START_MS, type: 'drain', server: 'b' }
  ])
  const cases: ReadonlyArray<[ServerState, string]> = [
    ['draining', 'drain'], ['up', 'ready'], ['down', 'down'], ['draining', 'up'],
    ['down', 'down'], ['up', 'up']
  ]
  hear(history, 1, [1])
  cases.forEach(([state, type], index) => {
    hear(history, 2 + index, [1], [state])
    t.match(history.events.at(-1), { type, server: 'a', atMs: START_MS + (2 + index) * 1000 })
  })
  hear(history, 8, [1], ['starting'])
  t.match(history.events.at(-1), { type: 'restart', server: 'a' })
  const { length } = history.events
  hear(history, 9, [1], ['up'])
  t.equal(history.events.length, length, 'its end is no other one')
})

t.test('load history: keeps what it shows, and no more', async t => {
  const history = new LoadHistory(1)
  history.load(answer([1], [1], [
    { at: new Date(START_MS).toISOString(), type: 'start', server: null }
  ]))
  for (let second = 1; second < 600; second++) hear(history, second, [second, 0])
  t.equal(history.loads('a').length, 13, 'both ends of a minute')
  t.equal(history.times.length, 13)
  t.equal(history.loads('a').at(-1), 599)
  t.same(history.events, [])
  history.interrupt()
  hear(history, 100_000, [5, 5])
  t.equal(history.loads('a').length, 13, 'nor after a long silence')
  t.same(history.loads('a'), [...new Array<null>(12).fill(null), 5])
})

t.test('load history: an answer that comes after the news loses none of them', async t => {
  const history = new LoadHistory(5)
  hear(history, 6, [7, 7])
  t.same(history.names, [])
  history.load(answer([1, 2], [1, 2]))
  t.same(history.loads('a'), [2, 7])
})

t.test('load history: a server that is gone keeps its past, and one that is new has none', async t => {
  const history = new LoadHistory(5)
  history.load(answer([1], [4]))
  const news = (second: number, ...names: string[]): void => {
    history.hear(testStats({
      timestamp: new Date(START_MS + second * 1000).toISOString(),
      servers: Object.fromEntries(names.map(name => [name, { active_users: 7 }]))
    }), START_MS + second * 1000)
  }
  news(1, 'a', 'b')
  news(6, 'b', 'c')
  news(11, 'b', 'c')
  t.same(history.names, ['b', 'c', 'a'])
  t.same(history.names.filter(name => history.isRemoved(name)), ['a'])
  t.same(history.loads('a'), [7, 7, null], 'so it was when the step began')
  t.same(history.loads('c'), [null, 7, 7])
  t.same(history.events.map(({ type, server }) => `${type} ${server}`), ['remove a', 'add c'])
  news(16, 'a', 'b', 'c')
  t.same(history.loads('a'), [7, 7, null, 7], 'it is back')
  t.equal(history.isRemoved('a'), false)
  news(21, 'b', 'c')
  for (let second = 26; second <= 330; second += 5) news(second, 'b', 'c')
  t.same(history.names, ['b', 'c'], 'when nothing of it is shown any more')
})

t.test('load history: by the answer, too, some were removed; news that came before it say who is here', async t => {
  const history = new LoadHistory(5)
  const given = answer([1, 2], [4, null])
  history.load({ ...given, servers: { ...given.servers, b: { ...given.servers['b']!, removed: true } } })
  t.same(['a', 'b'].map(name => history.isRemoved(name)), [false, true])
  const later = new LoadHistory(5)
  hear(later, 6, [7])
  later.load(answer([1, 2], [4, 5]))
  t.same(['a', 'b'].map(name => later.isRemoved(name)), [false, true])
  t.same(later.loads('b'), [4, 5])
})
