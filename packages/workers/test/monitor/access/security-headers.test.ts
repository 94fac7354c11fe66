/** What a browser is told about every answer of the monitor. */
import t from 'tap'
import { securityHeaders } from '../../../src/monitor/access/security-headers.ts'

t.test('security headers: nothing of the monitor is for other origins', async t => {
  for (const isSecure of [true, false]) {
    const headers = securityHeaders(isSecure)
    t.equal(headers['X-Content-Type-Options'], 'nosniff')
    t.equal(headers['Referrer-Policy'], 'same-origin')
    t.equal(headers['Cross-Origin-Resource-Policy'], 'same-origin')
    t.match(headers['Permissions-Policy'], /(^|, )camera=\(\), .*microphone=\(\), /)
    t.notMatch(headers['Permissions-Policy'], /clipboard|\*|self/)
    const policy = headers['Content-Security-Policy']
    t.match(policy, /^default-src 'none';/)
    t.match(policy, /base-uri 'none'; frame-ancestors 'none'$/)
    t.notMatch(policy, /unsafe-|\*|http/)
  }
})

t.test('security headers: a window of its own only where browsers heed it', async t => {
  t.equal(securityHeaders(true)['Cross-Origin-Opener-Policy'], 'same-origin')
  t.notOk('Cross-Origin-Opener-Policy' in securityHeaders(false))
})
