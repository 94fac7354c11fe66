/** How many tokens that are none may be tried, from where. */
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import {
  NETWORKS_MAX, RIGHT_MAX, TokenThrottle, WRONG_TOKENS_MAX, WRONG_TOKENS_WINDOW_MS
} from '../../../src/monitor/access/token-throttle.ts'

const HERE = parseAddress('192.0.2.7')!
const THERE = parseAddress('192.0.2.8')!

function throttleAt (startMs = 0) {
  const clock = { nowMs: startMs }
  return { clock, throttle: new TokenThrottle(() => clock.nowMs) }
}

t.test('token throttle: five different ones within a minute, from each network', async t => {
  const { clock, throttle } = throttleAt()
  for (let at = 0; at < WRONG_TOKENS_MAX; at++) {
    t.equal(throttle.retryAfterS(HERE, `wrong ${at}`), undefined)
    throttle.noteWrong(HERE, `wrong ${at}`)
    clock.nowMs += 1000
  }
  t.equal(throttle.retryAfterS(HERE, 'another'), 55)
  t.equal(throttle.retryAfterS(HERE, 'wrong 0'), undefined, 'it does not guess any more')
  t.equal(throttle.retryAfterS(THERE, 'another'), undefined)
  clock.nowMs = WRONG_TOKENS_WINDOW_MS - 1
  t.equal(throttle.retryAfterS(HERE, 'another'), 1)
  clock.nowMs++
  t.equal(throttle.retryAfterS(HERE, 'another'), undefined, 'the oldest counts no more')
  throttle.noteWrong(HERE, 'another')
  t.equal(throttle.retryAfterS(HERE, 'one more'), 1)
})

t.test('token throttle: the same wrong one counts once, however often it comes', async t => {
  const { clock, throttle } = throttleAt()
  for (let at = 0; at < 100; at++) {
    throttle.noteWrong(HERE, 'revoked')
    clock.nowMs += 10_000
  }
  for (let at = 1; at < WRONG_TOKENS_MAX; at++) throttle.noteWrong(HERE, `wrong ${at}`)
  t.equal(throttle.retryAfterS(HERE, 'another'), 50, 'from when it came last')
})

t.test('token throttle: one that was right from there is never kept waiting, until it is wrong', async t => {
  const { throttle } = throttleAt()
  throttle.noteRight(HERE, 'mine')
  for (let at = 0; at < WRONG_TOKENS_MAX; at++) throttle.noteWrong(HERE, `wrong ${at}`)
  t.equal(throttle.retryAfterS(HERE, 'mine'), undefined)
  for (let at = 0; at < WRONG_TOKENS_MAX; at++) throttle.noteWrong(THERE, `wrong ${at}`)
  t.equal(throttle.retryAfterS(THERE, 'mine'), 60, 'from elsewhere it was never right')
  throttle.noteWrong(HERE, 'mine')
  for (let at = 0; at < WRONG_TOKENS_MAX; at++) throttle.noteWrong(HERE, `more ${at}`)
  t.equal(throttle.retryAfterS(HERE, 'another'), 60)
})

t.test('token throttle: what it remembers is bounded, and the oldest goes first', async t => {
  const { throttle } = throttleAt()
  for (let at = 0; at <= NETWORKS_MAX; at++) {
    throttle.noteWrong(parseAddress(`10.${at >> 16}.${at >> 8 & 255}.${at & 255}`)!, 'wrong')
  }
  t.equal(throttle.size, NETWORKS_MAX)
  for (let at = 0; at < RIGHT_MAX; at++) throttle.noteRight(HERE, `right ${at}`)
  throttle.noteRight(HERE, 'right 0')
  throttle.noteRight(HERE, 'one more')
  for (let at = 0; at < WRONG_TOKENS_MAX; at++) throttle.noteWrong(HERE, `wrong ${at}`)
  t.equal(throttle.retryAfterS(HERE, 'right 0'), undefined, 'used last')
  t.equal(throttle.retryAfterS(HERE, 'right 1'), 60)
})
