/** What an operator sends reaches the actions as it was meant; the audit comes in pages. */
import t from 'tap'
import { RightWithdrawn, SessionEnded } from '@usher/shared/errors.ts'
import { ApiError } from '../../../src/monitor/errors/api-error.ts'
import { testApp } from '../fixtures/test-app.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const as = 'operator'

t.test('actions: each reaches its part with who asked and what for', async t => {
  const { ask, calls } = await testApp(t)
  const disconnection = { userId: ID, reason: '<i>rude</i>', minutes: 5, deny: true, address: true }
  const denial = { address: '192.0.2.0/24', reason: 'flood', force: true }
  const drain = { force: true, note: 'new disk', minutes: 0 }
  const steps: ReadonlyArray<
    [path: string, body: object, response: string, call: unknown[], more?: object]
  > = [
    ['/disconnect', disconnection, 'disconnect received', ['disconnect', {}, disconnection],
      { denied: [], users: 1 }],
    ['/deny', denial, 'deny received', ['deny', {}, denial],
      { denied: ['192.0.2.0/24'], users: 7 }],
    ['/allow', { userId: ID }, 'allow received', ['allow', {}, { userId: ID }]],
    ['/servers/blue/drain', drain, 'drain received', ['drain', {}, 'blue', drain]],
    ['/servers/blue/ready', {}, 'ready received', ['ready', {}, 'blue']],
    ['/servers/blue/restart', {}, 'restart received', ['restart', {}, 'blue', false]],
    ['/servers/blue/restart', { force: true }, 'restart received', ['restart', {}, 'blue', true]]
  ]
  for (const [path, body, response, call, more] of steps) {
    calls.length = 0
    const answer = await ask('POST', path, { as, body })
    t.equal(answer.status, 200, path)
    t.strictSame(answer.json, { response, ...more })
    t.match(calls, [call])
    t.match(calls[0]?.[1], { caller: { username: 'operator' }, address: { w2: 0xffff } })
  }
})

t.test('actions: what a part refuses is the answer', async t => {
  const actions = {
    deny: async () => { throw new ApiError('not_acceptable_here', 'Your own address.') },
    disconnect: async () => { throw new ApiError('not_found', 'Nobody.') }
  } as never
  const { ask } = await testApp(t, { actions })
  t.match(await ask('POST', '/deny', { as, body: { address: '127.0.0.1' } }),
    { status: 409, json: { error: 'not_acceptable_here', message: 'Your own address.' } })
  t.match(await ask('POST', '/disconnect', { as, body: { userId: ID } }),
    { status: 404, json: { error: 'not_found' } })
})

t.test('actions: whose session or right ended while it waited is told so', async t => {
  const cases = [
    [new SessionEnded(), 401, 'not_logged_in'], [new RightWithdrawn(), 403, 'forbidden']
  ] as const
  for (const [error, status, code] of cases) {
    const { ask } = await testApp(t, { actions: { deny: async () => { throw error } } as never })
    t.match(await ask('POST', '/deny', { as, body: { userId: ID } }), { status, json: { error: code } })
  }
})

t.test('actions: a server has a name', async t => {
  const { ask } = await testApp(t)
  for (const name of ['', 'A', '-1', '.x', '%00', 'a b', 'x'.repeat(64)]) {
    const { status } = await ask('POST', `/servers/${encodeURI(name)}/drain`, { as })
    t.equal(status, 400, name)
  }
})

t.test('audit: newest first, in pages, times in ISO', async t => {
  const entries = [{
    id: 9, atMs: 1_000, who: '<b>', action: 'deny', target: ID, detail: { reason: 'x' }, address: '::1'
  }]
  const asked: unknown[] = []
  const audit = {
    page: async (...args: unknown[]) => {
      asked.push(args)
      return { entries, nextCursor: '9' }
    },
    kept: async () => ({ entriesMax: 5, oldestMs: 0 })
  } as never
  const { ask } = await testApp(t, { audit })
  const { json, text } = await ask('GET', '/audit?cursor=12&limit=1', { as })
  t.strictSame(json, {
    entries: [{
      at: '1970-01-01T00:00:01.000Z', who: '<b>', action: 'deny', target: ID, detail: { reason: 'x' }, address: '::1'
    }],
    next_cursor: '9',
    kept: { entries_max: 5, oldest: '1970-01-01T00:00:00.000Z' }
  })
  t.match(text, /"<b>"/, 'text stays text: the type is JSON')
  await ask('GET', '/audit?q=%3Cb%3E%20', { as })
  t.strictSame(asked, [['12', 1, undefined], [undefined, 100, '<b> ']])
  for (const query of ['limit=0', 'limit=1001', 'limit=x', `cursor=${'1'.repeat(21)}`, 'nope=1', 'limit=1&limit=2',
    `q=${'x'.repeat(65)}`, 'q=a&q=b']) {
    t.equal((await ask('GET', `/audit?${query}`, { as })).status, 400, query)
  }
})

t.test('audit: says how far it goes back, also when there is nothing', async t => {
  const { ask } = await testApp(t)
  t.strictSame((await ask('GET', '/audit', { as })).json, {
    entries: [], next_cursor: null, kept: { entries_max: 100_000, oldest: null }
  })
  t.equal((await ask('GET', '/audit?q=x', { as: 'viewer' })).status, 403)
})
