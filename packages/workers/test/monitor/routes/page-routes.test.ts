/** The pages and the files that they load. */
import t from 'tap'
import { testFile } from '../../static-server/fixtures/load-site.ts'
import { testApp } from '../fixtures/test-app.ts'

t.test('pages: login and password say what went wrong', async t => {
  const { ask } = await testApp(t)
  const login = await ask('GET', '/login.html?error=no_match')
  t.equal(login.text, 'login no_match')
  t.match(login.headers['content-type'], /^text\/html; charset=utf-8/)
  t.equal((await ask('GET', '/login.html?error=a&error=b')).text, 'login without error')
  t.equal((await ask('GET', '/password.html', { as: 'newcomer' })).text, 'password without error')
  t.equal((await ask('GET', '/', { as: 'viewer' })).text, 'the console')
  t.equal((await ask('GET', '/tracker.html', { as: 'operator' })).text, 'the console')
})

t.test('pages: their files come without a session, small and with a validator', async t => {
  const script = await testFile('tracker.js', Buffer.from('1;'.repeat(2000)))
  const style = await testFile('usher.css', Buffer.from('b{}'))
  const { ask } = await testApp(t, {
    pages: {
      assets: { files: new Map([['/tracker.js', script], ['/usher.css', style]]) },
      login: () => '',
      password: () => '',
      console: () => ''
    } as never
  })
  const plain = await ask('GET', '/tracker.js')
  t.equal(plain.status, 200)
  t.match(plain.headers['content-type'], /javascript/)
  t.equal(plain.text.length, 4000)
  t.equal(plain.headers['cache-control'], 'no-cache')
  t.match(plain.headers['content-security-policy'], /default-src 'none'/)
  const packed = await ask('GET', '/tracker.js', { headers: { 'accept-encoding': 'br' } })
  t.equal(packed.headers['content-encoding'], 'br')
  const again = await ask('GET', '/tracker.js', {
    headers: { 'if-none-match': String(plain.headers.etag) }
  })
  t.equal(again.status, 304)
  t.equal((await ask('GET', '/usher.css')).status, 200)
  t.equal((await ask('HEAD', '/usher.css')).text, '')
  t.equal((await ask('POST', '/usher.css', { body: {} })).status, 405)
})
