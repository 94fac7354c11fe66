import t from 'tap'
import { nextRestart } from '../src/restart-pause.ts'

const HEALTHY_MS = 10_000

t.test('restart pause: none at first, longer with every death in a row, up to a bound', async t => {
  const pauses = [0, 100, 500, 1000, 2000, 5000, 10_000, 10_000, 10_000]
  let deathsInARow = 0
  for (const [at, pauseMs] of pauses.entries()) {
    const restart = nextRestart(deathsInARow, 0)
    t.strictSame(restart, { deathsInARow: at + 1, pauseMs })
    deathsInARow = restart.deathsInARow
  }
  t.strictSame(nextRestart(1_000_000, 0), { deathsInARow: 1_000_001, pauseMs: 10_000 })
})

t.test('restart pause: a worker that has lived long enough starts over without one', async t => {
  t.strictSame(nextRestart(5, HEALTHY_MS), { deathsInARow: 1, pauseMs: 0 })
  t.strictSame(nextRestart(5, HEALTHY_MS - 1), { deathsInARow: 6, pauseMs: 5000 })
  t.strictSame(nextRestart(0, HEALTHY_MS), { deathsInARow: 1, pauseMs: 0 })
})
