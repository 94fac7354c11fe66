/** The list of routes is whole: what the contract names is there, whatever it answers. */
import t from 'tap'
import { testApp } from '../fixtures/test-app.ts'

t.test('routes: every path of the interface is answered by something other than 404', async t => {
  const { ask } = await testApp(t)
  const paths = ['/', '/tracker.html', '/login.html', '/login', '/logout', '/user-info', '/password', '/sessions',
    '/sessions/end', '/tokens', '/tokens/revoke', '/stats', '/users', '/users/sharing', '/users/reach', '/history', '/events', '/disconnect', '/deny', '/allow', '/denied',
    '/servers/8000/drain', '/servers/8000/ready', '/servers/8000/restart', '/servers/8000/users', '/audit', '/metrics', '/openapi.json', '/healthz',
    '/readyz']
  for (const path of paths) {
    const { status } = await ask('DELETE', path, { as: 'operator' })
    t.equal(status, 405, path)
  }
})
