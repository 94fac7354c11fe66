import t from 'tap'
import { PendingAnswers } from '@usher/shared/pending-answers.ts'

const RELOAD = 'prepare-reload'
const SAVE = 'save-users'

t.test('pending answers: each is posted under an id of its own', async t => {
  const { send, posted, questions } = testQuestions()
  const sent = [send(RELOAD), send(SAVE), send(RELOAD)]
  t.strictSame(posted.map(({ type }) => type), [RELOAD, SAVE, RELOAD])
  t.equal(new Set(posted.map(({ id }) => id)).size, 3)
  for (const { id } of posted) questions.settle(id, undefined)
  await t.resolves(Promise.all(sent))
})

t.test('pending answers: a question ends with the answer to it', async t => {
  const { send, posted, questions } = testQuestions()
  const [first, second] = [send(SAVE), send(SAVE)]
  questions.settle(posted[1]!.id, { saved: 2 })
  questions.settle(posted[0]!.id, { saved: 1 })
  t.same(await Promise.all([first, second]), [{ saved: 1 }, { saved: 2 }])
})

t.test('pending answers: an answer ends the question with its id and no other', async t => {
  const { send, posted, questions } = testQuestions()
  const [first, second] = [send(RELOAD), send(RELOAD, 5)]
  questions.settle(posted[0]!.id, undefined)
  await t.resolves(first)
  await t.rejects(second, { code: 'USHER_ORDER_TIMED_OUT' }, 'nobody has answered the other one')
})

t.test('pending answers: a failure carries code, message and stack of the other thread\'s error', async t => {
  const { send, posted, questions } = testQuestions()
  const sent = send(RELOAD)
  const error = { code: 'USHER_SITE_TOO_LARGE', message: 'too large by far', stack: 'far away' }
  questions.fail(posted[0]!.id, error)
  await t.rejects(sent, error)
  await t.rejects(sent, Error)
})

t.test('pending answers: the deadline names who was asked what', async t => {
  const { send } = testQuestions()
  const startMs = performance.now()
  await t.rejects(send(SAVE, 20), {
    code: 'USHER_ORDER_TIMED_OUT', message: 'server 8000 did not answer save-users in time'
  })
  t.ok(performance.now() - startMs >= 18)
})

t.test('pending answers: an answer after the deadline, or to nothing, is nobody\'s', async t => {
  const { send, posted, questions } = testQuestions()
  await t.rejects(send(SAVE, 1), { code: 'USHER_ORDER_TIMED_OUT' })
  const next = send(RELOAD)
  questions.settle(posted[0]!.id, undefined)
  questions.settle(4711, undefined)
  questions.settle(posted[1]!.id, undefined)
  questions.fail(posted[1]!.id, { code: '', message: '', stack: '' })
  await t.resolves(next)
})

t.test('pending answers: all that are left end with the other thread', async t => {
  const { send, questions } = testQuestions()
  const sent = [send(RELOAD), send(SAVE)]
  questions.abandon()
  await t.rejects(sent[0]!, {
    code: 'USHER_WORKER_GONE', message: 'server 8000 ended before it answered prepare-reload'
  })
  await t.rejects(sent[1]!, { message: 'server 8000 ended before it answered save-users' })
  questions.abandon()
})

t.test('pending answers: one that ended keeps no timer', async t => {
  const cleared = t.capture(globalThis, 'clearTimeout', globalThis.clearTimeout)
  const { send, posted, questions } = testQuestions()
  const sent = [send(RELOAD), send(SAVE)]
  questions.settle(posted[0]!.id, undefined)
  t.equal(cleared().length, 1)
  questions.abandon()
  t.equal(cleared().length, 1)
  questions.abandon()
  t.equal(cleared().length, 0, 'it is forgotten')
  await Promise.allSettled(sent)
})

function testQuestions () {
  const posted: Array<{ readonly id: number, readonly type: string }> = []
  const questions = new PendingAnswers('server 8000')
  return {
    questions,
    posted,
    send: (type: string, timeoutMs = 60_000) =>
      questions.send(type, timeoutMs, id => { posted.push({ id, type }) })
  }
}
