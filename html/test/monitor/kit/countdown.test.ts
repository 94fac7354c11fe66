/** A time that runs down, with pauses. */
import t from 'tap'
import { Countdown } from '../../../monitor-script/kit/countdown.ts'

t.test('countdown: runs down, and not below nothing', async t => {
  const countdown = new Countdown(10_000, 500)
  t.equal(countdown.leftMs(500), 10_000)
  t.equal(countdown.leftMs(4500), 6000)
  t.equal(countdown.leftMs(10_500), 0)
  t.equal(countdown.leftMs(99_000), 0)
})

t.test('countdown: stands still while paused, however often that is said', async t => {
  const countdown = new Countdown(10_000, 0)
  countdown.pause(3000)
  countdown.pause(5000)
  t.equal(countdown.leftMs(60_000), 7000)
  countdown.resume(60_000)
  countdown.resume(61_000)
  t.equal(countdown.leftMs(62_000), 5000)
})
