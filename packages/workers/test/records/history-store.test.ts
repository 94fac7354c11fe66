import t, { type Test } from 'tap'
import { EVENTS_MAX, HistoryStore, type Loads } from '../../src/records/history-store.ts'
import { onFullDisk, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const START_MS = 1_790_000_000_000
const LOADS: Loads = { red: [3, 1], blue: null }

function testHistory (t: Test, eventsMax?: number): TestDatabase & { history: HistoryStore } {
  const opened = testDatabase(t)
  return { ...opened, history: new HistoryStore(opened.database, eventsMax) }
}

t.test('history store: samples come back oldest first, from a time on', async t => {
  const { history, reopen } = testHistory(t)
  for (const afterMs of [5000, 0, 10_000.4]) history.addSample(START_MS + afterMs, LOADS)
  for (const store of [history, new HistoryStore(reopen())]) {
    t.strictSame([...store.samples(0)], [0, 5000, 10_000].map(afterMs => {
      return { atMs: START_MS + afterMs, loads: LOADS }
    }))
  }
  t.equal([...history.samples(START_MS + 5000)].length, 2)
  t.equal([...history.samples(START_MS + 5001)].length, 1)
  history.addSample(START_MS, { red: [4, 0] })
  t.match([...history.samples(0)][0], { loads: { red: [4, 0] } }, 'of one moment the last')
})

t.test('history store: many samples are read in steps, and written to meanwhile', async t => {
  const { history, database } = testHistory(t)
  await database.write(sql => {
    for (let at = 0; at < 2500; at++) sql.addSample({ atMs: START_MS + at, loads: '{}' })
  })
  let count = 0
  for (const { atMs } of history.samples(START_MS)) {
    t.equal(atMs, START_MS + count++)
    if (count === 1) history.addSample(START_MS + 2500, LOADS)
  }
  t.equal(count, 2501)
})

t.test('history store: events come back oldest first, those of one moment in their order', async t => {
  const { history } = testHistory(t)
  history.addEvent(START_MS + 10, 'up', 'red')
  history.addEvent(START_MS, 'start', null)
  history.addEvent(START_MS + 10, 'down', 'red')
  t.strictSame(history.events(0), [
    { atMs: START_MS, type: 'start', server: null },
    { atMs: START_MS + 10, type: 'up', server: 'red' },
    { atMs: START_MS + 10, type: 'down', server: 'red' }
  ])
  t.equal(history.events(START_MS + 10).length, 2)
  t.same(history.events(START_MS + 11), [])
})

t.test('history store: what is old is trimmed, and of very many events the oldest', async t => {
  t.equal(EVENTS_MAX, 10_000)
  const { history } = testHistory(t, 3)
  for (const afterMs of [0, 1, 2, 3, 4]) {
    history.addSample(START_MS + afterMs, LOADS)
    history.addEvent(START_MS + afterMs, 'up', String(8000 + afterMs))
  }
  t.same(history.events(0).map(({ server }) => server), ['8002', '8003', '8004'])
  history.trim(START_MS + 1, START_MS + 4)
  t.equal([...history.samples(0)].length, 4, 'from the moment on they are kept')
  history.trim(START_MS + 4, START_MS + 4)
  t.same(history.events(0), [{ atMs: START_MS + 4, type: 'up', server: '8004' }])
  t.equal([...history.samples(0)].length, 1)
  history.trim(START_MS, START_MS + 3)
  t.same([history.events(0), [...history.samples(0)]], [[], []], 'nor what is still to come')
})

t.test('history store: a full disk leaves a gap, and disturbs nobody', async t => {
  const { path } = testHistory(t)
  const disk = onFullDisk(t, path)
  const history = new HistoryStore(disk.database)
  const ports = Array.from({ length: 32 }, (_, at) => 8000 + at)
  const loads = Object.fromEntries(ports.map(port => [port, [1000, 10]])) as Loads
  for (let at = 0; at < 100; at++) history.addSample(START_MS + at, loads)
  disk.makeRoom()
  history.addSample(START_MS + 100, loads)
  const times = [...history.samples(0)].map(({ atMs }) => atMs)
  t.ok(times.length < 101)
  t.equal(times.at(-1), START_MS + 100)
})
