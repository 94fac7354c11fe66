/** How one gets in, as a 401 says it. */
import t from 'tap'
import { loginChallenge, tokenChallenge } from '../../../src/monitor/access/challenge.ts'

t.test('challenge: the login names its path, and the cookie as the connection has it', async t => {
  t.equal(loginChallenge(false),
    'Cookie realm="Usher monitor", form-action="/login", cookie-name="session_id"')
  t.match(loginChallenge(true), /cookie-name="__Host-session_id"$/)
})

t.test('challenge: a token that was given and does not fit is invalid', async t => {
  t.equal(tokenChallenge({}), 'Bearer realm="Usher monitor"')
  t.equal(tokenChallenge({ authorization: 'Bearer x' }), 'Bearer realm="Usher monitor", error="invalid_token"')
})
