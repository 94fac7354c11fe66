/** What the console sends for each action, and says of the answers; the monitor is a fake. */
import t from 'tap'
import { Actions } from '../../../monitor-script/actions/action-requests.ts'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import type { Choice } from '../../../monitor-script/actions/questions.ts'
import { ID, testUser } from '../fixtures/test-user.ts'

function testChoice (choice: Partial<Choice> = {}): Choice {
  return { reason: '', minutes: undefined, scope: 'ids', target: '', ...choice }
}

/** @param statuses of the answers in turn; 200 from then on */
function testActions (
  statuses: readonly number[] = [],
  { isAgreed = true, users = 0, body = {}, isInFleet = false } = {}
) {
  const sent: Array<[string, object]> = []
  const asked: string[] = []
  const told: string[] = []
  const progress: string[] = []
  const left = [...statuses]
  const actions = new Actions({
    post: async (path, question) => {
      sent.push([path, question])
      const status = left.shift() ?? 200
      return status === 200
        ? { isOk: true, body }
        : { isOk: false, status, error: '', message: `Status ${status}.`, retryAfterS: undefined } as
          Answer<unknown>
    },
    ask: async ({ title, what }) => {
      asked.push(title)
      told.push(what)
      return isAgreed ? testChoice() : undefined
    },
    reach: async target => ({ address: target.includes(':') ? '2001:db8::/64' : target, users }),
    isInFleet: () => isInFleet,
    onProgress: (what, done, total) => { progress.push(`${what}: ${done} of ${total}`) }
  })
  return { actions, sent, asked, told, progress }
}

t.test('actions: disconnects without denying, and minds nobody who has left', async t => {
  const { actions, sent } = testActions([200, 404])
  const outcome = await actions.disconnect([testUser(), testUser({ id: 'b' })], testChoice())
  t.strictSame(sent, [
    ['/disconnect', { userId: ID, deny: false }], ['/disconnect', { userId: 'b', deny: false }]
  ])
  t.strictSame(outcome, { isDone: true, text: '2 users disconnected.' })
})

t.test('actions: removes a server, also by force, and says who does not know it yet', async t => {
  const { actions, sent } = testActions([409])
  t.strictSame(await actions.removeServer('shop'), { isDone: true, text: 'shop was removed.' })
  t.strictSame(sent, [['/servers/shop/remove', {}], ['/servers/shop/remove', { force: true }]])
  t.match(await testActions([404]).actions.removeServer('shop'), { isDone: true })
  t.match(await testActions([503]).actions.removeServer('shop'), { isDone: false, text: /Status 503/ })
  t.match(await testActions([], { body: { late: ['server red'] } }).actions.removeServer('shop'), {
    isDone: true, text: /^shop was removed\. Not every thread knows it yet \(server red\)/
  })
})

t.test('actions: stops at the first that fails, and says how far it came', async t => {
  const { actions, sent } = testActions([200, 503])
  const users = [...'abcdefgh'].map(id => testUser({ id }))
  t.strictSame(await actions.disconnect(users, testChoice({ reason: 'Late' })),
    { isDone: false, text: '4 of 8 done. Status 503.' }, 'those on their way are waited for')
  t.equal(sent.length, 5)
  t.match(sent[0], ['/disconnect', { reason: 'Late' }])
})

t.test('actions: denies ids, then each address once', async t => {
  const { actions, sent } = testActions()
  const choice = testChoice({ minutes: 60, reason: 'Flood', scope: 'addresses' })
  const outcome = await actions.deny([testUser({ id: 'a' }), testUser({ id: 'b' })], choice)
  const terms = { reason: 'Flood', minutes: 60 }
  t.strictSame(sent, [
    ['/disconnect', { userId: 'a', deny: true, ...terms }],
    ['/disconnect', { userId: 'b', deny: true, ...terms }],
    ['/deny', { address: '192.0.2.1', ...terms }]
  ])
  t.equal(outcome.text, '2 users denied for 1 h.')
})

t.test('actions: says how far it is', async t => {
  const { actions, progress } = testActions()
  await actions.disconnect([...'abc'].map(id => testUser({ id })), testChoice())
  t.strictSame(progress, [1, 2, 3].map(done => `Disconnecting 3 users: ${done} of 3`))
})

t.test('actions: denies ranges, and whoever has no id by that alone', async t => {
  const { actions, sent } = testActions()
  const users = [
    testUser({ id: 'a', address: '2001:db8::5' }),
    testUser({ id: '192.0.2.9', kind: 'ip', address: '192.0.2.9' })
  ]
  await actions.deny(users, testChoice({ scope: 'ranges' }))
  t.strictSame(sent, [
    ['/disconnect', { userId: 'a', deny: true }],
    ['/deny', { address: '2001:db8::/64' }],
    ['/deny', { address: '192.0.2.0/24' }]
  ])
})

t.test('actions: undo allows what was denied, and nothing that was not', async t => {
  const { actions, sent } = testActions([200, 200, 503])
  const users = [testUser({ id: 'a' }), testUser({ id: '192.0.2.9', kind: 'ip' }), testUser({ id: 'c' })]
  const { denied, text } = await actions.deny(users, testChoice())
  t.equal(text, '2 of 3 done. Status 503.')
  sent.length = 0
  const outcome = await actions.undo(denied!)
  t.strictSame(sent, [['/allow', { userId: 'a' }], ['/allow', { address: '192.0.2.9' }]])
  t.strictSame(outcome, { isDone: true, text: 'Undone: 2 entries are allowed again.' })
})

t.test('actions: a node\'s last server is not the fleet\'s', async t => {
  const { actions, told } = testActions([409, 409, 409, 409], { isInFleet: true, isAgreed: false })
  await actions.drain('elm/8000', testChoice())
  await actions.maintain('shop', testChoice())
  await actions.restart('8000')
  await actions.removeServer('shop')
  t.equal(told.filter(what => /other nodes/.test(what)).length, 4)
})

t.test('actions: one question at a time', async t => {
  let open = 0
  const actions = new Actions({
    post: async () => ({ isOk: false, status: 409, error: '', message: '', retryAfterS: undefined }),
    ask: async () => {
      t.equal(++open, 1)
      await new Promise(resolve => { setImmediate(resolve) })
      open--
      return undefined
    },
    reach: async () => undefined,
    isInFleet: () => false
  })
  const users = ['::1', '192.0.2.1'].map(id => testUser({ id, kind: 'ip' }))
  const { isDone, denied } = await actions.deny(users, testChoice())
  t.strictSame([isDone, denied], [false, []])
})

t.test('actions: denies who has left in the meantime, and who has no id by address', async t => {
  const { actions, sent } = testActions([404])
  await actions.deny([testUser(), testUser({ id: '192.0.2.9', kind: 'ip' })], testChoice())
  t.strictSame(sent.slice(1), [
    ['/deny', { address: '192.0.2.9' }], ['/deny', { userId: ID }]
  ])
})

t.test('actions: an own address is denied only when it is meant', async t => {
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const outcome = (await actions.denyTarget(testChoice({ target: '192.0.2.0/24' })))!
    t.strictSame(asked, ['Deny 192.0.2.0/24, your own address?'])
    t.strictSame(sent[1], isAgreed ? ['/deny', { address: '192.0.2.0/24', force: true }] : undefined)
    t.strictSame(outcome.denied, isAgreed ? [{ address: '192.0.2.0/24' }] : [])
    t.equal(outcome.isDone, isAgreed)
  }
})

t.test('actions: tells an id from an address', async t => {
  const { actions, sent } = testActions()
  await actions.denyTarget(testChoice({ target: ID.toUpperCase() }))
  t.strictSame(sent[0], ['/deny', { userId: ID.toUpperCase() }])
})

t.test('actions: a range is denied when it is meant, with the number of users in it', async t => {
  const check = async (
    target: string, isAgreed: boolean, title: string | undefined
  ): Promise<void> => {
    const { actions, sent, asked } = testActions([], { isAgreed, users: 44 })
    const outcome = await actions.denyTarget(testChoice({ target, minutes: 60 }))
    t.strictSame(asked, title === undefined ? [] : [title], target)
    t.strictSame(sent, outcome === undefined ? [] : [['/deny', { address: target, minutes: 60 }]])
    t.equal(outcome !== undefined, isAgreed)
  }
  await check('192.0.2.0/24', true, 'Deny 192.0.2.0/24 and 44 users?')
  await check('192.0.2.0/24', false, 'Deny 192.0.2.0/24 and 44 users?')
  await check('2001:db8::1', true, 'Deny 2001:db8::/64 and 44 users?')
  await check('192.0.2.7', true, undefined)
})

t.test('actions: the last server is drained only when it is meant', async t => {
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const outcome = await actions.drain('8000', { reason: 'new disk', minutes: 0 })
    t.strictSame(asked, ['Drain 8000, the last one?'])
    const order = { note: 'new disk', minutes: 0 }
    t.strictSame(sent, [
      ['/servers/8000/drain', order],
      ...(isAgreed ? [['/servers/8000/drain', { ...order, force: true }]] : [])
    ])
    t.equal(outcome.isDone, isAgreed)
  }
})

t.test('actions: maintenance is a drain of its own kind, and the last server goes into it only when it is meant', async t => {
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const outcome = await actions.maintain('shop', { reason: 'new disk' })
    t.strictSame(asked, ['Put shop into maintenance, the last one?'])
    const order = { maintenance: true, note: 'new disk' }
    t.strictSame(sent, [
      ['/servers/shop/drain', order],
      ...(isAgreed ? [['/servers/shop/drain', { ...order, force: true }]] : [])
    ])
    t.equal(outcome.isDone, isAgreed)
  }
})

t.test('actions: drains without a note, for good; restarts the last server only when it is meant', async t => {
  const { actions, sent } = testActions([])
  await actions.drain('8000', { reason: '', minutes: undefined })
  t.strictSame(sent, [['/servers/8000/drain', {}]])
  for (const isAgreed of [true, false]) {
    const { actions, sent, asked } = testActions([409], { isAgreed })
    const { isDone, text } = await actions.restart('8000')
    t.strictSame(asked, ['Restart 8000, the last one?'])
    t.strictSame(sent, [
      ['/servers/8000/restart', {}],
      ...(isAgreed ? [['/servers/8000/restart', { force: true }]] : [])
    ])
    t.equal(isDone, isAgreed)
    if (isAgreed) t.equal(text, '8000 has been restarted.')
  }
})

t.test('actions: allows what was denied, and minds nothing that is over', async t => {
  const { actions, sent } = testActions([404])
  // As the monitor lists it: with what `/allow` would refuse.
  const listed = { address: '192.0.2.1', reason: 'Flood', until: null }
  const outcome = await actions.allow(listed)
  t.strictSame(sent, [['/allow', { address: '192.0.2.1' }]])
  t.strictSame(outcome, { isDone: true, text: '192.0.2.1 is allowed again.' })
})

t.test('actions: makes a server ready, and says when nobody answers', async t => {
  const { actions, sent } = testActions([0])
  t.match(await actions.makeReady('8001'), { isDone: false, text: /does not answer/ })
  t.strictSame(sent, [['/servers/8001/ready', {}]])
})
