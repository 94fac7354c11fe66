import t from 'tap'
import { bucketOf, DURATION_BUCKETS } from '@usher/shared/duration-buckets.ts'
import {
  allocateMeters, ClusterMeter, METER, MeterReader, MONITOR_METER, ROUTER_METER, ThreadMeter
} from '@usher/shared/memory/meters.ts'

const THREADS = [ROUTER_METER, MONITOR_METER, 0, 1]

function testMeters (servers = 2) {
  const memory = allocateMeters(servers)
  const clock = { nowMs: 50_000 }
  return {
    memory,
    clock,
    words: new Int32Array(memory.buffer),
    reader: new MeterReader(memory, () => clock.nowMs),
    cluster: new ClusterMeter(memory)
  }
}

t.test('meters: words of a block follow one another', async t => {
  t.equal(METER.DURATIONS - METER.STATUS, 500, 'the statuses 100 to 599')
  t.equal(METER.DURATION_SUM_MS - METER.DURATIONS, DURATION_BUCKETS)
  t.equal(METER.LOOP_DELAY_SUM_US - METER.LOOP_DELAYS, DURATION_BUCKETS)
  const singles = Object.entries(METER).map(([, at]) => at).sort((a, b) => a - b)
  t.equal(new Set(singles).size, singles.length, 'no word has two names')
  t.equal(METER.PROXY_HEADERS_REFUSED + 1, METER.WORDS)
})

t.test('meters: each thread has a block of its own', async t => {
  const { memory, reader } = testMeters()
  for (const [at, thread] of THREADS.entries()) {
    const meter = new ThreadMeter(memory, thread)
    for (let count = 0; count <= at; count++) meter.answered(200 + at, 5)
    meter.lockWaited(at)
    meter.loopDelayed(at)
    meter.connectionsOpen(100 + at, 50_000)
  }
  const copy = reader.read()
  for (const [at, thread] of THREADS.entries()) {
    const counts = copy.counts()
    t.same(counts.answeredByStatus(thread), [[200 + at, at + 1]])
    t.equal(counts.durations(thread).buckets[bucketOf(5)], at + 1)
    t.equal(counts.durations(thread).sumMs, 5 * (at + 1))
    t.same(counts.lockWaits(thread), { count: 1, ms: at })
    t.equal(counts.loopDelays(thread).buckets[bucketOf(at)], 1)
    t.equal(counts.loopDelays(thread).sumMs, at)
    t.equal(copy.connections(thread), 100 + at)
  }
})

t.test('meters: beats at the router are counted for each of 256 servers, and stand in nobody\'s way', async t => {
  const { memory, reader, cluster } = testMeters(0)
  const router = new ThreadMeter(memory, ROUTER_METER)
  cluster.reloaded()
  router.answered(100)
  for (const server of [0, 255, 255]) router.beatAnsweredFor(server)
  const counts = reader.read().counts()
  t.same([0, 1, 254, 255].map(server => counts.routerBeats(server)), [1, 0, 0, 2])
  t.equal(counts.reloads(), 1)
  t.same(counts.answeredByStatus(ROUTER_METER), [[100, 1]])
})

t.test('meters: statuses at the edges, and none beyond', async t => {
  const { memory, reader } = testMeters()
  const meter = new ThreadMeter(memory, 0)
  for (const status of [99, 100, 599, 600, 0, -1]) meter.answered(status)
  const counts = reader.read().counts()
  t.same(counts.answeredByStatus(0), [[100, 1], [599, 1]])
  t.equal(counts.answered(0, 100, 599), 2)
  t.equal(counts.answered(0, 100), 1)
  t.equal(counts.answered(0, 500, 599), 1)
  t.equal(counts.durations(0).buckets.reduce((sum, count) => sum + count), 0, 'none was timed')
})

t.test('meters: fractions of milliseconds add up', async t => {
  const { memory, reader } = testMeters()
  const meter = new ThreadMeter(memory, 0)
  for (let count = 0; count < 1000; count++) meter.answered(204, 0.25)
  t.equal(reader.read().counts().durations(0).sumMs, 250)
})

t.test('meters: a replaced thread goes on where the dead one stopped', async t => {
  const { memory, reader } = testMeters()
  new ThreadMeter(memory, 1).answered(200, 40)
  new ThreadMeter(memory, 1).answered(200, 2)
  const counts = reader.read().counts()
  t.equal(counts.answered(1, 200), 2)
  t.equal(counts.durations(1).sumMs, 42)
})

t.test('meters: differences are right over a wrap, and totals go on beyond it', async t => {
  const { memory, words, reader } = testMeters()
  const almost = -2 // 2^32 - 2
  words.fill(almost)
  const meter = new ThreadMeter(memory, 0)
  const before = reader.read()
  for (let count = 0; count < 5; count++) meter.answered(503, 1)
  const after = reader.read()
  const since = after.since(before)
  t.equal(since.answered(0, 503), 5)
  t.equal(since.durations(0).sumMs, 5)
  t.equal(after.counts().answered(0, 503), 3, 'the word itself has wrapped')
  const totals = before.counts()
  totals.add(since)
  t.equal(totals.answered(0, 503), 2 ** 32 + 3)
})

t.test('meters: a copy does not change any more', async t => {
  const { memory, reader } = testMeters()
  const copy = reader.read()
  new ThreadMeter(memory, 0).answered(200)
  t.same(copy.counts().answeredByStatus(0), [])
})

t.test('meters: connections are unknown when a thread has not counted them lately', async t => {
  const { memory, clock, reader } = testMeters()
  t.equal(reader.read().connections(0), undefined, 'never')
  new ThreadMeter(memory, 0).connectionsOpen(7, clock.nowMs)
  clock.nowMs += 3000
  t.equal(reader.read().connections(0), 7)
  clock.nowMs += 1
  t.equal(reader.read().connections(0), undefined)
  for (const nowMs of [2 ** 32, 2 ** 32 * 3 + 0.5, 2 ** 31 - 500]) {
    clock.nowMs = nowMs
    new ThreadMeter(memory, 0).connectionsOpen(8, nowMs)
    clock.nowMs += 1000
    t.equal(reader.read().connections(0), 8, 'whatever the clock says')
  }
})

t.test('meters: the coordinator says who is up since when, how often replaced, and reloads', async t => {
  const { cluster, reader } = testMeters()
  const startMs = Date.parse('2026-11-23T14:31:05.900Z')
  t.equal(reader.read().upSinceMs(0), undefined)
  cluster.setUp(0, 0, startMs)
  cluster.setUp(MONITOR_METER, 4, startMs)
  t.equal(reader.read().upSinceMs(0), Date.parse('2026-11-23T14:31:05Z'))
  t.equal(reader.read().restarts(MONITOR_METER), 4)
  cluster.setDown(0, 1)
  t.equal(reader.read().upSinceMs(0), undefined)
  t.equal(reader.read().restarts(0), 1)
  t.equal(reader.restarts(0), 1)
  cluster.setUp(0, 1, Date.parse('2099-01-01T00:00:00Z'))
  t.equal(reader.read().upSinceMs(0), Date.parse('2099-01-01T00:00:00Z'), 'after 2038')
  cluster.reloaded()
  cluster.reloaded()
  t.equal(reader.reloads(), 2)
  t.equal(reader.read().counts().reloads(), 2)
})
