/** The router's tickets: who gets one, for whom, and who does not wait for it. */
import t from 'tap'
import { ROUTER } from '@usher/shared/memory/newcomers.ts'
import type { Reply } from '@usher/shared/http/vocabulary/values.ts'
import { TICKET_KEYS, whose } from '../../shared/test/fixtures/test-tickets.ts'
import { clientNumber } from '../../shared/test/memory/test-table.ts'
import { clientOf, headerOf, testRouter, ticketIn, type Question } from './fixtures/router.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)
const HERE = { authority: 'door.example:8080' }

/** One server under its own URL, and a visitor who names the router like this. */
async function plainOrTicket (
  t: Parameters<typeof testRouter>[0], url: string | undefined, question: Question,
  options: Parameters<typeof testRouter>[1] = {}
): Promise<'ticket' | 'plain'> {
  const publicHosts = ['door.example', 'door.example.org']
  const { ask } = testRouter(t, { ports: [8000], urls: [url], publicHosts, ...options })
  return ticketIn(await ask('/', question)).text === undefined ? 'plain' : 'ticket'
}

t.test('router: redirects to where its cookie does not come along carry a ticket', async t => {
  const cases: ReadonlyArray<[url: string | undefined, authority: string, isSecure: boolean, domain: string, carries: 'ticket' | 'plain']> = [
    [undefined, 'door.example:8080', false, '', 'plain'],
    [undefined, '127.0.0.1:8080', true, '', 'plain'],
    [undefined, 'stranger.example', false, '', 'plain'],
    ['http://shop.example', 'stranger.example', false, '', 'ticket'],
    ['http://door.example:8000', 'door.example:8080', false, '', 'plain'],
    ['http://DOOR.example.:8000', 'Door.Example.', false, '', 'plain'],
    ['http://shop.example', 'door.example', false, '', 'ticket'],
    ['http://a.door.example', 'door.example', false, '', 'ticket'],
    ['https://door.example', 'door.example', false, '', 'ticket'],
    ['http://door.example', 'door.example', true, '', 'ticket'],
    ['https://door.example:8443/base', 'door.example', true, '', 'plain'],
    ['https://shop.example.org', 'door.example.org', true, 'example.org', 'plain'],
    ['https://example.org', 'door.example.org', true, 'example.org', 'plain'],
    ['https://shop.example.com', 'door.example.org', true, 'example.org', 'ticket'],
    ['https://shop.example.org', 'door.example', true, 'example.org', 'ticket'],
    ['http://shop.example.org', 'door.example.org', true, 'example.org', 'ticket'],
    ['http://127.0.0.2:8000', '127.0.0.1:8080', false, '', 'ticket'],
    ['http://127.0.0.1:8000', '127.0.0.1:8080', false, '', 'plain'],
    ['http://[::1]:8000', '[::1]:8080', false, '', 'plain']
  ]
  for (const [url, authority, isSecure, cookieDomain, expected] of cases) {
    const carried = await plainOrTicket(t, url, { authority, isSecure }, { cookieDomain })
    t.equal(carried, expected, `${authority} (${isSecure}) to ${url}, ${cookieDomain}`)
  }
})

t.test('router: TICKETS says always or never', async t => {
  t.equal(await plainOrTicket(t, undefined, HERE, { tickets: 'always' }), 'ticket')
  t.equal(await plainOrTicket(t, 'http://shop.example', HERE, { tickets: 'never' }), 'plain')
  const { ask, settings } = testRouter(t, { tickets: 'never' })
  settings.live.tickets = 'always'
  t.ok(ticketIn(await ask('/')).text, 'a reload changes it')
})

t.test('router: a ticket is of the one whom the reply makes of the visitor, and is last in the query', async t => {
  const { ask, tickets } = testRouter(t, { ports: [8000], names: ['red'], urls: ['http://shop.example/base'] })
  const cases: ReadonlyArray<[target: string, plain: string, client?: typeof ANA]> = [
    ['/', 'http://shop.example/base/'],
    ['/a?b=%2F&c', 'http://shop.example/base/a?b=%2F&c', ANA],
    ['/a?usher_ticket=old&c', 'http://shop.example/base/a?c', BEN]
  ]
  for (const [target, plain, client] of cases) {
    const reply = await ask(target, client === undefined ? {} : { client })
    const carried = ticketIn(reply)
    t.equal(carried.plain, plain)
    t.equal(reply.status, 302)
    t.match(headerOf(reply, 'Cache-Control'), /no-store/)
    t.match(await tickets.redeemer.redeem(carried.text!, 'red'),
      { client: client ?? clientOf(reply), hasCookie: false })
  }
})

t.test('router: who opens no page, or holds no place, gets none', async t => {
  const { ask } = testRouter(t, { ports: [8000], urls: ['http://shop.example'], tickets: 'always' })
  for (const [target, question] of [['/a.png', {}], ['/', { method: 'HEAD' }]] as const) {
    t.equal(headerOf(await ask(target, question), 'Location'), `http://shop.example${target}`)
  }
  const beat = await ask('/heartbeat', { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } })
  t.equal(beat.status, 307)
  t.equal(ticketIn(beat).text, undefined)
  const newcomers = { perMinute: 1, exempt: [], thread: ROUTER }
  const flooded = testRouter(t, { ports: [8000], urls: ['http://shop.example'], newcomers })
  t.ok(ticketIn(await flooded.ask('/')).text)
  t.equal(ticketIn(await flooded.ask('/')).text, undefined, 'one who is not counted')
})

t.test('router: only a redirect with a ticket is a promise', async t => {
  const { askNow } = testRouter(t, { ports: [8000, 8001], delayMs: 0, urls: [undefined, 'http://shop.example'] })
  t.notOk(askNow('/') instanceof Promise)
  const later = askNow('/')
  t.ok(later instanceof Promise)
  t.match(ticketIn(await later).plain, /^http:\/\/shop\.example/)
})

t.test('router: while there are no keys, a redirect that needs a ticket waits for them, and no other', async t => {
  const { askNow, tickets } = testRouter(t, {
    ports: [8000, 8001], delayMs: 0, urls: ['http://shop.example'], hasKeys: false
  })
  const waiting = askNow('/')
  t.notOk(askNow('/') instanceof Promise)
  const jwks = askNow('/.well-known/jwks.json')
  void tickets.setKeys(TICKET_KEYS)
  const reply = await waiting
  t.strictSame(await whose(tickets.redeemer, ticketIn(reply).text!, '8000'), clientOf(reply))
  t.equal((await jwks).status, 200)
})

t.test('router: when no keys come, redirects go without', async t => {
  const { ask, lines } = testRouter(t, { ports: [8000], urls: ['http://shop.example'], hasKeys: false })
  const replies = await Promise.all([ask('/'), ask('/'), ask('/.well-known/jwks.json')])
  t.equal(ticketIn(replies[0]).text, undefined)
  t.equal(headerOf(replies[0], 'Location'), 'http://shop.example/')
  t.equal(lines.filter(({ msg }) => /no keys for tickets yet/.test(String(msg))).length, 1)
  t.equal(replies[2].status, 503)
  t.equal(headerOf(replies[2], 'Retry-After'), '1')
  t.match(JSON.parse(replies[2].body.toString()), { error: 'no_keys' })
})

t.test('router: publishes the keys, without their secrets', async t => {
  const { ask, tickets, users } = testRouter(t)
  const reply = await ask('/.well-known/jwks.json')
  t.equal(reply.status, 200)
  t.equal(headerOf(reply, 'Content-Type'), 'application/jwk-set+json')
  t.equal(headerOf(reply, 'Cache-Control'), 'public, max-age=900')
  t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), '*')
  t.strictSame(JSON.parse(reply.body.toString()), { keys: TICKET_KEYS.published })
  t.notMatch(reply.body.toString(), TICKET_KEYS.signing.d)
  t.equal(await ask('/.well-known/jwks.json?x', { method: 'HEAD' }), reply)
  await tickets.setKeys({ ...TICKET_KEYS, published: [] })
  t.strictSame(bodyOf(await ask('/.well-known/jwks.json')), { keys: [] })
  t.equal(headerOf(await ask('/.well-known/jwks.json', { method: 'OPTIONS' }), 'Allow'), 'GET, HEAD')
  const refused = await ask('/.well-known/jwks.json', { method: 'POST' })
  t.equal(refused.status, 405)
  t.equal(headerOf(refused, 'Allow'), 'GET, HEAD')
  t.strictSame(users(), [], 'and nobody is counted')
})

function bodyOf ({ body }: Reply): unknown {
  return JSON.parse(body.toString())
}
