import t from 'tap'
import { BeatSchedule, formatSeconds } from '../../src/beats/beat.ts'

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
    const schedule = new BeatSchedule(merged, () => random, () => 0)
    t.equal(schedule.nextInMs(users), expectedMs, name)
  }
})

/** Beats in each second while `pages`, who came in one second, beat as they are told. */
function beatsPerSecond (pages: number, seconds: number): number[] {
  let nowMs = 0
  let seed = 1
  const random = (): number => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647
  const schedule = new BeatSchedule(DEFAULTS, random, () => nowMs)
  const due: number[][] = Array.from({ length: seconds * 1000 }, () => [])
  for (let page = 0; page < pages; page++) due[Math.floor(random() * 1000)]!.push(page)
  const counts = new Array<number>(seconds).fill(0)
  let activeUsers = 0
  for (; nowMs < due.length; nowMs++) {
    for (const page of due[nowMs]!) {
      if (nowMs < 1000) activeUsers++ // Its first beat.
      counts[Math.floor(nowMs / 1000)]!++
      due[nowMs + schedule.nextInMs(activeUsers)]?.push(page)
    }
  }
  return counts
}

t.test('beat: pages that came in one second stay within the budget of each later one', async t => {
  const { heartbeatBudget } = DEFAULTS
  for (const pages of [3000, 20_000, 100_000]) {
    const later = beatsPerSecond(pages, 300).slice(2)
    // Random jitter leaves a spread of some 45 around the budget.
    t.ok(Math.max(...later) < heartbeatBudget * 1.1, `${pages}: ${Math.max(...later)}`)
    const wanted = Math.min(heartbeatBudget, pages / 2.5) * 0.8
    const late = later.slice(100)
    t.ok(late.reduce((sum, count) => sum + count) / late.length > wanted, `${pages}: enough beats`)
  }
})

t.test('beat: one who beats without a pause delays the others by one interval', async t => {
  const schedule = new BeatSchedule(DEFAULTS, () => 0, () => 0)
  for (let beat = 0; beat < 1_000_000; beat++) schedule.nextInMs(10)
  t.equal(schedule.nextInMs(10), 5000)
})

t.test('beat: places are free again with time', async t => {
  let nowMs = 0
  const schedule = new BeatSchedule(DEFAULTS, () => 0, () => nowMs)
  for (let beat = 0; beat < 1001; beat++) schedule.nextInMs(10)
  t.equal(schedule.nextInMs(10), 3000)
  nowMs = 400
  t.equal(schedule.nextInMs(10), 2593) // In steps of 7.8 ms.
  nowMs = 1000
  t.equal(schedule.nextInMs(10), 2500)
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
      new BeatSchedule(DEFAULTS, () => at / 10_000, () => 0).nextInMs(users)))
    t.equal(intervals.size, 64)
    const [shortest, longest] = [Math.min(...intervals), Math.max(...intervals)]
    t.ok(longest > shortest * 1.19 && longest < shortest * 1.2, `${shortest} to ${longest}`)
  }
})
