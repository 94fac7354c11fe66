import t from 'tap'
import { areSameClients, formatClient, parseAddress, parseClientId } from '@usher/shared/client.ts'
import type { Reply, RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import { ROUTER } from '@usher/shared/memory/newcomers.ts'
import { COUNTING_CASES } from '../../shared/test/http/cases/counting-cases.ts'
import { clientNumber, HOME } from '../../shared/test/memory/test-table.ts'
import { clientOf, COOKIE, headerOf, testRouter, ticketIn } from './fixtures/router.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)

/** What nginx says of the request that it forwards. */
function original (method: string, uri: string): RequestFields {
  return { 'x-forwarded-method': method, 'x-original-uri': uri }
}

function serverOf (reply: Reply): string | undefined {
  return headerOf(reply, 'X-Usher-Server')
}

t.test('decisions: a newcomer is placed, counted at once and given a cookie', async t => {
  const { decide, users } = testRouter(t, { names: ['red', 'green', 'blue'] })
  const reply = await decide('/decide')
  const cookie = headerOf(reply, 'Set-Cookie') ?? ''
  t.match(cookie, COOKIE)
  const [, id = ''] = COOKIE.exec(cookie)!
  t.strictSame([reply.status, reply.body.length], [200, 0])
  t.strictSame(reply.headers, [
    'X-Usher-Server', 'red',
    'X-Usher-Upstream', 'http://127.0.0.1:8000',
    'Cache-Control', 'no-store',
    'X-Usher-Client', id,
    'Set-Cookie', cookie
  ])
  t.match(users(), [{ client: parseClientId(id), server: 0, reservedServer: undefined }])
})

t.test('decisions: one who is active stays, whatever the loads, and gets no cookie', async t => {
  const { decide, users, table } = testRouter(t)
  for (let number = 10; number < 20; number++) table.touch(clientNumber(number), 2, HOME)
  table.touch(ANA, 2, HOME)
  const reply = await decide('/decide', { client: ANA })
  t.strictSame(reply.headers, [
    'X-Usher-Server', '8002',
    'X-Usher-Upstream', 'http://127.0.0.1:8002',
    'Cache-Control', 'no-store'
  ])
  t.match(users().find(({ client }) => areSameClients(client, ANA)),
    { server: 2, reservedServer: undefined })
})

t.test('decisions: a place that the router holds is taken', async t => {
  const { ask, decide, users } = testRouter(t)
  await ask('/', { client: BEN })
  await ask('/', { client: ANA })
  t.equal(serverOf(await decide('/decide', { client: ANA })), '8001')
  t.match(users().find(({ client }) => areSameClients(client, ANA)),
    { server: 1, reservedServer: undefined })
})

t.test('decisions: newcomers at once are spread exactly', async t => {
  const { decide, loads, waits } = testRouter(t)
  await Promise.all(Array.from({ length: 300 }, () => decide('/decide')))
  t.strictSame(loads(), [100, 100, 100])
  t.equal(waits.count, 0, 'nobody waits')
})

t.test('decisions: a server that drains keeps its users and gets no others', async t => {
  const { decide, table, clock } = testRouter(t)
  table.touch(ANA, 0, HOME)
  table.setServerState(0, 'draining', clock.nowMs + 60_000)
  t.equal(serverOf(await decide('/decide', { client: ANA })), '8000')
  t.equal(serverOf(await decide('/decide', { client: BEN })), '8001')
  clock.nowMs += 61_000
  t.equal(serverOf(await decide('/decide', { client: ANA })), '8002', 'until its time is over')
})

t.test('decisions: the users of a server that is down are placed anew', async t => {
  const { decide, table, users } = testRouter(t)
  table.touch(ANA, 0, HOME)
  table.setServerState(0, 'down')
  for (const method of ['GET', 'POST']) {
    const reply = await decide('/decide', { client: ANA, headers: original(method, '/') })
    t.equal(serverOf(reply), '8001', method)
    t.match(users(), [{ client: ANA, server: 1 }], method)
  }
})

t.test('decisions: every case of counting, for one who is known and for a newcomer', async t => {
  for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
    if (path.startsWith('/heartbeat')) continue
    const { decide, users, table } = testRouter(t)
    const question = { headers: { ...headers, ...original(method, path) } }
    const isPlaced = effect === 'adds'
    const reply = await decide('/decide', question)
    t.equal(reply.status, 200, what)
    t.equal(users().length, isPlaced ? 1 : 0, what)
    t.equal(clientOf(reply) !== undefined, isPlaced, `cookie: ${what}`)
    table.touch(ANA, 2, HOME)
    t.equal(serverOf(await decide('/decide', { ...question, client: ANA })), '8002', what)
  }
})

t.test('decisions: what is no page refreshes who is there, and adds nobody', async t => {
  const cases: ReadonlyArray<readonly [method: string, uri: string, headers?: RequestFields]> = [
    ['GET', '/logo.png'], ['POST', '/cart'], ['PUT', '/a'], ['DELETE', '/a'], ['GET', '/heartbeat'],
    ['POST', '/heartbeat'], ['GET', '/']
  ]
  for (const [method, uri] of cases) {
    const { decide, table, clock, users } = testRouter(t)
    table.touch(ANA, 1, HOME)
    clock.nowMs += 5000
    const reply = await decide('/decide', { client: ANA, headers: original(method, uri) })
    t.equal(serverOf(reply), '8001', `${method} ${uri}`)
    t.match(users(), [{ client: ANA, lastSeenAgoMs: 0 }], `${method} ${uri}`)
  }
  const { decide, table, clock, users } = testRouter(t)
  table.touch(ANA, 1, HOME)
  clock.nowMs += 5000
  for (const [method, uri, headers = {}] of [
    ['HEAD', '/'], ['OPTIONS', '/'], ['TRACE', '/'], ['GET', 'no path'], ['GET', '*'],
    ['POST', '/cart', { 'sec-fetch-site': 'cross-site' }]
  ] as const) {
    const fields = { ...headers, ...original(method, uri) }
    t.equal(serverOf(await decide('/decide', { client: ANA, headers: fields })), '8001')
    t.match(users(), [{ client: ANA, lastSeenAgoMs: 5000 }], `${method} ${uri}`)
  }
})

t.test('decisions: caddy\'s names of the request, and a beat that names its client', async t => {
  const { decide, users, table } = testRouter(t)
  const headers = { 'x-forwarded-uri': '/logo.png' }
  t.equal(serverOf(await decide('/decide', { headers })), '8000')
  t.strictSame(users(), [])
  table.touch(BEN, 2, HOME)
  const beat = original('GET', `/heartbeat?client_id=${formatClient(BEN)}`)
  t.equal(serverOf(await decide('/decide', { client: ANA, headers: beat })), '8002')
})

t.test('decisions: denied, full and unavailable say what the proxy may do', async t => {
  const { decide, deny, table, users } = testRouter(t, { users: 16 })
  deny(formatClient(ANA))
  const denied = await decide('/decide?full=401', { client: ANA })
  t.equal(denied.status, 403)
  t.match(denied.body.toString(), formatClient(ANA))
  t.equal(headerOf(denied, 'X-Usher-Location'), undefined)
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  const headers = original('GET', '/shop?a=b')
  for (const [query, status] of [['', 503], ['?full=503', 503], ['?full=401', 401],
    ['?full=403', 403]] as const) {
    const reply = await decide(`/decide${query}`, { client: BEN, headers })
    t.equal(reply.status, status, query)
    t.equal(headerOf(reply, 'X-Usher-Location'), 'http://localhost:8080/shop?a=b')
    t.equal(headerOf(reply, 'Retry-After'), '1')
    t.match(reply.body.toString(), 'unavailable')
  }
  for (const server of [0, 1, 2]) table.setServerState(server, 'up')
  for (let number = 100; users().length < 16; number++) {
    table.touch(clientNumber(number), 0, HOME)
    table.touch(clientNumber(number), 0, HOME)
  }
  const full = await decide('/decide', { client: BEN })
  t.equal(full.status, 503)
  t.match(full.body.toString(), 'full')
})

t.test('decisions: a refusal is repeated with its page, and places nobody', async t => {
  const { decide, deny, table, users } = testRouter(t, { users: 16 })
  const headers = original('POST', '/shop?a=b')
  const again = async (query = ''): Promise<unknown[]> => {
    const reply = await decide(`/refusal${query}`, { client: BEN, headers })
    return [reply.status, headerOf(reply, 'X-Usher-Reason'), reply.body.toString()]
  }
  t.match(await again(), [503, 'full', /full/], 'there is room again, which is for the next request')
  t.match(await again('?reason=full'), [503, 'full', /full/])
  t.match(await again('?reason=network'), [503, 'network', /network/])
  const reply = await decide('/refusal', { client: BEN, headers })
  t.equal(headerOf(reply, 'X-Usher-Location'), 'http://localhost:8080/shop?a=b')
  t.equal(headerOf(reply, 'Set-Cookie'), undefined)
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  t.match(await again('?reason='), [503, undefined, /unavailable/])
  t.strictSame(users(), [])
  deny(formatClient(BEN))
  t.match(await again('?reason=network'), [403, undefined, new RegExp(formatClient(BEN))])
})

t.test('decisions: a refused visitor is sent to the router by its public name', async t => {
  const { decide, table } = testRouter(t, { routerUrl: 'https://door.example/a' })
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  const reply = await decide('/decide', { headers: original('GET', '/b c"') })
  t.equal(headerOf(reply, 'X-Usher-Location'), 'https://door.example/a/', 'not by what is no path')
  const other = await decide('/decide', { headers: original('GET', '//evil.example/[') })
  t.equal(headerOf(other, 'X-Usher-Location'), 'https://door.example/a//evil.example/%5B')
})

t.test('decisions: one beyond its network\'s allowance is served and not counted', async t => {
  const newcomers = { perMinute: 3, exempt: [], thread: ROUTER }
  const { decide, loads, users } = testRouter(t, { newcomers })
  const address = parseAddress('203.0.113.7')!
  for (let number = 0; number < 3; number++) await decide('/decide', { address })
  const [first, again] = [await decide('/decide', { address, client: ANA }),
    await decide('/decide', { address, client: ANA })]
  t.equal(first.status, 200)
  t.equal(serverOf(first), serverOf(again), 'by hash of the id')
  t.strictSame([loads(), users().length], [[1, 1, 1], 3])
})

t.test('decisions: other requests are refused in words', async t => {
  const { decide, notHealthy } = testRouter(t)
  const bad = await decide('/decide?full=500')
  t.equal(bad.status, 400)
  t.match(bad.body.toString(), 'full=401, full=403, full=503')
  const rewritten = await decide('/decide?full=500', { headers: original('GET', '/?full=500') })
  t.equal(rewritten.status, 200, 'the visitor\'s own query')
  t.equal((await decide('/')).status, 404)
  t.equal((await decide('/decide', { method: 'POST' })).status, 405)
  t.equal((await decide('/decide', { method: 'OPTIONS' })).status, 204)
  t.equal((await decide('/decide', { method: 'HEAD' })).status, 200)
  t.equal((await decide('/healthz')).status, 200)
  notHealthy.reason = 'stopping'
  t.equal((await decide('/healthz')).status, 503)
})

t.test('decisions: who comes with a ticket is its client from then on', async t => {
  const { ask, decide, users } = testRouter(t, {
    ports: [8000, 8001], names: ['red', 'green'], urls: ['http://a.example', 'http://b.example']
  })
  await ask('/', { client: BEN })
  const redirect = await ask('/')
  const id = clientOf(redirect)!
  const { text } = ticketIn(redirect)
  const question = { headers: original('GET', `/shoes?size=43&usher_ticket=${text}`) }

  const picture = { headers: original('GET', `/a.png?usher_ticket=${text}`) }
  t.equal(clientOf(await decide('/decide', picture)), undefined, 'no page uses it up')
  const reply = await decide('/decide', { ...question, client: ANA })
  t.equal(serverOf(reply), 'green', 'where the router holds the place')
  t.strictSame(clientOf(reply), id, 'and not who the cookie of this name was')
  t.equal(headerOf(reply, 'X-Usher-Client'), formatClient(id))
  t.match(users().find(({ client }) => areSameClients(client, id)),
    { server: 1, reservedServer: undefined })

  const again = await decide('/decide', { ...question, client: id })
  t.strictSame([serverOf(again), clientOf(again)], ['green', undefined], 'used, as without one')
  const another = await decide('/decide', question)
  t.ok(clientOf(another), 'another browser with it')
  t.notOk(areSameClients(clientOf(another)!, id), 'is somebody else')
})

t.test('decisions: who finds no room comes again with the ticket, and is its client still', async t => {
  const { ask, decide, table, reservations } = testRouter(t, {
    ports: [8000], names: ['red'], urls: ['http://a.example'], capacities: [1]
  })
  const redirect = await ask('/')
  const id = clientOf(redirect)!
  const question = { headers: original('GET', `/?usher_ticket=${ticketIn(redirect).text}`) }
  reservations.release(id, 0) // Its place was held for too long.
  table.touch(BEN, 0, HOME)
  for (const status of [503, 403]) {
    t.equal((await decide(`/decide?full=${status}`, question)).status, status)
  }
  table.remove(BEN)
  t.strictSame(clientOf(await decide('/decide', question)), id)
  t.equal((await decide('/decide', question)).status, 503, 'then it is used: another has no place')
})

t.test('decisions: a ticket that is not good is as none', async t => {
  const { decide, users } = testRouter(t)
  for (const text of ['', 'x', 'a.b.c']) {
    const headers = original('GET', `/?usher_ticket=${text}`)
    t.equal(clientOf(await decide('/decide', { client: ANA, headers })), undefined, text)
  }
  t.match(users(), [{ client: ANA }])
})
