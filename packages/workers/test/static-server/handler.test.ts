import t from 'tap'
import type { VisitorTable } from '@usher/shared/beats/visitors.ts'
import { formatAddress, formatClient, type Address, type Client } from '@usher/shared/client.ts'
import type { Reply, RequestFields, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { VisitOptions } from '@usher/shared/memory/visits.ts'
import { COUNTING_CASES } from '../../../shared/test/http/cases/counting-cases.ts'
import { staticHandler } from '../../src/static-server/handler.ts'
import { loadSite } from './fixtures/load-site.ts'
import { ADDRESS, headerOf, testRequest } from './fixtures/request.ts'
import { SERVER, staticParts } from './fixtures/static-parts.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const OTHER_ID = '0b9e5d2f-4a61-4c11-8a77-6f1c2b0e93d4'
const COOKIE = { cookie: `client_id=${ID}` }
const ORIGIN = 'http://localhost:8000'

const site = await loadSite(t.testdir({
  'index.html': 'hello '.repeat(99), '404.html': 'gone', 'style.css': 'p {}', data: '{}', sub: { 'index.html': 'sub' }
}))
const nextSite = await loadSite(t.testdir({ 'index.html': 'new' }))

const ruledSite = await loadSite(t.testdir({
  'index.html': 'app',
  'app.js': 'run()',
  docs: { '404.html': 'no document' },
  _headers: '/*\n  X-Rule: yes\n/app.js\n  Cache-Control: max-age=60, immutable\n',
  _redirects: '/in / 301\n/away https://elsewhere.example/\n/docs/* /docs/404.html 404\n/usher.* /index.html 200!\n/* /index.html 200\n'
}))

type Touch = ReturnType<VisitorTable['touch']>

/** A server with a table and a log that write down what they are told. */
function testServer ({
  touch = 'seen' as Touch, leave = true as boolean | 'busy', users = 3, activeUsers = () => users, denied = [] as string[], isDebug = true,
  /** Ids and addresses in the table. */
  known = [ID, ADDRESS] as readonly string[], isBusy = false, isFull = false
} = {}) {
  const calls: string[] = []
  const lines: object[] = []
  const addressesFull: string[] = []
  const foreign: string[] = []
  const isKnown = (client: Client): boolean => known.includes(formatClient(client))
  const note = (
    client: Client, server: number, address: Address, { sign, isOwn = true }: VisitOptions = {}
  ): void => {
    calls.push(`touch ${client.kind} ${formatClient(client)} on ${server} from ${formatAddress(address)}`)
    signs.push(`${sign ?? 'no sign'}${isOwn ? '' : ', of anybody'}`)
  }
  const signs: string[] = []
  const state = { site, notHealthy: undefined as string | undefined }
  const handler = staticHandler({
    ...staticParts(),
    table: {
      touch (client, server, address, options) {
        note(client, server, address, options)
        return touch
      },
      refresh (client, server, address, options) {
        const isHere = isKnown(client) || (options?.isOwn !== false && isKnown({ kind: 'ip', ...address }))
        if (isBusy || !isHere) return isBusy ? 'busy' : 'unknown'
        note(client, server, address, options)
        return touch
      },
      leave (client, server) {
        calls.push(`leave ${client.kind} ${formatClient(client)} on ${server}`)
        return leave
      },
      leaveAfterGrace (client, server) {
        calls.push(`leave after grace ${client.kind} ${formatClient(client)} on ${server}`)
        return leave
      },
      find: client => isBusy ? 'busy' : isKnown(client) ? {} as User : undefined,
      touchForPlace: () => 'unknown',
      isFull: () => isFull,
      isServerFull: () => false,
      activeUsers: server => server === SERVER ? activeUsers() : -1,
      activeUsersPerServer () {
        calls.push('count all')
        return Int32Array.of(11, users, 10)
      }
    },
    denyList: {
      isDenied: (client, address) =>
        denied.includes(formatAddress(address)) ||
        (client !== undefined && denied.includes(formatClient(client)))
    },
    site: () => state.site,
    pages: {
      denied: Buffer.from('<p>__VISITOR__ at __WHEN__</p>'),
      full: Buffer.from('<p>full</p>'),
      network: Buffer.from('<p>network</p>')
    },
    onForeign: ({ path }) => { foreign.push(path) },
    reasonNotHealthy: () => state.notHealthy,
    onAddressFull: address => { addressesFull.push(formatAddress(address)) },
    log: {
      isLevelEnabled: level => level === 'debug' && isDebug,
      debug: (fields: object, message?: string) => { lines.push({ ...fields, message }) }
    } as Parameters<typeof staticHandler>[0]['log'],
    wallNow: () => new Date('2026-11-23T14:31:05Z')
  })
  return {
    calls,
    lines,
    addressesFull,
    foreign,
    signs,
    state,
    /** Its reply, or a promise of it if it had to wait. */
    askNow (
      target: string, headers: RequestFields = {}, more: Partial<RequestValue> = {}
    ): Reply | Promise<Reply> {
      return handler(testRequest(target, { headers, ...more }))
    },
    async ask (
      target: string, headers: RequestFields = {}, more: Partial<RequestValue> = {}
    ): Promise<Reply> {
      return await handler(testRequest(target, { headers, ...more }))
    }
  }
}

function jsonOf (reply: Reply): unknown {
  return JSON.parse(reply.body.toString())
}

const TOUCH_ID = `touch id ${ID} on ${SERVER} from ${ADDRESS}`
const TOUCH_IP = `touch ip ${ADDRESS} on ${SERVER} from ${ADDRESS}`

t.test('handler: refuses other methods, and counts nobody for them', async t => {
  const cases: ReadonlyArray<[target: string, methods: string[], allow: string]> = [
    ['/', ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'get'], 'GET, HEAD'],
    ['/missing', ['POST'], 'GET, HEAD'],
    ['/usher.js', ['POST'], 'GET, HEAD'],
    ['/heartbeat', ['PUT', 'DELETE'], 'GET, HEAD, POST'],
    ['/leave', ['GET', 'HEAD', 'PUT'], 'POST'],
    ['/healthz', ['POST', 'PUT'], 'GET, HEAD']
  ]
  const { ask, calls } = testServer()
  for (const [target, methods, allow] of cases) {
    for (const method of methods) {
      const reply = await ask(target, COOKIE, { method })
      t.strictSame([reply.status, headerOf(reply, 'Allow')], [405, allow], `${method} ${target}`)
    }
    const options = await ask(target, COOKIE, { method: 'OPTIONS' })
    t.strictSame([options.status, options.headers, options.body.length],
      [204, ['Allow', allow, 'Cache-Control', 'no-store'], 0], target)
  }
  t.strictSame(calls, [])
})

t.test('handler: every case of counting, for one who is known and for a newcomer', async t => {
  for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
    const isBeat = path === '/heartbeat'
    const known = testServer({ known: [ID] })
    await known.ask(path, { ...headers, ...COOKIE }, { method })
    t.strictSame(known.calls, effect === 'none' ? [] : [TOUCH_ID], `known: ${what}`)

    const stranger = testServer({ known: [] })
    const reply = await stranger.ask(path, headers, { method })
    t.strictSame(stranger.calls, effect === 'adds' ? [TOUCH_IP] : [], `new: ${what}`)
    t.equal(headerOf(reply, 'Set-Cookie') !== undefined, effect === 'adds', `cookie: ${what}`)
    if (isBeat && effect === 'refreshes') t.equal(reply.status, 404, what)
  }
})

t.test('handler: a request refreshes under the id, or else under the address', async t => {
  const OTHER = { cookie: `client_id=${OTHER_ID}` }
  const touchOther = `touch id ${OTHER_ID} on ${SERVER} from ${ADDRESS}`
  const cases: ReadonlyArray<[
    target: string, headers: RequestFields, method: string, status: number, calls: string[]
  ]> = [
    ['/', { cookie: 'client_id=nonsense' }, 'GET', 200, [TOUCH_IP]],
    [`/?client_id=${OTHER_ID}`, COOKIE, 'GET', 200, [TOUCH_ID]],
    ['/?client_id=nonsense', {}, 'GET', 200, [TOUCH_IP]],
    ['/missing', COOKIE, 'GET', 404, [TOUCH_ID]],
    ['/missing', {}, 'GET', 404, [TOUCH_IP]],
    ['/sub', COOKIE, 'GET', 301, [TOUCH_ID]],
    ['/usher.js', COOKIE, 'GET', 200, [TOUCH_ID]],
    ['/usher.js', {}, 'GET', 200, [TOUCH_IP]],
    // The id that its address was given with the page.
    ['/usher.js', OTHER, 'GET', 200, [touchOther]],
    ['/heartbeat', OTHER, 'GET', 204, [touchOther]],
    ['/heartbeat', {}, 'GET', 204, [TOUCH_IP]],
    ['/heartbeat', {}, 'HEAD', 204, []],
    ['/heartbeat', COOKIE, 'HEAD', 204, []],
    // An id that somebody wrote into a link has no address.
    [`/heartbeat?client_id=${OTHER_ID}`, {}, 'GET', 404, []],
    [`/heartbeat?client_id=${OTHER_ID}`, COOKIE, 'GET', 404, []],
    [`/heartbeat?client_id=${OTHER_ID}`, COOKIE, 'HEAD', 404, []],
    [`/heartbeat?client_id=${ID.toUpperCase()}`, {}, 'GET', 204, [TOUCH_ID]],
    [`/heartbeat?a=b&client_id=${ID}&c`, OTHER, 'GET', 204, [TOUCH_ID]],
    ['/heartbeat?other=1', COOKIE, 'GET', 204, [TOUCH_ID]],
    ['/leave', COOKIE, 'POST', 200, [`leave id ${ID} on ${SERVER}`]],
    ['/leave?page', COOKIE, 'POST', 200, [`leave after grace id ${ID} on ${SERVER}`]],
    [`/leave?client_id=${ID}&page`, {}, 'POST', 200, [`leave after grace id ${ID} on ${SERVER}`]],
    ['/leave?pages', COOKIE, 'POST', 200, [`leave id ${ID} on ${SERVER}`]],
    ['/leave', {}, 'POST', 200, [`leave ip ${ADDRESS} on ${SERVER}`]],
    [`/leave?client_id=${ID}`, {}, 'POST', 200, [`leave id ${ID} on ${SERVER}`]]
  ]
  for (const [target, headers, method, status, expected] of cases) {
    const { ask, calls } = testServer()
    const reply = await ask(target, headers, { method })
    t.equal(reply.status, status, `${method} ${target}`)
    t.strictSame(calls, expected, `${method} ${target}`)
  }
})

t.test('handler: the table is told what a request is a sign of, and whose id it is', async t => {
  const query = `/heartbeat?client_id=${ID}`
  const cases: ReadonlyArray<[
    target: string, headers: RequestFields, method: string, sign: string
  ]> = [
    ['/', COOKIE, 'GET', 'page'],
    ['/', {}, 'GET', 'page'],
    ['/style.css', COOKIE, 'GET', 'no sign'],
    ['/heartbeat', COOKIE, 'GET', 'beat'],
    ['/heartbeat', COOKIE, 'POST', 'beat'],
    [query, COOKIE, 'GET', 'beat'],
    [query, {}, 'GET', 'beat, of anybody'],
    [query, {}, 'POST', 'beat, of anybody'],
    [query, { cookie: `client_id=${OTHER_ID}` }, 'GET', 'beat, of anybody']
  ]
  for (const [target, headers, method, sign] of cases) {
    const { ask, signs } = testServer()
    await ask(target, headers, { method })
    t.strictSame(signs, [sign], `${method} ${target} ${JSON.stringify(headers)}`)
  }
})

t.test('handler: every reply is there at once, and one that comes again is the same object', async t => {
  const cases: ReadonlyArray<[
    target: string, headers: RequestFields, status: number, method?: string
  ]> = [
    ['/', COOKIE, 200],
    ['/', { ...COOKIE, 'accept-encoding': 'br' }, 200],
    ['/style.css', {}, 200],
    ['/usher.js', COOKIE, 200],
    ['/missing', COOKIE, 404],
    ['/healthz', {}, 200],
    ['/heartbeat', COOKIE, 204],
    ['/heartbeat', COOKIE, 204, 'POST'],
    ['/heartbeat', { ...COOKIE, 'sec-fetch-site': 'cross-site' }, 403],
    ['/heartbeat', { cookie: 'client_id=nonsense' }, 400],
    ['/leave', COOKIE, 200, 'POST']
  ]
  const { askNow } = testServer()
  for (const [target, headers, status, method = 'GET'] of cases) {
    const first = askNow(target, headers, { method })
    const again = askNow(target, headers, { method })
    if (first instanceof Promise) t.fail(`a promise for ${target}`)
    else t.strictSame([first.status, first.isKept], [status, true], target)
    t.equal(again, first, target)
  }
  const etag = headerOf(await askNow('/', COOKIE), 'ETag')!
  const notModified = askNow('/', { ...COOKIE, 'if-none-match': etag })
  t.match(notModified, { status: 304, isKept: true })
  t.equal(askNow('/', { ...COOKIE, 'if-none-match': etag }), notModified)
})

t.test('handler: what is made for one request says so', async t => {
  const cases: ReadonlyArray<[target: string, headers: RequestFields, status: number]> = [
    ['/', {}, 200],
    ['/data', { ...COOKIE, range: 'bytes=0-0' }, 206],
    ['/sub', COOKIE, 301],
    ['/heartbeat?servers', COOKIE, 204]
  ]
  const { ask } = testServer()
  for (const [target, headers, status] of cases) {
    const [first, again] = [await ask(target, headers), await ask(target, headers)]
    t.strictSame([first.status, first.isKept === true], [status, false], target)
    t.not(again, first, target)
  }
})

t.test('handler: a beat is told the users as they are, also after many of another number', async t => {
  const users = { count: 3 }
  const { ask } = testServer({ activeUsers: () => users.count })
  const told = async (): Promise<string | undefined> =>
    headerOf(await ask('/heartbeat', COOKIE), 'X-Active-Users')
  for (const count of [3, 3, 4, 3, 0, 3]) {
    users.count = count
    t.equal(await told(), String(count))
  }
})

t.test('handler: gives a cookie to who may be a person with a page and has none', async t => {
  const cases: ReadonlyArray<[target: string, headers: RequestFields, isGiven: boolean]> = [
    ['/', {}, true],
    ['/missing', {}, true],
    ['/sub', {}, true],
    ['/', { cookie: 'client_id=nonsense' }, true],
    ['/', { range: 'bytes=0-1' }, true],
    ['/', COOKIE, false],
    ['/usher.js', {}, false],
    ['/style.css', {}, false],
    ['/missing.png', {}, false],
    ['/data', {}, false],
    ['/', { range: 'bytes=999999-' }, false],
    ['/heartbeat', {}, false],
    ['/healthz', {}, false]
  ]
  for (const [target, headers, isGiven] of cases) {
    const { ask } = testServer()
    const reply = await ask(target, headers)
    const name = `${target} ${JSON.stringify(headers)}`
    const pattern = /^client_id=[0-9a-f-]{36}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=31536000$/
    t.equal(pattern.test(headerOf(reply, 'Set-Cookie') ?? ''), isGiven, name)
    if (isGiven) t.equal(headerOf(reply, 'Cache-Control'), 'private, no-store', name)
  }
  const { ask } = testServer()
  const [one, two] = [await ask('/'), await ask('/', {}, { isSecure: true })]
  t.not(headerOf(one, 'Set-Cookie'), headerOf(two, 'Set-Cookie'))
  t.match(headerOf(two, 'Set-Cookie'), /; Secure$/)
  t.equal(headerOf(await ask('/', COOKIE), 'Cache-Control'), 'no-cache', 'the stored reply is untouched')
})

t.test('handler: a newcomer with a fresh copy gets 304 and the cookie', async t => {
  const { ask } = testServer()
  const etag = headerOf(await ask('/', COOKIE), 'ETag')!
  const reply = await ask('/', { 'if-none-match': etag })
  t.strictSame([reply.status, headerOf(reply, 'ETag')], [304, etag])
  t.match(headerOf(reply, 'Set-Cookie'), /^client_id=/)
})

t.test('handler: a fresh copy of what is no page adds nobody either', async t => {
  const { ask, calls } = testServer({ known: [] })
  const etag = headerOf(await ask('/data'), 'ETag')!
  const reply = await ask('/data', { 'if-none-match': etag })
  t.strictSame([reply.status, headerOf(reply, 'Set-Cookie')], [304, undefined])
  t.strictSame(calls, [])
})

t.test('handler: what another site embeds is served and not counted', async t => {
  const { ask, calls } = testServer({ touch: 'full' })
  for (const target of ['/', '/missing', '/usher.js']) {
    const reply = await ask(target, { ...COOKIE, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })
    t.equal(reply.status, target === '/missing' ? 404 : 200, target)
  }
  t.strictSame(calls, [])
})

t.test('handler: beats and leaves that another site causes are refused', async t => {
  const cases: ReadonlyArray<[headers: RequestFields, isRefused: boolean]> = [
    [{ 'sec-fetch-site': 'cross-site' }, true],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, true],
    [{ origin: 'http://evil.example' }, true],
    [{ origin: 'null' }, true],
    [{ referer: 'http://evil.example/page' }, true],
    [{ referer: `${ORIGIN}/page` }, false],
    [{ origin: 'https://shop.example' }, false],
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }, false],
    [{ origin: ORIGIN, 'sec-fetch-site': 'same-origin' }, false],
    [{}, false]
  ]
  for (const [headers, isRefused] of cases) {
    for (const target of ['/heartbeat', '/leave', `/heartbeat?client_id=${ID}`, '/leave?client_id=nonsense']) {
      if (!isRefused && target.includes('nonsense')) continue
      const { ask, calls, foreign } = testServer()
      const reply = await ask(target, { ...COOKIE, ...headers }, { method: 'POST' })
      t.equal(foreign.length, isRefused ? 1 : 0, 'whoever runs the site is told')
      t.equal(reply.status === 403, isRefused, `${target} ${JSON.stringify(headers)}`)
      t.equal(calls.length, isRefused ? 0 : 1)
      if (!isRefused) continue
      t.match(jsonOf(reply), { error: 'foreign_origin', message: String })
      const denied = testServer({ denied: [ID] })
      t.match(jsonOf(await denied.ask(target, { ...COOKIE, ...headers }, { method: 'POST' })),
        { error: 'denied' }, 'denial is looked at first')
    }
  }
})

t.test('handler: a malformed or repeated client_id is 400 where it counts', async t => {
  const queries = [
    'client_id=nonsense', 'client_id=', 'client_id', `client_id=${ID}&client_id=${ID}`, `client_id=${ID}&client_id=`,
    'client_id=00000000-0000-0000-0000-000000000000', `client_id=${ID}%00`, `client_id=%20${ID}`, `client_id={${ID}}`,
    `client_id=${ADDRESS}`, 'client_id=%zz', 'client_id=<script>'
  ]
  const { ask, calls } = testServer()
  for (const query of queries) {
    for (const target of ['/heartbeat', '/leave']) {
      const reply = await ask(`${target}?${query}`, COOKIE, { method: 'POST' })
      t.equal(reply.status, 400, `${target}?${query}`)
      t.match(jsonOf(reply), { error: 'malformed_client_id', message: String })
      t.notMatch(reply.body.toString(), 'script')
    }
  }
  t.strictSame(calls, [])
})

t.test('handler: a malformed cookie is 400 where it counts, unless a good one is there too', async t => {
  const cases: ReadonlyArray<[cookie: string, target: string, status: number]> = [
    ['client_id=nonsense', '/heartbeat', 400],
    ['client_id=', '/heartbeat', 400],
    ['a=b; client_id=00000000-0000-0000-0000-000000000000', '/heartbeat', 400],
    [`client_id=nonsense; client_id=${ID}`, '/heartbeat', 204],
    ['client_id=nonsense', `/heartbeat?client_id=${ID}`, 204],
    ['my_client_id=nonsense', '/heartbeat', 204],
    ['client_id=nonsense', '/', 200]
  ]
  for (const [cookie, target, status] of cases) {
    const { ask, calls } = testServer()
    t.equal((await ask(target, { cookie })).status, status, `${cookie} at ${target}`)
    t.equal(calls.length, status === 400 ? 0 : 1)
  }
})

t.test('handler: the beat is answered with users and interval', async t => {
  const { ask } = testServer({ users: 42 })
  const away = await ask(`/heartbeat?client_id=${OTHER_ID}`)
  t.equal(away.status, 404)
  t.match(jsonOf(away), { error: 'not_here', message: String })
  t.strictSame([headerOf(away, 'X-Active-Users'), headerOf(away, 'Cache-Control')], ['42', 'no-store'])
  const reply = await ask('/heartbeat', COOKIE)
  t.strictSame(reply.headers, ['X-Active-Users', '42', 'X-Heartbeat-Interval', '2.75', 'Cache-Control', 'no-store'])
  t.equal(reply.body.length, 0)
})

t.test('handler: a beat that asks for the servers is told the users of each', async t => {
  const { ask, calls } = testServer({ users: 42 })
  for (const query of ['servers', 'servers=', `client_id=${ID}&servers=yes`]) {
    calls.length = 0
    const reply = await ask(`/heartbeat?${query}`, COOKIE)
    t.strictSame(reply.headers, [
      'X-Active-Users', '42', 'X-Heartbeat-Interval', '2.75',
      'X-Server-Users', '8000=11, 8001=42, 8002=10', 'Cache-Control', 'no-store'
    ], query)
    t.strictSame(calls, [TOUCH_ID, 'count all'], 'it counts like any other')
  }
  calls.length = 0
  const away = await ask(`/heartbeat?servers&client_id=${OTHER_ID}`)
  t.strictSame([away.status, headerOf(away, 'X-Server-Users')], [404, '8000=11, 8001=42, 8002=10'])
  calls.length = 0
  for (const query of ['', '?', '?server', '?a=servers', `?client_id=${ID}`]) {
    t.equal(headerOf(await ask(`/heartbeat${query}`, COOKIE), 'X-Server-Users'), undefined, query)
  }
  t.notOk(calls.includes('count all'), 'and an ordinary beat costs what it did')
})

t.test('handler: who is not counted is served, and beats as seldom as can be', async t => {
  const { ask, lines } = testServer({ touch: 'uncounted' })
  const page = await ask('/', {})
  t.equal(page.status, 200)
  t.match(headerOf(page, 'Set-Cookie'), /^client_id=/)
  const beat = await ask('/heartbeat', COOKIE, { method: 'POST' })
  t.strictSame([beat.status, headerOf(beat, 'X-Heartbeat-Interval')], [204, '450'])
  t.strictSame(lines, [])
})

t.test('handler: a leave is received, known or not', async t => {
  for (const leave of [true, false]) {
    const reply = await testServer({ leave }).ask('/leave', COOKIE, { method: 'POST' })
    t.strictSame([reply.status, reply.body.toString(), headerOf(reply, 'Cache-Control')],
      [200, '{"response":"leave received"}', 'no-store'])
  }
  t.equal((await testServer({ leave: 'busy' }).ask('/leave', COOKIE, { method: 'POST' })).status, 503)
})

t.test('handler: the page script has a tag of its own', async t => {
  const { ask } = testServer()
  const reply = await ask('/usher.js', COOKIE)
  t.strictSame(
    [reply.status, reply.body.toString(), headerOf(reply, 'Content-Type'), headerOf(reply, 'Cache-Control')],
    [200, 'beat() '.repeat(99), 'text/javascript; charset=utf-8', 'no-cache'])
  t.equal((await ask('/usher.js', { ...COOKIE, 'if-none-match': headerOf(reply, 'ETag') })).status, 304)
  t.equal(headerOf(await ask('/usher.js', { ...COOKIE, 'accept-encoding': 'br' }), 'Content-Encoding'), 'br')
})

t.test('handler: the denied, by id or by address, get nothing else', async t => {
  const WHEN = '23 November 2026, 14:31 UTC'
  const cases: ReadonlyArray<[
    denied: string, headers: RequestFields, target: string, visitor: string | undefined
  ]> = [
    [ID, COOKIE, '/', ID],
    [ID, COOKIE, '/missing', ID],
    [ID, COOKIE, '/usher.js', ID],
    [ID, COOKIE, '/sub', ID],
    [ADDRESS, COOKIE, '/', ID],
    [ADDRESS, {}, '/', ADDRESS],
    [ID, { ...COOKIE, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, '/', ID],
    [ID, COOKIE, '/heartbeat', undefined],
    [ADDRESS, {}, '/heartbeat', undefined],
    [ID, {}, `/heartbeat?client_id=${ID}`, undefined],
    [ADDRESS, {}, `/heartbeat?client_id=${ID}`, undefined],
    [ID, COOKIE, '/leave', undefined],
    [ADDRESS, {}, '/leave', undefined]
  ]
  for (const [denied, headers, target, visitor] of cases) {
    const { ask, calls } = testServer({ denied: [denied] })
    const reply = await ask(target, headers, { method: target.startsWith('/leave') ? 'POST' : 'GET' })
    const name = `${denied} at ${target}`
    t.strictSame([reply.status, headerOf(reply, 'Cache-Control'), headerOf(reply, 'Set-Cookie')], [403, 'no-store', undefined], name)
    if (visitor === undefined) t.match(jsonOf(reply), { error: 'denied', message: String }, name)
    else t.equal(reply.body.toString(), `<p>${visitor} at ${WHEN}</p>`, name)
    t.strictSame(calls, [], name)
  }
  t.equal((await testServer({ denied: [OTHER_ID] }).ask('/', COOKIE)).status, 200, 'others are welcome')
  t.equal((await testServer({ denied: [ID] }).ask('/')).status, 200, 'an id says nothing of its address')
})

t.test('handler: when the table is full, or stays out of reach, visitors are told to come back', async t => {
  for (const touch of ['full', 'address-full', 'busy'] as const) {
    const { ask, addressesFull } = testServer({ touch })
    for (const target of ['/', '/missing', '/heartbeat']) {
      const reply = await ask(target, {}, { method: target === '/heartbeat' ? 'POST' : 'GET' })
      t.strictSame(
        [reply.status, headerOf(reply, 'Retry-After'), headerOf(reply, 'Cache-Control'), headerOf(reply, 'Set-Cookie')],
        [503, '5', 'no-store', undefined], target)
      if (target === '/heartbeat') t.match(jsonOf(reply), { error: 'unavailable', message: String })
      else t.equal(reply.body.toString(), '<p>full</p>', target)
    }
    t.equal(addressesFull.length, touch === 'address-full' ? 3 : 0, 'whose address has its share')
    t.equal((await ask('/usher.js')).status, 200, 'what adds nobody needs no room')
  }
  const { ask } = testServer({ isBusy: true })
  t.equal((await ask('/heartbeat')).status, 503)
  t.equal((await ask('/heartbeat', {}, { method: 'HEAD' })).status, 503)
  t.equal((await ask('/style.css')).status, 200)
})

t.test('handler: HEAD says that there is no room, as GET does', async t => {
  const { ask, calls } = testServer({ touch: 'full', isFull: true, known: [ID] })
  for (const [target, headers, status] of [
    ['/', {}, 503], ['/missing', {}, 503], ['/', COOKIE, 200], ['/style.css', {}, 200], ['/data', {}, 200]
  ] as const) {
    t.equal((await ask(target, headers, { method: 'HEAD' })).status, status, target)
  }
  t.strictSame(calls, [])
})

t.test('handler: says whether visitors may be sent here, to anybody', async t => {
  const { ask, calls, state } = testServer({ denied: [ID, ADDRESS] })
  const healthy = await ask('/healthz', COOKIE)
  t.strictSame([healthy.status, jsonOf(healthy)], [200, { status: 'healthy' }])
  t.equal((await ask('/healthz', COOKIE, { method: 'HEAD' })).status, 200)
  state.notHealthy = 'draining'
  const reply = await ask('/healthz')
  t.strictSame([reply.status, headerOf(reply, 'Retry-After'), headerOf(reply, 'Cache-Control')], [503, '1', 'no-store'])
  t.strictSame(jsonOf(reply), { error: 'not_ready', message: 'draining' })
  t.strictSame(calls, [])
})

t.test('handler: a posted beat gives an id to who has none', async t => {
  const { ask, calls } = testServer()
  const reply = await ask('/heartbeat', {}, { method: 'POST' })
  t.equal(reply.status, 204)
  t.match(headerOf(reply, 'Set-Cookie'), /^client_id=/)
  t.equal(headerOf(reply, 'Cache-Control'), 'private, no-store')
  t.strictSame(calls, [TOUCH_IP], 'a browser that takes no cookie stays one user')
  t.equal(headerOf(await ask('/heartbeat', COOKIE, { method: 'POST' }), 'Set-Cookie'), undefined)
  t.equal(headerOf(await ask(`/heartbeat?client_id=${ID}`, {}, { method: 'POST' }), 'Set-Cookie'), undefined)
})

t.test('handler: rules are for visitors who may come, and count as what they answer with', async t => {
  const asset = ['/app.js', '/gone.css'] as const
  const page = ['/cart', '/in', '/gone/', '/docs/none'] as const
  const denied = testServer({ denied: [ADDRESS] })
  const full = testServer({ touch: 'full', known: [] })
  const open = testServer({ touch: 'arrived', known: [] })
  for (const server of [denied, full, open]) server.state.site = ruledSite
  for (const target of [...asset, ...page, '/away']) {
    const refused = await denied.ask(target)
    t.strictSame([refused.status, headerOf(refused, 'X-Rule'), headerOf(refused, 'Location')], [403, undefined, undefined], target)
    const isPage = page.includes(target as typeof page[number])
    t.equal((await full.ask(target)).status === 503, isPage, `full: ${target}`)
    const first = await open.ask(target)
    t.equal(headerOf(first, 'Set-Cookie') !== undefined, isPage, `cookie: ${target}`)
    if (isPage) t.equal(headerOf(first, 'Cache-Control'), 'private, no-store', target)
    t.equal(headerOf(await open.ask(target, {}, { method: 'HEAD' }), 'Set-Cookie'), undefined, `HEAD ${target}`)
  }
  t.equal(headerOf(await open.ask('/app.js'), 'Cache-Control'), 'max-age=60, immutable')
  t.equal(open.calls.length, page.length, 'counted are pages, once each')
  t.equal((await open.ask('/usher.js')).body.toString().slice(0, 6), 'beat()', 'no rule is for the page script')
})

t.test('handler: a reload switches the site', async t => {
  const { ask, state } = testServer()
  t.match((await ask('/', COOKIE)).body.toString(), 'hello')
  state.site = nextSite
  t.equal((await ask('/', COOKIE)).body.toString(), 'new')
})

t.test('handler: arrivals, moves and leaves are one debug line each', async t => {
  const cases: ReadonlyArray<[
    target: string, server: Parameters<typeof testServer>[0], message: string | undefined
  ]> = [
    ['/', { touch: 'arrived' }, 'user arrived'],
    ['/heartbeat', { touch: 'arrived' }, 'user arrived'],
    ['/', { touch: 'moved' }, 'user moved'],
    ['/', { touch: 'seen' }, undefined],
    ['/', { touch: 'full' }, undefined],
    ['/', { touch: 'arrived', isDebug: false }, undefined],
    ['/leave', { leave: true }, 'user left'],
    ['/leave?page', { leave: true }, undefined],
    ['/leave', { leave: false }, undefined],
    ['/leave', { leave: true, isDebug: false }, undefined]
  ]
  for (const [target, server, message] of cases) {
    const { ask, lines } = testServer(server)
    await ask(target, COOKIE, { method: target.startsWith('/leave') ? 'POST' : 'GET' })
    t.strictSame(lines, message === undefined ? [] : [{ client: ID, message }],
      `${target} ${JSON.stringify(server)}`)
  }
})
