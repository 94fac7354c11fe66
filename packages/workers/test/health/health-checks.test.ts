import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { HealthReport } from '@usher/shared/messages.ts'
import { CHECK, testExternal } from '../../../shared/test/settings/test-servers.ts'
import { HealthChecks } from '../../src/health/health-checks.ts'
import type { Found } from '../../src/health/probe.ts'

const GOOD: Found = { isGood: true, what: 'status 200' }
const BAD: Found = { isGood: false, what: 'connection refused' }

interface Wait {
  readonly untilMs: number
  readonly end: () => void
}

/** Checks whose time passes when the test says so; @param random of one server after another */
function testChecks ({
  servers = 1, random = (): number => 0.5, found = (_server: number): Found => GOOD
} = {}) {
  const clock = { nowMs: 0 }
  const waits = new Set<Wait>()
  const reports: HealthReport[][] = []
  const looks: Array<[server: number, atMs: number]> = []
  const checks = new HealthChecks({
    servers: testExternal(0, Array.from({ length: servers }, (_, at) => `s${at}`))
      .map(server => ({ ...server, isUp: undefined })),
    probe: async ({ index }) => {
      looks.push([index, clock.nowMs])
      return found(index)
    },
    report: news => { reports.push([...news]) },
    random,
    now: () => clock.nowMs,
    wallNow: () => 1_000_000 + clock.nowMs,
    wait: (ms, signal) => new Promise(resolve => {
      const wait = { untilMs: clock.nowMs + ms, end: resolve }
      waits.add(wait)
      signal.addEventListener('abort', () => { resolve() })
    })
  })
  const done = checks.run()
  t.teardown(() => { checks.close() })
  const passTo = async (ms: number): Promise<void> => {
    for (;;) {
      await setImmediate()
      const [next] = [...waits].sort((a, b) => a.untilMs - b.untilMs)
      if (next === undefined || next.untilMs > ms) break
      clock.nowMs = next.untilMs
      waits.delete(next)
      next.end()
    }
    clock.nowMs = ms
  }
  return { checks, done, looks, reports, passTo }
}

t.test('health checks: one look an interval, and what changes is said at once', async t => {
  let found = GOOD
  const { looks, reports, passTo } = testChecks({ found: () => found })
  await passTo(0)
  t.same(looks, [[0, 0]], 'the first one at once')
  t.strictSame(reports, [[
    {
      server: 0,
      isUp: true,
      found: 'status 200',
      reason: undefined,
      goodCount: 1,
      badCount: 0,
      tookMs: 0,
      atMs: 1_000_000
    }
  ]])
  found = BAD
  await passTo(4000)
  t.same(looks.slice(1), [[0, 2000], [0, 4000]])
  t.match(reports.at(-1), [{ isUp: true, found: 'connection refused' }], 'now and then, it is said')
  const before = reports.length
  await passTo(6000)
  t.match(reports[before], [{ isUp: false, reason: 'connection refused', goodCount: 1, badCount: 3, atMs: 1_006_000 }])
})

t.test('health checks: the intervals of many differ, by a tenth at most', async t => {
  let seed = 1
  const random = (): number => (seed = seed * 16_807 % 2_147_483_647) / 2_147_483_647
  const { looks, passTo } = testChecks({ servers: 256, random })
  await passTo(60_000)
  const timesOf = (server: number): number[] =>
    looks.filter(([index]) => index === server).map(([, ms]) => ms)
  const all = Array.from({ length: 256 }, (_, server) => timesOf(server))
  t.ok(all.every(([first]) => first! <= 200), 'all are looked at within a moment')
  t.ok(all.every(([first, second]) => second! - first! <= CHECK.intervalMs))
  const pauses = all.flatMap(([, ...times]) => times.slice(1).map((ms, at) => ms - times[at]!))
  t.ok(pauses.every(ms => ms >= CHECK.intervalMs * 0.9 && ms <= CHECK.intervalMs * 1.1))
  // In step, all 256 would fall into a few of the tenths of a second.
  for (const fromMs of [2000, 40_000]) {
    const counts = Array.from({ length: 20 }, (_, tenth) => looks.filter(
      ([, ms]) => Math.floor((ms - fromMs) / 100) === tenth).length)
    t.ok(Math.max(...counts) <= 30, `${counts.join(' ')} looks in the tenths from ${fromMs} ms on`)
  }
})

t.test('health checks: a slow look delays the next one of its own server only', async t => {
  let release = (): void => {}
  const slow = new Promise<Found>(resolve => { release = () => { resolve(GOOD) } })
  const { looks, passTo } = testChecks({
    servers: 2, random: () => 0.5, found: server => server === 0 ? slow as never : GOOD
  })
  await passTo(9000)
  t.equal(looks.filter(([server]) => server === 0).length, 1)
  t.ok(looks.filter(([server]) => server === 1).length >= 4)
  release()
  await passTo(9000)
  t.equal(looks.filter(([server]) => server === 0).length, 2, 'at once, being late')
})

t.test('health checks: end when they are closed', async t => {
  const { checks, done, looks, passTo } = testChecks()
  await passTo(2000)
  checks.close()
  await done
  const { length } = looks
  await passTo(60_000)
  t.equal(looks.length, length)
})

t.test('health checks: those that are others begin anew, the rest goes on as it was', async t => {
  const { checks, looks, reports, passTo, done } =
    testChecks({ servers: 3, found: server => server === 1 ? BAD : GOOD })
  await passTo(150)
  t.strictSame(looks.map(([server]) => server).sort(), [0, 1, 2])
  const [a, b, c, d] = testExternal(0, ['s0', 's1', 's2', 's3'])
    .map(server => ({ ...server, isUp: true }))
  const before = looks.length
  // The second has another address, the third is gone, the fourth is new.
  checks.replace([a!, { ...b!, publicUrl: 'https://new.example', isUp: undefined }, { ...d!, isUp: undefined }])
  await passTo(400)
  t.strictSame(looks.slice(before).map(([server]) => server).sort(), [1, 3], 'soon')
  await passTo(2300)
  t.strictSame(looks.slice(before).map(([server]) => server).sort(), [0, 1, 3, 3].concat(1).sort())
  t.ok(!looks.slice(before).some(([server]) => server === c!.index))
  const said = reports.slice(-4).flat().map(({ server }) => server)
  t.ok(said.includes(0), 'what is known of the others is said again')
  checks.close()
  await done
})
