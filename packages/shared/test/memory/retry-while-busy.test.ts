import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { BUSY_RETRIES_MAX, retryWhileBusy } from '../../src/memory/retry-while-busy.ts'

t.test('retry while busy: one try for what is free, in the same turn', async t => {
  let tries = 0
  const outcome = retryWhileBusy(() => ++tries)
  t.equal(tries, 1)
  t.equal(await outcome, 1)
})

t.test('retry while busy: one try in each turn of the loop until it is free', async t => {
  let tries = 0
  const outcome = retryWhileBusy(() => ++tries < 4 ? 'busy' : 'done')
  for (const expected of [1, 2, 3, 4, 4]) {
    t.equal(tries, expected)
    await setImmediate()
  }
  t.equal(await outcome, 'done')
})

t.test('retry while busy: the last try counts, and there is none after it', async t => {
  for (const [busyTries, expected] of [
    [BUSY_RETRIES_MAX - 1, 'done'], [BUSY_RETRIES_MAX, 'busy']
  ] as const) {
    let tries = 0
    t.equal(await retryWhileBusy(() => ++tries <= busyTries ? 'busy' : 'done'), expected)
    t.equal(tries, BUSY_RETRIES_MAX)
  }
})

t.test('retry while busy: what is thrown ends it', async t => {
  await t.rejects(retryWhileBusy(() => { throw new Error('broken') }), { message: 'broken' })
})
