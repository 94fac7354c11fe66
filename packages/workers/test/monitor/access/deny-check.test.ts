/** Who is denied the monitor, and who never is. */
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { DenyList } from '@usher/shared/deny-list.ts'
import { isDenied } from '../../../src/monitor/access/deny-check.ts'
import { testApp } from '../fixtures/test-app.ts'

const LIST = new DenyList(() => 0)
LIST.replace([
  { kind: 'address', text: '198.51.100.7', untilMs: undefined },
  { kind: 'range', text: '203.0.113.0/24', untilMs: undefined },
  { kind: 'range', text: '2001:db8::/32', untilMs: undefined },
  { kind: 'range', text: '0.0.0.0/0', untilMs: -1 },
  { kind: 'range', text: '127.0.0.0/8', untilMs: undefined },
  { kind: 'address', text: '::1', untilMs: undefined }
])

t.test('deny check: by address and range, but not from here nor with a session from there', async t => {
  const cases: Array<[address: string, openedFrom: string | undefined, isDenied: boolean]> = [
    ['198.51.100.7', undefined, true],
    ['198.51.100.8', undefined, false],
    ['203.0.113.99', undefined, true],
    ['203.0.113.99', '203.0.113.99', false],
    ['203.0.113.99', '203.0.113.98', true],
    ['2001:db8::1', undefined, true],
    ['2001:db8::1', '2001:db8::ffff', false],
    ['2001:db8::1', '2001:db8:0:1::1', true],
    ['203.0.113.99', 'nowhere', true],
    ['127.0.0.1', undefined, false],
    ['127.9.9.9', undefined, false],
    ['::1', undefined, false]
  ]
  for (const [address, openedFrom, expected] of cases) {
    const session = openedFrom === undefined ? undefined : { address: openedFrom }
    t.equal(isDenied(LIST, parseAddress(address)!, session), expected, `${address} ${openedFrom}`)
  }
})

t.test('deny check: pages say so, all else is refused in JSON; probes and files are for everybody', async t => {
  const denied = { 'x-forwarded-for': '203.0.113.99' }
  const { ask, calls } = await testApp(t, {
    denyList: LIST, trustProxy: ['127.0.0.1'], metricsToken: 'a-token-of-some-length'
  })
  for (const path of ['/', '/tracker.html', '/login.html', '/password.html']) {
    const { status, headers, text } = await ask('GET', path, { headers: denied })
    t.equal(status, 403, path)
    t.match(headers['content-type'], /^text\/html/)
    t.match(text, /203\.0\.113\.99 is denied/)
  }
  const body = { username: 'admin', password: 'x' }
  t.match(await ask('POST', '/login', { headers: denied, body }), {
    status: 403, json: { error: 'denied', message: 'The address 203.0.113.99 is denied.' }
  })
  t.match(await ask('GET', '/stats', { headers: denied }), { status: 403, json: { error: 'denied' } })
  t.match(await ask('GET', '/nothing', { headers: denied }), { status: 403 })
  t.match(await ask('GET', '/metrics', {
    headers: { ...denied, authorization: 'Bearer a-token-of-some-length' }
  }), { status: 403, json: { error: 'denied' } })
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers: denied })).status, 403, 'a session from elsewhere')
  t.strictSame(calls, [])
  t.equal((await ask('GET', '/healthz', { headers: denied })).status, 200)
  t.equal((await ask('GET', '/stats', { as: 'viewer' })).status, 200)
})

t.test('deny check: whoever logged in from there goes on, by the address that the proxy says', async t => {
  const from = (address: string) => ({ 'x-forwarded-for': `198.51.100.7, ${address}` })
  const { ask } = await testApp(t, {
    denyList: LIST,
    trustProxy: ['127.0.0.1'],
    checkedSessions: {
      current: async () => ({ username: 'viewer', canView: true, address: '203.0.113.99' }) as never
    }
  })
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers: from('203.0.113.99') })).status, 200)
  t.equal((await ask('GET', '/login.html', { as: 'viewer', headers: from('203.0.113.99') })).status, 200)
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers: from('203.0.113.98') })).status, 403)
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers: from('192.0.2.1') })).status, 200)
})
