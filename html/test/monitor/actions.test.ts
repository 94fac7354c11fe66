/** What the console sends for each action, and says of the answers; the monitor is a fake. */
import t from 'tap'
import { Actions } from '../../monitor-script/actions.ts'
import type { Answer } from '../../monitor-script/api.ts'
import { denyQuestion, type Choice } from '../../monitor-script/questions.ts'
import type { User } from '../../monitor-script/users-page.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

function testUser (user: Partial<User> = {}): User {
  return {
    id: ID, kind: 'id', address: '192.0.2.1', server: 8000, first_seen: '', last_seen: '', ...user
  }
}

function testChoice (choice: Partial<Choice> = {}): Choice {
  return { reason: '', minutes: undefined, withAddresses: false, target: '', ...choice }
}

/** @param statuses of the answers in turn; 200 from then on */
function testActions (statuses: readonly number[] = [], { isAgreed = true } = {}) {
  const sent: Array<[string, object]> = []
  const asked: string[] = []
  const left = [...statuses]
  const actions = new Actions({
    post: async (path, body) => {
      sent.push([path, body])
      const status = left.shift() ?? 200
      return status === 200
        ? { isOk: true, body: {} }
        : { isOk: false, status, error: '', message: `Status ${status}.`, retryAfterS: undefined } as
          Answer<unknown>
    },
    ask: async ({ title }) => {
      asked.push(title)
      return isAgreed ? testChoice() : undefined
    }
  })
  return { actions, sent, asked }
}

t.test('actions: disconnects without denying, and minds nobody who has left', async t => {
  const { actions, sent } = testActions([200, 404])
  const outcome = await actions.disconnect([testUser(), testUser({ id: 'b' })], testChoice())
  t.strictSame(sent, [
    ['/disconnect', { userId: ID, deny: false }], ['/disconnect', { userId: 'b', deny: false }]
  ])
  t.strictSame(outcome, { isDone: true, text: '2 users disconnected.' })
})

t.test('actions: stops at the first that fails, and says how far it came', async t => {
  const { actions, sent } = testActions([200, 503])
  const users = ['a', 'b', 'c'].map(id => testUser({ id }))
  t.strictSame(await actions.disconnect(users, testChoice({ reason: 'Late' })),
    { isDone: false, text: '1 of 3 done. Status 503.' })
  t.equal(sent.length, 2)
  t.match(sent[0], ['/disconnect', { reason: 'Late' }])
})

t.test('actions: denies ids, then each address once', async t => {
  const { actions, sent } = testActions()
  const choice = testChoice({ minutes: 60, reason: 'Flood', withAddresses: true })
  const outcome = await actions.deny([testUser({ id: 'a' }), testUser({ id: 'b' })], choice)
  const terms = { reason: 'Flood', minutes: 60 }
  t.strictSame(sent, [
    ['/disconnect', { userId: 'a', deny: true, ...terms }],
    ['/disconnect', { userId: 'b', deny: true, ...terms }],
    ['/deny', { address: '192.0.2.1', ...terms }]
  ])
  t.equal(outcome.text, '2 users denied for 1 h.')
})

t.test('actions: denies who has left in the meantime, and who has no id by address', async t => {
  const { actions, sent } = testActions([404])
  await actions.deny([testUser(), testUser({ id: '192.0.2.9', kind: 'ip' })], testChoice())
  t.strictSame(sent.slice(1), [
    ['/deny', { userId: ID }], ['/deny', { address: '192.0.2.9' }]
  ])
})

t.test('actions: an own address is denied only when it is meant', async t => {
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const outcome = await actions.denyTarget(testChoice({ target: '192.0.2.0/24' }))
    t.strictSame(asked, ['Deny 192.0.2.0/24, your own address?'])
    t.strictSame(sent[1], isAgreed ? ['/deny', { address: '192.0.2.0/24', force: true }] : undefined)
    t.equal(outcome.isDone, isAgreed)
  }
})

t.test('actions: tells an id from an address', async t => {
  const { actions, sent } = testActions()
  await actions.denyTarget(testChoice({ target: ID.toUpperCase() }))
  t.strictSame(sent[0], ['/deny', { userId: ID.toUpperCase() }])
})

t.test('actions: the last server is drained only when it is meant', async t => {
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const outcome = await actions.drain('8000')
    t.strictSame(asked, ['Drain 8000, the last one?'])
    t.equal(sent.length, isAgreed ? 2 : 1)
    t.equal(outcome.isDone, isAgreed)
  }
})

t.test('actions: allows what was denied, and minds nothing that is over', async t => {
  const { actions, sent } = testActions([404])
  const outcome = await actions.allow({ address: '192.0.2.1' })
  t.strictSame(sent, [['/allow', { address: '192.0.2.1' }]])
  t.strictSame(outcome, { isDone: true, text: '192.0.2.1 is allowed again.' })
})

t.test('actions: makes a server ready, and says when nobody answers', async t => {
  const { actions, sent } = testActions([0])
  t.match(await actions.makeReady('8001'), { isDone: false, text: /does not answer/ })
  t.strictSame(sent, [['/servers/8001/ready', {}]])
})

t.test('questions: the button says how many and for how long', async t => {
  const question = denyQuestion([testUser(), testUser({ id: 'b', address: '::1' })])
  t.equal(question.go(15), 'Deny 2 users for 15 min')
  t.equal(question.go(undefined), 'Deny 2 users until allowed')
  t.equal(question.addresses?.with, 'The 2 ids and the 2 addresses last seen from')
  t.equal(denyQuestion([testUser({ kind: 'ip' })]).addresses, undefined, 'an address is one already')
})
