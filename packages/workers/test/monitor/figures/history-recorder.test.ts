import t from 'tap'
import { stepClock, turnsDuring } from '../../../../shared/test/fixtures/event-loop.ts'
import { clientNumber, HOME, testTable } from '../../../../shared/test/memory/test-table.ts'
import { testServers } from '../../../../shared/test/settings/test-servers.ts'
import { HistoryRecorder, POINTS_MAX, SAMPLE_MS } from '../../../src/monitor/figures/history-recorder.ts'
import { REMOVED_MAX } from '../../../src/monitor/figures/past-servers.ts'
import type { HistoryEvent, HistorySample } from '../../../src/records/history-store.ts'
import { manualClock } from '../fixtures/manual-clock.ts'

/** Whole in minutes, and 2 minutes, so that steps of both begin here. */
const START_MS = Date.parse('2026-11-23T14:30:00Z')
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

class MemoryStore {
  samplesKept: HistorySample[] = []
  eventsKept: HistoryEvent[] = []
  readonly trims: Array<readonly [fromMs: number, toMs: number]> = []

  addSample (atMs: number, loads: HistorySample['loads']): void {
    this.samplesKept.push({ atMs, loads })
  }

  * samples (fromMs: number): Generator<HistorySample> {
    yield * this.samplesKept.filter(({ atMs }) => atMs >= fromMs)
  }

  addEvent (atMs: number, type: string, server: string | null): void {
    this.eventsKept.push({ atMs, type, server })
  }

  events (fromMs: number): readonly HistoryEvent[] {
    return this.eventsKept.filter(({ atMs }) => atMs >= fromMs)
  }

  trim (fromMs: number, toMs: number): void {
    this.trims.push([fromMs, toMs])
  }
}

function testHistory ({ isFirstStart = true, store = new MemoryStore(), startMs = START_MS } = {}) {
  const { table } = testTable({ servers: 2 })
  for (const server of [0, 1]) table.setServerState(server, 'up')
  const clock = manualClock(startMs)
  const wall = { aheadMs: 0 }
  const counts = { restarts: [0, 0], reloads: 0 }
  const history = new HistoryRecorder({
    store,
    table,
    meters: {
      restarts: server => counts.restarts[server]!,
      upSinceS: () => 1,
      reloads: () => counts.reloads
    },
    servers: testServers([8000, 8001], [{ name: 'red' }, { name: 'blue' }]),
    isFirstStart,
    wallNow: () => clock.now() + wall.aheadMs,
    startInterval: clock.startInterval
  })
  history.start()
  let users = 0
  return {
    history,
    store,
    table,
    clock,
    wall,
    counts,
    arrive: (server = 0) => table.touch(clientNumber(++users), server, HOME)
  }
}

function sampleAt (atMs: number, active: number | null): HistorySample {
  return { atMs, loads: { red: active === null ? null : [active, 1], blue: [0, 0] } }
}

t.test('history: samples the load every 5 seconds by the wall\'s clock', async t => {
  const { store, clock, arrive } = testHistory({ startMs: START_MS + 1234 })
  arrive()
  clock.pass(3 * SAMPLE_MS)
  arrive(1)
  clock.pass(SAMPLE_MS)
  t.same(store.samplesKept.map(({ loads }) => loads), [
    ...new Array<object>(3).fill({ red: [1, 0], blue: [0, 0] }), { red: [1, 0], blue: [1, 0] }
  ])
  const steps = store.samplesKept.map(({ atMs }) => Math.floor((atMs - START_MS) / SAMPLE_MS))
  t.same(steps, [1, 2, 3, 4], 'one in each')
})

t.test('history: a server that is down has no load, a draining one has', async t => {
  const { store, table, clock } = testHistory()
  table.setServerState(0, 'down')
  table.setServerState(1, 'draining')
  clock.pass(SAMPLE_MS)
  t.same(store.samplesKept[0]!.loads, { red: null, blue: [0, 0] })
})

t.test('history: the start of the program is an event, a monitor\'s replacement is none', async t => {
  t.same(testHistory().store.eventsKept, [{ atMs: START_MS, type: 'start', server: null }])
  t.same(testHistory({ isFirstStart: false }).store.eventsKept, [])
})

t.test('history: what happens to servers is noted within a quarter of a second', async t => {
  const { store, table, clock, counts, history } = testHistory({ isFirstStart: false })
  table.setServerState(1, 'draining')
  clock.pass(250)
  counts.restarts[0] = 1
  counts.reloads = 1
  clock.pass(250)
  t.same(store.eventsKept, [
    { atMs: START_MS + 250, type: 'drain', server: 'blue' },
    { atMs: START_MS + 500, type: 'down', server: 'red' },
    { atMs: START_MS + 500, type: 'up', server: 'red' },
    { atMs: START_MS + 500, type: 'reload', server: null }
  ])
  t.same((await history.answer(1)).events, [
    { at: '2026-11-23T14:30:00.250Z', type: 'drain', server: 'blue' },
    { at: '2026-11-23T14:30:00.500Z', type: 'down', server: 'red' },
    { at: '2026-11-23T14:30:00.500Z', type: 'up', server: 'red' },
    { at: '2026-11-23T14:30:00.500Z', type: 'reload', server: null }
  ])
})

t.test('history: keeps a day, and trims now and then', async t => {
  const { store, clock } = testHistory()
  clock.pass(250)
  t.same(store.trims, [[START_MS + 250 - DAY_MS, START_MS + 250 + SAMPLE_MS]])
  clock.pass(10 * MINUTE_MS)
  t.same(store.trims.length, 2)
})

t.test('history: a clock that was set back leaves nothing of the times to come', async t => {
  const { store, clock, wall } = testHistory()
  clock.pass(MINUTE_MS)
  t.equal(store.trims.length, 1)
  const jumps = [[MINUTE_MS, 1], [-SAMPLE_MS, 2], [-SAMPLE_MS - 4000, 2]] as const
  for (const [aheadMs, trims] of jumps) {
    wall.aheadMs = aheadMs
    clock.pass(250)
    t.equal(store.trims.length, trims, `${aheadMs} ms ahead`)
  }
  t.same(store.trims[1]![1], START_MS + MINUTE_MS + 500)
})

t.test('history: points are of regular steps, with gaps as null', async t => {
  const store = new MemoryStore()
  for (let second = 0; second < 60; second += 5) {
    const isGap = second >= 20 && second < 30
    const load = second === 40 ? null : second
    if (!isGap) store.addSample(START_MS - MINUTE_MS + second * 1000 + 200, sampleAt(0, load).loads)
  }
  const { history, clock } = testHistory({ store })
  clock.nowMs = START_MS - 1
  t.match(await history.answer(1), {
    from: '2026-11-23T14:29:00.000Z',
    step_seconds: 5,
    servers: {
      red: {
        active_users: [0, 5, 10, 15, null, null, 30, 35, null, 45, 50, 55],
        reserved: [1, 1, 1, 1, null, null, 1, 1, null, 1, 1, 1]
      },
      blue: { active_users: [0, 0, 0, 0, null, null, 0, 0, 0, 0, 0, 0] }
    }
  })
})

t.test('history: who was removed keeps the past, the last 32 of them; who is new has none', async t => {
  const store = new MemoryStore()
  const { history, clock } = testHistory({ store })
  const add = (step: number, loads: HistorySample['loads']): void => {
    store.addSample(START_MS - MINUTE_MS + step * SAMPLE_MS, loads)
  }
  add(0, { red: [1, 0], gone: [4, 2], 'never-up': null })
  add(1, { red: [1, 0], gone: null, blue: [9, 0] })
  add(2, { red: [1, 0], 8001: [3, 0], other: [1, 1] })
  clock.nowMs = START_MS - 1
  const { servers } = await history.answer(1)
  t.match(servers, {
    red: { index: 0, removed: false },
    blue: { index: 1, active_users: [null, 9, 3, null], reserved: [null, 0, 0, null] },
    gone: { index: 2, removed: true, active_users: [4, null, null], reserved: [2, null, null] },
    other: { index: 3, removed: true, active_users: [null, null, 1] }
  })
  t.equal(Object.keys(servers).length, 4, 'of one that was never up there is nothing to show')
  for (let step = 3; step < 11; step++) {
    add(step, Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`s${step}-${at}`, [1, 0]])))
  }
  const many = (await history.answer(1)).servers
  const removed = Object.keys(many).filter(name => many[name]!.removed)
  t.equal(removed.length, REMOVED_MAX)
  t.ok(removed.includes('s10-0') && removed.includes('s10-19') && !removed.includes('gone'))
})

t.test('history: a point is one sample, so that what it says was so at one moment', async t => {
  const store = new MemoryStore()
  const loads: ReadonlyArray<readonly [number, number]> = [[9, 1], [2, 11], [3, 0]]
  loads.forEach((load, at) => {
    store.addSample(START_MS - MINUTE_MS * 60 + at * SAMPLE_MS, { red: load, blue: [0, 0] })
  })
  const { history } = testHistory({ store })
  const { servers, step_seconds: stepSeconds } = await history.answer(24 * 60)
  t.equal(stepSeconds, 120)
  const at = servers['red']!.active_users.findIndex(value => value !== null)
  t.equal(servers['red']!.active_users[at], 2)
  t.equal(servers['red']!.reserved[at], 11)
})

t.test('history: a step that has just begun is no gap, one that passed without a sample is', async t => {
  const store = new MemoryStore()
  const { history, clock } = testHistory({ store })
  store.addSample(START_MS + 100, sampleAt(0, 7).loads)
  const lastAt = async (nowMs: number): Promise<unknown> => {
    clock.nowMs = nowMs
    return (await history.answer(1)).servers['red']!.active_users.slice(-2)
  }
  t.same(await lastAt(START_MS + 4999), [null, 7])
  t.same(await lastAt(START_MS + 5000), [null, 7], 'the step from 5 s on is left out')
  t.same(await lastAt(START_MS + 10_000), [7, null], 'the step from 5 s on is a gap')
})

t.test('history: a longer time has as many points of longer steps, and shows peaks', async t => {
  const store = new MemoryStore()
  for (let atMs = START_MS - DAY_MS; atMs < START_MS; atMs += SAMPLE_MS) {
    const isPeak = atMs === START_MS - 60 * MINUTE_MS + 10 * SAMPLE_MS
    store.addSample(atMs, sampleAt(0, isPeak ? 500 : 3).loads)
  }
  const { history } = testHistory({ store })
  const cases: ReadonlyArray<[minutes: number, stepSeconds: number, points: number]> = [
    [1, 5, 12], [60, 5, 720], [61, 10, 366], [120, 10, 720], [1440, 120, 720]
  ]
  for (const [minutes, stepSeconds, points] of cases) {
    const { step_seconds: step, servers } = await history.answer(minutes)
    t.equal(step, stepSeconds, `${minutes} minutes`)
    const { length } = servers['red']!.active_users
    t.ok(length === points || length === points - 1, `${minutes} minutes have ${length} points`)
    t.ok(length <= POINTS_MAX)
  }
  const { servers } = await history.answer(1440)
  t.equal(servers['red']!.active_users.filter(count => count === 500).length, 1)
})

t.test('history: an answer gives way to the loop', async t => {
  stepClock(t, 0.1)
  const store = new MemoryStore()
  for (let at = 0; at < 5000; at++) store.addSample(START_MS - at, sampleAt(0, 1).loads)
  const { history } = testHistory({ store })
  const turns = await turnsDuring(() => history.answer(10))
  t.ok(turns >= 400, `${turns} turns for 5,000 samples`)
})

t.test('history: a clock that was set back neither breaks an answer nor the sampling', async t => {
  const { store, history, clock } = testHistory()
  clock.pass(MINUTE_MS)
  clock.nowMs -= 30_000
  const before = store.samplesKept.length
  t.equal((await history.answer(1)).servers['red']!.active_users.length <= 12, true)
  clock.pass(MINUTE_MS)
  t.ok(store.samplesKept.length >= before + 6)
})

t.test('history: looks at nothing once it is closed', async t => {
  const { history, clock, store } = testHistory()
  history.start()
  t.equal(clock.timerCount(), 1)
  history.close()
  clock.pass(MINUTE_MS)
  t.same(store.samplesKept, [])
})

t.test('history: what was written before a server had its name is its own', async t => {
  const { store, history } = testHistory({ isFirstStart: false })
  store.addSample(START_MS - 2 * SAMPLE_MS, { 8000: [5, 1], 8001: null })
  store.addSample(START_MS - SAMPLE_MS, { red: [6, 0] })
  store.addEvent(START_MS - 10, 'down', '8001')
  store.addEvent(START_MS - 5, 'up', 'blue')
  store.addEvent(START_MS - 5, 'up', 'gone')
  const { servers, events } = await history.answer(1)
  t.same(servers['red']!.active_users.slice(-2), [5, 6])
  t.same(servers['red']!.reserved.slice(-2), [1, 0])
  t.same(Object.keys(servers), ['red', 'blue'])
  t.same(events.map(({ server }) => server), ['blue', 'blue', 'gone'])
})
