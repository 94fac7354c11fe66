/** Visitors who come to a server by a ticket, with a real table: who they are then, and when. */
import t from 'tap'
import { clientOfAddress, formatClient, parseAddress, type Client } from '@usher/shared/client.ts'
import type { Reply, RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import type { DrainPhase } from '@usher/shared/memory/server-words.ts'
import { OrderTimedOut } from '@usher/shared/errors.ts'
import { testTickets } from '../../../shared/test/fixtures/test-tickets.ts'
import { chooseServer, clientNumber, testTable } from '../../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../../shared/test/settings/test-servers.ts'
import { FileStreams } from '../../src/static-server/file-streams.ts'
import { staticHandler } from '../../src/static-server/handler.ts'
import { storePageScript } from '@usher/shared/page-script.ts'
import { loadSite } from './fixtures/load-site.ts'
import { ADDRESS, headerOf, testRequest } from './fixtures/request.ts'

const SERVER = 1
const HOME = parseAddress(ADDRESS)!
const [ANA, BEN] = [clientNumber(1), clientNumber(2)]

const site = await loadSite(t.testdir({
  'index.html': 'hello', 'style.css': 'p {}', _redirects: '/old /new.html 301\n', 'new.html': 'new'
}))
const pageScript = await storePageScript(Buffer.from('beat()'))

function ticketServer (redeemer = testTickets().redeemer, clusterUrl = '') {
  const { table, clock } = testTable({ servers: NAMED_SERVERS.length })
  const state = { phase: 'none' as DrainPhase, denied: undefined as Client | undefined }
  const lines: object[] = []
  const handler = staticHandler({
    server: SERVER,
    table,
    tickets: redeemer,
    drainPhase: () => state.phase,
    denyList: {
      isDenied: client => client !== undefined && state.denied !== undefined &&
        formatClient(client) === formatClient(state.denied)
    },
    site: () => site,
    streams: new FileStreams({ log: { warn () {} } }),
    pageScript,
    pages: { denied: Buffer.from('denied __VISITOR__'), full: Buffer.from('full'), network: Buffer.from('network') },
    settings: {
      heartbeatIntervalMs: 2500,
      heartbeatBudget: 2000,
      timeoutThresholdMs: 1_800_000,
      publicHosts: [],
      routerUrl: '',
      cookieDomain: '',
      ticketParameter: 't',
      clusterUrl,
      nodeName: 'oak',
      routingPort: 8080,
      ip: '192.0.2.1',
      servers: NAMED_SERVERS
    },
    nextBeatMs: () => 2750,
    onForeign: () => {},
    reasonNotHealthy: () => undefined,
    onAddressFull: () => {},
    log: { isLevelEnabled: () => true, debug: (line: object) => { lines.push(line) } }
  })
  /** Its reply, or a promise of it if it had to wait. */
  const askNow = (
    target: string, headers: RequestFields = {}, method = 'GET'
  ): Reply | Promise<Reply> => handler(testRequest(target, { headers, method }))
  return {
    table,
    state,
    lines,
    /** A place for Ana. */
    hold () {
      table.reserve({
        client: ANA,
        address: HOME,
        isReturning: false,
        untilMs: clock.nowMs + 10_000,
        choose: chooseServer(SERVER)
      })
    },
    askNow,
    ask: async (...question: Parameters<typeof askNow>) => await askNow(...question),
    usersHere: () => table.activeUsers(SERVER)
  }
}

const { sign, redeemer } = testTickets()
const ticketOf = async (client: Client, hasCookie = false): Promise<string> =>
  `t=${await sign(client, NAMED_SERVERS[SERVER]!.name, hasCookie)}`
const of = (client: Client): RequestFields => ({ cookie: `client_id=${formatClient(client)}` })
const cookieOf = (reply: Reply): string | undefined =>
  headerOf(reply, 'Set-Cookie')?.replace(/^client_id=([^;]*);.*/, '$1')

t.test('ticket arrival: its client is here, is given the cookie, and no cache keeps that', async t => {
  for (const headers of [{}, of(BEN)]) {
    const { ask, table, usersHere } = ticketServer(redeemer)
    const reply = await ask(`/?a&${await ticketOf(ANA)}`, headers)
    t.equal(reply.status, 200)
    t.equal(reply.body.toString(), 'hello')
    t.equal(cookieOf(reply), formatClient(ANA))
    t.equal(headerOf(reply, 'Cache-Control'), 'private, no-store')
    t.strictSame(reply.newClient, ANA, 'so that the connection is known as theirs')
    t.match(table.find(ANA), { server: SERVER })
    t.equal(usersHere(), 1)
    t.equal((await ask('/', of(ANA))).status, 200)
    t.equal(usersHere(), 1)
  }
})

t.test('ticket arrival: in a fleet it is for the server of this node, and no other of its name', async t => {
  const { name } = NAMED_SERVERS[SERVER]!
  const { ask, table } = ticketServer(redeemer, 'redis://192.0.2.9')
  for (const other of [name, `elm/${name}`]) {
    t.not(cookieOf(await ask(`/?t=${await sign(ANA, other)}`)), formatClient(ANA), other)
  }
  t.equal(cookieOf(await ask(`/?t=${await sign(ANA, `oak/${name}`)}`)), formatClient(ANA))
  t.match(table.find(ANA), { server: SERVER })
})

t.test('ticket arrival: of one whose cookie says the same, there is nothing to give', async t => {
  const { ask, table } = ticketServer(redeemer)
  const ticket = await ticketOf(ANA)
  const reply = await ask(`/?${ticket}`, of(ANA))
  t.equal(reply.status, 200)
  t.equal(cookieOf(reply), undefined)
  t.match(table.find(ANA), { server: SERVER })
  const other = await ask(`/?${ticket}`)
  t.not(cookieOf(other), formatClient(ANA), 'but it has been used')
})

t.test('ticket arrival: who keeps no cookie is counted by the address, and keeps one place', async t => {
  const { ask, table, hold, usersHere } = ticketServer(redeemer)
  hold()
  const reply = await ask(`/?${await ticketOf(ANA, true)}`)
  t.equal(cookieOf(reply), formatClient(ANA))
  t.equal(table.find(ANA), undefined)
  t.match(table.find(clientOfAddress(HOME)), { server: SERVER })
  t.equal((await ask(`/?${await ticketOf(BEN, true)}`)).status, 200, 'the place of the next one has expired')
  t.equal(usersHere(), 1)
})

t.test('ticket arrival: a bad one is as if there was none, and the log says why', async t => {
  const stranger = (await sign(ANA, 'another server'))
  const used = await ticketOf(ANA)
  await ticketServer(redeemer).ask(`/?${used}`)
  const cases: ReadonlyArray<[query: string, fault: string]> = [
    [used, 'used'], [`t=${stranger}`, 'other-server'], ['t=none', 'malformed'], ['t=', 'malformed'],
    [`${await ticketOf(ANA)}x`, 'forged']
  ]
  for (const [query, fault] of cases) {
    const { ask, lines, table } = ticketServer(redeemer)
    const reply = await ask(`/?${query}`)
    t.equal(reply.status, 200, fault)
    t.match(cookieOf(reply), /^[\da-f-]{36}$/)
    t.not(cookieOf(reply), formatClient(ANA))
    t.equal(table.find(ANA), undefined)
    t.match(lines, [{ fault }])
    t.equal(cookieOf(await ask(`/?${query}`, of(BEN))), undefined, 'who has a cookie stays who they are')
  }
})

t.test('ticket arrival: what opens no page uses none up, and waits for nothing', async t => {
  const { ask, askNow } = ticketServer(redeemer)
  const ticket = await ticketOf(ANA)
  const others: ReadonlyArray<[target: string, headers?: RequestFields, method?: string]> = [
    [`/style.css?${ticket}`], [`/?${ticket}`, {}, 'HEAD'], [`/?${ticket}`, { 'sec-purpose': 'prefetch' }],
    [`/?${ticket}`, { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    [`/usher.js?${ticket}`], [`/healthz?${ticket}`], ['/?a=t=1&x'], ['/']
  ]
  for (const [target, headers, method] of others) {
    t.notOk(askNow(target, headers, method) instanceof Promise, `${method} ${target.slice(0, 12)}`)
  }
  t.equal(cookieOf(await ask(`/?${ticket}`)), formatClient(ANA))
})

t.test('ticket arrival: at a page that is elsewhere, or nowhere, the client is known all the same', async t => {
  for (const [path, status] of [['/old', 301], ['/missing', 404]] as const) {
    const { ask } = ticketServer(redeemer)
    const reply = await ask(`${path}?${await ticketOf(ANA)}`)
    t.equal(reply.status, status)
    t.equal(cookieOf(reply), formatClient(ANA))
  }
})

t.test('ticket arrival: at a server that drains, who has a place there stays, and others are sent on', async t => {
  const { ask, table, hold, state } = ticketServer(redeemer)
  hold()
  state.phase = 'newcomers'
  const reply = await ask(`/?${await ticketOf(ANA)}`)
  t.equal(reply.status, 200)
  t.equal(cookieOf(reply), formatClient(ANA))
  t.match(table.find(ANA), { server: SERVER })
  const sentOn = await ask(`/?${await ticketOf(BEN)}`)
  t.equal(sentOn.status, 302)
  t.equal(table.find(BEN), undefined)
})

t.test('ticket arrival: at a server that drains, who keeps no cookie and is here is offered one', async t => {
  const { ask, table, state } = ticketServer(redeemer)
  table.touch(clientOfAddress(HOME), SERVER, HOME, { sign: 'page' })
  state.phase = 'newcomers'
  const reply = await ask(`/?${await ticketOf(ANA, true)}`)
  t.equal(reply.status, 200)
  t.equal(cookieOf(reply), formatClient(ANA))
})

t.test('ticket arrival: a denied client is denied by its ticket', async t => {
  for (const hasCookie of [true, false]) {
    const { ask, table, state } = ticketServer(redeemer)
    state.denied = ANA
    const reply = await ask(`/?${await ticketOf(ANA, hasCookie)}`)
    t.equal(reply.status, 403)
    t.match(reply.body.toString(), formatClient(ANA))
    t.equal(table.find(ANA), undefined)
    t.equal(table.find(clientOfAddress(HOME)), undefined)
  }
})

t.test('ticket arrival: while nobody knows whether it was used, it is not believed', async t => {
  const { ask, lines } = ticketServer({
    ...redeemer, redeem: () => Promise.reject(new OrderTimedOut('use-ticket', 'the coordinator', '5000'))
  } as unknown as typeof redeemer)
  const reply = await ask(`/?${await ticketOf(ANA)}`)
  t.equal(reply.status, 200)
  t.not(cookieOf(reply), formatClient(ANA))
  t.equal(lines.length > 0, true)
})
