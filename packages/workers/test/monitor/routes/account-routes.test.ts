/** Login, logout, user info and password, as JSON and as forms. */
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { AccountChanged, SessionEnded } from '@usher/shared/errors.ts'
import { ApiError } from '../../../src/monitor/errors/api-error.ts'
import { testApp, type TestApp } from '../fixtures/test-app.ts'

const LOOPBACK = parseAddress('127.0.0.1')
const ORIGIN = { address: LOOPBACK, userAgent: '' }

function form ({ port }: TestApp): Record<string, string> {
  return {
    'content-type': 'application/x-www-form-urlencoded', origin: `http://127.0.0.1:${port}`
  }
}

t.test('login: the right password opens a session', async t => {
  const { ask, calls } = await testApp(t)
  const answer = await ask('POST', '/login', { body: { username: 'ana', password: 'right' } })
  t.equal(answer.status, 200)
  t.match(answer.json, { success: true, message: /ana/, redirect: '/tracker.html' })
  t.strictSame(answer.headers['set-cookie'],
    ['session_id=new-token; Path=/; HttpOnly; SameSite=Strict'])
  t.strictSame(calls, [['logIn', 'ana', 'right', ORIGIN]])
})

t.test('login: a session that comes along is ended, never taken over', async t => {
  const { ask, calls } = await testApp(t)
  await ask('POST', '/login', { as: 'planted', body: { username: 'ana', password: 'right' } })
  t.strictSame(calls.map(([name, ...args]) => [name, args[0]]),
    [['logIn', 'ana'], ['forget', 'planted']])
})

t.test('login: what does not match says so and no more', async t => {
  const base = await testApp(t)
  const noMatch = { logIn: async () => undefined } as never
  const monitor = await testApp(t, { logins: noMatch })
  const { status, text, headers } = await monitor.ask('POST', '/login', {
    body: { username: '<b>', password: 'x' }
  })
  t.equal(status, 401)
  t.equal(text, '{"success":false,"message":"Name and password do not match."}')
  t.equal(headers['set-cookie'], undefined)
  t.match(headers['www-authenticate'], /^Cookie realm=/)
  t.ok(base.port)
})

t.test('login: a form is answered by a page to go to', async t => {
  const monitor = await testApp(t)
  const { status, headers } = await monitor.ask('POST', '/login', {
    headers: form(monitor), body: 'username=ana&password=right'
  })
  t.equal(status, 303)
  t.equal(headers.location, '/tracker.html')
  t.match(String(headers['set-cookie']), /^session_id=new-token;/)
})

t.test('login: a form that fails sees its page again, with why', async t => {
  const failing = (error: unknown) => ({ logIn: async () => { throw error } }) as never
  const cases: Array<[logins: never, location: string]> = [
    [{ logIn: async () => undefined } as never, '/login.html?error=no_match'],
    [failing(new ApiError('too_many_attempts', 'x', { 'Retry-After': '7' })),
      '/login.html?error=too_many_attempts'],
    [failing(Object.assign(new Error('x'), { code: 'USHER_CREDENTIALS_BUSY' })),
      '/login.html?error=busy'],
    [failing(new Error('inner')), '/login.html?error=internal_error']
  ]
  for (const [logins, location] of cases) {
    const monitor = await testApp(t, { logins })
    const { status, headers } = await monitor.ask('POST', '/login', {
      headers: form(monitor), body: 'username=ana&password=x'
    })
    t.equal(status, 303)
    t.equal(headers.location, location)
    t.equal(headers['set-cookie'], undefined)
  }
})

t.test('login: a made-up password that has expired says what to do, by JSON and by form', async t => {
  const logins = {
    logIn: async () => { throw new ApiError('password_expired', 'Start anew.') }
  } as never
  const monitor = await testApp(t, { logins })
  const body = { username: 'admin', password: 'x' }
  t.match(await monitor.ask('POST', '/login', { body }),
    { status: 403, json: { error: 'password_expired', message: 'Start anew.' } })
  const byForm = await monitor.ask('POST', '/login', {
    headers: form(monitor), body: 'username=admin&password=x'
  })
  t.equal(byForm.headers.location, '/login.html?error=password_expired')
})

t.test('login: a wait is told in seconds', async t => {
  const logins = {
    logIn: async () => { throw new ApiError('too_many_attempts', 'Wait.', { 'Retry-After': '42' }) }
  } as never
  const { ask } = await testApp(t, { logins })
  const { status, headers, json } = await ask('POST', '/login', {
    body: { username: 'ana', password: 'x' }
  })
  t.equal(status, 429)
  t.equal(headers['retry-after'], '42')
  t.equal(json?.['error'], 'too_many_attempts')
})

t.test('login: names and passwords have bounds, and are texts', async t => {
  const { ask, calls } = await testApp(t)
  for (const body of [
    { username: 'ana' }, { password: 'x' }, { username: '', password: 'x' },
    { username: 'a'.repeat(65), password: 'x' }, { username: 'ana', password: 'x'.repeat(1025) },
    { username: ['ana'], password: 'x' }, { username: 'ana', password: { $ne: '' } }
  ]) {
    const { status, json } = await ask('POST', '/login', { body })
    t.equal(status, 400, JSON.stringify(body).slice(0, 60))
    t.equal(json?.['error'], 'bad_request')
  }
  t.strictSame(calls, [])
})

t.test('logout: ends the session and the cookie', async t => {
  const monitor = await testApp(t)
  const { status, headers } = await monitor.ask('POST', '/logout', { as: 'nobody' })
  t.equal(status, 200)
  t.match(String(headers['set-cookie']), /^session_id=; .*Max-Age=0$/)
  t.match(monitor.calls, [['logOut', { username: 'nobody' }, 'nobody']])
  const byForm = await monitor.ask('POST', '/logout', { as: 'viewer', headers: form(monitor) })
  t.equal(byForm.status, 303)
  t.equal(byForm.headers.location, '/login.html')
})

t.test('user info: says who, and what they may', async t => {
  const { ask } = await testApp(t)
  t.strictSame((await ask('GET', '/user-info', { as: 'newcomer' })).json, {
    username: 'newcomer',
    permission: 1,
    can_view: true,
    can_disconnect: true,
    must_change_password: true,
    permissions: [
      { permission: -1, can_view: false, can_disconnect: false },
      { permission: 0, can_view: true, can_disconnect: false },
      { permission: 1, can_view: true, can_disconnect: true }
    ]
  })
})

t.test('password: is changed, by JSON and by form', async t => {
  const monitor = await testApp(t)
  const body = { current: 'old', next: 'a new and long one' }
  const { status, headers } = await monitor.ask('POST', '/password', { as: 'newcomer', body })
  t.equal(status, 200)
  t.match(headers['set-cookie'], [/^session_id=next-token; Path=\/; HttpOnly; SameSite=Strict$/])
  t.match(monitor.calls, [['changePassword', body]])
  const byForm = await monitor.ask('POST', '/password', {
    as: 'viewer', headers: form(monitor), body: 'current=old&next=new'
  })
  t.equal(byForm.status, 303)
  t.equal(byForm.headers.location, '/tracker.html')
  t.match(byForm.headers['set-cookie'], [/^session_id=next-token; /])
})

t.test('password: what was checked and no longer holds is refused by a code of its own', async t => {
  const cases = [
    [new AccountChanged(), 409, 'account_changed'],
    [new SessionEnded(), 401, 'not_logged_in']
  ] as const
  for (const [error, status, code] of cases) {
    const monitor = await testApp(t, {
      logins: { changePassword: async () => { throw error } } as never
    })
    const answer = await monitor.ask('POST', '/password', {
      as: 'viewer', body: { current: 'a', next: 'b' }
    })
    t.match(answer, { status, json: { error: code } })
    t.equal(answer.headers['set-cookie'], undefined)
    t.equal(answer.headers['www-authenticate'] !== undefined, status === 401, 'RFC 9110 section 15.5.2')
  }
})

t.test('password: a wrong current one is 403, and a form sees why', async t => {
  const logins = {
    changePassword: async () => { throw new ApiError('wrong_password', 'Another one.') }
  } as never
  const monitor = await testApp(t, { logins })
  const body = { current: 'a', next: 'b' }
  t.match(await monitor.ask('POST', '/password', { as: 'viewer', body }),
    { status: 403, json: { error: 'wrong_password' } })
  const byForm = await monitor.ask('POST', '/password', {
    as: 'viewer', headers: form(monitor), body: 'current=a&next=b'
  })
  t.equal(byForm.headers.location, '/password.html?error=wrong_password')
})
