import t from 'tap'
import { inTimeSlices } from '../src/time-slices.ts'

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
  // A clock that goes on by half a slice at each look: the slices are counted, not timed.
  let nowMs = 0
  t.intercept(performance, 'now', {
    value: () => {
      nowMs += 0.5
      return nowMs
    }
  })
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  let stepsLeft = 100
  await inTimeSlices(async () => --stepsLeft === 0)
  isDone = true
  t.ok(turns >= 45, `${turns} turns for 100 steps`)
})

t.test('time slices: as long as is asked for, by the clock that is given', async t => {
  for (const [sliceMs, slices] of [[2, 5], [5, 2]] as const) {
    let nowMs = 0
    let turns = 0
    let isDone = false
    const turn = (): void => {
      if (isDone) return
      turns++
      setImmediate(turn)
    }
    setImmediate(turn)
    await inTimeSlices(() => ++nowMs === 11, { sliceMs, now: () => nowMs })
    isDone = true
    t.equal(turns, slices, `${sliceMs} ms each`)
  }
})

t.test('time slices: what a step throws is thrown', async t => {
  await t.rejects(inTimeSlices(() => { throw new Error('no more') }), { message: 'no more' })
})
