import type { IncomingHttpHeaders } from 'node:http'
import t, { type Test } from 'tap'
import {
  areSameClients, formatClient, parseAddress, parseClientId, type Address
} from '@usher/shared/client.ts'
import { NO_BODY, type Reply } from '@usher/shared/http/vocabulary/values.ts'
import { ROUTER } from '@usher/shared/memory/newcomers.ts'
import { COUNTING_CASES } from '../../shared/test/http/cases/counting-cases.ts'
import { clientNumber, HOME } from '../../shared/test/memory/test-table.ts'
import { ROUTER_ALLOW } from '../src/router.ts'
import { lockTable } from './fixtures/locked-table.ts'
import {
  clientOf, COOKIE, headerOf, PORTS, portOf, testRouter, turns, type Question
} from './fixtures/router.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)
/** What a browser sends along when another site's page embeds something of ours. */
const EMBEDDED = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
const FOLLOWED = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }

t.test('router: a new visitor is redirected, with a cookie for the place that is held', async t => {
  const { ask, users } = testRouter(t)
  const reply = await ask('/a/b?c=d')
  t.equal(reply.status, 302)
  t.equal(reply.body.length, 0)
  const cookie = headerOf(reply, 'Set-Cookie') ?? ''
  t.strictSame(reply.headers, [
    'Location', 'http://localhost:8000/a/b?c=d',
    'Cache-Control', 'private, no-store',
    'Set-Cookie', cookie
  ])
  t.match(cookie, COOKIE)
  const id = COOKIE.exec(cookie)![1]
  t.match(users(), [{ client: parseClientId(id!), server: undefined, reservedServer: 0 }])
})

t.test('router: a known visitor keeps the id and gets no cookie', async t => {
  const { ask, users } = testRouter(t)
  const reply = await ask('/', { client: ANA })
  t.strictSame(reply, {
    status: 302,
    headers: ['Location', 'http://localhost:8000/', 'Cache-Control', 'no-store'],
    body: NO_BODY
  })
  t.match(users(), [{ client: ANA, reservedServer: 0, address: HOME }])
})

t.test('router: a cookie that is no id counts as none', async t => {
  const { ask } = testRouter(t)
  const reply = await ask('/', { headers: { cookie: 'client_id=no-uuid' } })
  t.match(headerOf(reply, 'Set-Cookie'), COOKIE)
})

t.test('router: every case of counting, for one who is known and for a newcomer', async t => {
  for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
    const { ask, users, table } = testRouter(t)
    const reply = await ask(path, { method, headers })
    const isPlaced = effect === 'adds'
    t.equal(users().length, isPlaced ? 1 : 0, what)
    t.equal(headerOf(reply, 'Set-Cookie') !== undefined, isPlaced, `cookie: ${what}`)
    table.touch(ANA, 2, HOME)
    table.touch(BEN, 2, HOME)
    const known = await ask(path, { method, headers, client: ANA })
    if (path === '/healthz' || method === 'OPTIONS' || known.status === 403) continue
    t.equal(portOf(known), isPlaced ? 8001 : 8002, `${what}: goes where she is, or is placed anew`)
    const [ana] = users().filter(({ client }) => areSameClients(client, ANA))
    t.equal(ana?.reservedServer, isPlaced ? 1 : undefined, what)
  }
})

t.test('router: who opens no page goes on where they were sent to, while it is available', async t => {
  const { ask, table } = testRouter(t)
  await ask('/', { client: BEN })
  t.equal(portOf(await ask('/', { client: ANA })), 8001)
  table.touch(ANA, 2, HOME)
  t.equal(portOf(await ask('/logo.png', { client: ANA })), 8001, 'the place that is held goes first')
  table.setServerState(1, 'draining')
  t.equal(portOf(await ask('/logo.png', { client: ANA })), 8002, 'else the emptiest')
  t.equal(portOf(await ask('/logo.png', { client: clientNumber(7) })), 8002, 'as for a stranger')
})

t.test('router: a posted beat that names a client holds the place for that one', async t => {
  const id = formatClient(BEN)
  for (const client of [undefined, ANA]) {
    const { ask, users } = testRouter(t)
    const question = client === undefined ? {} : { client }
    const target = `/heartbeat?a=b&client_id=${id.toUpperCase()}`
    t.strictSame(await ask(target, { ...question, method: 'POST' }), {
      status: 307,
      headers: ['Location', `http://localhost:8000${target}`, 'Cache-Control', 'no-store'],
      body: NO_BODY
    }, 'stays a POST, and gives no cookie: the browser is somebody else')
    t.match(users(), [{ client: BEN, reservedServer: 0 }])
    t.equal(users().length, 1)
  }
})

t.test('router: a posted beat that another site\'s page causes is refused', async t => {
  const { ask, users, foreign } = testRouter(t)
  const cases: IncomingHttpHeaders[] = [
    { 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }, { origin: 'null' },
    { referer: 'http://evil.example/' }
  ]
  for (const headers of cases) {
    const reply = await ask('/heartbeat', { method: 'POST', headers })
    t.equal(reply.status, 403)
    t.match(JSON.parse(reply.body.toString()), { error: 'foreign_origin' })
  }
  t.equal(foreign.length, cases.length)
  t.strictSame(users(), [])
  const headers = { origin: 'http://localhost:8002' }
  t.equal((await ask('/heartbeat', { method: 'POST', headers })).status, 307)
})

t.test('router: a query that names nobody, or stands elsewhere, leaves it to the cookie', async t => {
  const id = formatClient(BEN)
  const cases: ReadonlyArray<readonly [target: string, method: string]> = [
    [`/?client_id=${id}`, 'GET'], [`/page?client_id=${id}`, 'GET'],
    [`/heartbeat/?client_id=${id}`, 'GET'], ['/heartbeat', 'POST'], ['/heartbeat?servers', 'POST'],
    ['/heartbeat?client_id=nonsense', 'POST'], [`/heartbeat?client_id=${id}&client_id=${id}`, 'POST']
  ]
  for (const [target, method] of cases) {
    const { ask, users } = testRouter(t)
    const known = await ask(target, { client: ANA, method })
    t.equal(headerOf(known, 'Set-Cookie'), undefined, target)
    t.match(users(), [{ client: ANA, reservedServer: 0 }], target)
    t.match(headerOf(await ask(target, { method }), 'Set-Cookie'), COOKIE, target)
    t.equal(users().length, 2, target)
  }
})

t.test('router: a client that is named in the query may be denied like any other', async t => {
  const { ask, deny, users } = testRouter(t)
  deny(formatClient(BEN))
  const reply = await ask(`/heartbeat?client_id=${formatClient(BEN)}`, { client: ANA })
  t.equal(reply.status, 403)
  t.match(reply.body.toString(), formatClient(BEN))
  t.strictSame(users(), [])
})

t.test('router: with TLS the redirect and the cookie are for HTTPS', async t => {
  const { ask } = testRouter(t)
  const reply = await ask('/', { isSecure: true })
  t.equal(headerOf(reply, 'Location'), 'https://localhost:8000/')
  t.match(headerOf(reply, 'Set-Cookie'), /; Secure$/)
})

t.test('router: a foreign Host never reaches the Location', async t => {
  const { ask, unknownHosts } = testRouter(t)
  const reply = await ask('//evil.example/', { authority: 'evil.example' })
  t.equal(headerOf(reply, 'Location'), 'http://192.0.2.10:8000//evil.example/')
  for (const authority of ['localhost:8080', '192.0.2.9', 'a b']) await ask('/', { authority })
  t.strictSame(unknownHosts, ['evil.example'], 'and it is told of')
})

t.test('router: HEAD is answered as GET, holds no place and gives no cookie', async t => {
  const { ask, loads } = testRouter(t)
  const get = await ask('/x', { client: ANA })
  const head = await ask('/x', { client: ANA, method: 'HEAD' })
  t.strictSame(head, get)
  t.equal(headerOf(await ask('/x', { method: 'HEAD' }), 'Set-Cookie'), undefined)
  t.strictSame(loads(), [1, 0, 0])
})

t.test('router: says whether visitors may be sent here, to anybody', async t => {
  const { ask, deny, notHealthy, users, waits } = testRouter(t)
  deny(formatClient(ANA))
  for (const method of ['GET', 'HEAD']) {
    const reply = await ask('/healthz', { client: ANA, method })
    t.strictSame([reply.status, reply.body.toString()], [200, '{"status":"healthy"}'])
  }
  notHealthy.reason = 'stopping'
  const reply = await ask('/healthz')
  t.strictSame([reply.status, headerOf(reply, 'Retry-After')], [503, '1'])
  t.strictSame(JSON.parse(reply.body.toString()), { error: 'not_ready', message: 'stopping' })
  t.equal((await ask('/healthz', { method: 'POST' })).status, 405)
  t.strictSame(users(), [])
  t.equal(waits.count, 0)
})

t.test('router: other methods are refused and count nobody', async t => {
  const { ask, loads, waits } = testRouter(t)
  const options = await ask('/', { method: 'OPTIONS', client: ANA })
  t.strictSame([options.status, headerOf(options, 'Allow')], [204, 'GET, HEAD'])
  const beat = await ask('/heartbeat', { method: 'PUT' })
  t.strictSame([beat.status, headerOf(beat, 'Allow')], [405, 'GET, HEAD, POST'])
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'get']) {
    const reply = await ask('/', { method, client: ANA })
    t.strictSame([reply.status, headerOf(reply, 'Allow')], [405, 'GET, HEAD'], method)
    t.equal(headerOf(reply, 'Set-Cookie'), undefined)
  }
  t.equal(ROUTER_ALLOW, 'GET, HEAD')
  t.equal(waits.count, 0)
  t.strictSame(loads(), [0, 0, 0])
})

t.test('router: a visitor counts from the choice on and is answered after the wait', async t => {
  const { ask, loads, waits } = testRouter(t, { isWaiting: true })
  let isAnswered = false
  const asked = ask('/', { client: ANA }).then(reply => {
    isAnswered = true
    return reply
  })
  t.strictSame(loads(), [1, 0, 0], 'chosen and reserved in one step')
  await turns(3)
  t.equal(waits.count, 1)
  t.notOk(isAnswered)
  await waits.end()
  t.equal((await asked).status, 302)
  t.strictSame(loads(), [1, 0, 0])
})

t.test('router: the place is held for its time from the redirect on', async t => {
  const { ask, users, clock, waits, sweep } = testRouter(t, { isWaiting: true })
  const asked = ask('/', { client: ANA })
  clock.nowMs += 350
  await waits.end()
  await asked
  clock.nowMs += 9_999
  sweep()
  t.equal(users().length, 1)
  clock.nowMs += 1
  sweep()
  t.equal(users().length, 0)
})

t.test('router: while servers start, visitors are placed among all, and wait for theirs', async t => {
  const { ask, loads, table, startWaits } = testRouter(t, { starting: [1, 2], delayMs: 0 })
  const arrived: Array<number | undefined> = []
  const visits = Array.from({ length: 9 }, async () => {
    const port = portOf(await ask('/'))
    arrived.push(port)
    return port
  })
  await turns(5)
  t.strictSame(loads(), [3, 3, 3])
  t.strictSame(arrived, [8000, 8000, 8000])
  table.setServerState(2, 'up')
  startWaits.serverStarted()
  await turns(5)
  t.strictSame(arrived.slice(3), [8002, 8002, 8002])
  table.setServerState(1, 'up')
  startWaits.serverStarted()
  t.strictSame((await Promise.all(visits)).sort(), [...PORTS, ...PORTS, ...PORTS].sort())
  t.strictSame(loads(), [3, 3, 3])
})

t.test('router: who holds no place waits until all servers have started', async t => {
  const { ask, table, startWaits } = testRouter(t, { starting: [1, 2], delayMs: 0 })
  let isAnswered = false
  const asked = Promise.resolve(ask('/', { method: 'HEAD' })).then(reply => {
    isAnswered = true
    return reply
  })
  for (const server of [1, 2]) {
    await turns(5)
    t.notOk(isAnswered)
    table.setServerState(server, 'up')
    startWaits.serverStarted()
  }
  t.equal((await asked).status, 302)
})

t.test('router: who waits for a server is refused once denied, and placed anew at a stop', async t => {
  const { ask, deny, loads, table, startWaits } = testRouter(t, { starting: [1, 2], delayMs: 0 })
  await ask('/')
  const [denied, other] = [ask('/', { client: ANA }), ask('/', { client: BEN })]
  await turns(5)
  deny(formatClient(ANA))
  startWaits.endWhere(({ visitor: { client } }) => areSameClients(client, ANA))
  t.equal((await denied).status, 403)
  for (const server of [1, 2]) table.setServerState(server, 'down')
  startWaits.close()
  t.equal(portOf(await other), 8000)
  t.strictSame(loads(), [2, 0, 0])
})

t.test('router: ties walk through the ports, and start over', async t => {
  const { ask } = testRouter(t)
  const ports: Array<number | undefined> = []
  for (let visitor = 0; visitor < 7; visitor++) ports.push(portOf(await ask('/')))
  t.strictSame(ports, [8000, 8001, 8002, 8000, 8001, 8002, 8000])
})

t.test('router: ties walk in the order of the settings', async t => {
  const { ask } = testRouter(t, { ports: [8002, 8000, 8001] })
  const ports: Array<number | undefined> = []
  for (let visitor = 0; visitor < 4; visitor++) ports.push(portOf(await ask('/')))
  t.strictSame(ports, [8002, 8000, 8001, 8002])
})

t.test('router: a returning visitor goes back on a tie, and moves for one user less', async t => {
  const { ask, table, loads } = testRouter(t)
  table.touch(ANA, 2, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8002, 'everybody else is nowhere')
  table.touch(clientNumber(10), 0, HOME)
  table.touch(clientNumber(11), 1, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8002, 'without her, 8002 is the emptiest')
  table.touch(clientNumber(12), 2, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8002, '1, 1, 1 without her')
  table.touch(clientNumber(13), 2, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8000, '1, 1, 2 without her')
  t.strictSame(loads(), [2, 1, 2], 'and counts once')
})

t.test('router: a visitor who asks twice keeps the place and counts once', async t => {
  const { ask, loads, waits } = testRouter(t, { isWaiting: true })
  const asked = [ask('/1', { client: ANA }), ask('/2', { client: ANA }), ask('/3', { client: ANA })]
  t.strictSame(loads(), [1, 0, 0])
  await waits.end()
  t.strictSame((await Promise.all(asked)).map(portOf), [8000, 8000, 8000])
  t.strictSame(loads(), [1, 0, 0])
})

t.test('router: a visitor who arrives during the wait of another tab is sent there', async t => {
  const { ask, table, waits, loads } = testRouter(t, { isWaiting: true })
  const asked = ask('/', { client: ANA })
  table.touch(ANA, 0, HOME)
  await waits.end()
  t.equal(portOf(await asked), 8000)
  t.strictSame(loads(), [1, 0, 0])
})

t.test('router: 300 at once are 100 on each server, and never differ by more than 1', async t => {
  const { ask, loads, waits, table } = testRouter(t, { isWaiting: true })
  const worst = { difference: 0 }
  const look = (): void => {
    const now = loads()
    worst.difference = Math.max(worst.difference, Math.max(...now) - Math.min(...now))
  }
  const asked = Array.from({ length: 300 }, (_, number) => {
    const reply = ask('/', number % 3 === 0 ? { client: clientNumber(100 + number) } : {})
    look()
    return reply
  })
  t.strictSame(loads(), [100, 100, 100])
  await turns(1)
  t.equal(waits.count, 300, 'all wait side by side')
  await waits.end()
  for (const reply of asked) {
    const { headers } = await reply
    look()
    t.equal(headers[0], 'Location')
  }
  const ports = (await Promise.all(asked)).map(portOf)
  t.strictSame(PORTS.map(port => ports.filter(chosen => chosen === port).length), [100, 100, 100])
  for (const [at, reply] of (await Promise.all(asked)).entries()) {
    const client = clientOf(reply) ?? clientNumber(100 + at)
    table.touch(client, PORTS.indexOf(ports[at]!), HOME)
    look()
  }
  t.equal(worst.difference, 1)
  t.strictSame([...table.activeUsersPerServer()], [100, 100, 100])
  t.strictSame(table.check(), [])
})

t.test('router: a denied visitor gets the denied page at once, and holds no place', async t => {
  const { ask, deny, waits, users } = testRouter(t)
  const address = parseAddress('198.51.100.7')!
  deny(formatClient(ANA), '198.51.100.7')
  const cases: ReadonlyArray<readonly [name: string, question: Question, shown: string]> = [
    ['by id', { client: ANA }, formatClient(ANA)],
    ['by address, with an id', { client: BEN, address }, formatClient(BEN)],
    ['by address, without one', { address }, '198.51.100.7'],
    ['embedded elsewhere', { client: ANA, headers: EMBEDDED }, formatClient(ANA)],
    ['HEAD', { client: ANA, method: 'HEAD' }, formatClient(ANA)]
  ]
  for (const [name, question, shown] of cases) {
    const reply = await ask('/', question)
    t.equal(reply.status, 403, name)
    t.equal(reply.body.toString(), `<p>${shown}, 23 November 2026, 14:31 UTC</p>`, name)
    t.equal(headerOf(reply, 'Cache-Control'), 'no-store')
    t.equal(headerOf(reply, 'Content-Type'), 'text/html; charset=utf-8')
    t.equal(headerOf(reply, 'Set-Cookie'), undefined)
  }
  t.equal(waits.count, 0)
  t.strictSame(users(), [])
  t.equal((await ask('/', { client: BEN })).status, 302, 'nobody else is')
})

t.test('router: who is denied during the wait gets 403, and gives the place back', async t => {
  const { ask, deny, waits, users } = testRouter(t, { isWaiting: true })
  const asked = [
    ask('/', { client: ANA }), ask('/', { client: BEN }),
    ask('/', { address: parseAddress('198.51.100.7')! }),
    ask('/', { client: ANA, headers: EMBEDDED })
  ]
  deny(formatClient(ANA), '198.51.100.7')
  await waits.end()
  const replies = await Promise.all(asked)
  t.strictSame(replies.map(({ status }) => status), [403, 302, 403, 403])
  t.match(replies[0]!.body.toString(), formatClient(ANA))
  t.match(replies[2]!.body.toString(), '198.51.100.7')
  t.equal(headerOf(replies[2]!, 'Set-Cookie'), undefined)
  t.match(users(), [{ client: BEN }], 'nothing of the denied is left')
  t.equal(users().length, 1)
})

t.test('router: an active user who is denied during the wait stays where they were', async t => {
  const { ask, deny, waits, table, loads } = testRouter(t, { isWaiting: true })
  table.touch(ANA, 2, HOME)
  table.touch(BEN, 2, HOME)
  const asked = ask('/', { client: ANA })
  t.strictSame(loads(), [1, 0, 1])
  deny(formatClient(ANA))
  await waits.end()
  t.equal((await asked).status, 403)
  t.strictSame(loads(), [0, 0, 2], 'the one who denied them sees to the rest')
})

t.test('router: a server that goes away during the wait is replaced without a second one', async t => {
  for (const state of ['down', 'draining'] as const) {
    const { ask, table, waits, loads } = testRouter(t, { isWaiting: true })
    const asked = ask('/', { client: ANA })
    table.setServerState(0, state)
    await waits.end()
    t.equal(portOf(await asked), 8001, state)
    t.equal(waits.count, 1, 'one wait')
    t.strictSame(loads(), [0, 1, 0])
  }
})

t.test('router: a new visitor whose server goes away keeps the id that was made up', async t => {
  const { ask, table, waits, users } = testRouter(t, { isWaiting: true })
  const asked = ask('/')
  const before = users()[0]!.client
  table.setServerState(0, 'down')
  await waits.end()
  const reply = await asked
  t.strictSame(clientOf(reply), before)
  t.match(users(), [{ client: before, reservedServer: 1 }])
})

t.test('router: a visitor who was on a server that is gone is placed anew', async t => {
  const { ask, table } = testRouter(t)
  table.touch(ANA, 0, HOME)
  table.setServerState(0, 'draining')
  t.equal(portOf(await ask('/', { client: ANA })), 8001)
})

t.test('router: without an available server it is 503, to be tried again in a second', async t => {
  const { ask, table, waits, users } = testRouter(t)
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  for (const question of [{}, { client: ANA }, { headers: EMBEDDED }]) {
    checkUnavailable(t, await ask('/', question))
  }
  t.strictSame(users(), [])
  t.ok(waits.count <= 1, 'at once, for those who count')
  table.setServerState(1, 'up')
  t.equal(portOf(await ask('/', { client: ANA })), 8001)
})

t.test('router: when all servers go away during the wait it is 503, and no place is held', async t => {
  const { ask, table, waits, users } = testRouter(t, { isWaiting: true })
  const asked = ask('/')
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  await waits.end()
  checkUnavailable(t, await asked)
  t.strictSame(users(), [])
})

t.test('router: a table full of users who stay is 503, and one free place is enough', async t => {
  const { ask, table } = testRouter(t, { users: 16 })
  for (let number = 0; number < 16; number++) {
    table.touch(clientNumber(100 + number), number % 3, HOME)
    table.touch(clientNumber(100 + number), number % 3, HOME)
  }
  const reply = await ask('/')
  t.equal(reply.status, 503)
  t.equal(reply.body.toString(), '<p>full</p>')
  t.equal(headerOf(reply, 'Retry-After'), '5')
  t.equal(headerOf(reply, 'Cache-Control'), 'no-store')
  t.equal(headerOf(reply, 'Set-Cookie'), undefined)
  t.equal((await ask('/', { client: clientNumber(100) })).status, 302, 'who is in it may come')
  t.equal((await ask('/', { method: 'HEAD' })).status, 503)
  t.equal((await ask('/', { method: 'HEAD', client: clientNumber(100) })).status, 302)
  t.equal((await ask('/style.css')).status, 302, 'what holds no place needs none')
  table.leave(clientNumber(100), 0)
  table.leave(clientNumber(101), 1)
  t.equal((await ask('/')).status, 302)
})

t.test('router: newcomers of an address that has its share are 503, and the operator hears of it', async t => {
  const { ask, table, addressesFull } = testRouter(t, { users: 400 })
  const elsewhere = (number: number): Address => ({ ...HOME, w3: 1000 + number })
  for (let number = 0; number < 360; number++) {
    const address = number < 20 ? HOME : elsewhere(number)
    table.touch(clientNumber(100 + number), number % 3, address)
  }
  const reply = await ask('/')
  t.equal(reply.status, 503)
  t.equal(reply.body.toString(), '<p>full</p>')
  t.strictSame(addressesFull, ['192.0.2.1'])
  t.equal((await ask('/', { address: elsewhere(5000) })).status, 302, 'others are welcome')
  t.equal((await ask('/', { client: clientNumber(100) })).status, 302, 'and so is who is in it')
})

t.test('router: what another site embeds counts nobody and sets no cookie', async t => {
  const { ask, users, waits } = testRouter(t, { isWaiting: true })
  for (const [at, mode] of ['no-cors', 'cors', 'websocket', undefined].entries()) {
    const asked = ask('/logo.png', { headers: { ...EMBEDDED, 'sec-fetch-mode': mode } })
    t.strictSame(users(), [])
    await waits.end()
    t.equal(waits.count, at + 1, 'the wait is the same for all')
    t.strictSame(await asked, {
      status: 302,
      headers: ['Location', 'http://localhost:8000/logo.png', 'Cache-Control', 'no-store'],
      body: NO_BODY
    })
  }
  const known = ask('/logo.png', { client: ANA, headers: EMBEDDED })
  await waits.end()
  t.equal((await known).status, 302)
  t.strictSame(users(), [])
})

t.test('router: what another site embeds goes where the fewest users are', async t => {
  const { ask, table } = testRouter(t)
  table.touch(ANA, 0, HOME)
  t.equal(portOf(await ask('/', { headers: EMBEDDED })), 8001)
  t.equal(portOf(await ask('/', { headers: EMBEDDED })), 8001, 'whoever else was embedded')
})

t.test('router: a link that is followed from another site is a visit', async t => {
  const { ask, loads } = testRouter(t)
  const requests: IncomingHttpHeaders[] = [
    FOLLOWED, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }
  ]
  for (const headers of requests) {
    t.match(headerOf(await ask('/', { headers }), 'Set-Cookie'), COOKIE)
  }
  t.strictSame(loads(), [1, 1, 1])
})

t.test('router: an id that comes back takes over the entry of its address', async t => {
  const { ask, table, users } = testRouter(t)
  table.touch({ kind: 'ip', ...HOME }, 1, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8001, 'it is the visitor themself')
  t.match(users(), [{ client: ANA, server: 1, reservedServer: 1 }])
  t.equal(users().length, 1)
})

t.test('router: a newcomer\'s made-up id leaves the entry of the address alone', async t => {
  const { ask, table, users } = testRouter(t)
  table.touch({ kind: 'ip', ...HOME }, 1, HOME)
  t.equal(portOf(await ask('/')), 8000)
  t.equal(users().length, 2)
})

t.test('router: a place that was lost during the wait is chosen anew', async t => {
  const { ask, reservations, waits, loads, lines } = testRouter(t, { isWaiting: true })
  const asked = ask('/', { client: ANA })
  reservations.release(ANA, 0)
  void ask('/', { client: BEN })
  t.strictSame(loads(), [1, 0, 0], 'somebody else has it now')
  await waits.end()
  t.equal(portOf(await asked), 8001)
  t.equal(waits.count, 2, 'one wait each')
  t.match(lines.find(({ client }) => client === formatClient(ANA)), {
    kind: 'redirect',
    server: '8001',
    because: 'fewest users, first in the settings',
    note: 'the place was lost during the wait'
  })
})

t.test('router: whoever has waited is placed anew at once, and not looked after again', async t => {
  const calls: string[] = []
  const reserved = { kind: 'reserved', server: 1, because: 'fewest users', place: 7 } as const
  const { ask, waits } = testRouter(t, {
    reservations: {
      reserve: () => {
        calls.push('reserve')
        return reserved
      },
      reserveNow: () => {
        calls.push('reserve now')
        return reserved
      },
      confirm: () => {
        calls.push('confirm')
        return 'lost'
      },
      release: () => { calls.push('release') }
    }
  })
  t.equal(portOf(await ask('/')), 8001)
  t.strictSame(calls, ['reserve', 'confirm', 'reserve now'])
  t.equal(waits.count, 1)
})

t.test('router: a shard that is busy is asked again on the next turns of the loop', async t => {
  const { ask, view, loads, waits, lines } = testRouter(t, { isWaiting: true })
  const unlock = lockTable(view)
  const asked = ask('/', { client: ANA })
  await turns(3)
  t.equal(waits.count, 0)
  unlock()
  await turns(2)
  t.strictSame(loads(), [1, 0, 0])
  const unlockAgain = lockTable(view)
  await waits.end()
  await turns(3)
  unlockAgain()
  t.equal(portOf(await asked), 8000)
  t.strictSame(lines.map(({ because, note }) => [because, note]),
    [['fewest users, first in the settings', undefined]], 'the place was never lost')
})

t.test('router: where nothing has to be waited for the reply is there at once', async t => {
  const newcomers = { perMinute: 2, exempt: [], thread: ROUTER }
  const { askNow, deny, table, waits, lines } = testRouter(t, { delayMs: 0, newcomers })
  const address = parseAddress('203.0.113.7')!
  const check = (expected: number, question?: Parameters<typeof askNow>[1]): void => {
    const reply = askNow('/', question)
    if (reply instanceof Promise) t.fail(`a promise for ${JSON.stringify(question)}`)
    else t.equal(reply.status, expected)
  }
  check(302)
  check(302, { client: ANA })
  check(302, { client: ANA, method: 'HEAD' })
  check(302, { headers: EMBEDDED })
  for (let number = 0; number < 4; number++) check(302, { address })
  t.match(lines.at(-1), { because: 'by hash of the id' })
  deny(formatClient(BEN))
  check(403, { client: BEN })
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  check(503)
  t.equal(waits.count, 0)
})

t.test('router: without a delay only a busy table makes it wait', async t => {
  const { askNow, view, lines } = testRouter(t, { delayMs: 0 })
  const unlock = lockTable(view)
  const asked = askNow('/', { client: ANA })
  t.type(asked, Promise)
  unlock()
  t.equal(portOf(await asked), 8000)
  t.match(lines, [{ because: 'fewest users, first in the settings' }])
})

t.test('router: a table that stays busy ends in 503', async t => {
  const stuck = testRouter(t, {
    reservations: {
      reserve: () => ({ kind: 'busy' }),
      reserveNow: () => ({ kind: 'busy' }),
      confirm: () => 'busy',
      release: () => {}
    }
  })
  t.equal((await stuck.ask('/')).status, 503)
  t.equal(stuck.waits.count, 0)
  const stuckLater = testRouter(t, {
    reservations: {
      reserve: () => ({ kind: 'reserved', server: 0, because: 'fewest users', place: 7 }),
      reserveNow: () => ({ kind: 'busy' }),
      confirm: () => 'busy',
      release: () => {}
    }
  })
  t.equal((await stuckLater.ask('/')).status, 503)
})

t.test('router: what happens while a shard is busy after the wait is seen', async t => {
  const { ask, view, table, waits, deny } = testRouter(t, { isWaiting: true })
  const [ana, ben] = [ask('/', { client: ANA }), ask('/', { client: BEN })]
  const unlock = lockTable(view)
  await waits.end()
  await turns(2)
  deny(formatClient(ANA))
  table.setServerState(1, 'down')
  unlock()
  t.equal((await ana).status, 403)
  t.equal(portOf(await ben), 8000)
})

t.test('router: newcomers beyond their network\'s allowance are sent by hash, and hold no place', async t => {
  const newcomers = { perMinute: 3, exempt: [], thread: ROUTER }
  const { ask, loads, lines, table } = testRouter(t, { newcomers })
  const home = parseAddress('203.0.113.7')!
  for (let number = 0; number < 3; number++) await ask('/', { address: home })
  t.strictSame(loads(), [1, 1, 1])
  const first = await ask('/', { address: home })
  t.equal(first.status, 302)
  const client = clientOf(first)!
  t.strictSame(loads(), [1, 1, 1], 'and nobody else is sent elsewhere on their account')
  t.match(lines.at(-1), { because: 'by hash of the id', note: /not counted/ })
  for (let times = 0; times < 3; times++) {
    t.equal(portOf(await ask('/', { client, address: home })), portOf(first), 'stays there')
  }
  const ports = new Set<number>()
  for (let number = 0; number < 30; number++) ports.add(portOf(await ask('/', { address: home }))!)
  t.equal(ports.size, 3, 'an office is spread')
  t.equal(portOf(await ask('/', { address: parseAddress('198.51.100.1')! })), PORTS[0])
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  checkUnavailable(t, await ask('/', { client, address: home }))
})

t.test('router: a decision is one debug line with its reason', async t => {
  const { ask, lines, deny, table } = testRouter(t, { names: ['red', 'green', 'blue'] })
  await ask('/', { client: ANA })
  deny(formatClient(BEN))
  await ask('/', { client: BEN })
  await ask('/', { client: ANA, headers: EMBEDDED })
  for (const server of [0, 1, 2]) table.setServerState(server, 'down')
  await ask('/', { client: ANA })
  const [ana, ben] = [formatClient(ANA), formatClient(BEN)]
  const msg = 'visitor routed'
  t.strictSame(lines, [
    {
      level: 20,
      client: ana,
      kind: 'redirect',
      server: 'red',
      because: 'fewest users, first in the settings',
      msg
    },
    { level: 20, client: ben, kind: 'denied', msg },
    {
      level: 20,
      client: ana,
      kind: 'redirect',
      server: 'red',
      because: 'the visitor is there',
      note: 'holds no place: opens no page',
      msg
    },
    { level: 20, client: ana, kind: 'unavailable', msg }
  ])
})

t.test('router: above the debug level nothing is logged', async t => {
  const { ask, lines } = testRouter(t, { level: 'info' })
  await ask('/')
  t.strictSame(lines, [])
})

function checkUnavailable (t: Test, reply: Reply): void {
  t.equal(reply.status, 503)
  t.equal(reply.body.toString(), '<p>unavailable</p>')
  t.equal(headerOf(reply, 'Retry-After'), '1')
  t.equal(headerOf(reply, 'Cache-Control'), 'no-store')
  t.equal(headerOf(reply, 'Set-Cookie'), undefined)
}
