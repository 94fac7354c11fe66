/** The sessions of one's own account, and the end of one of them. */
import t from 'tap'
import { ApiError } from '../../../src/monitor/errors/api-error.ts'
import { sessionHandle } from '../../../src/accounts/session-token.ts'
import { testApp } from '../fixtures/test-app.ts'

// The fixture's session hash is the name of the account.
const as = 'nobody'
const LISTED = [
  { sessionHash: 'nobody', address: '192.0.2.1', userAgent: '<b>x', createdAgoMs: 5000, lastUsedAgoMs: 0 },
  { sessionHash: 'elsewhere', address: '::1', userAgent: '', createdAgoMs: 9000, lastUsedAgoMs: 4000 }
]

t.test('sessions: lists those of the own account, by handles that are no hashes', async t => {
  const asked: unknown[] = []
  const sessions = {
    current: async () => undefined,
    list: async (accountId: number) => {
      asked.push(accountId)
      return LISTED
    }
  } as never
  const { ask } = await testApp(t, { sessions, wallNow: () => 10_000 })
  const { status, json, text } = await ask('GET', '/sessions', { as })
  t.equal(status, 200, 'whoever has a session has sessions, whatever they may do')
  t.strictSame(json, {
    sessions: [{
      id: sessionHandle('nobody'),
      user_agent: '<b>x',
      address: '192.0.2.1',
      created: '1970-01-01T00:00:05.000Z',
      last_seen: '1970-01-01T00:00:10.000Z',
      current: true
    }, {
      id: sessionHandle('elsewhere'),
      user_agent: '',
      address: '::1',
      created: '1970-01-01T00:00:01.000Z',
      last_seen: '1970-01-01T00:00:06.000Z',
      current: false
    }]
  })
  t.notMatch(text, /elsewhere/)
  t.strictSame(asked, [1])
})

t.test('sessions: one is ended by who has the account', async t => {
  const { ask, calls } = await testApp(t)
  const answer = await ask('POST', '/sessions/end', { as, body: { id: 'a-handle' } })
  t.match(answer, { status: 200, json: { response: 'session ended' } })
  t.match(calls, [['endSession', { username: 'nobody' }, 'a-handle', { address: { w2: 0xffff } }]])
})

t.test('sessions: one that is unknown is 404, a body that names none is 400', async t => {
  const logins = {
    endSession: async () => { throw new ApiError('not_found', 'No such session.') }
  } as never
  const { ask } = await testApp(t, { logins })
  t.match(await ask('POST', '/sessions/end', { as, body: { id: 'x' } }), { status: 404 })
  for (const body of [{}, { id: '' }, { id: 7 }, { id: 'x'.repeat(65) }, { id: 'x', all: true }]) {
    t.equal((await ask('POST', '/sessions/end', { as, body })).status, 400, JSON.stringify(body))
  }
})

t.test('sessions: needs a session, the own origin, and a password of one\'s own', async t => {
  const { ask } = await testApp(t)
  const end = { body: { id: 'x' } }
  t.equal((await ask('GET', '/sessions')).status, 401)
  t.equal((await ask('POST', '/sessions/end', end)).status, 401)
  t.match(await ask('GET', '/sessions', { as: 'newcomer' }), { status: 403 })
  const foreign = { origin: 'http://evil.example' }
  t.match(await ask('POST', '/sessions/end', { ...end, as, headers: foreign }), { status: 403 })
})
