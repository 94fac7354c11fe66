/** What stands before every route, and in which order. */
import fastify from 'fastify'
import t from 'tap'
import { addChecks } from '../../../src/monitor/access/checks.ts'
import { testApp, type AskOptions } from '../fixtures/test-app.ts'

const OWN_ID = { userId: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61' }

t.test('checks: who may do what', async t => {
  const { ask } = await testApp(t, { metricsToken: 'a-token-of-some-length' })
  const users = ['nobody', 'viewer', 'operator', 'newcomer', undefined] as const
  const rows: Array<[method: string, path: string, statuses: readonly number[], body?: object]> = [
    ['GET', '/user-info', [200, 200, 200, 200, 401]],
    ['GET', '/stats', [403, 200, 200, 403, 401]],
    ['GET', '/users', [403, 200, 200, 403, 401]],
    ['GET', '/history', [403, 200, 200, 403, 401]],
    ['GET', '/denied', [403, 200, 200, 403, 401]],
    ['GET', '/metrics', [403, 200, 200, 403, 401]],
    ['GET', '/openapi.json', [403, 200, 200, 403, 401]],
    ['GET', '/audit', [403, 403, 200, 403, 401]],
    ['POST', '/disconnect', [403, 403, 200, 403, 401], OWN_ID],
    ['POST', '/deny', [403, 403, 200, 403, 401], OWN_ID],
    ['POST', '/allow', [403, 403, 200, 403, 401], OWN_ID],
    ['POST', '/servers/8000/drain', [403, 403, 200, 403, 401], {}],
    ['POST', '/servers/8000/restart', [403, 403, 200, 403, 401], {}],
    ['POST', '/servers/8000/ready', [403, 403, 200, 403, 401], {}],
    ['POST', '/servers/red/users', [403, 403, 200, 403, 401], { users: [{ id: 'a', seen: true }] }],
    ['GET', '/tokens', [403, 403, 200, 403, 401]],
    ['POST', '/tokens', [403, 403, 200, 403, 401], { name: 'a', scopes: ['view'] }],
    ['POST', '/tokens/revoke', [403, 403, 200, 403, 401], { id: 7 }],
    ['POST', '/password', [200, 200, 200, 200, 401], { current: 'a', next: 'b' }],
    ['POST', '/logout', [200, 200, 200, 200, 401], {}],
    ['GET', '/healthz', [200, 200, 200, 200, 200]],
    ['GET', '/readyz', [200, 200, 200, 200, 200]],
    ['GET', '/login.html', [200, 200, 200, 200, 200]],
    ['GET', '/', [403, 200, 200, 302, 302]],
    ['GET', '/tracker.html', [403, 200, 200, 302, 302]],
    ['GET', '/password.html', [200, 200, 200, 200, 302]],
    ['GET', '/nothing', [404, 404, 404, 403, 401]],
    ['GET', '/disconnect', [403, 403, 405, 403, 401]],
    // A page is no secret, and only who reads it is sent on.
    ['DELETE', '/', [405, 405, 405, 405, 405]],
    ['OPTIONS', '/tracker.html', [405, 405, 405, 405, 405]],
    ['DELETE', '/stats', [403, 405, 405, 403, 401]],
    // What Fastify looks no route up for is not answered anywhere.
    ['PROPFIND', '/stats', [405, 405, 405, 405, 405]],
    ['PURGE', '/nothing', [405, 405, 405, 405, 405]]
  ]
  for (const [method, path, statuses, body] of rows) {
    const found: number[] = []
    for (const as of users) {
      const options: AskOptions = as === undefined ? { body } : { as, body }
      found.push((await ask(method, path, options)).status)
    }
    t.strictSame(found, statuses, `${method} ${path}`)
  }
})

t.test('checks: which program may do what', async t => {
  const { ask, calls } = await testApp(t, { metricsToken: 'a-token-of-some-length' })
  const programs = ['view', 'disconnect', 'drain', 'report', 'all', 'stale', 'unripe', 'unknown']
  const rows: Array<[method: string, path: string, statuses: readonly number[], body?: object]> = [
    ['GET', '/stats', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/users', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/history', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/denied', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/metrics', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/openapi.json', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['HEAD', '/events', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/audit', [403, 200, 403, 403, 200, 403, 403, 401]],
    ['POST', '/disconnect', [403, 200, 403, 403, 200, 403, 403, 401], OWN_ID],
    ['POST', '/deny', [403, 200, 403, 403, 200, 403, 403, 401], OWN_ID],
    ['POST', '/allow', [403, 200, 403, 403, 200, 403, 403, 401], OWN_ID],
    ['POST', '/servers/8000/drain', [403, 403, 200, 403, 200, 403, 403, 401], {}],
    ['POST', '/servers/8000/ready', [403, 403, 200, 403, 200, 403, 403, 401], {}],
    ['POST', '/servers/8000/restart', [403, 403, 200, 403, 200, 403, 403, 401], {}],
    ['POST', '/servers/red/users', [403, 403, 403, 200, 200, 403, 403, 401], { users: [{ id: 'a', left: true }] }],
    ['GET', '/tokens', [403, 403, 403, 403, 403, 403, 403, 401]],
    ['POST', '/tokens', [403, 403, 403, 403, 403, 403, 403, 401], { name: 'a', scopes: ['view'] }],
    ['POST', '/tokens/revoke', [403, 403, 403, 403, 403, 403, 403, 401], { id: 7 }],
    ['GET', '/user-info', [403, 403, 403, 403, 403, 403, 403, 401]],
    ['GET', '/sessions', [403, 403, 403, 403, 403, 403, 403, 401]],
    ['POST', '/logout', [403, 403, 403, 403, 403, 403, 403, 401], {}],
    ['POST', '/password', [403, 403, 403, 403, 403, 403, 403, 401], { current: 'a', next: 'b' }],
    ['GET', '/', [200, 403, 403, 403, 200, 200, 403, 401]],
    ['GET', '/healthz', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['GET', '/login.html', [200, 200, 200, 200, 200, 200, 200, 200]],
    ['GET', '/nothing', [404, 404, 404, 404, 404, 404, 404, 401]],
    ['DELETE', '/stats', [405, 403, 403, 403, 405, 405, 403, 401]]
  ]
  for (const [method, path, statuses, body] of rows) {
    const found: number[] = []
    for (const name of programs) {
      const headers = { authorization: `Bearer usher_${name}` }
      found.push((await ask(method, path, { headers, body })).status)
    }
    t.strictSame(found, statuses, `${method} ${path}`)
  }
  t.notOk(calls.some(([name]) => name === 'makeToken'), 'no token makes another')
})

t.test('checks: a program needs no Origin, and its cookies are nobody\'s', async t => {
  const { ask, calls } = await testApp(t)
  const authorization = 'Bearer usher_view'
  for (const headers of [
    { authorization }, { authorization, origin: 'https://app.example' },
    { authorization, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
  ] as Array<Record<string, string>>) {
    t.equal((await ask('GET', '/stats', { headers })).status, 200)
    t.equal((await ask('POST', '/disconnect', { as: 'operator', headers, body: OWN_ID })).status, 403,
      'the session that comes along is not used')
  }
  const unknown = { authorization: 'Bearer usher_unknown' }
  const { status, headers, json } = await ask('GET', '/stats', { as: 'operator', headers: unknown })
  t.equal(status, 401)
  t.equal(json?.['error'], 'invalid_token')
  t.match(json?.['message'], 'never made here, or has been revoked')
  t.match(headers['www-authenticate'], /^Bearer realm="[^"]+", error="invalid_token"$/)
  t.equal(headers['set-cookie'], undefined)
  const form = { authorization: 'Bearer usher_disconnect', 'content-type': 'application/x-www-form-urlencoded' }
  t.equal((await ask('POST', '/disconnect', { headers: form, body: 'a=b' })).status, 415)
  t.notOk(calls.some(([name]) => name === 'disconnect'))
})

t.test('checks: a bearer token that is none of ours is left alone, as a proxy may send its own', async t => {
  const { ask } = await testApp(t)
  const headers = { authorization: 'Bearer eyJhbGciOi.x.y' }
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers })).status, 200)
  t.match(await ask('GET', '/stats', { headers }), { status: 401, json: { error: 'not_logged_in' } })
  const forged = { ...headers, origin: 'https://evil.example' }
  t.equal((await ask('GET', '/stats', { as: 'viewer', headers: forged })).status, 403)
})

t.test('checks: a token of another scope is told which scope it takes', async t => {
  const { ask } = await testApp(t)
  const refused = async (token: string, path: string) =>
    await ask('GET', path, { headers: { authorization: `bearer usher_${token}` } })
  const { json, headers } = await refused('report', '/stats')
  t.strictSame(json, { error: 'forbidden', message: 'The token "report" is for report; this takes the scope view.' })
  t.match(headers['www-authenticate'], /^Bearer realm="[^"]+", error="insufficient_scope", scope="view"$/)
  t.match((await refused('stale', '/audit')).json?.['message'], /no more than "operator", who made it: Permission 0/)
  t.match((await refused('all', '/tokens')).json?.['message'], /^No token may do this\./)
  t.equal((await refused('all', '/tokens')).headers['www-authenticate'], undefined)
})

t.test('checks: guessing tokens comes to a stop, and whoever was right goes on', async t => {
  const { ask } = await testApp(t)
  const status = async (token: string, trusted = {}) =>
    (await ask('GET', '/stats', { headers: { authorization: `Bearer usher_${token}`, ...trusted } })).status
  t.equal(await status('view'), 200)
  for (let guess = 0; guess < 3; guess++) t.equal(await status('revoked'), 401, 'one and the same')
  for (let guess = 0; guess < 4; guess++) t.equal(await status(`guess-${guess}`), 401)
  const refused = await ask('GET', '/stats', { headers: { authorization: 'Bearer usher_all' } })
  t.match(refused, { status: 429, json: { error: 'too_many_attempts' } })
  t.match(refused.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.equal(await status('view'), 200)
  t.equal(await status('revoked'), 401)
})

t.test('checks: a route that does not say what it needs, or says what nobody knows, is not added', async t => {
  const add = (config: object | undefined) => (): void => {
    const app = fastify()
    addChecks(app, {} as never)
    app.get('/new', { ...(config === undefined ? {} : { config }) } as never, () => 'secret')
  }
  for (const config of [undefined, {}, { needs: 'restart' }, { needs: 'toString' }, { needs: null }]) {
    t.throws(add(config), { message: '/new does not say what it needs' }, JSON.stringify(config))
  }
  t.doesNotThrow(add({ needs: 'disconnect' }))
})

t.test('checks: a refusal names the permissions that would do, by their table', async t => {
  const { ask } = await testApp(t)
  const message = async (path: string, as: string) => (await ask('GET', path, { as })).json?.['message']
  t.equal(await message('/stats', 'nobody'), 'Permission -1 does not allow this: it takes 0 or 1.')
  t.equal(await message('/audit', 'viewer'), 'Permission 0 does not allow this: it takes 1.')
})

t.test('checks: a page sends on whom it is not for', async t => {
  const { ask } = await testApp(t)
  t.equal((await ask('GET', '/')).headers.location, '/login.html')
  t.equal((await ask('GET', '/', { as: 'newcomer' })).headers.location, '/password.html')
  const refused = await ask('GET', '/', { as: 'nobody' })
  t.match(refused.headers['content-type'], /^text\/html/)
  t.match(refused.text, /Nothing for nobody/)
})

t.test('checks: a made-up password comes before the permission, and is said so', async t => {
  const { ask } = await testApp(t)
  const { json } = await ask('GET', '/stats', { as: 'newcomer' })
  t.equal(json?.['error'], 'password_change_required')
})

t.test('checks: host, then csrfRefusal, then session, then permission, then body', async t => {
  const { ask } = await testApp(t)
  const foreign = { host: 'rebound.example' }
  const forged = { 'sec-fetch-site': 'same-site' }
  const check = async (options: AskOptions, status: number, error: string): Promise<void> => {
    const { status: found, json } = await ask('POST', '/disconnect', options)
    t.equal(found, status, error)
    t.equal(json?.['error'], error)
  }
  const body = '{'
  await check({ as: 'viewer', headers: { ...foreign, ...forged }, body }, 421, 'misdirected_request')
  await check({ headers: forged, body }, 403, 'forged_action')
  await check({ headers: { 'content-type': 'text/plain' }, body }, 415, 'unsupported_media_type')
  await check({ body }, 401, 'not_logged_in')
  await check({ as: 'viewer', body }, 403, 'forbidden')
  await check({ as: 'operator', body }, 400, 'bad_request')
})

t.test('checks: every state change is proof against csrfRefusal, login and logout too', async t => {
  const { ask, port, calls } = await testApp(t)
  const paths = ['/login', '/logout', '/password', '/disconnect', '/deny', '/allow',
    '/servers/8000/drain', '/servers/8000/ready', '/servers/8000/restart', '/tokens', '/tokens/revoke']
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const path of paths) {
    for (const headers of [
      { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'none' },
      { origin: 'http://127.0.0.1:8000' }, { origin: 'null' }, { ...form, origin: 'null' },
      form
    ] as Array<Record<string, string>>) {
      const { status } = await ask('POST', path, { as: 'operator', headers, body: 'username=a&password=b' })
      const isRefused = status === 403 || (headers === form && status === 415)
      t.ok(isRefused, `${path} ${JSON.stringify(headers)}: ${status}`)
    }
  }
  t.strictSame(calls, [])
  const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' }
  t.equal((await ask('POST', '/disconnect', { as: 'operator', headers: own, body: OWN_ID })).status, 200)
})

t.test('checks: no other origin\'s page uses the session, but a link to the console works', async t => {
  const { ask } = await testApp(t)
  const image = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }
  const link = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  for (const path of ['/stats', '/events', '/user-info', '/users', '/sessions', '/metrics', '/', '/nothing']) {
    const { status, json } = await ask('GET', path, { as: 'operator', headers: image })
    t.equal(status, 403, path)
    t.match(json, { error: 'forged_action' }, path)
  }
  t.equal((await ask('HEAD', '/stats', { as: 'operator', headers: image })).status, 403)
  t.equal((await ask('GET', '/', { as: 'operator', headers: link })).status, 200)
  t.equal((await ask('GET', '/stats', { as: 'operator', headers: link })).status, 200)
  for (const path of ['/healthz', '/login.html']) {
    t.equal((await ask('GET', path, { headers: image })).status, 200, `${path} needs no session`)
  }
})

t.test('checks: a 401 says how one gets in', async t => {
  const { ask } = await testApp(t, { metricsToken: 'a-token-of-some-length' })
  const challenge = async (path: string, headers = {}) =>
    (await ask('GET', path, { headers })).headers['www-authenticate']
  t.match(await challenge('/user-info'), /^Cookie realm=/)
  t.match(await challenge('/stats'), /^Bearer realm="[^"]+", Cookie realm=/)
  t.match(await challenge('/metrics'), /^Bearer realm="[^"]+", Cookie realm=/)
  t.match(await challenge('/metrics', { authorization: 'Bearer x' }), /^Bearer [^C]*error="invalid_token", Cookie /)
})

t.test('checks: a body is not looked at by a path that does not take it', async t => {
  const { ask } = await testApp(t)
  const { status, headers } = await ask('PUT', '/', { headers: { 'content-type': 'text/plain' }, body: '{' })
  t.equal(status, 405)
  t.equal(headers.allow, 'GET, HEAD')
})

t.test('checks: two session cookies are no session', async t => {
  const { ask } = await testApp(t)
  const headers = { cookie: 'session_id=viewer; session_id=operator' }
  t.equal((await ask('GET', '/stats', { headers })).status, 401)
})

t.test('checks: a token opens the metrics and nothing else, and only the right one', async t => {
  const { ask } = await testApp(t, { metricsToken: 'a-token-of-some-length' })
  const bearer = (token: string) => ({ headers: { authorization: token } })
  t.equal((await ask('GET', '/metrics', bearer('Bearer a-token-of-some-length'))).status, 200)
  t.equal((await ask('GET', '/metrics', bearer('Bearer a-token-of-some-lengtH'))).status, 401)
  t.equal((await ask('GET', '/metrics', bearer('Basic a-token-of-some-length'))).status, 401)
  t.equal((await ask('GET', '/stats', bearer('Bearer a-token-of-some-length'))).status, 401)
  const without = await testApp(t)
  t.equal((await without.ask('GET', '/metrics', bearer('Bearer '))).status, 401, 'no token is set')
})
