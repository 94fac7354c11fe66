/** A server that drains, with a real table: who stays, who is sent away, and who is counted. */
import t from 'tap'
import { formatClient, parseAddress } from '@usher/shared/client.ts'
import type { Reply, RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import type { VisitOptions } from '@usher/shared/memory/visits.ts'
import {
  chooseServer, clientNumber, testTable, TIMES
} from '../../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../../shared/test/settings/test-servers.ts'
import { staticHandler } from '../../src/static-server/handler.ts'
import { loadSite } from './fixtures/load-site.ts'
import { ADDRESS, headerOf, testRequest } from './fixtures/request.ts'
import { SERVER, staticParts } from './fixtures/static-parts.ts'

const DENIED = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a69'
const OTHER = 2
const HOME = parseAddress(ADDRESS)!
const OPENED: VisitOptions = { sign: 'page' }
const [ANA, BEN, EVE] = [clientNumber(1), clientNumber(2), clientNumber(3)]

const site = await loadSite(t.testdir({
  'index.html': 'hello', '404.html': 'gone', 'style.css': 'p {}', 'robots.txt': 'all'
}))

/** Ana is active here, Ben has a place here, Eve is on another server. */
function drainingServer (settings: { routerUrl?: string, ip?: string } = {}) {
  const test = testTable({ servers: NAMED_SERVERS.length })
  const { table, clock } = test
  table.touch(ANA, SERVER, HOME, OPENED)
  table.reserve({
    client: BEN,
    address: HOME,
    isReturning: true,
    untilMs: clock.nowMs + 10_000,
    choose: chooseServer(SERVER)
  })
  table.touch(EVE, OTHER, HOME, OPENED)
  table.setServerState(SERVER, 'draining')
  const parts = staticParts()
  const handler = staticHandler({
    ...parts,
    table,
    drainPhase: () => table.drainPhase(SERVER),
    denyList: { isDenied: client => client !== undefined && formatClient(client) === DENIED },
    site: () => site,
    settings: { ...parts.settings, ...settings }
  })
  return {
    ...test,
    ask: (target: string, headers: RequestFields = {}, method = 'GET'): Reply =>
      handler(testRequest(target, { headers, method })) as Reply,
    end () { table.setServerState(SERVER, 'draining', clock.nowMs) },
    /** Users and held places of all servers. */
    counted: () => [[...table.activeUsersPerServer()], [...table.usersPerServer().reserved]]
  }
}

const of = (client: typeof ANA): RequestFields => ({ cookie: `client_id=${formatClient(client)}` })
const BEFORE = [[0, 1, 1], [0, 1, 0]]

t.test('drained: newcomers who open a page are sent to the router, uncounted, and given no cookie', async t => {
  for (const headers of [{}, of(clientNumber(7)), of(EVE)]) {
    for (const method of ['GET', 'HEAD']) {
      const { ask, counted } = drainingServer()
      const reply = ask('/?a=%2F', headers, method)
      t.strictSame([reply.status, reply.headers, reply.body.length], [
        302, ['Location', 'http://localhost:8080/?a=%2F', 'Cache-Control', 'no-store'], 0
      ])
      t.strictSame(counted(), BEFORE, 'and whoever is elsewhere stays there')
    }
  }
})

t.test('drained: to the router\'s public address, and never to a host that is not ours', async t => {
  const { ask } = drainingServer({ routerUrl: 'https://shop.example/door' })
  t.equal(headerOf(ask('/index.html'), 'Location'), 'https://shop.example/door/index.html')
  const handler = drainingServer()
  const reply = handler.ask('/')
  t.equal(headerOf(reply, 'Location'), 'http://localhost:8080/')
})

t.test('drained: who is here or on the way stays, and is counted', async t => {
  const { ask, counted, table } = drainingServer()
  t.equal(ask('/', of(ANA)).status, 200)
  t.equal(ask('/', of(BEN), 'HEAD').status, 200)
  t.strictSame(counted(), BEFORE, 'a HEAD counts nobody')
  t.equal(ask('/', of(BEN)).status, 200)
  t.strictSame(counted(), [[0, 2, 1], [0, 0, 0]], 'the place is taken')
  t.equal(table.size(), 3)
})

t.test('drained: who is known by the address stays, and is given the id that replaces it', async t => {
  const { ask, table, counted } = drainingServer()
  table.remove(ANA)
  table.touch({ kind: 'ip', ...HOME }, SERVER, HOME, OPENED)
  const reply = ask('/')
  t.equal(reply.status, 200)
  const cookie = headerOf(reply, 'Set-Cookie')!.split(';')[0]!
  t.equal(ask('/', { cookie }).status, 200)
  t.strictSame(counted(), BEFORE, 'as one user')
})

t.test('drained: what pages load is served to everybody and counts nobody', async t => {
  const { ask, counted } = drainingServer()
  for (const headers of [{}, of(clientNumber(7)), of(EVE), of(ANA)]) {
    for (const [target, status] of [
      ['/style.css', 200], ['/usher.js', 200], ['/robots.txt', 200], ['/missing.png', 404]
    ] as const) {
      for (const method of ['GET', 'HEAD']) t.equal(ask(target, headers, method).status, status, target)
    }
    t.equal(ask('/', { ...headers, 'sec-purpose': 'prefetch' }).status, 200)
    t.equal(ask('/', { ...headers, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }).status, 200)
  }
  t.strictSame(counted(), BEFORE)
})

t.test('drained: the denied are refused before anything else', async t => {
  const { ask } = drainingServer()
  t.equal(ask('/', { cookie: `client_id=${DENIED}` }).status, 403)
})

t.test('drained: beats keep who is here, and bring in nobody', async t => {
  const { ask, counted } = drainingServer()
  t.equal(ask('/heartbeat', of(ANA)).status, 204)
  t.equal(ask('/heartbeat', of(ANA), 'POST').status, 204)
  for (const headers of [{}, of(clientNumber(7)), of(EVE)]) {
    for (const method of ['GET', 'HEAD']) t.equal(ask('/heartbeat', headers, method).status, 404)
    const posted = ask('/heartbeat', headers, 'POST')
    t.strictSame([
      posted.status, JSON.parse(posted.body.toString()).error, headerOf(posted, 'Retry-After'),
      headerOf(posted, 'Cache-Control'), headerOf(posted, 'Set-Cookie')
    ], [503, 'draining', '30', 'no-store', undefined])
  }
  t.strictSame(counted(), BEFORE)
  t.equal(ask('/heartbeat', of(BEN), 'POST').status, 204)
  t.strictSame(counted(), [[0, 2, 1], [0, 0, 0]])
})

t.test('drained: when the time is over everybody is sent to the router, nobody is lost', async t => {
  const { ask, counted, end } = drainingServer()
  end()
  for (const client of [ANA, BEN, EVE, clientNumber(7)]) {
    for (const method of ['GET', 'HEAD']) {
      const reply = ask('/', of(client), method)
      t.equal(reply.status, 302)
      t.equal(headerOf(reply, 'Location'), 'http://localhost:8080/')
    }
    t.equal(ask('/style.css', of(client)).status, 200, 'a page that is open goes on')
    for (const method of ['GET', 'HEAD', 'POST']) {
      const beat = ask('/heartbeat', of(client), method)
      t.strictSame([beat.status, JSON.parse(beat.body.toString()).error], [409, 'moved'])
    }
  }
  t.strictSame(counted(), BEFORE)
  t.equal(ask('/leave', of(ANA), 'POST').status, 200)
  t.strictSame(counted(), [[0, 0, 1], [0, 1, 0]])
})

t.test('drained: a page that is open takes back what another has said, here as at any server', async t => {
  for (const state of ['draining', 'up'] as const) {
    const { ask, table, clock } = drainingServer()
    table.setServerState(SERVER, state)
    t.equal(ask('/leave?page', of(ANA), 'POST').status, 200)
    clock.nowMs += TIMES.leaveGraceMs
    t.equal(ask('/', of(ANA), 'HEAD').status, 200)
    for (const method of ['GET', 'HEAD']) {
      t.equal(ask('/heartbeat', of(ANA), method).status, 404, 'it may be a late one of the page that left')
    }
    t.equal(ask('/style.css', of(ANA)).status, 200)
    t.match(table.find(ANA), { isLeaving: true })
    t.equal(ask('/heartbeat', of(ANA), 'POST').status, 204)
    t.match(table.find(ANA), { server: SERVER, isLeaving: false }, state)
    t.equal(ask('/heartbeat', of(ANA)).status, 204)
  }
})

t.test('drained: takes everybody again once it is ready', async t => {
  const { ask, counted, table } = drainingServer()
  table.setServerState(SERVER, 'up')
  t.equal(ask('/', of(EVE)).status, 200)
  t.equal(ask('/heartbeat', of(clientNumber(7)), 'POST').status, 204)
  t.strictSame(counted(), [[0, 3, 0], [0, 1, 0]])
})
