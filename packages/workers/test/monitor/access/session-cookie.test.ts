/** The session's cookie, both ways. */
import t from 'tap'
import {
  expiredSessionCookie, sessionCookie, sessionToken
} from '../../../src/monitor/access/session-cookie.ts'

t.test('session cookie: one is a session, none and several are not', async t => {
  const cases: Array<[cookie: string, isSecure: boolean, token: string | undefined]> = [
    ['session_id=abc', false, 'abc'],
    ['client_id=1; session_id=abc; other=2', false, 'abc'],
    ['', false, undefined],
    ['session_id=', false, undefined],
    ['session_id=abc; session_id=abc', false, undefined],
    ['xsession_id=abc', false, undefined],
    ['session_id=abc', true, undefined],
    ['__Host-session_id=abc', true, 'abc'],
    ['__Host-session_id=abc', false, undefined]
  ]
  for (const [cookie, isSecure, token] of cases) {
    t.equal(sessionToken({ cookie }, isSecure), token, `${cookie}, secure: ${isSecure}`)
  }
})

t.test('session cookie: out of reach of scripts and of other sites', async t => {
  t.equal(sessionCookie('abc', false), 'session_id=abc; Path=/; HttpOnly; SameSite=Strict')
  t.equal(sessionCookie('abc', true),
    '__Host-session_id=abc; Path=/; HttpOnly; SameSite=Strict; Secure')
  t.equal(expiredSessionCookie(false),
    'session_id=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0')
})
