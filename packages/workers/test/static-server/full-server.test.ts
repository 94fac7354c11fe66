/** A server with a capacity, with a real table: who comes in, and where all others are sent. */
import t from 'tap'
import { clientOfAddress, formatClient, parseAddress } from '@usher/shared/client.ts'
import type { Reply, RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import { chooseServer, clientNumber, limit, testTable } from '../../../shared/test/memory/test-table.ts'
import { testTickets } from '../../../shared/test/fixtures/test-tickets.ts'
import { NAMED_SERVERS } from '../../../shared/test/settings/test-servers.ts'
import { staticHandler } from '../../src/static-server/handler.ts'
import { loadSite } from './fixtures/load-site.ts'
import { ADDRESS, headerOf, testRequest } from './fixtures/request.ts'
import { SERVER, staticParts } from './fixtures/static-parts.ts'

const OTHER = 2
const HOME = parseAddress(ADDRESS)!
const ELSEWHERE = parseAddress('192.0.2.77')!
const [ANA, BEN, EVE] = [clientNumber(1), clientNumber(2), clientNumber(3)]

const site = await loadSite(t.testdir({ 'index.html': 'hello', 'style.css': 'p {}' }))
const fullPage = Buffer.from('full <a href="">again</a>')

/** Ana is active here; a place is held for Ben; there is no third. */
function fullServer (perMinute?: number) {
  const test = testTable({
    servers: NAMED_SERVERS.length,
    capacities: [0, 2, 0],
    ...(perMinute !== undefined && { newcomers: { perMinute, exempt: [], thread: SERVER } })
  })
  const { table, clock } = test
  const tickets = testTickets()
  table.touch(ANA, SERVER, ELSEWHERE, { sign: 'page' })
  table.reserve({
    client: BEN,
    address: ELSEWHERE,
    isReturning: true,
    untilMs: clock.nowMs + 10_000,
    choose: chooseServer(SERVER)
  })
  const handler = staticHandler({
    ...staticParts(),
    table,
    drainPhase: () => table.drainPhase(SERVER),
    site: () => site,
    tickets: tickets.redeemer,
    pages: { denied: Buffer.from('denied'), full: fullPage, network: Buffer.from('network') },
  })
  return {
    ...test,
    ask: async (target: string, headers: RequestFields = {}, method = 'GET'): Promise<Reply> =>
      await handler(testRequest(target, { headers, method })),
    /** Of a router whose cookie reaches the server, too. */
    ticketOf: async (client: typeof ANA, server = NAMED_SERVERS[SERVER]!.name) =>
      `usher_ticket=${await tickets.sign(client, server, true)}`,
    /** Of a router under another name. */
    foreignTicketOf: async (client: typeof ANA) =>
      `usher_ticket=${await tickets.sign(client, NAMED_SERVERS[SERVER]!.name)}`,
    counted: () => {
      const { active, reserved } = table.usersPerServer()
      return [active[SERVER], reserved[SERVER]]
    }
  }
}

const of = (client: typeof ANA): RequestFields => ({ cookie: `client_id=${formatClient(client)}` })

t.test('full server: a newcomer who opens a page is sent to the router, which will give a ticket', async t => {
  for (const headers of [{}, of(EVE)]) {
    for (const method of ['GET', 'HEAD']) {
      const { ask, counted, table } = fullServer()
      const reply = await ask('/?a=%2F', headers, method)
      t.equal(reply.status, 302)
      const query = method === 'GET' ? '?a=%2F&usher_ticket=none' : '?a=%2F'
      t.equal(headerOf(reply, 'Location'), `http://localhost:8080/${query}`)
      t.strictSame(counted(), [1, 1])
      t.equal(table.find(EVE), undefined)
    }
  }
})

t.test('full server: one who is elsewhere is a newcomer, and stays there', async t => {
  const { ask, counted, table } = fullServer()
  table.touch(EVE, OTHER, HOME)
  t.equal((await ask('/', of(EVE))).status, 302)
  t.equal((await ask('/style.css', of(EVE))).status, 200, 'what a page loads is served')
  t.equal((await ask('/heartbeat', of(EVE))).status, 503)
  t.match(table.find(EVE), { server: OTHER })
  t.strictSame(counted(), [1, 1])
})

t.test('full server: who is here or has a place here comes in, reloads, and comes back', async t => {
  const { ask, counted, clock, table } = fullServer()
  t.equal((await ask('/', of(ANA))).status, 200)
  t.equal((await ask('/', of(BEN), 'HEAD')).status, 200)
  t.equal((await ask('/', of(BEN))).status, 200)
  t.strictSame(counted(), [2, 0])
  t.equal((await ask('/leave', of(BEN), 'POST')).status, 200)
  t.strictSame(counted(), [1, 1])
  t.equal((await ask('/', of(EVE))).status, 302)
  clock.nowMs += 19_000
  t.equal((await ask('/', of(BEN))).status, 200)
  t.strictSame(counted(), [2, 0])
  table.leave(ANA, SERVER)
  clock.nowMs += 20_002
  for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
  t.equal((await ask('/', of(EVE))).status, 200)
})

t.test('full server: a client that keeps no cookie comes to the place of its ticket, and takes no second one', async t => {
  for (const capacity of [2, 3]) {
    const { ask, counted, table, ticketOf } = fullServer()
    limit(table, [0, capacity, 0])
    const reply = await ask(`/?${await ticketOf(BEN)}`)
    t.equal(reply.status, 200)
    t.match(headerOf(reply, 'Set-Cookie'), new RegExp(`^client_id=${formatClient(BEN)};`))
    t.strictSame(counted(), [2, 0])
    t.match(table.find(clientOfAddress(HOME)), { server: SERVER })
    t.equal((await ask('/')).status, 200, 'and stays')
    t.strictSame(counted(), [2, 0])
    t.equal((await ask('/', of(BEN))).status, 200, 'and is the same when it keeps one after all')
    t.strictSame(counted(), [2, 0])
    t.equal(table.find(clientOfAddress(HOME)), undefined)
  }
})

t.test('full server: whom the cookie of the router does not reach is who the ticket says', async t => {
  for (const headers of [{}, of(EVE)]) {
    const { ask, counted, table, foreignTicketOf } = fullServer()
    const reply = await ask(`/?${await foreignTicketOf(BEN)}`, headers)
    t.equal(reply.status, 200)
    t.match(headerOf(reply, 'Set-Cookie'), new RegExp(`^client_id=${formatClient(BEN)};`))
    t.strictSame(counted(), [2, 0])
    t.match(table.find(BEN), { server: SERVER })
    t.equal(table.find(EVE), undefined)
    t.equal(table.find(clientOfAddress(HOME)), undefined)
  }
})

t.test('full server: so is one whose cookie here is not the one that the router has given', async t => {
  const { ask, counted, table, ticketOf } = fullServer()
  const text = await ticketOf(BEN)
  t.equal((await ask(`/?${text}`, of(EVE))).status, 200)
  t.strictSame(counted(), [2, 0])
  t.match(table.find(BEN), { server: SERVER })
  t.equal(table.find(EVE), undefined)
  t.equal((await ask(`/?${text}`, of(clientNumber(9)))).status, 302, 'nobody is it twice')
  t.equal((await ask(`/?${await ticketOf(clientNumber(8))}`, of(clientNumber(9)))).status, 302, 'nor one without a place')
  t.strictSame(counted(), [2, 0])
})

t.test('full server: a second refusal is no redirect, and gives back the place', async t => {
  const { ask, counted, table, ticketOf, foreignTicketOf } = fullServer()
  limit(table, [0, 1, 0])
  const refused = await ask(`/?x=%22y%22&${await ticketOf(BEN)}`)
  t.equal(refused.status, 503)
  t.equal(refused.body.toString(), 'full <a href="http://localhost:8080/?x=%22y%22">again</a>')
  t.equal(headerOf(refused, 'X-Usher-Reason'), 'full')
  t.strictSame(counted(), [1, 0])
  const others = [
    await ticketOf(BEN), await ticketOf(ANA, 'blue'), await foreignTicketOf(EVE),
    'usher_ticket=none', 'usher_ticket=', 'usher_ticket=a.b.c'
  ]
  for (const ticket of others) {
    const reply = await ask(`/?a=1&b=2&${ticket}`)
    t.equal(reply.status, 503, ticket)
    t.equal(reply.body.toString(), 'full <a href="http://localhost:8080/?a=1&amp;b=2">again</a>')
  }
  t.strictSame(counted(), [1, 0])
})

t.test('full server: a beat of one who has no place here brings nobody in', async t => {
  const { ask, counted } = fullServer()
  for (const headers of [{}, of(EVE)]) {
    const reply = await ask('/heartbeat', headers, 'POST')
    t.equal(reply.status, 503)
    t.match(reply.body.toString(), /unavailable/)
    t.equal(headerOf(reply, 'Retry-After'), '5')
  }
  t.equal((await ask('/heartbeat', of(BEN), 'POST')).status, 204)
  t.strictSame(counted(), [2, 0])
})

t.test('full server: a newcomer beyond the allowance of its network is refused', async t => {
  const { ask, table } = fullServer(1)
  limit(table, [0, 9, 0])
  t.equal((await ask('/', of(EVE))).status, 200)
  const page = await ask('/', of(clientNumber(8)))
  t.equal(page.status, 503)
  t.equal(page.body.toString(), 'network')
  t.equal(headerOf(page, 'X-Usher-Reason'), 'network')
  const beat = await ask('/heartbeat', of(clientNumber(8)), 'POST')
  t.equal(beat.status, 503)
  t.match(JSON.parse(beat.body.toString()), { error: 'network' })
  t.equal((await ask('/style.css', of(clientNumber(8)))).status, 200)
  t.equal(table.find(clientNumber(8)), undefined)
})
