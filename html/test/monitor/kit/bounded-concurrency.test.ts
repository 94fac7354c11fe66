/** Many requests, a few at a time. */
import t from 'tap'
import type { Failure } from '../../../monitor-script/kit/api.ts'
import { AT_A_TIME_MAX, withBoundedConcurrency } from '../../../monitor-script/kit/bounded-concurrency.ts'

const FAILURE: Failure = {
  isOk: false, status: 503, error: '', message: '', retryAfterS: undefined
}
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

t.test('each: all are done, a few at a time, each counted once', async t => {
  let running = 0
  let most = 0
  const counts: number[] = []
  const { doneCount, failure } = await withBoundedConcurrency([...Array(30).keys()], async () => {
    most = Math.max(most, ++running)
    await turn()
    running--
    return undefined
  }, count => { counts.push(count) })
  t.equal(most, AT_A_TIME_MAX)
  t.strictSame(counts, [...Array(30).keys()].map(at => at + 1))
  t.strictSame([doneCount, failure], [30, undefined])
})

t.test('each: starts none after one has failed, and waits for those on their way', async t => {
  const ended: number[] = []
  const { doneCount, failure } = await withBoundedConcurrency([...Array(30).keys()], async item => {
    if (item === 1) return FAILURE
    await turn()
    ended.push(item)
    return undefined
  }, () => {})
  t.equal(failure, FAILURE)
  t.strictSame(ended, [0, 2, 3])
  t.equal(doneCount, 3)
})

t.test('each: nothing is done at once', async t => {
  const result = await withBoundedConcurrency([], async () => FAILURE, () => {})
  t.strictSame(result, { doneCount: 0, failure: undefined })
})
