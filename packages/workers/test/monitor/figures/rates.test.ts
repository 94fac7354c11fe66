import t from 'tap'
import { testMeters, times } from '../fixtures/test-meters.ts'

const NOTHING = {
  requestsPerSecond: undefined,
  beatsPerSecond: undefined,
  errorsPerSecond: undefined,
  p99Ms: undefined
}

t.test('rates: before a second is over there is nothing to tell', async t => {
  const { clock, servers, startRates } = testMeters()
  const rates = startRates()
  servers[0]!.answered(200, 5)
  clock.nowMs += 899
  rates.sample()
  t.same(rates.server(0), NOTHING)
  t.same(rates.whole(), {
    redirectsPerSecond: undefined, waitP50Ms: undefined, waitP99Ms: undefined
  })
  clock.nowMs += 1
  rates.sample()
  t.not(rates.server(0).requestsPerSecond, undefined)
})

t.test('rates: what was answered, per second, of each server by itself', async t => {
  const { clock, servers, startRates } = testMeters()
  const rates = startRates()
  times(30, () => servers[0]!.answered(204, 0.05))
  times(9, () => servers[0]!.answered(200, 0.05))
  times(1, () => servers[0]!.answered(503, 0.05))
  times(5, () => servers[1]!.answered(404, 0.05))
  clock.pass(5000)
  t.match(rates.server(0), { requestsPerSecond: 8, beatsPerSecond: 6, errorsPerSecond: 0.2 })
  t.match(rates.server(1), { requestsPerSecond: 1, beatsPerSecond: 0, errorsPerSecond: 0 })
})

t.test('rates: a server without a request has rates of 0 and no percentile', async t => {
  const { clock, startRates } = testMeters()
  const rates = startRates()
  clock.pass(3000)
  t.same(rates.server(0), {
    requestsPerSecond: 0, beatsPerSecond: 0, errorsPerSecond: 0, p99Ms: undefined
  })
  t.same(rates.whole(), { redirectsPerSecond: 0, waitP50Ms: undefined, waitP99Ms: undefined })
})

t.test('rates: forget what is more than 10 seconds ago', async t => {
  const { clock, servers, startRates } = testMeters()
  const rates = startRates()
  clock.pass(4500)
  times(100, () => servers[0]!.answered(200, 7))
  clock.pass(500) // The copy at 5 s is the first with them.
  t.equal(rates.server(0).requestsPerSecond, 20)
  clock.pass(9000)
  t.equal(rates.server(0).requestsPerSecond, 10)
  t.ok(rates.server(0).p99Ms! >= 7)
  clock.pass(1000)
  t.equal(rates.server(0).requestsPerSecond, 0)
  t.equal(rates.server(0).p99Ms, undefined)
})

t.test('rates: whoever asks often changes neither window nor memory', async t => {
  const { clock, servers, startRates } = testMeters()
  const rates = startRates()
  for (let tenth = 0; tenth < 300; tenth++) {
    servers[0]!.answered(200, 1)
    clock.pass(100)
    times(5, () => rates.sample())
  }
  t.ok(Math.abs(rates.server(0).requestsPerSecond! - 10) < 0.2)
})

t.test('rates: a thread that stood still for a while divides by the time that passed', async t => {
  const { clock, servers, startRates } = testMeters()
  const rates = startRates()
  clock.pass(2000)
  times(38, () => servers[0]!.answered(200, 1))
  clock.nowMs += 38_000
  rates.sample()
  t.equal(rates.server(0).requestsPerSecond, 1)
})

t.test('rates: visitors\' waits are the router\'s redirects', async t => {
  const { clock, router, startRates } = testMeters()
  const rates = startRates()
  times(98, () => router.answered(302, 352))
  times(2, () => router.answered(302, 900))
  router.answered(403)
  clock.pass(10_000)
  const { redirectsPerSecond, waitP50Ms, waitP99Ms } = rates.whole()
  t.equal(redirectsPerSecond, 10)
  t.ok(waitP50Ms! >= 350 && waitP50Ms! < 360, `${waitP50Ms}`)
  t.ok(waitP99Ms! >= 900 && waitP99Ms! < 910, `${waitP99Ms}`)
})

t.test('rates: totals go on beyond 32 bits', async t => {
  const { clock, servers, words, startRates } = testMeters()
  words.fill(-1)
  const rates = startRates()
  servers[0]!.answered(200)
  clock.pass(1000)
  t.equal(rates.totals.answered(0, 200), 2 ** 32)
  servers[0]!.answered(200)
  clock.pass(1000)
  t.equal(rates.totals.answered(0, 200), 2 ** 32 + 1)
})

t.test('rates: know what is true of a thread now', async t => {
  const { clock, servers, cluster, startRates } = testMeters()
  const rates = startRates()
  t.same(rates.thread(0), { connections: undefined, upSinceMs: undefined, restarts: 0 })
  cluster.setUp(0, 2, 5_000_000)
  servers[0]!.connectionsOpen(12, clock.nowMs)
  rates.sample()
  t.same(rates.thread(0), { connections: 12, upSinceMs: 5_000_000, restarts: 2 })
})

t.test('rates: look once a second until they are closed', async t => {
  const { clock, startRates } = testMeters()
  const rates = startRates()
  rates.start()
  t.equal(clock.timerCount(), 1)
  rates.close()
  t.equal(clock.timerCount(), 0)
})
