import t from 'tap'
import {
  originCheck, preflightReply, withCors, type CorsSettings
} from '@usher/shared/http/vocabulary/cors.ts'
import { keptReply, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import { testExternal, testServers } from '../../settings/test-servers.ts'

const SETTINGS: CorsSettings = {
  servers: [
    ...testServers([8000, 443], [{}, { publicUrl: 'https://red.example:8443/base' }]),
    ...testExternal(2, ['shop-a', 'shop-b'], [{}, { publicUrl: 'http://[2001:db8::1]:80/x' }])
  ],
  publicHosts: ['www.example'],
  routerUrl: 'https://door.example/usher',
  routingPort: 8080,
  live: { allowedOrigins: ['https://other.example'] }
}

t.test('cors: the pages of known servers, of the router and of ALLOWED_ORIGINS are let in', async t => {
  const check = originCheck(SETTINGS)
  type Case = [origin?: string | undefined, isSecure?: boolean, isAllowed?: boolean]
  const cases: readonly Case[] = [
    ['https://shop-a.example', false, true],
    ['https://shop-a.example', true, true],
    ['http://[2001:db8::1]', false, true],
    ['https://red.example:8443', false, true],
    ['https://door.example', false, true],
    ['https://other.example', false, true],
    ['http://localhost:8000', false, true],
    ['http://localhost:8080', false, true],
    ['http://www.example:8000', false, true],
    ['https://localhost', true, true],
    ['https://localhost:443', true, true],
    [undefined],
    ['', false, false],
    ['null', false, false],
    ['https://shop-a.example/', false, false],
    ['https://shop-a.example:444', false, false],
    ['http://shop-a.example', false, false],
    ['https://evil-shop-a.example', false, false],
    ['https://shop-a.example.evil.example', false, false],
    ['https://red.example', false, false],
    ['http://localhost', false, false],
    ['http://localhost:9000', false, false],
    ['http://localhost:8000', true, false],
    ['https://localhost:8000', false, false],
    ['http://192.0.2.1:8000', false, false],
    ['http://evil.example:8000', false, false]
  ]
  for (const [origin, isSecure = false, isAllowed] of cases) {
    const head = { headers: { origin }, isSecure, authority: 'localhost:8080' }
    t.equal(check(head), isAllowed ? origin : undefined, `${origin} ${isSecure}`)
  }
  t.equal(check({ headers: { origin: 'http://x:8000' }, isSecure: false, authority: undefined }), undefined)
})

t.test('cors: other servers and other origins hold from the next request on', async t => {
  const live = { allowedOrigins: [] as readonly string[] }
  const settings = { ...SETTINGS, servers: [...SETTINGS.servers], live }
  const check = originCheck(settings)
  const isAllowed = (origin: string): boolean =>
    check({ headers: { origin }, isSecure: true, authority: undefined }) === origin
  t.strictSame([isAllowed('https://a.example'), isAllowed('https://new.example')], [false, false])
  settings.live.allowedOrigins = ['https://a.example']
  replaceServers(settings.servers, testExternal(0, ['new']))
  t.strictSame([isAllowed('https://a.example'), isAllowed('https://new.example')], [true, true])
  t.notOk(isAllowed('https://shop-a.example'))
})

t.test('cors: what pages may read is said, and to caches that it depends on who asks', async t => {
  const reply = keptReply(textReply(200, 'hello', ['X-A', 'b']))
  const before = [...reply.headers]
  const [one, two] = ['https://a.example', 'https://b.example']
  const read = withCors(reply, one)
  t.strictSame(read.headers.slice(before.length, before.length + 4),
    ['Access-Control-Allow-Origin', one, 'Access-Control-Allow-Credentials', 'true'])
  t.strictSame(read.headers.slice(-2), ['Vary', 'Origin'])
  t.equal(withCors(reply, one), read, 'a kept one is made once')
  t.equal(withCors(reply, two).headers[before.length + 1], two)
  t.strictSame(withCors(reply, undefined).headers, [...before, 'Vary', 'Origin'])
  t.strictSame(reply.headers, before)
  const once = { ...reply, isKept: false }
  t.not(withCors(once, one), withCors(once, one))
  t.notOk(withCors(once, one).isKept)
})

t.test('cors: a preflight names the methods, and no field', async t => {
  const { status, headers } = preflightReply('GET, POST', 'https://a.example')
  t.equal(status, 204)
  t.equal(headers[headers.indexOf('Access-Control-Allow-Methods') + 1], 'GET, POST')
  t.notOk(headers.includes('Access-Control-Allow-Headers'))
})
