/** Refusals that may be an attack are logged, but never without bound. */
import t from 'tap'
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import { LINES_PER_MINUTE_MAX, RefusalLog, type Refused } from '../../../src/monitor/access/refusal-log.ts'

const REFUSED: Refused = {
  method: 'POST', path: '/deny', address: '192.0.2.7', who: 'desk', token: undefined, hasToken: false
}

function start (): { lines: object[], clock: { nowMs: number }, refusals: RefusalLog } {
  const lines: object[] = []
  const clock = { nowMs: 0 }
  const log = { warn: (line: object) => { lines.push(line) } } as never
  return { lines, clock, refusals: new RefusalLog(log, () => clock.nowMs) }
}

t.test('refusal log: says who was refused what', async t => {
  const { lines, refusals } = start()
  refusals.note('forbidden', REFUSED)
  t.strictSame(lines, [{
    code: 'forbidden',
    method: 'POST',
    path: '/deny',
    address: '192.0.2.7',
    who: 'desk',
    token: undefined,
    unlogged: undefined
  }])
})

t.test('refusal log: what happens to anybody is not worth a line', async t => {
  const { lines, refusals } = start()
  const ordinary: ApiErrorCode[] = ['bad_request', 'not_found', 'not_logged_in', 'busy']
  for (const code of ordinary) refusals.note(code, REFUSED)
  t.strictSame(lines, [])
  refusals.note('not_logged_in', { ...REFUSED, hasToken: true })
  t.match(lines, [{ code: 'not_logged_in' }], 'a wrong token is')
})

t.test('refusal log: so many lines a minute, of each kind; then says how many were left out', async t => {
  const { lines, clock, refusals } = start()
  for (let at = 0; at < LINES_PER_MINUTE_MAX + 3; at++) refusals.note('forged_action', REFUSED)
  t.equal(lines.length, LINES_PER_MINUTE_MAX)
  refusals.note('forbidden', REFUSED)
  t.match(lines.at(-1), { code: 'forbidden' }, 'a flood of one kind hides no other')
  clock.nowMs = 59_999
  refusals.note('forged_action', REFUSED)
  t.equal(lines.length, LINES_PER_MINUTE_MAX + 1)
  clock.nowMs = 60_000
  refusals.note('forged_action', REFUSED)
  t.match(lines.at(-1), { code: 'forged_action', unlogged: 4 })
  refusals.note('forged_action', REFUSED)
  t.match(lines.at(-1), { code: 'forged_action', unlogged: undefined })
})

t.test('refusal log: a denied address and one that asks too much are worth a line', async t => {
  const { lines, refusals } = start()
  refusals.note('denied', REFUSED)
  refusals.note('too_many_at_once', REFUSED)
  t.match(lines, [{ code: 'denied' }, { code: 'too_many_at_once' }])
})

t.test('refusal log: a line has an end', async t => {
  const { lines, refusals } = start()
  refusals.note('misdirected_request', { ...REFUSED, path: '/'.repeat(10_000) })
  t.equal((lines[0] as { path: string }).path.length, 256)
})
