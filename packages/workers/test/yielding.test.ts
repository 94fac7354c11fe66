import { existsSync } from 'node:fs'
import t from 'tap'
import { inYieldingSlices, startYielding, stopYielding, Yielding } from '../src/yielding.ts'

/** A thread's time; each sleep takes as long as the next in the list says. */
function yieldingThread (sleepsMs: number[]) {
  const thread = { nowMs: 0, sleeps: 0 }
  const yielding = new Yielding({
    now: () => thread.nowMs,
    sleep: ms => {
      thread.sleeps++
      thread.nowMs += sleepsMs.shift() ?? ms
    }
  })
  return { thread, yielding }
}

t.test('yielding: after a tenth of a millisecond of work, not before', async t => {
  const { thread, yielding } = yieldingThread([])
  yielding.yieldIfDue()
  t.equal(thread.sleeps, 1, 'how long it has worked before is not known')
  thread.nowMs += 0.09
  yielding.yieldIfDue()
  t.equal(thread.sleeps, 1)
  thread.nowMs += 0.02
  yielding.yieldIfDue()
  t.equal(thread.sleeps, 2)
})

t.test('yielding: as long as others use it, and then goes on', async t => {
  const { thread, yielding } = yieldingThread([0.2, 0.1, 0.03, 0.2])
  yielding.yieldIfDue()
  t.equal(thread.sleeps, 3)
})

t.test('yielding: goes on where others leave no time', async t => {
  const { thread, yielding } = yieldingThread(Array.from({ length: 100 }, () => 5))
  yielding.yieldIfDue()
  t.equal(thread.sleeps, 5)
})

t.test('yielding: a thread that does not yield takes all steps as well', async t => {
  let steps = 0
  await inYieldingSlices(() => ++steps === 5)
  t.equal(steps, 5)
})

t.test('yielding: a thread stops, and says whether it had begun', async t => {
  t.equal(stopYielding(), false)
  startYielding()
  t.equal(stopYielding(), existsSync('/proc/self/timerslack_ns'))
  t.equal(stopYielding(), false)
})
