import t from 'tap'
import { nowOrLater, type Pause, type Steps } from '@usher/shared/now-or-later.ts'

/** Pauses by each of these, and returns how often it did. */
function * pausing (...pauses: readonly Pause[]): Steps<number> {
  for (const pause of pauses) yield pause
  return pauses.length
}

t.test('now or later: what does not pause gives its result, not a promise of it', async t => {
  t.equal(nowOrLater(pausing()), 0)
})

t.test('now or later: what pauses goes on when it is told to', async t => {
  const resumes: Array<() => void> = []
  const pause: Pause = resume => { resumes.push(resume) }
  const result = nowOrLater(pausing(pause, pause))
  t.equal(resumes.length, 1)
  resumes[0]!()
  t.equal(resumes.length, 2, 'in the same turn, up to the next pause')
  resumes[1]!()
  t.equal(await result, 2)
})

t.test('now or later: a pause may be over at once', async t => {
  t.equal(await nowOrLater(pausing(resume => { resume() }, resume => { resume() })), 2)
})

t.test('now or later: what is thrown before a pause is thrown, and behind one rejects', async t => {
  const failing = function * (...pauses: readonly Pause[]): Steps<number> {
    yield * pausing(...pauses)
    throw new Error('broken')
  }
  t.throws(() => nowOrLater(failing()), { message: 'broken' })
  await t.rejects(Promise.resolve(nowOrLater(failing(resume => { resume() }))), { message: 'broken' })
})
