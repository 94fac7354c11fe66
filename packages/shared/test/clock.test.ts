import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { monotonicNowMs, steadyWallClock } from '@usher/shared/clock.ts'

const TOLERANCE_MS = 2
const QUESTIONS = 20
const READINGS = 100_000

t.test('clock: another thread reads the same time', async t => {
  const worker = new Worker(new URL('fixtures/clock-worker.ts', import.meta.url))
  t.teardown(() => worker.terminate())
  await once(worker, 'message')
  for (let question = 0; question < QUESTIONS; question++) {
    const beforeMs = monotonicNowMs()
    worker.postMessage('what time is it?')
    const [workerMs] = await once(worker, 'message') as [number]
    const afterMs = monotonicNowMs()
    // However long the answer took, it was read in between.
    const isBetween = workerMs >= beforeMs - TOLERANCE_MS && workerMs <= afterMs + TOLERANCE_MS
    t.ok(isBetween, `${beforeMs} <= ${workerMs} <= ${afterMs}`)
  }
})

t.test('clock: never goes back', async t => {
  let latestMs = monotonicNowMs()
  let steps = 0
  for (let reading = 0; reading < READINGS; reading++) {
    const nowMs = monotonicNowMs()
    if (nowMs < latestMs) t.fail(`${nowMs} after ${latestMs}`)
    if (nowMs > latestMs) steps++
    latestMs = nowMs
  }
  t.ok(steps > 0, 'and does go on')
})

t.test('clock: counts milliseconds of the system\'s monotonic clock, with a fraction', async t => {
  const beforeMs = Number(process.hrtime.bigint()) / 1e6
  const nowMs = monotonicNowMs()
  const afterMs = Number(process.hrtime.bigint()) / 1e6
  t.ok(nowMs >= beforeMs - TOLERANCE_MS && nowMs <= afterMs + TOLERANCE_MS)
  t.notOk(Array.from({ length: 10 }, monotonicNowMs).every(Number.isInteger))
})

t.test('clock: is untouched by changes of the wall clock', async t => {
  const trueNow = Date.now
  t.teardown(() => { Date.now = trueNow })
  const beforeMs = monotonicNowMs()
  Date.now = () => trueNow() - 86_400_000
  const nowMs = monotonicNowMs()
  t.ok(nowMs >= beforeMs && nowMs < beforeMs + 10_000)
})

t.test('clock: a steady one begins at the wall\'s time and goes with the monotonic one', async t => {
  const clock = { nowMs: 77.25 }
  const steadyNow = steadyWallClock(1_790_000_000_000, () => clock.nowMs)
  t.equal(steadyNow(), 1_790_000_000_000)
  clock.nowMs += 0.75
  t.equal(steadyNow(), 1_790_000_000_000, 'whole milliseconds')
  clock.nowMs += 0.25
  t.equal(steadyNow(), 1_790_000_000_001)
})

t.test('clock: a steady one is untouched by a wall clock that jumps', async t => {
  const trueNow = Date.now
  t.teardown(() => { Date.now = trueNow })
  const steadyNow = steadyWallClock(Date.now())
  const beforeMs = steadyNow()
  for (const jumpMs of [-86_400_000, 86_400_000]) {
    Date.now = () => trueNow() + jumpMs
    t.ok(steadyNow() >= beforeMs && steadyNow() < beforeMs + 10_000)
  }
})
