/** What the monitor takes, refuses and adds to every answer, whatever the route. */
import t from 'tap'
import { silentLog } from '@usher/shared/log.ts'
import { testApp } from './fixtures/test-app.ts'

t.test('app: every answer carries the security headers, and is for no cache', async t => {
  const { ask } = await testApp(t)
  for (const path of ['/login.html', '/stats', '/nothing', '/healthz']) {
    const { headers } = await ask('GET', path, { as: 'viewer' })
    t.equal(headers['x-content-type-options'], 'nosniff', path)
    t.equal(headers['referrer-policy'], 'same-origin', path)
    t.equal(headers['cross-origin-resource-policy'], 'same-origin', path)
    t.equal(headers['cache-control'], 'no-store', path)
    const policy = String(headers['content-security-policy'])
    t.match(policy, /^default-src 'none';/, path)
    t.match(policy, /base-uri 'none'; frame-ancestors 'none'$/, path)
    t.notMatch(policy, /unsafe-|\*|http/, path)
  }
})

t.test('app: bodies that are not what a route takes are 4xx with a message', async t => {
  const { ask, calls } = await testApp(t)
  const id = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  const cases: Array<[name: string, body: unknown, status: number]> = [
    ['no JSON', '{', 400],
    ['a bare text', '"x"', 400],
    ['null', 'null', 400],
    ['a list', '[]', 400],
    ['nothing needed is there', '{}', 400],
    ['a number for a text', { userId: 1 }, 400],
    ['null for a text', { userId: null }, 400],
    ['a text for a flag', { userId: id, deny: 'true' }, 400],
    ['a text for a number', { userId: id, minutes: '5' }, 400],
    ['a fraction', { userId: id, minutes: 1.5 }, 400],
    ['no time at all', { userId: id, minutes: 0 }, 400],
    ['an unknown field', { userId: id, extra: 1 }, 400],
    ['a name twice', `{"userId":"${id}","deny":true,"deny":false}`, 400],
    ['a prototype', `{"userId":"${id}","__proto__":{"deny":false}}`, 400],
    ['a constructor', `{"userId":"${id}","constructor":{"prototype":{"deny":false}}}`, 400],
    ['a control character', { userId: id, reason: 'a\u001b[2J' }, 400],
    ['a C1 control', { userId: id, reason: 'a\u009b' }, 400],
    ['a long reason', { userId: id, reason: 'x'.repeat(201) }, 400],
    ['depth', '['.repeat(7000) + ']'.repeat(7000), 400],
    ['depth in a field', `{"userId":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`, 400],
    ['a megabyte', { userId: 'x'.repeat(1_000_000) }, 413],
    ['just too much', { userId: 'x'.repeat(16 * 1024) }, 413]
  ]
  for (const [name, body, status] of cases) {
    const answer = await ask('POST', '/disconnect', { as: 'operator', body })
    t.equal(answer.status, status, name)
    if (status !== 413) t.match(answer.json, { error: 'bad_request', message: /\w/ }, name)
  }
  t.strictSame(calls, [], 'and nothing was done')
})

t.test('app: an empty JSON body counts as an empty object', async t => {
  const { ask, calls } = await testApp(t)
  const { status } = await ask('POST', '/servers/8000/drain', { as: 'operator' })
  t.equal(status, 200)
  t.match(calls, [['drain', { caller: { username: 'operator' } }, '8000', {}]])
})

t.test('app: an unknown path is 404, a method that a path does not answer is 405', async t => {
  const { ask } = await testApp(t)
  const as = 'operator'
  t.match(await ask('GET', '/nothing', { as }), { status: 404, json: { error: 'not_found' } })
  t.match(await ask('GET', '/STATS', { as }), { status: 404 })
  t.match(await ask('GET', '/stats/', { as }), { status: 404 })
  const cases: Array<[method: string, path: string, allow: string]> = [
    ['POST', '/stats', 'GET, HEAD'],
    ['DELETE', '/stats', 'GET, HEAD'],
    ['GET', '/disconnect', 'POST'],
    ['PUT', '/deny', 'POST'],
    ['GET', '/servers/8000/drain', 'POST'],
    ['GET', '/login', 'POST'],
    ['POST', '/events', 'GET, HEAD']
  ]
  for (const [method, path, allow] of cases) {
    const { status, headers, json } = await ask(method, path, { as })
    t.equal(status, 405, `${method} ${path}`)
    t.equal(headers.allow, allow, `${method} ${path}`)
    t.equal(json?.['error'], 'method_not_allowed', `${method} ${path}`)
  }
})

t.test('app: HEAD is answered like GET, without the body', async t => {
  const { ask } = await testApp(t)
  const { status, text, headers } = await ask('HEAD', '/stats', { as: 'viewer' })
  t.equal(status, 200)
  t.equal(text, '')
  t.match(headers['content-type'], /^application\/json/)
})

t.test('app: a fault of ours is told by a code, and nothing else', async t => {
  const { ask } = await testApp(t, {
    stats: async () => { throw new Error('the secret inner workings') }
  })
  const { status, json, text } = await ask('GET', '/stats', { as: 'viewer' })
  t.equal(status, 500)
  t.match(json, { error: 'internal_error', message: /the code [0-9a-f]{8}\.$/ })
  t.notMatch(text, /secret/)
})

t.test('app: a path that names nothing is answered like everything else', async t => {
  const { ask } = await testApp(t)
  for (const path of ['/%', '/%ff', '/stats/%zz', `/servers/${'1'.repeat(200)}/drain`]) {
    const { status, headers, json, text } = await ask('GET', path)
    t.equal(status, 400, path)
    t.match(json, { error: 'bad_request', message: /\w/ }, path)
    t.equal(headers['content-type'], 'application/json; charset=utf-8', path)
    t.equal(headers['x-content-type-options'], 'nosniff', path)
    t.equal(headers['cache-control'], 'no-store', path)
    t.match(headers['content-security-policy'], /^default-src 'none';/, path)
    t.notOk(text.includes(path), 'and what was asked is not repeated')
  }
})

t.test('app: what may be an attack is logged, with who and what, and never a secret', async t => {
  const lines: object[] = []
  const log = Object.assign(silentLog(), { warn: (line: object) => { lines.push(line) } })
  const { ask } = await testApp(t, { log, metricsToken: 'a-long-secret-token' })
  await ask('GET', '/stats')
  await ask('POST', '/deny?q=secret', { as: 'viewer', body: { userId: 'x' } })
  await ask('POST', '/deny', { as: 'operator', headers: { origin: 'http://elsewhere.example' } })
  await ask('GET', '/stats', { as: 'operator', headers: { host: 'elsewhere.example' } })
  await ask('GET', '/metrics', { headers: { authorization: 'Bearer another-secret' } })
  t.match(lines, [
    { code: 'forbidden', method: 'POST', path: '/deny', who: 'viewer', address: '127.0.0.1' },
    { code: 'forged_action', method: 'POST', path: '/deny', who: undefined },
    { host: 'elsewhere.example' },
    { code: 'misdirected_request', method: 'GET', path: '/stats' },
    { code: 'not_logged_in', method: 'GET', path: '/metrics' }
  ])
  t.equal(lines.length, 5)
  t.notMatch(JSON.stringify(lines), /secret/)
})

t.test('app: its interface is described by itself', async t => {
  const { ask } = await testApp(t)
  const { status, json } = await ask('GET', '/openapi.json', { as: 'viewer' })
  t.equal(status, 200)
  t.match(json, { openapi: /^3\./, info: { title: 'Usher monitor', version: '1.2.3' } })
  const paths = json?.['paths'] as Record<string, object>
  t.strictSame(Object.keys(paths).sort(), [
    '/allow', '/audit', '/denied', '/deny', '/disconnect', '/events', '/healthz', '/history',
    '/login', '/logout', '/metrics',
    '/nodes/{node}/drain', '/nodes/{node}/ready', '/openapi.json', '/password', '/readyz',
    '/servers', '/servers/{name}/change', '/servers/{name}/drain', '/servers/{name}/ready',
    '/servers/{name}/remove', '/servers/{name}/restart', '/servers/{name}/users',
    '/servers/{node}/{name}/drain', '/servers/{node}/{name}/ready',
    '/sessions', '/sessions/end', '/stats', '/tokens', '/tokens/revoke', '/user-info', '/users',
    '/users/reach', '/users/sharing'
  ])
})
