import t from 'tap'
import { inTimeSlices } from '../src/time-slices.ts'
import { stepClock, turnsDuring } from './fixtures/event-loop.ts'

t.test('time slices: steps are taken until one is the last, now or later', async t => {
  for (const isLater of [false, true]) {
    let steps = 0
    await inTimeSlices(() => {
      const isLast = ++steps === 5
      return isLater ? Promise.resolve(isLast) : isLast
    })
    t.equal(steps, 5)
  }
})

t.test('time slices: the loop has its turn after each millisecond of work', async t => {
  stepClock(t, 0.5)
  let stepsLeft = 100
  const turns = await turnsDuring(() => inTimeSlices(async () => --stepsLeft === 0))
  t.ok(turns >= 45, `${turns} turns for 100 steps`)
})

t.test('time slices: as long as is asked for, by the clock that is given', async t => {
  for (const [sliceMs, slices] of [[2, 5], [5, 2]] as const) {
    let nowMs = 0
    const turns = await turnsDuring(
      () => inTimeSlices(() => ++nowMs === 11, { sliceMs, now: () => nowMs }))
    t.equal(turns, slices, `${sliceMs} ms each`)
  }
})

t.test('time slices: what a step throws is thrown', async t => {
  await t.rejects(inTimeSlices(() => { throw new Error('no more') }), { message: 'no more' })
})
