import t from 'tap'
import { beatIntervalMs, formatSeconds } from '../../src/static-server/beat.ts'

const DEFAULTS = { heartbeatIntervalMs: 2500, heartbeatBudget: 2000, timeoutThresholdMs: 1_800_000 }

t.test('beat: the interval follows users, jitter and the cap', async t => {
  const cases: ReadonlyArray<{
    users: number, random: number, settings?: Partial<typeof DEFAULTS>, expectedMs: number
  }> = [
    { users: 0, random: 0, expectedMs: 2500 },
    { users: 0, random: 0.5, expectedMs: 2750 },
    { users: 0, random: 0.999999, expectedMs: 2992 },
    { users: 5000, random: 0, expectedMs: 2500 },
    { users: 5002, random: 0, expectedMs: 2501 },
    { users: 40_000, random: 0, expectedMs: 20_000 },
    { users: 40_000, random: 0.5, expectedMs: 22_000 },
    { users: 900_000, random: 0, expectedMs: 450_000 },
    { users: 899_998, random: 0, expectedMs: 449_999 },
    { users: 900_000, random: 0.9, expectedMs: 450_000 },
    { users: 4_194_304, random: 0.9, expectedMs: 450_000 },
    { users: 0, random: 0, settings: { timeoutThresholdMs: 4000 }, expectedMs: 1000 },
    { users: 0, random: 0.9, settings: { timeoutThresholdMs: 10_000 }, expectedMs: 2500 },
    { users: 0, random: 0.5, settings: { heartbeatIntervalMs: 1 }, expectedMs: 1 },
    { users: 0, random: 0, settings: { timeoutThresholdMs: 1 }, expectedMs: 1 },
    { users: 10, random: 0, settings: { heartbeatBudget: 1 }, expectedMs: 10_000 }
  ]
  for (const { users, random, settings, expectedMs } of cases) {
    const merged = { ...DEFAULTS, ...settings }
    const name = JSON.stringify({ users, random, settings })
    t.equal(beatIntervalMs(users, merged, () => random), expectedMs, name)
  }
})

t.test('beat: seconds are printed with at most three decimals', async t => {
  const cases: ReadonlyArray<[ms: number, expected: string]> = [
    [2500, '2.5'], [2501, '2.501'], [1, '0.001'], [1000, '1'], [450_000, '450'], [2999, '2.999']
  ]
  for (const [ms, expected] of cases) t.equal(formatSeconds(ms), expected)
})

t.test('beat: intervals are spread over a fifth, by a few different ones', async t => {
  for (const users of [0, 40_000]) {
    const intervals = new Set(Array.from({ length: 10_000 }, (_, at) =>
      beatIntervalMs(users, DEFAULTS, () => at / 10_000)))
    t.equal(intervals.size, 64)
    const [shortest, longest] = [Math.min(...intervals), Math.max(...intervals)]
    t.ok(longest > shortest * 1.19 && longest < shortest * 1.2, `${shortest} to ${longest}`)
  }
})
