/** Who gets in, how an attempt is counted, and what is put on record. */
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { AccountChanged } from '@usher/shared/errors.ts'
import { sessionHandle } from '../../../src/accounts/session-token.ts'
import { Logins, type LoginsParts } from '../../../src/monitor/operator/logins.ts'

const FROM = { address: parseAddress('192.0.2.7')!, userAgent: 'a browser' }
const PASSWORD = 'right and long enough'
const SESSION = { username: 'Ana', accountId: 7, sessionHash: 'own hash' } as never
const GOOD_UNTIL_MS = 1000
const ENDED = { address: '::1', userAgent: '<b>browser' }

function throttleOf (name: string, calls: unknown[][]): LoginsParts['throttle'] {
  return { begin: () => ({ kind: 'go', end: outcome => { calls.push([name, outcome]) } }) }
}

function testLogins (overrides: Partial<LoginsParts> = {}) {
  const calls: unknown[][] = []
  const note = (name: string, answer?: unknown) => async (...args: unknown[]) => {
    calls.push([name, ...args])
    return answer as never
  }
  const account = {
    id: 7,
    username: 'Ana',
    passwordHash: 'hash of it',
    permission: 1,
    mustChange: false,
    passwordUntilMs: GOOD_UNTIL_MS
  }
  const logins = new Logins({
    accounts: {
      find: async username => username.toLowerCase() === 'ana' ? account : undefined
    },
    sessions: {
      open: note('open', 'a-token'),
      close: note('close'),
      endOther: async (_session, handle) => {
        calls.push(['endOther', handle])
        return handle === 'a handle' ? ENDED as never : undefined
      },
      changePassword: note('changePassword', 'next-token')
    },
    throttle: throttleOf('end', calls),
    passwordThrottle: throttleOf('password end', calls),
    lines: {
      logIn: (_attempt, work) => work(),
      withSession: (_attempt, work) => work(),
      remember: ({ username }) => { calls.push(['remember', username]) }
    },
    credentials: {
      verify: async (hash, password) => hash === 'hash of it' && password === PASSWORD,
      hash: async password => `hash of ${password}`
    },
    audit: { add: note('audit'), addFailedLogin: note('failed') },
    count: outcome => { calls.push(['count', outcome]) },
    now: () => GOOD_UNTIL_MS - 1,
    ...overrides
  })
  return { logins, calls, account }
}

t.test('logins: the right password opens a session under the name of the account', async t => {
  const { logins, calls } = testLogins()
  t.equal(await logins.logIn('ana', PASSWORD, FROM), 'a-token')
  t.match(calls, [
    ['end', 'right'],
    ['open', { id: 7 }, { address: '192.0.2.7', userAgent: 'a browser' }],
    ['count', 'ok'],
    ['remember', 'ana'],
    ['audit', { who: 'Ana', action: 'login', address: '192.0.2.7' }]
  ])
})

t.test('logins: an unknown name and a wrong password go the same way', async t => {
  for (const [username, password] of [['ana', 'wrong'], ['nobody', PASSWORD]] as const) {
    const verified: unknown[] = []
    const { logins, calls } = testLogins({
      credentials: {
        verify: async (hash, given) => {
          verified.push(hash, given)
          return false
        },
        hash: async () => ''
      }
    })
    t.equal(await logins.logIn(username, password, FROM), undefined)
    t.strictSame(verified, [username === 'ana' ? 'hash of it' : undefined, password])
    t.strictSame(calls, [
      ['end', 'wrong'],
      ['count', 'failed'],
      ['failed', username, '192.0.2.7']
    ])
  }
})

t.test('logins: an account that changed while it was verified does not match', async t => {
  const { logins, calls } = testLogins({
    sessions: {
      open: async () => { throw new AccountChanged() },
      close: async () => {},
      endOther: async () => undefined,
      changePassword: async () => ''
    }
  })
  t.equal(await logins.logIn('ana', PASSWORD, FROM), undefined)
  t.match(calls.filter(([name]) => name !== 'end'), [['count', 'failed'], ['failed', 'Ana', '192.0.2.7']])
})

t.test('logins: a password that stands after a change, too, is not refused for it', async t => {
  for (const [hashAfter, tokens] of [['same password', 'a-token'], ['another', undefined]] as const) {
    let passwordHash = 'hash of it'
    const account = testLogins().account
    const { logins, calls } = testLogins({
      accounts: { find: async () => ({ ...account, passwordHash }) },
      credentials: {
        verify: async hash => hash === 'hash of it' || hash === 'same password',
        hash: async () => ''
      },
      sessions: {
        open: async (verified: { passwordHash: string }) => {
          if (verified.passwordHash === passwordHash && passwordHash !== 'hash of it') return 'a-token'
          passwordHash = hashAfter
          throw new AccountChanged()
        },
        close: async () => {},
        endOther: async () => undefined,
        changePassword: async () => ''
      } as LoginsParts['sessions']
    })
    t.equal(await logins.logIn('ana', PASSWORD, FROM), tokens)
    t.match(calls.filter(([name]) => name === 'end'),
      [['end', 'right'], ['end', tokens === undefined ? 'wrong' : 'right']], 'each is an attempt')
    t.ok(calls.some(([name]) => name === (tokens === undefined ? 'failed' : 'audit')))
  }
})

t.test('logins: a name without an account is not let in whatever the pool says', async t => {
  const { logins } = testLogins({
    credentials: { verify: async () => true, hash: async () => '' }
  })
  t.equal(await logins.logIn('nobody', PASSWORD, FROM), undefined)
})

t.test('logins: a database or a pool that fails is no wrong password', async t => {
  const failure = new Error('locked')
  for (const parts of [
    { accounts: { find: async () => { throw failure } } },
    { credentials: { verify: async () => { throw failure }, hash: async () => '' } }
  ] as Array<Partial<LoginsParts>>) {
    const { logins, calls } = testLogins(parts)
    await t.rejects(logins.logIn('ana', PASSWORD, FROM), failure)
    t.strictSame(calls, [['end', 'failed']])
  }
})

t.test('logins: a throttled attempt is counted, not stored, and verifies nothing', async t => {
  const { logins, calls } = testLogins({
    throttle: { begin: () => ({ kind: 'wait', retryAfterS: 42 }) },
    passwordThrottle: { begin: () => ({ kind: 'wait', retryAfterS: 42 }) }
  })
  await t.rejects(logins.logIn('ana', PASSWORD, FROM), {
    code: 'too_many_attempts'
  })
  await t.rejects(logins.changePassword(SESSION, { current: PASSWORD, next: 'x' }, FROM), {
    code: 'too_many_attempts'
  })
  t.strictSame(calls, [['count', 'throttled'], ['count', 'throttled']])
})

t.test('logins: a password is changed by who knows the current one', async t => {
  const { logins, calls } = testLogins()
  const next = 'another and long enough'
  t.equal(await logins.changePassword(SESSION, { current: PASSWORD, next }, FROM), 'next-token')
  t.match(calls, [
    ['password end', 'right'],
    ['changePassword', SESSION, { id: 7, passwordHash: 'hash of it' }, `hash of ${next}`,
      { address: '192.0.2.7', userAgent: 'a browser' }],
    ['audit', { who: 'Ana', action: 'password-changed', target: 'Ana', address: '192.0.2.7' }]
  ])
})

t.test('logins: a password is not changed to a weak one, the current one, or by a guess', async t => {
  const cases: Array<[current: string, next: string, code: string]> = [
    ['a guess', 'another and long enough', 'wrong_password'],
    [PASSWORD, 'short', 'bad_request'],
    [PASSWORD, PASSWORD, 'bad_request']
  ]
  for (const [current, next, code] of cases) {
    const { logins, calls } = testLogins()
    await t.rejects(logins.changePassword(SESSION, { current, next }, FROM), { code })
    t.notOk(calls.some(([name]) => name === 'changePassword'), code)
  }
})

t.test('logins: a made-up password that was not changed in time opens nothing, and says what does', async t => {
  const { logins, calls } = testLogins({ now: () => GOOD_UNTIL_MS })
  const refused = { code: 'password_expired', message: /passwd ana/i }
  await t.rejects(logins.logIn('ana', PASSWORD, FROM), refused)
  const change = { current: PASSWORD, next: 'another and long enough' }
  await t.rejects(logins.changePassword(SESSION, change, FROM), refused)
  t.equal(await logins.logIn('ana', 'a guess', FROM), undefined, 'only who knows it is told')
  t.strictSame(calls.filter(([name]) => name === 'open' || name === 'changePassword'), [])
  t.match(calls.filter(([name]) => name === 'failed'), [['failed', 'Ana'], ['failed', 'ana']])
})

t.test('logins: a logout ends the session and is on record', async t => {
  const { logins, calls } = testLogins()
  await logins.logOut(SESSION, 'my-token', FROM)
  await logins.forget('a planted one')
  t.strictSame(calls, [
    ['close', 'my-token'],
    ['audit', { who: 'Ana', action: 'logout', address: '192.0.2.7' }],
    ['close', 'a planted one']
  ])
})

t.test('logins: another session of the account is ended by its handle, and that is on record', async t => {
  const { logins, calls } = testLogins()
  await logins.endSession(SESSION, 'a handle', FROM)
  t.strictSame(calls, [
    ['endOther', 'a handle'],
    ['audit', {
      who: 'Ana',
      action: 'session-ended',
      target: '::1',
      detail: { user_agent: '<b>browser' },
      address: '192.0.2.7'
    }]
  ])
})

t.test('logins: a session that is unknown, or the own one, is not ended', async t => {
  const { logins, calls } = testLogins()
  await t.rejects(logins.endSession(SESSION, sessionHandle('own hash'), FROM), { code: 'bad_request' })
  t.strictSame(calls, [])
  await t.rejects(logins.endSession(SESSION, 'unknown', FROM), { code: 'not_found' })
  t.strictSame(calls, [['endOther', 'unknown']], 'and nothing is on record')
})
