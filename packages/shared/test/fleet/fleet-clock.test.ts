import t from 'tap'
import { FleetClock } from '@usher/shared/fleet/fleet-clock.ts'

/** The engine is so much ahead. */
const AHEAD_MS = 1_000_000

function testClock () {
  let now = 500
  const clock = new FleetClock(() => now)
  return {
    clock,
    to (ms: number): void { now = ms },
    /** An answer that took so long, and whose way there took `outMs`. */
    answer (tookMs: number, outMs: number, ahead = AHEAD_MS): void {
      clock.note(now - tookMs, now, now - tookMs + outMs + ahead)
    }
  }
}

t.test('fleet clock: tells the engine\'s time within half an answer\'s', async t => {
  const { clock, answer, to } = testClock()
  answer(10, 9)
  t.equal(clock.engineNowMs(), 500 + AHEAD_MS + 4)
  to(700.5)
  t.equal(clock.engineNowMs(), 700 + AHEAD_MS + 4, 'whole milliseconds, and goes on')
  t.equal(clock.engineMs(600), 600 + AHEAD_MS + 4)
  t.equal(clock.ownMs(clock.engineMs(600)), 600)
})

t.test('fleet clock: a closer measurement replaces one before, a looser one does not', async t => {
  const { clock, answer } = testClock()
  answer(100, 90)
  answer(2, 1)
  t.equal(clock.engineNowMs(), 500 + AHEAD_MS)
  answer(100, 10)
  t.equal(clock.engineNowMs(), 500 + AHEAD_MS)
})

t.test('fleet clock: follows an engine whose clock was set', async t => {
  const { clock, answer } = testClock()
  answer(2, 1)
  answer(20, 10, AHEAD_MS - 5000)
  t.equal(clock.engineNowMs(), 500 + AHEAD_MS - 5000)
})
