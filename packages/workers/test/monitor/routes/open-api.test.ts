/** /openapi.json as others read it: valid, whole, and plain about what each route needs. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { testApp, type TestApp } from '../fixtures/test-app.ts'

interface Operation {
  readonly summary?: string
  readonly security?: ReadonlyArray<Record<string, string[]>>
  readonly requestBody?: { readonly content: Record<string, object> }
  readonly responses: Record<string, {
    readonly description: string
    readonly content?: Record<string, object>
  }>
}

async function operations ({ ask }: TestApp): Promise<Map<string, Operation>> {
  const { json } = await ask('GET', '/openapi.json', { as: 'viewer' })
  const paths = Object.entries(json!['paths'] as Record<string, Record<string, Operation>>)
  return new Map(paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation])))
}

t.test('openapi: an independent validator takes the document', async t => {
  const { json } = await (await testApp(t)).ask('GET', '/openapi.json', { as: 'viewer' })
  const validator = new Validator()
  const { valid, errors } = await validator.validate(json!)
  t.ok(valid, JSON.stringify(errors))
  t.equal(validator.version, '3.1')
})

t.test('openapi: what a route needs and takes is told, and each answer described', async t => {
  const all = await operations(await testApp(t))
  for (const [name, { summary, responses }] of all) {
    t.match(summary, /\w/, name)
    for (const [status, { description, content }] of Object.entries(responses)) {
      t.notMatch(description, /Default Response/, `${name} ${status}`)
      t.equal(content === undefined, ['303', '304'].includes(status), `${name} ${status}`)
      if (Number(status) < 400) continue
      const isLogin = name === 'post /login' && status === '401'
      if (!isLogin) t.strictSame(content?.['application/json'], { schema: { $ref: '#/components/schemas/Error' } }, `${name} ${status}`)
    }
  }
  const session = [{ session: [] }, { secure_session: [] }]
  t.strictSame(all.get('get /healthz')?.security, [])
  t.strictSame(all.get('get /user-info')?.security, session)
  t.strictSame(all.get('post /tokens')?.security, session)
  t.strictSame(all.get('get /stats')?.security, [...session, { token: ['view'] }])
  t.strictSame(all.get('post /servers/{name}/drain')?.security, [...session, { token: ['drain'] }])
  t.strictSame(all.get('get /metrics')?.security, [...session, { metrics_token: [] }, { token: ['view'] }])
  const statuses = (name: string): string => Object.keys(all.get(name)!.responses).join(' ')
  t.equal(statuses('get /events'), '200 400 401 403 421 429 500 503')
  t.equal(statuses('get /stats'), '200 304 400 401 403 412 421 429 500 503')
  t.equal(statuses('post /deny'), '200 400 401 403 409 413 415 421 429 500 503')
  t.equal(statuses('post /login'), '200 303 400 401 403 413 415 421 429 500 503')
  t.strictSame(Object.keys(all.get('post /login')!.requestBody!.content), ['application/json', 'application/x-www-form-urlencoded'])
})
