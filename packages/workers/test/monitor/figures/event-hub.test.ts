import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { Stats } from '@usher/shared/api/stats.ts'
import { BUFFERED_BYTES_MAX, EventHub, STREAMS_MAX } from '../../../src/monitor/figures/event-hub.ts'
import { emptyStats } from '../fixtures/empty-stats.ts'
import { manualClock } from '../fixtures/manual-clock.ts'

/** A stream's connection that takes notes. */
function testSink () {
  const sink = {
    events: [] as Stats[],
    buffered: 0,
    hasEnded: false,
    isDropped: false,
    checks: 0,
    answer: (): Promise<boolean> => Promise.resolve(true)
  }
  return Object.assign(sink, {
    write (text: string) {
      const [, json] = /^event: stats\ndata: (.*)\n\n$/.exec(text)!
      sink.events.push(JSON.parse(json!))
    },
    bufferedBytes: () => sink.buffered,
    end: () => { sink.hasEnded = true },
    drop: () => { sink.isDropped = true },
    isAllowed () {
      sink.checks++
      return sink.answer()
    }
  })
}

function testHub () {
  const clock = manualClock()
  const stats = { users: 0, snapshots: 0 }
  const hub = new EventHub({
    makeSnapshot () {
      stats.snapshots++
      return emptyStats({ timestamp: String(clock.nowMs), total_users: stats.users })
    },
    now: clock.now,
    startInterval: clock.startInterval
  })
  return {
    hub,
    clock,
    stats,
    open () {
      const sink = testSink()
      return { sink, remove: hub.add(sink) }
    },
    /** In steps, so that what a stream is asked is answered in between. */
    async pass (ms: number) {
      for (let left = ms; left > 0; left -= 50) {
        clock.pass(Math.min(50, left))
        await setImmediate()
      }
    }
  }
}

t.test('event hub: a new stream is told at once', async t => {
  const { open, stats } = testHub()
  stats.users = 3
  t.match(open().sink.events, [{ total_users: 3 }])
})

t.test('event hub: tells of a change within a second, and of none twice', async t => {
  const { open, stats, pass } = testHub()
  const { sink } = open()
  await pass(5000)
  t.equal(sink.events.length, 1, 'the time alone is no change')
  stats.users = 1
  await pass(250)
  t.match(sink.events, [{ total_users: 0 }, { total_users: 1 }])
  await pass(5000)
  t.equal(sink.events.length, 2)
})

t.test('event hub: at most one event a second', async t => {
  const { open, stats, pass } = testHub()
  const { sink } = open()
  for (let tenth = 0; tenth < 100; tenth++) {
    stats.users++
    await pass(100)
  }
  t.ok(sink.events.length >= 9 && sink.events.length <= 11, `${sink.events.length} in 10 s`)
  for (const [at, { timestamp }] of sink.events.slice(1).entries()) {
    t.ok(Number(timestamp) - Number(sink.events[at]!.timestamp) >= 1000)
  }
})

t.test('event hub: something every 15 seconds, whatever happens', async t => {
  const { open, pass } = testHub()
  const { sink } = open()
  await pass(60_000)
  for (const [at, { timestamp }] of sink.events.slice(1).entries()) {
    t.ok(Number(timestamp) - Number(sink.events[at]!.timestamp) <= 15_000)
  }
  t.ok(sink.events.length >= 5 && sink.events.length <= 6)
})

t.test('event hub: one snapshot for all streams', async t => {
  const { open, stats, pass } = testHub()
  const streams = Array.from({ length: 20 }, open)
  const before = stats.snapshots
  stats.users = 9
  await pass(1000)
  t.equal(stats.snapshots - before, 4)
  t.ok(streams.every(({ sink }) => sink.events.at(-1)!.total_users === 9))
})

t.test('event hub: works only while somebody listens', async t => {
  const { open, clock, hub } = testHub()
  t.equal(clock.timerCount(), 0)
  const [one, two] = [open(), open()]
  t.equal(hub.size, 2)
  one.remove()
  t.equal(clock.timerCount(), 1)
  two.remove()
  two.remove()
  t.equal(clock.timerCount(), 0)
  t.equal(hub.size, 0)
  t.notOk(one.sink.hasEnded, 'its connection has closed by itself')
  open()
  t.equal(clock.timerCount(), 1)
})

t.test('event hub: a reader too far behind is dropped, one just short of it is not', async t => {
  const { open, pass, hub } = testHub()
  const [slow, slower] = [open(), open()]
  slow.sink.buffered = BUFFERED_BYTES_MAX
  slower.sink.buffered = BUFFERED_BYTES_MAX + 1
  await pass(250)
  t.same([slow.sink.isDropped, slower.sink.isDropped], [false, true])
  t.equal(hub.size, 1)
})

t.test('event hub: asks about every stream once a second at least', async t => {
  const { open, pass } = testHub()
  const { sink } = open()
  await pass(30_000)
  t.ok(sink.checks >= 30, `${sink.checks} checks`)
  t.notOk(sink.hasEnded)
})

t.test('event hub: a stream ends within 2 seconds of its session', async t => {
  const { open, pass, hub } = testHub()
  const { sink } = open()
  const { sink: other } = open()
  await pass(750)
  sink.answer = () => Promise.resolve(false) // Just after a check.
  await pass(1000)
  t.ok(sink.hasEnded)
  t.notOk(other.hasEnded)
  t.equal(hub.size, 1)
  const count = sink.events.length
  await pass(20_000)
  t.equal(sink.events.length, count)
})

t.test('event hub: a stream ends when nobody can tell whether its session stands', async t => {
  const answers: ReadonlyArray<() => Promise<boolean>> = [
    () => Promise.reject(new Error('the database is locked')),
    () => new Promise(() => {}),
    () => { throw new Error('at once') }
  ]
  for (const answer of answers) {
    const { open, pass } = testHub()
    const { sink } = open()
    await pass(750)
    sink.answer = answer
    await pass(2000)
    t.ok(sink.hasEnded)
  }
})

t.test('event hub: a doubt that passes ends nothing', async t => {
  const { open, pass } = testHub()
  const { sink } = open()
  let isLocked = false
  sink.answer = () => isLocked ? Promise.reject(new Error('locked')) : Promise.resolve(true)
  await pass(500)
  isLocked = true
  await pass(250)
  isLocked = false
  await pass(10_000)
  t.notOk(sink.hasEnded)
})

t.test('event hub: a loop that stood still ends nothing', async t => {
  const { open, pass, clock } = testHub()
  const { sink } = open()
  await pass(1000)
  clock.nowMs += 30_000
  await pass(3000)
  t.notOk(sink.hasEnded)
})

t.test('event hub: takes so many streams and no more', async t => {
  const { open, hub } = testHub()
  for (let count = 1; count < STREAMS_MAX; count++) open()
  t.notOk(hub.isFull())
  const { remove } = open()
  t.ok(hub.isFull())
  t.ok(open().sink.hasEnded)
  t.equal(hub.size, STREAMS_MAX)
  remove()
  t.notOk(hub.isFull())
})

t.test('event hub: a close ends all streams and lets none in', async t => {
  const { open, hub, clock } = testHub()
  const streams = [open(), open()]
  hub.close()
  hub.close()
  t.ok(streams.every(({ sink }) => sink.hasEnded))
  t.equal(clock.timerCount(), 0)
  t.ok(hub.isFull())
  const { sink } = open()
  t.ok(sink.hasEnded)
  t.same(sink.events, [])
})
