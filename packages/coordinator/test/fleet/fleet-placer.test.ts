/** The router of a fleet, over a link that answers as the test says. */
import t, { type Test } from 'tap'
import { areSameClients, formatClient, type Client } from '@usher/shared/client.ts'
import type { Reply } from '@usher/shared/http/vocabulary/values.ts'
import { ROUTER } from '@usher/shared/memory/newcomers.ts'
import { clientNumber, HOME } from '../../../shared/test/memory/test-table.ts'
import type { FleetPlace } from '../../src/fleet/engine-placing.ts'
import { fleetPlacer } from '../../src/fleet/fleet-placer.ts'
import type { FleetServer } from '../../src/fleet/fleet-servers.ts'
import { clientOf, headerOf, portOf, PORTS, testRouter, ticketIn, turns } from '../fixtures/router.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)
const OAK = server('oak/8000', 'http://192.0.2.20:8000')
const ELM = server('elm/red', 'https://elm.example/base')
const HERE = PORTS.map((port, ownIndex) => server(`here/${port}`, `http://192.0.2.10:${port}`, ownIndex))
const LOCAL: FleetPlace = { kind: 'local' }

function server (name: string, url: string, ownIndex?: number): FleetServer {
  return { name, url, ownIndex }
}

function placed (server: FleetServer): FleetPlace {
  return { kind: 'placed', server }
}

/** @param answers of the engine, the last one again and again */
function testFleet (
  t: Test, answers: readonly FleetPlace[], options: Parameters<typeof testRouter>[1] = {}
) {
  const left = [...answers]
  const servers = new Map([...HERE, OAK, ELM].map(server => [server.name, server]))
  const asked: string[] = []
  const told: string[] = []
  const tell = (what: string, client: Client, more = ''): void => {
    told.push(`${what} ${formatClient(client)}${more}`)
  }
  const router = testRouter(t, {
    clusterUrl: 'redis://192.0.2.9',
    ...options,
    placerOf: (parts, newcomers) => fleetPlacer({
      ...parts,
      newcomers,
      nameOf: server => HERE[server]!.name,
      link: {
        servers,
        place: async (client, { hint, refusedBy }) => {
          const refusal = refusedBy === undefined ? '' : ` not ${refusedBy}`
          asked.push(`${formatClient(client)} ${hint}${refusal}`)
          return left.length > 1 ? left.shift()! : left[0]!
        },
        serversChanged: async () => { told.push('servers') },
        release: client => { tell('release', client) },
        placedHere: (client, server) => { tell('placed', client, ` ${server}`) }
      }
    })
  })
  return { ...router, asked, told, servers }
}

/** Where the cookie says that the visitor was sent. */
function serverCookieOf ({ headers }: Reply): string | undefined {
  return headers.find(text => text.startsWith('client_server='))
}

t.test('fleet-placer: one who is placed at a server of this node holds the place in the user table', async t => {
  const { ask, users, asked, told } = testFleet(t, [placed(HERE[2]!)])
  const reply = await ask('/a?b')
  t.equal(headerOf(reply, 'Location'), 'http://localhost:8002/a?b', 'by the name that the visitor uses')
  t.match(users(), [{ client: clientOf(reply), reservedServer: 2 }])
  t.equal(serverCookieOf(reply), 'client_server=here/8002; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000')
  t.equal(headerOf(reply, 'Cache-Control'), 'private, no-store')
  t.strictSame(asked, [`${formatClient(clientOf(reply)!)} undefined`])
  t.strictSame(told, [], 'the engine knows')
})

t.test('fleet-placer: one who is placed at another node goes by that server\'s URL, with a ticket for it', async t => {
  const { ask, users, tickets, told } = testFleet(t, [placed(OAK), placed(ELM)])
  const reply = await ask('/a?b')
  const { plain, text } = ticketIn(reply)
  t.equal(plain, 'http://192.0.2.20:8000/a?b')
  t.strictSame(users(), [], 'that node holds the place')
  t.match(await tickets.redeemer.redeem(text!, 'oak/8000'), { client: clientOf(reply), hasCookie: false })
  t.match(serverCookieOf(reply), 'client_server=oak/8000;')
  const known = await ask('/a', { client: ANA, headers: {} })
  t.equal(ticketIn(known).plain, 'https://elm.example/base/a')
  t.notOk(known.headers.some(text => text.startsWith('client_id=')))
  t.match(serverCookieOf(known), 'client_server=elm/red;')
  t.strictSame(told, [])
})

t.test('fleet-placer: where the cookie reaches, and where tickets are off, there is none', async t => {
  const sameHost = testFleet(t, [placed(server('oak/8000', 'http://localhost:9000'))])
  sameHost.servers.set('oak/8000', OAK)
  t.equal(headerOf(await sameHost.ask('/'), 'Location'), 'http://localhost:9000/')
  t.equal(ticketIn(await sameHost.ask('/?usher_ticket=none')).plain, 'http://localhost:9000/', 'one whom a server has refused has one')
  t.ok(ticketIn(await sameHost.ask('/?usher_ticket=none')).text)
  const off = testFleet(t, [placed(OAK)], { tickets: 'never' })
  t.equal(ticketIn(await off.ask('/')).text, undefined)
})

t.test('fleet-placer: the engine is told where the visitor is: by the table, else by the visitor', async t => {
  const { asked, table, ask } = testFleet(t, [placed(HERE[1]!)])
  const cookie = (name: string) => `client_id=${formatClient(ANA)}; client_server=${name}`
  const headers = (name: string) => ({ headers: { cookie: cookie(name) } })
  const first = await ask('/', headers('oak/8000'))
  t.match(serverCookieOf(first), 'client_server=here/8001;')
  const again = await ask('/', headers('here/8001'))
  t.equal(serverCookieOf(again), undefined, 'it has it already')
  t.equal(headerOf(again, 'Cache-Control'), 'no-store')
  table.remove(ANA)
  table.touch(ANA, 0, HOME)
  await ask('/', headers('oak/8000'))
  await ask('/?usher_ticket=none', headers('oak/8000'))
  await ask('/?usher_ticket=none:elm/red', headers('oak/8000'))
  for (const wrong of ['oak', 'oak/8000/x', 'OAK/8000', '../8000', `${'a'.repeat(64)}/b`]) {
    await ask('/', { headers: { cookie: `client_server=${wrong}` } })
  }
  t.strictSame(asked.map(text => text.slice(text.indexOf(' ') + 1)), [
    'oak/8000', 'here/8001', 'here/8000', 'undefined', 'undefined not elm/red', ...Array<string>(5).fill('undefined')
  ])
})

t.test('fleet-placer: without an answer visitors are placed here, and the engine hears of it', async t => {
  for (const answer of [LOCAL, { kind: 'none' } as const]) {
    const { ask, users, told } = testFleet(t, [answer])
    const replies = [await ask('/', { client: ANA }), await ask('/', { client: BEN })]
    t.strictSame(replies.map(portOf), [8000, 8001])
    t.strictSame(told, [`placed ${formatClient(ANA)} 0`, `placed ${formatClient(BEN)} 1`])
    t.equal(users().length, 2)
  }
})

t.test('fleet-placer: when all are full, and when none is there, it says so', async t => {
  const full = testFleet(t, [{ kind: 'full' }])
  const refused = await full.ask('/')
  t.equal(refused.status, 503)
  t.match(refused.body.toString(), 'full')
  const none = testFleet(t, [{ kind: 'none' }])
  for (const index of PORTS.keys()) none.table.setServerState(index, 'down')
  t.match((await none.ask('/')).body.toString(), 'unavailable')
  t.strictSame([full.users(), none.users()], [[], []])
})

t.test('fleet-placer: whoever is denied in the meantime gives the place back, wherever it is', async t => {
  for (const [answer, told] of [[placed(OAK), 1], [placed(HERE[0]!), 1], [LOCAL, 2]] as const) {
    const fleet = testFleet(t, [answer], { isWaiting: true })
    const reply = fleet.ask('/', { client: ANA })
    await turns(3)
    fleet.deny(formatClient(ANA))
    await fleet.waits.end()
    t.equal((await reply).status, 403)
    t.equal(fleet.told.at(-1), `release ${formatClient(ANA)}`)
    t.equal(fleet.told.length, told)
    fleet.clock.nowMs += 1
    fleet.sweep()
    t.strictSame(fleet.users(), [])
    t.equal((await fleet.ask('/', { client: ANA })).status, 403)
    t.equal(fleet.asked.length, 1, 'one who is denied is not placed at all')
  }
})

t.test('fleet-placer: a server that is gone after the wait is replaced, without a second wait', async t => {
  const away = testFleet(t, [placed(OAK), placed(ELM)], { isWaiting: true })
  const reply = away.ask('/', { client: ANA })
  await turns(3)
  away.servers.delete(OAK.name)
  await away.waits.end()
  t.equal(ticketIn(await reply).plain, 'https://elm.example/base/')
  t.equal(away.waits.count, 1)
  t.strictSame(away.told, [`release ${formatClient(ANA)}`])

  const down = testFleet(t, [placed(HERE[0]!), placed(HERE[1]!)], { isWaiting: true })
  const other = down.ask('/', { client: ANA })
  await turns(3)
  down.table.setServerState(0, 'down')
  await down.waits.end()
  t.equal(portOf(await other), 8001)
  t.equal(down.waits.count, 1)
  t.match(down.users(), [{ reservedServer: 1 }])
  t.strictSame(down.told, [`release ${formatClient(ANA)}`, 'servers'])
})

t.test('fleet-placer: an engine that goes on to name what is gone is asked three times', async t => {
  const { ask, asked, table, told } = testFleet(t, [placed(HERE[0]!)])
  table.setServerState(0, 'draining')
  t.equal(portOf(await ask('/', { client: ANA })), 8001, 'then a server of this node is chosen')
  t.strictSame(asked, ['', ' not here/8000', ' not here/8000'].map(refusal =>
    `${formatClient(ANA)} undefined${refusal}`), 'and told which it is not to be')
  const gone = [`release ${formatClient(ANA)}`, 'servers']
  t.strictSame(told, [...gone, ...gone, ...gone, `placed ${formatClient(ANA)} 1`], 'each time it hears more')
})

t.test('fleet-placer: a full server is not entered on the engine\'s word', async t => {
  const answers = [placed(HERE[0]!), placed(HERE[1]!)]
  const { ask, table, told } = testFleet(t, answers, { capacities: [1, 5, 5] })
  table.touch(BEN, 0, HOME)
  t.equal(portOf(await ask('/', { client: ANA })), 8001)
  t.strictSame(told, [`release ${formatClient(ANA)}`, 'servers'])
})

t.test('fleet-placer: who goes to another node gives up the place that was held here', async t => {
  const { ask, users, clock, sweep } = testFleet(t, [placed(HERE[0]!), placed(OAK)])
  await ask('/', { client: ANA })
  t.equal(users().length, 1)
  t.equal(ticketIn(await ask('/', { client: ANA })).plain, 'http://192.0.2.20:8000/')
  clock.nowMs += 1
  sweep()
  t.strictSame(users(), [])
})

t.test('fleet-placer: who is active here stays in the table until it has arrived elsewhere', async t => {
  const { ask, users, table } = testFleet(t, [placed(OAK)])
  table.touch(ANA, 1, HOME)
  await ask('/', { client: ANA })
  t.match(users(), [{ client: ANA, server: 1, reservedServer: undefined }])
})

t.test('fleet-placer: newcomers beyond the allowance of their network hold no place anywhere', async t => {
  const newcomers = { perMinute: 2, exempt: [], thread: ROUTER }
  const answers = [placed(OAK), placed(HERE[0]!), placed(OAK)]
  const { ask, asked, users } = testFleet(t, answers, { newcomers })
  await ask('/')
  await ask('/')
  t.strictSame([asked.length, users().length], [2, 1], 'elsewhere one counts as here')
  const hashed = await ask('/')
  t.ok(PORTS.includes(portOf(hashed)!))
  t.equal(ticketIn(hashed).text, undefined)
  const there = await ask('/', { headers: { cookie: 'client_server=elm/red' } })
  t.equal(headerOf(there, 'Location'), 'https://elm.example/base/', 'where it says to be')
  t.strictSame([asked.length, users().length], [2, 1])
  const limited = testFleet(t, [placed(OAK)], { newcomers, capacities: [5, 5, 5] })
  await limited.ask('/')
  await limited.ask('/')
  t.match((await limited.ask('/')).body.toString(), 'network')
})

t.test('fleet-placer: what opens no page goes where the visitor is', async t => {
  const { ask, asked, table, users } = testFleet(t, [placed(OAK)])
  const cookie = `client_id=${formatClient(ANA)}; client_server=elm/red`
  const picture = await ask('/logo.png', { headers: { cookie } })
  t.equal(headerOf(picture, 'Location'), 'https://elm.example/base/logo.png')
  t.equal(headerOf(picture, 'Set-Cookie'), undefined)
  table.touch(ANA, 1, HOME)
  t.equal(portOf(await ask('/logo.png', { headers: { cookie } })), 8001, 'the table knows better')
  t.equal(portOf(await ask('/', { method: 'HEAD' })), 8000)
  for (const index of PORTS.keys()) table.setServerState(index, 'down')
  t.equal(headerOf(await ask('/', { method: 'HEAD' }), 'Location'), 'http://192.0.2.20:8000/')
  t.strictSame(asked, [])
  t.ok(users().every(({ client }) => areSameClients(client, ANA)))
})
