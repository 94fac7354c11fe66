/** How many tries somebody has, for how long, and what is remembered of them. */
import t from 'tap'
import { parseAddress, type Address } from '@usher/shared/client.ts'
import { ADDRESSES_MAX, LoginThrottle, type Attempt } from '../../src/monitor/login-throttle.ts'

const HERE = parseAddress('192.0.2.7')!

function testThrottle () {
  const clock = { nowMs: 1_000_000 }
  const throttle = new LoginThrottle(() => clock.nowMs)
  const begin = (name = 'ana', address: Address = HERE): Attempt => throttle.begin(address, name)
  const fail = (name?: string, address?: Address): Attempt['kind'] => {
    const attempt = begin(name, address)
    if (attempt.kind === 'go') attempt.end('wrong')
    return attempt.kind
  }
  return { clock, throttle, begin, fail }
}

function times (count: number, work: () => string): string[] {
  return Array.from({ length: count }, work)
}

t.test('login throttle: five wrong ones, then a wait of what is left of the minute', async t => {
  const { clock, begin, fail } = testThrottle()
  t.equal(fail(), 'go')
  clock.nowMs += 10_000
  t.strictSame(times(4, () => fail()), Array(4).fill('go'))
  t.strictSame(begin(), { kind: 'wait', retryAfterS: 50 })
  clock.nowMs += 49_999
  t.strictSame(begin(), { kind: 'wait', retryAfterS: 1 })
  clock.nowMs += 1
  t.equal(fail(), 'go', 'the first no longer counts')
  t.strictSame(begin(), { kind: 'wait', retryAfterS: 10 })
})

t.test('login throttle: attempts count when they start', async t => {
  const { begin } = testThrottle()
  const running = Array.from({ length: 5 }, () => begin())
  t.ok(running.every(({ kind }) => kind === 'go'))
  t.strictSame(begin(), { kind: 'wait', retryAfterS: 1 })
  for (const attempt of running) if (attempt.kind === 'go') attempt.end('right')
  t.equal(begin().kind, 'go')
})

t.test('login throttle: right ones and our own failures do not count on', async t => {
  const { begin, throttle } = testThrottle()
  for (let i = 0; i < 20; i++) {
    const attempt = begin()
    if (attempt.kind === 'wait') return t.fail('refused')
    attempt.end(i % 2 === 0 ? 'right' : 'failed')
  }
  t.equal(throttle.size, 0, 'and nothing is kept of them')
})

t.test('login throttle: names as accounts compare them, addresses each by itself, IPv6 by /64', async t => {
  const { fail } = testThrottle()
  times(5, () => fail('ana'))
  t.equal(fail('ANA'), 'wait')
  t.equal(fail('bo'), 'go')
  t.equal(fail('ana', parseAddress('192.0.2.8')), 'go', 'the owner comes from elsewhere')
  t.equal(fail('ana', parseAddress('::ffff:192.0.2.7')), 'wait')
  times(5, () => fail('ana', parseAddress('2001:db8:0:1::1')))
  t.equal(fail('ana', parseAddress('2001:db8:0:1:ffff::9')), 'wait')
  t.equal(fail('ana', parseAddress('2001:db8:0:2::1')), 'go')
})

t.test('login throttle: a flood of other names does not make it forget one', async t => {
  const { fail } = testThrottle()
  times(5, () => fail('ana'))
  const kinds = Array.from({ length: 5000 }, (_, each) => fail(`name ${each}`))
  t.equal(fail('ana'), 'wait')
  t.equal(kinds.filter(kind => kind === 'go').length, 63 + 5, 'names beyond 64 share one record')
})

t.test('login throttle: names whose minute is over make room', async t => {
  const { clock, fail } = testThrottle()
  for (let each = 0; each < 64; each++) fail(`name ${each}`)
  clock.nowMs += 60_000
  t.strictSame(times(5, () => fail('ana')), Array(5).fill('go'))
  t.equal(fail('ana'), 'wait')
  t.equal(fail('bo'), 'go')
})

t.test('login throttle: holds so many addresses at most, the oldest go first', async t => {
  const { fail, throttle } = testThrottle()
  const address = (number: number): Address => ({ w0: number, w1: 0, w2: 0, w3: 1 })
  times(5, () => fail('ana', address(1)))
  for (let each = 2; each <= ADDRESSES_MAX; each++) fail('ana', address(each))
  t.equal(fail('ana', address(1)), 'wait', 'asked for again, it is the newest')
  for (let each = 0; each < 500; each++) fail('ana', address(-1 - each))
  t.equal(throttle.size, ADDRESSES_MAX)
  t.equal(fail('ana', address(1)), 'wait')
})
