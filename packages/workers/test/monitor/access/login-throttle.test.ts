import t from 'tap'
import fc from 'fast-check'
import { parseAddress, type Address } from '@usher/shared/client.ts'
import {
  ATTEMPTS_MAX, LoginThrottle, TRIES_MAX, WINDOW_MS, type Attempt, type AttemptOutcome
} from '../../../src/monitor/access/login-throttle.ts'

const HOME = '192.0.2.7'
const GO = { kind: 'go' } as const

function wait (retryAfterS: number): Attempt {
  return { kind: 'wait', retryAfterS }
}

interface TestThrottle {
  readonly clock: { nowMs: number }
  readonly throttle: LoginThrottle
  begin (name?: string, address?: string | Address): Attempt
  /** An attempt that ends at once. */
  attempt (outcome: AttemptOutcome, name?: string, address?: string | Address): Attempt['kind']
}

function testThrottle (triesMax?: number): TestThrottle {
  const clock = { nowMs: 5_000_000 }
  const throttle = new LoginThrottle(() => clock.nowMs, triesMax)
  const begin: TestThrottle['begin'] = (name = 'anna', address = HOME) =>
    throttle.begin(typeof address === 'string' ? parseAddress(address)! : address, name)
  return {
    clock,
    throttle,
    begin,
    attempt (outcome, name, address) {
      const attempt = begin(name, address)
      if (attempt.kind === 'go') attempt.end(outcome)
      return attempt.kind
    }
  }
}

function times (count: number, work: () => unknown): unknown[] {
  return Array.from({ length: count }, work)
}

/** Another /64 for each number. */
function addressNumber (number: number): Address {
  return { w0: 0x2001_0db8, w1: number, w2: 0, w3: 1 }
}

t.test('login throttle: the sixth waits until the first failure is a minute old', async t => {
  const { clock, begin, attempt } = testThrottle()
  t.equal(attempt('wrong'), 'go')
  clock.nowMs += 10_000
  t.same(times(4, () => attempt('wrong')), Array(4).fill('go'))
  t.same(begin(), wait(50))
  clock.nowMs += 49_000
  t.same(begin(), wait(1))
  clock.nowMs += 999
  t.same(begin(), wait(1), '59.999 s')
  clock.nowMs += 1
  t.equal(attempt('wrong'), 'go', '60 s')
  t.same(begin(), wait(10), 'until the second is')
})

t.test('login throttle: refused attempts do not count', async t => {
  const { clock, attempt } = testThrottle()
  times(5, () => attempt('wrong'))
  clock.nowMs += WINDOW_MS - 1
  t.same(times(100, () => attempt('wrong')), Array(100).fill('wait'))
  clock.nowMs += 1
  t.same(times(6, () => attempt('wrong')), [...Array<string>(5).fill('go'), 'wait'])
})

t.test('login throttle: attempts count from their start', async t => {
  const { begin } = testThrottle()
  const running = times(5, () => begin()) as Attempt[]
  t.match(running, Array(5).fill(GO))
  t.same(begin(), wait(1))
  for (const [each, attempt] of running.entries()) {
    if (attempt.kind !== 'go') continue
    attempt.end('right')
    attempt.end('right') // Told twice, it makes room once.
    const [next, afterNext] = [begin(), begin()]
    t.match([next, afterNext], [GO, wait(1)], `${each}`)
  }
})

t.test('login throttle: a failure counts from when it is known', async t => {
  const { clock, begin, attempt } = testThrottle()
  const slow = begin()
  clock.nowMs += 30_000
  times(4, () => attempt('wrong'))
  if (slow.kind === 'go') slow.end('wrong')
  clock.nowMs += WINDOW_MS - 1
  t.same(begin(), wait(1))
})

t.test('login throttle: right passwords and trouble of our own do not count, and leave nothing', async t => {
  const { throttle, attempt } = testThrottle()
  for (const outcome of ['right', 'failed'] as const) {
    t.same(times(100, () => attempt(outcome)), Array(100).fill('go'))
  }
  t.equal(throttle.size, 0)
  times(4, () => attempt('wrong'))
  t.equal(attempt('right'), 'go')
  t.same([attempt('wrong'), attempt('right')], ['go', 'wait'], 'nor do they forgive')
})

t.test('login throttle: who is one account and who one address', async t => {
  const cases: ReadonlyArray<[name: string, address: string, isSame: boolean]> = [
    ['anna', HOME, true],
    ['ANNA', HOME, true],
    ['anna', '::ffff:192.0.2.7', true],
    ['anna', '192.0.2.8', false],
    ['anna', '::', false],
    ['ann', HOME, false],
    ['', HOME, false]
  ]
  for (const [name, address, isSame] of cases) {
    const { attempt } = testThrottle()
    times(5, () => attempt('wrong'))
    t.equal(attempt('wrong', name, address), isSame ? 'wait' : 'go', `${name} ${address}`)
  }
  const { attempt } = testThrottle()
  times(5, () => attempt('wrong', 'Jürgen', '2001:db8:0:1::1'))
  t.equal(attempt('wrong', 'JU\u0308RGEN', '2001:db8:0:1:ffff:ffff:ffff:ffff'), 'wait')
  t.equal(attempt('wrong', 'Jürgen', '2001:db8:0:2::1'), 'go')
})

t.test('login throttle: the longest names differ in their last letter, longer ones are one', async t => {
  const { attempt } = testThrottle()
  const longest = '\ufb03'.repeat(63) // Three letters each, as capitals.
  times(5, () => attempt('wrong', `${longest}a`))
  t.same([attempt('wrong', `${longest}a`), attempt('wrong', `${longest}b`)], ['wait', 'go'])
  times(5, () => attempt('wrong', `${'x'.repeat(10_000)}a`))
  t.equal(attempt('wrong', `${'x'.repeat(10_000)}b`), 'wait')
})

t.test('login throttle: the owner is not locked out from another address', async t => {
  const { attempt } = testThrottle()
  for (let each = 0; each < 1000; each++) times(6, () => attempt('wrong', 'anna', addressNumber(each)))
  t.equal(attempt('right', 'anna', HOME), 'go')
})

t.test('login throttle: no flood makes it forget the attacked one, and its memory has an end', async t => {
  const nameNumber = (number: number): string => `name ${number}`
  const floods = [
    { what: 'of names', name: nameNumber, address: () => HOME },
    { what: 'of addresses', name: () => 'anna', address: addressNumber },
    { what: 'of both', name: nameNumber, address: addressNumber }
  ]
  for (const { what, name, address } of floods) {
    const { throttle, begin, attempt } = testThrottle()
    times(5, () => attempt('wrong'))
    for (let each = 0; each < 5 * TRIES_MAX; each++) attempt('wrong', name(each), address(each))
    t.equal(throttle.size, TRIES_MAX, what)
    t.same(begin(), wait(60), what)
  }
})

t.test('login throttle: of equals the oldest goes first', async t => {
  const { throttle, attempt } = testThrottle(3)
  for (const name of ['a', 'b', 'c']) times(4, () => attempt('wrong', name))
  times(1, () => attempt('wrong', 'c')) // Five of them: it stays longest.
  attempt('wrong', 'd') // In place of a.
  t.equal(throttle.size, 3)
  t.same(times(2, () => attempt('wrong', 'c')), ['wait', 'wait'])
  t.same(times(2, () => attempt('wrong', 'b')), ['go', 'wait'])
  t.same(times(6, () => attempt('wrong', 'a')), [...Array<string>(5).fill('go'), 'wait'], 'forgotten')
})

t.test('login throttle: what runs is never forgotten; beyond the bound nothing begins', async t => {
  const { throttle, begin } = testThrottle(3)
  const running = ['a', 'b', 'c'].map(name => begin(name))
  t.match(running, [GO, GO, GO])
  t.same(begin('d'), wait(1))
  t.match(begin('a'), GO, 'who is known may')
  t.equal(throttle.size, 3)
  if (running[1]!.kind === 'go') running[1]!.end('wrong')
  t.match(begin('d'), GO)
  t.equal(throttle.size, 3)
})

t.test('login throttle: what is over leaves by itself', async t => {
  const { clock, throttle, attempt } = testThrottle()
  for (let each = 0; each < 1000; each++) attempt('wrong', `name ${each}`)
  clock.nowMs += WINDOW_MS
  for (let each = 0; each < 500; each++) attempt('right')
  t.equal(throttle.size, 0)
})

/** The plain rule: a list of everything that ever happened. */
class Model {
  readonly events: Array<{ key: string, isRunning: boolean, failedMs: number | undefined }> = []

  count (key: string, nowMs: number): number {
    return this.events.filter(event => event.key === key && (event.isRunning ||
      (event.failedMs !== undefined && nowMs - event.failedMs < WINDOW_MS))).length
  }
}

const outcome = fc.constantFrom<AttemptOutcome>('right', 'wrong', 'wrong', 'wrong', 'failed')
const step = fc.oneof(
  fc.record({
    do: fc.constant('begin' as const),
    name: fc.integer({ min: 0, max: 2 }),
    address: fc.integer({ min: 0, max: 1 })
  }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(), outcome }),
  fc.record({
    do: fc.constant('pass' as const),
    ms: fc.constantFrom(0, 1, 999, 10_000, 29_999, 59_999, 60_000)
  })
)

type Running = { end (outcome: AttemptOutcome): void, event: Model['events'][number] }

t.test('login throttle: with room for all it is the plain rule', async t => {
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), steps => {
    const { clock, begin } = testThrottle()
    const model = new Model()
    const running: Running[] = []
    for (const one of steps) {
      if (one.do === 'pass') clock.nowMs += one.ms
      if (one.do === 'end' && running.length > 0) {
        const [{ end, event }] = running.splice(one.which % running.length, 1) as [Running]
        end(one.outcome)
        event.isRunning = false
        if (one.outcome === 'wrong') event.failedMs = clock.nowMs
      }
      if (one.do !== 'begin') continue
      const key = `${one.name} ${one.address}`
      const attempt = begin(`name ${one.name}`, addressNumber(one.address))
      const isAllowed = model.count(key, clock.nowMs) < ATTEMPTS_MAX
      if (isAllowed !== (attempt.kind === 'go')) return false
      if (attempt.kind === 'wait') {
        if (attempt.retryAfterS < 1 || attempt.retryAfterS > 60) return false
        continue
      }
      const event = { key, isRunning: true, failedMs: undefined }
      model.events.push(event)
      running.push({ end: outcome => attempt.end(outcome), event })
    }
    return true
  }), { numRuns: 500 })
  t.pass('500 runs')
})

t.test('login throttle: in any flood it holds its bound, and who has to wait waits', async t => {
  const flood = fc.array(fc.record({
    name: fc.integer({ min: 0, max: 10 }),
    address: fc.integer({ min: 0, max: 10 }),
    outcome,
    isLeftRunning: fc.boolean()
  }), { maxLength: 300 })
  fc.assert(fc.property(flood, fc.integer({ min: 1, max: 12 }), (attempts, triesMax) => {
    const { throttle, begin, attempt } = testThrottle(triesMax)
    times(5, () => attempt('wrong', 'attacked'))
    return attempts.every(({ name, address, outcome, isLeftRunning }) => {
      const begun = begin(`name ${name}`, addressNumber(address))
      if (begun.kind === 'go' && !isLeftRunning) begun.end(outcome)
      return throttle.size <= triesMax && begin('attacked').kind === 'wait'
    })
  }), { numRuns: 500 })
  t.pass('500 runs')
})
