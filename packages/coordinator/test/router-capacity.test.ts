/** The router where servers have a capacity: who is placed, who is refused, and why. */
import t from 'tap'
import { clientOfAddress, parseAddress } from '@usher/shared/client.ts'
import { ROUTER } from '@usher/shared/memory/newcomers.ts'
import { whose } from '../../shared/test/fixtures/test-tickets.ts'
import { clientNumber, HOME } from '../../shared/test/memory/test-table.ts'
import { clientOf, headerOf, portOf, testRouter, ticketIn } from './fixtures/router.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)
const WORK = parseAddress('192.0.2.2')!

t.test('router: full servers are passed over; when all are, it says so', async t => {
  const { ask, table, lines, users } = testRouter(t, { capacities: [1, 2, 1] })
  const ports: Array<number | undefined> = []
  for (let number = 1; number <= 4; number++) ports.push(portOf(await ask('/', { client: clientNumber(number) })))
  t.strictSame(ports, [8000, 8001, 8002, 8001])
  const refused = await ask('/')
  t.equal(refused.status, 503)
  t.equal(refused.body.toString(), '<p>full</p>')
  t.equal(headerOf(refused, 'Retry-After'), '5')
  t.equal(headerOf(refused, 'X-Usher-Reason'), 'full')
  t.equal(clientOf(refused), undefined)
  t.equal(users().length, 4, 'and holds no place')
  t.match(lines.find(({ kind }) => kind === 'servers-full'), { msg: 'visitor routed' })
  t.equal(portOf(await ask('/', { client: ANA })), 8000, 'who has a place comes back to it')
  table.remove(BEN)
  t.equal(portOf(await ask('/')), 8001)
})

t.test('router: where no server takes visitors, none is full', async t => {
  const { ask, table } = testRouter(t, { capacities: [1, 1, 1] })
  for (const server of [0, 1, 2]) table.setServerState(server, 'draining')
  const reply = await ask('/')
  t.equal(reply.body.toString(), '<p>unavailable</p>')
  t.equal(headerOf(reply, 'X-Usher-Reason'), undefined)
})

t.test('router: what opens no page, and a HEAD, hear what a page would', async t => {
  const { ask, table } = testRouter(t, { capacities: [1, 1, 1] })
  for (const server of [0, 1, 2]) table.touch(clientNumber(10 + server), server, HOME)
  t.equal((await ask('/', { method: 'HEAD' })).status, 503)
  t.equal((await ask('/style.css')).status, 503)
  t.equal(portOf(await ask('/style.css', { client: clientNumber(11) })), 8001, 'it is of one who is there')
})

t.test('router: who has no cookie yet is given a ticket for a last place, and so is who was refused', async t => {
  const { ask, tickets } = testRouter(t, { ports: [8000, 8001], capacities: [1, 2] })
  const first = await ask('/a?b=c%20d')
  const { plain, text } = ticketIn(first)
  t.equal(plain, 'http://localhost:8000/a?b=c%20d')
  t.match(await tickets.redeemer.redeem(text!, '8000'), { client: clientOf(first), hasCookie: true })
  const second = await ask('/')
  t.equal(headerOf(second, 'Location'), 'http://localhost:8001/', 'there is room for a stranger')
  const refused = ticketIn(await ask('/?usher_ticket=none&x', { client: ANA }))
  t.equal(refused.plain, 'http://localhost:8001/?x')
  t.strictSame(await whose(tickets.redeemer, refused.text!, '8001'), ANA)
  const known = await ask('/', { client: ANA })
  t.equal(headerOf(known, 'Location'), 'http://localhost:8001/', 'a cookie says it')
})

t.test('router: who has no cookie is given one, too, where somebody is known by the same address', async t => {
  const { ask, table, tickets } = testRouter(t, { ports: [8000], capacities: [9] })
  t.equal(ticketIn(await ask('/')).text, undefined)
  const blind = clientOfAddress(HOME)
  table.touch(blind, 0, HOME)
  const reply = await ask('/', { address: HOME })
  t.strictSame(await whose(tickets.redeemer, ticketIn(reply).text!, '8000'), clientOf(reply))
  t.equal(ticketIn(await ask('/', { address: WORK })).text, undefined, 'from elsewhere none')
  t.equal(ticketIn(await ask('/', { address: HOME, client: ANA })).text, undefined, 'a cookie says it')
  table.remove(blind)
  t.equal(ticketIn(await ask('/', { address: HOME })).text, undefined)
})

t.test('router: where TICKETS is never, places are still found by a ticket', async t => {
  const { ask, tickets } = testRouter(t, { ports: [8000], capacities: [1], tickets: 'never' })
  const reply = await ask('/')
  t.strictSame(await whose(tickets.redeemer, ticketIn(reply).text!, '8000'), clientOf(reply))
})

t.test('router: where no server has a capacity, none is needed', async t => {
  const { ask } = testRouter(t)
  t.equal(headerOf(await ask('/?a'), 'Location'), 'http://localhost:8000/?a')
  t.equal(headerOf(await ask('/?usher_ticket=none&a'), 'Location'), 'http://localhost:8001/?a')
})

t.test('router: a newcomer beyond the allowance of its network is refused', async t => {
  const newcomers = { perMinute: 1, exempt: [], thread: ROUTER }
  const { ask, users } = testRouter(t, { capacities: [9, 9, 9], newcomers })
  t.equal((await ask('/')).status, 302)
  const refused = await ask('/')
  t.equal(refused.status, 503)
  t.equal(refused.body.toString(), '<p>network</p>')
  t.equal(headerOf(refused, 'X-Usher-Reason'), 'network')
  t.equal(headerOf(refused, 'Retry-After'), '5')
  t.equal(users().length, 1)
})
