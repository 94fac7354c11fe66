import t from 'tap'
import { nowOrLater, type Pause, type Steps } from '@usher/shared/now-or-later.ts'

const atOnce: Pause = resume => { resume() }

/** Pauses by each of these, and returns how often it did. */
function * pausing (...pauses: readonly Pause[]): Steps<number> {
  for (const pause of pauses) yield pause
  return pauses.length
}

t.test('now or later: what does not pause gives its result, not a promise of it', async t => {
  t.equal(nowOrLater(pausing(), count => `${count} pauses`), '0 pauses')
})

t.test('now or later: what pauses goes on when it is told to', async t => {
  const resumes: Array<() => void> = []
  const pause: Pause = resume => { resumes.push(resume) }
  const result = nowOrLater(pausing(pause, pause), count => `${count} pauses`)
  t.equal(resumes.length, 1)
  resumes[0]!()
  t.equal(resumes.length, 2, 'in the same turn, up to the next pause')
  resumes[1]!()
  t.equal(await result, '2 pauses')
})

t.test('now or later: a pause may be over at once', async t => {
  t.equal(await nowOrLater(pausing(atOnce, atOnce), count => count), 2)
})

t.test('now or later: what is thrown before a pause is thrown, and behind one rejects', async t => {
  const fail = (): never => { throw new Error('broken') }
  const failing = function * (...pauses: readonly Pause[]): Steps<number> {
    yield * pausing(...pauses)
    return fail()
  }
  for (const [steps, finish] of [[failing, Number], [pausing, fail]] as const) {
    t.throws(() => nowOrLater(steps(), finish), { message: 'broken' })
    await t.rejects(Promise.resolve(nowOrLater(steps(atOnce), finish)), { message: 'broken' })
  }
})
