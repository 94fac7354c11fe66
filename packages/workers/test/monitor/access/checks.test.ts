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
    '/servers/8000/drain', '/servers/8000/ready', '/servers/8000/restart']
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
  t.match(await challenge('/stats'), /^Cookie realm=/)
  t.match(await challenge('/metrics'), /^Bearer realm="[^"]+", Cookie realm=/)
  t.match(await challenge('/metrics', { authorization: 'Bearer x' }), /^Bearer [^C]*error="invalid_token", Cookie /)
  const without = await testApp(t)
  t.match((await without.ask('GET', '/metrics')).headers['www-authenticate'], /^Cookie realm=/)
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
