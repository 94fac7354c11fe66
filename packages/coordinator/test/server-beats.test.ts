import t from 'tap'
import { formatClient, parseAddress, parseClientId } from '@usher/shared/client.ts'
import { clientNumber, HOME } from '../../shared/test/memory/test-table.ts'
import { isForServer } from '../src/server-beats.ts'
import { headerOf } from './fixtures/router.ts'
import { errorOf, requestOf, SHOP, testServerBeats } from './fixtures/server-beats.ts'

const ANA = clientNumber(1)
const ANA_ID = formatClient(ANA)
const BEN = clientNumber(2)
const BEN_ID = formatClient(BEN)
const BEAT = '/heartbeat?server=shop-a'
const BEAT_OF_ANA = `${BEAT}&client_id=${ANA_ID}`

t.test('server beats: a beat for a server, and a posted leave, are answered at the router', async t => {
  const cases: ReadonlyArray<[method: string, target: string, isForServer: boolean]> = [
    ['POST', BEAT, true], ['GET', BEAT, true], ['OPTIONS', BEAT, true],
    ['POST', '/heartbeat?server=', true], ['POST', '/leave?page&server=shop-a', true],
    ['POST', '/leave', true], ['OPTIONS', '/leave?server=shop-a', true],
    ['POST', '/heartbeat', false], ['POST', '/heartbeat?servers', false],
    ['POST', '/heartbeat?my_server=shop-a', false], ['GET', '/leave?server=shop-a', false],
    ['GET', '/?server=shop-a', false], ['POST', '/?server=shop-a', false]
  ]
  for (const [method, target, expected] of cases) {
    t.equal(isForServer(requestOf(target, { method })), expected, `${method} ${target}`)
  }
})

t.test('server beats: a page elsewhere brings its visitor in, and is told what it may read', async t => {
  const { ask, users, lines } = testServerBeats()
  const reply = await ask(BEAT_OF_ANA)
  t.strictSame([reply.status, reply.headers], [204, [
    'X-Active-Users', '1', 'X-Heartbeat-Interval', '2.5', 'Cache-Control', 'no-store',
    'Access-Control-Allow-Origin', SHOP,
    'Access-Control-Allow-Credentials', 'true',
    'Access-Control-Expose-Headers',
    'X-Active-Users, X-Heartbeat-Interval, X-Server-Users, X-Usher-Client, X-Usher-Reason, X-Usher-Base, Retry-After',
    'Vary', 'Origin'
  ]])
  t.strictSame(users(), [`${ANA_ID} at 2`])
  t.match(lines, [{ client: ANA_ID, server: 'shop-a', msg: 'user arrived' }])
  t.equal(await ask(BEAT_OF_ANA), reply, 'the same reply for the same page')
  t.equal(headerOf(await ask(`/heartbeat?server=shop-b&client_id=${ANA_ID}`), 'X-Active-Users'), '1')
  t.strictSame(users(), [`${ANA_ID} at 3`], 'a user is at one server')
})

t.test('server beats: servers of ours can be named, too', async t => {
  const { ask, users } = testServerBeats()
  const headers = { origin: 'https://door.example:8001' }
  const reply = await ask(`/heartbeat?server=8001&client_id=${ANA_ID}&servers`, { headers })
  t.strictSame([reply.status, headerOf(reply, 'X-Server-Users')], [204, '8000=0, 8001=1'])
  t.strictSame(users(), [`${ANA_ID} at 1`])
})

t.test('server beats: the cookie names the visitor where it comes along', async t => {
  const { ask, users } = testServerBeats()
  const reply = await ask(BEAT, { client: ANA })
  t.strictSame([reply.status, headerOf(reply, 'Set-Cookie')], [204, undefined])
  t.equal(headerOf(reply, 'X-Usher-Client'), undefined, 'which scripts cannot read')
  t.strictSame(users(), [`${ANA_ID} at 2`])
})

t.test('server beats: who brings no id is given one, and is one user with it', async t => {
  const { ask, users } = testServerBeats()
  const reply = await ask(BEAT)
  const id = headerOf(reply, 'X-Usher-Client') ?? ''
  t.ok(parseClientId(id))
  t.match(headerOf(reply, 'Set-Cookie'), `client_id=${id};`)
  t.equal(headerOf(reply, 'Cache-Control'), 'private, no-store')
  t.equal(users().length, 1)
  t.equal(headerOf(await ask(`${BEAT}&client_id=${id}`), 'X-Active-Users'), '1')
  t.strictSame(users(), [`${id} at 2`], 'its address stands for it no more')
})

t.test('server beats: a page of nobody that is known is refused, and may not read why', async t => {
  const { ask, users, foreign } = testServerBeats()
  const cases = [
    { origin: 'https://evil.example' }, { origin: 'http://shop-a.example' },
    { origin: 'https://shop-a.example:8443' }, { origin: 'https://sub.shop-a.example' },
    { origin: 'https://b.example' }, { origin: 'https://door.example:9' },
    { origin: 'https://192.0.2.9:8000' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { referer: 'https://evil.example/' }, { origin: `${SHOP}, https://evil.example` }
  ]
  for (const headers of cases) {
    for (const target of [BEAT_OF_ANA, '/leave?server=shop-a&page']) {
      const reply = await ask(target, { headers })
      const what = `${JSON.stringify(headers)} ${target}`
      t.strictSame([reply.status, errorOf(reply)], [403, 'foreign_origin'], what)
      t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), undefined, what)
      t.equal(headerOf(reply, 'Vary'), 'Origin', what)
    }
  }
  t.equal(foreign.length, 2 * cases.length)
  t.strictSame(users(), [])
  t.equal((await ask(BEAT_OF_ANA, { headers: {} })).status, 204, 'a program that names its user')
})

t.test('server beats: ALLOWED_ORIGINS lets others in, and a reload changes it', async t => {
  const { ask, settings } = testServerBeats({ allowedOrigins: ['https://other.example'] })
  const other = { headers: { origin: 'https://other.example', 'sec-fetch-site': 'cross-site' } }
  t.equal(headerOf(await ask(BEAT, other), 'Access-Control-Allow-Origin'), 'https://other.example')
  settings.live = { allowedOrigins: ['https://third.example'] }
  t.equal((await ask(BEAT, other)).status, 403)
  t.equal((await ask(BEAT, { headers: { origin: 'https://third.example' } })).status, 204)
})

t.test('server beats: a preflight is answered for pages that may', async t => {
  const { ask } = testServerBeats()
  for (const target of [BEAT, '/leave?server=shop-a']) {
    const reply = await ask(target, { method: 'OPTIONS' })
    t.strictSame(
      ['Access-Control-Allow-Origin', 'Access-Control-Allow-Methods', 'Access-Control-Allow-Credentials',
        'Access-Control-Max-Age', 'Vary', 'Allow'].map(name => headerOf(reply, name)),
      [SHOP, 'GET, HEAD, POST', 'true', '7200', 'Origin', 'GET, HEAD, POST'])
    t.equal(headerOf(reply, 'Access-Control-Allow-Headers'), undefined, 'no field of its own is needed')
    const refused = await ask(target, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })
    t.strictSame([refused.status, refused.headers], [
      204, ['Allow', 'GET, HEAD, POST', 'Cache-Control', 'no-store', 'Vary', 'Origin']
    ])
  }
})

t.test('server beats: a server that is not known is named, with those that are', async t => {
  const { ask, users } = testServerBeats()
  const cases: ReadonlyArray<[query: string, message: RegExp]> = [
    ['server=shop-c', /^There is no server "shop-c"; server must be one of: 8000, 8001, shop-a, shop-b\.$/],
    ['server=', /^There is no server ""/],
    ['server=shop-a&server=shop-b', /^The query names more than one server; /],
    ['server=%3Cb%3E%0A', /^There is no server "<b>\\n";/]
  ]
  for (const [query, message] of cases) {
    for (const path of ['/heartbeat', '/leave']) {
      const reply = await ask(`${path}?${query}`, { client: ANA })
      t.strictSame([reply.status, errorOf(reply)], [404, 'unknown_server'], query)
      t.match(JSON.parse(reply.body.toString()), { message })
      t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), SHOP, 'which the script tells the owner')
    }
  }
  t.match(JSON.parse((await ask('/leave', { client: ANA })).body.toString()), {
    message: /^The query names no server; /
  })
  t.strictSame(users(), [])
})

t.test('server beats: a ticket says whose browser it is, before all else', async t => {
  const { ask, users, redeemed, table } = testServerBeats({ tickets: { good: ANA } })
  const reply = await ask(`${BEAT}&ticket=good&client_id=${BEN_ID}`, { client: BEN, address: '192.0.2.9' })
  t.equal(reply.status, 204)
  t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), SHOP)
  t.strictSame(redeemed, ['good at shop-a'])
  t.strictSame(users(), [`${ANA_ID} at 2`])
  t.match(table.find(ANA), { address: parseAddress('192.0.2.9') })
})

t.test('server beats: in a fleet a ticket is for the server of this node', async t => {
  const { ask, redeemed } = testServerBeats({ tickets: { good: ANA }, clusterUrl: 'redis://192.0.2.9' })
  t.equal((await ask('/heartbeat?server=shop-a&ticket=good', { method: 'POST' })).status, 204)
  t.strictSame(redeemed, ['good at oak/shop-a'])
})

t.test('server beats: a ticket that is no good is said to be so, and nobody is counted', async t => {
  const faults = {
    malformed: 'ticket_malformed',
    forged: 'ticket_forged',
    expired: 'ticket_expired',
    used: 'ticket_used',
    'other-server': 'ticket_other_server'
  } as const
  for (const [fault, error] of Object.entries(faults)) {
    const { ask, users } = testServerBeats({ tickets: { bad: fault as keyof typeof faults } })
    const reply = await ask(`${BEAT_OF_ANA}&ticket=bad`)
    t.strictSame([reply.status, errorOf(reply)], [400, error])
    t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), SHOP)
    t.strictSame(users(), [])
  }
})

t.test('server beats: a ticket is not used up by who may not come', async t => {
  const { ask, redeemed, givenBack, deny, users } = testServerBeats({ tickets: { good: ANA } })
  t.equal((await ask(`${BEAT}&ticket=good`, { headers: { origin: 'https://evil.example' } })).status, 403)
  t.equal((await ask('/heartbeat?server=shop-c&ticket=good')).status, 404)
  t.strictSame(redeemed, [])
  deny(ANA_ID)
  const reply = await ask(`${BEAT}&ticket=good`)
  t.strictSame([reply.status, errorOf(reply)], [403, 'denied'], 'nor let in by it when denied')
  t.strictSame([users(), givenBack], [[], ['good']])
})

t.test('server beats: who is refused for the moment may come again with the ticket', async t => {
  const { ask, table, givenBack, users } = testServerBeats({
    tickets: { good: ANA }, capacities: [0, 0, 1]
  })
  table.setServerState(2, 'down')
  t.equal(errorOf(await ask(`${BEAT}&ticket=good`)), 'down')
  t.strictSame(givenBack, ['good'])
  table.setServerState(2, 'up')
  table.touch(BEN, 2, HOME)
  t.equal((await ask(`${BEAT}&ticket=good`)).status, 503, 'full')
  t.strictSame(givenBack, ['good', 'good'])
  table.remove(BEN)
  t.equal((await ask(`${BEAT}&ticket=good`)).status, 204)
  t.strictSame([users(), givenBack.length], [[`${ANA_ID} at 2`], 2], 'and then it is used')
})

t.test('server beats: a denied visitor is told so', async t => {
  const { ask, deny } = testServerBeats()
  deny(ANA_ID)
  for (const target of [BEAT_OF_ANA, `/leave?server=shop-a&client_id=${ANA_ID}`]) {
    const reply = await ask(target)
    t.strictSame([reply.status, errorOf(reply)], [403, 'denied'])
    t.equal(headerOf(reply, 'Access-Control-Allow-Origin'), SHOP)
  }
})

t.test('server beats: a malformed id is refused, other methods are too', async t => {
  const { ask } = testServerBeats()
  const reply = await ask(`${BEAT}&client_id=me`)
  t.strictSame([reply.status, errorOf(reply)], [400, 'malformed_client_id'])
  const put = await ask(BEAT, { method: 'PUT' })
  t.strictSame([put.status, headerOf(put, 'Allow')], [405, 'GET, HEAD, POST'])
})

t.test('server beats: by GET only who is here is kept', async t => {
  const { ask, users } = testServerBeats()
  const reply = await ask(BEAT_OF_ANA, { method: 'GET' })
  t.strictSame([reply.status, errorOf(reply)], [404, 'not_here'])
  await ask(BEAT_OF_ANA)
  t.equal((await ask(BEAT_OF_ANA, { method: 'GET' })).status, 204)
  t.strictSame(users(), [`${ANA_ID} at 2`])
  const prerendered = { origin: SHOP, 'sec-purpose': 'prefetch;prerender' }
  await ask(`${BEAT}&client_id=${BEN_ID}`, { headers: prerendered })
  t.equal(users().length, 1, 'a page that nobody sees yet brings nobody in')
})

t.test('server beats: a leave ends the visit there, at once or after the grace', async t => {
  const { ask, users, table, clock } = testServerBeats()
  await ask(BEAT_OF_ANA)
  const elsewhere = await ask(`/leave?server=shop-b&client_id=${ANA_ID}`)
  t.strictSame([elsewhere.status, elsewhere.body.toString()], [200, '{"response":"leave received"}'])
  t.equal(users().length, 1, 'of another server')
  await ask(`/leave?server=shop-a&client_id=${ANA_ID}`)
  t.strictSame(users(), [])
  await ask(BEAT_OF_ANA)
  await ask(`/leave?page&server=shop-a&client_id=${ANA_ID}`)
  t.equal(users().length, 1, 'of a page')
  clock.nowMs += 1000
  t.equal((await ask(BEAT_OF_ANA, { method: 'GET' })).status, 404, 'sent before the leave, or by another page')
  clock.nowMs += 1001
  for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
  t.strictSame(users(), [])
})

t.test('server beats: a leave of a page that hides where it is counts for whom it names', async t => {
  const { ask, users } = testServerBeats()
  const cases: ReadonlyArray<[target: string, headers: object, status: number]> = [
    [`/leave?server=shop-a&client_id=${ANA_ID}`, { 'sec-fetch-site': 'cross-site' }, 200],
    ['/leave?server=shop-a', { 'sec-fetch-site': 'same-site' }, 200],
    ['/leave?server=shop-a', { 'sec-fetch-site': 'cross-site' }, 403],
    ['/leave?server=shop-a&client_id=me', { 'sec-fetch-site': 'cross-site' }, 403],
    [BEAT_OF_ANA, { 'sec-fetch-site': 'same-site' }, 403]
  ]
  for (const [target, headers, status] of cases) {
    await ask(BEAT_OF_ANA)
    const asked = { headers: { origin: 'null', ...headers }, client: ANA }
    t.equal((await ask(target, asked)).status, status, target)
    t.equal(users().length, status === 200 ? 0 : 1, target)
  }
})

t.test('server beats: a server that drains, is down or in maintenance', async t => {
  const { ask, users, table, clock } = testServerBeats()
  const beat = async (id: string, server = 'shop-a'): Promise<unknown[]> => {
    const reply = await ask(`/heartbeat?server=${server}&client_id=${id}`)
    return [reply.status, errorOf(reply), headerOf(reply, 'Retry-After')]
  }
  await beat(ANA_ID)
  table.setServerState(2, 'draining')
  t.strictSame(await beat(ANA_ID), [204, undefined, undefined], 'who is here stays')
  t.strictSame(await beat(BEN_ID), [503, 'draining', '30'])
  table.setServerState(2, 'draining', clock.nowMs)
  t.strictSame(await beat(ANA_ID), [409, 'moved', undefined])
  table.setServerState(2, 'maintenance')
  t.strictSame(await beat(ANA_ID), [409, 'moved', undefined])

  table.setServerState(2, 'down')
  t.strictSame(await beat(BEN_ID), [503, 'down', '5'])
  t.strictSame(users(), [`${ANA_ID} at 2`], 'nobody comes in')
  clock.nowMs += 600
  t.strictSame(await beat(ANA_ID), [503, 'down', '5'])
  t.match(table.find(ANA), { isConfirmed: true, lastSeenAgoMs: 0 }, 'who has a page open is not forgotten')
  table.leaveAfterGrace(ANA, 2)
  clock.nowMs += 250
  t.equal((await ask(BEAT_OF_ANA, { method: 'GET' })).status, 503)
  t.match(table.find(ANA), { isLeaving: false }, 'nor whose other page has left')
  table.touch(ANA, 3, HOME, { sign: 'page' })
  t.strictSame(await beat(ANA_ID), [503, 'down', '5'])
  t.match(table.find(ANA), { server: 3 }, 'nobody is brought back from elsewhere')
  table.setServerState(2, 'starting')
  t.strictSame(await beat(BEN_ID), [204, undefined, undefined], 'nothing is known against it yet')
})

t.test('server beats: a refusal says where the paths of its server begin', async t => {
  const { ask, table } = testServerBeats()
  for (const server of [2, 3]) table.setServerState(server, 'down')
  const headers = { origin: 'https://b.example:8443' }
  const reply = await ask(`/heartbeat?server=shop-b&client_id=${ANA_ID}`, { headers })
  t.strictSame([reply.status, headerOf(reply, 'X-Usher-Base')], [503, '/base'])
  t.equal(headerOf(await ask(BEAT_OF_ANA), 'X-Usher-Base'), undefined)
})

t.test('server beats: servers elsewhere share one budget of beats', async t => {
  const { ask, clock } = testServerBeats({ heartbeatBudget: 1 })
  const pause = async (server: string, id: string): Promise<number> =>
    Number(headerOf(await ask(`/heartbeat?server=${server}&client_id=${id}`), 'X-Heartbeat-Interval'))
  const crowd = Array.from({ length: 20 }, (_, at) => formatClient(clientNumber(10 + at)))
  const pauses: number[] = []
  for (const id of crowd) pauses.push(await pause('shop-a', id))
  t.equal(pauses[0], 2.5)
  t.ok(pauses.at(-1)! >= 20, `${pauses.at(-1)}`)
  clock.nowMs += 60_000
  t.ok(await pause('shop-b', BEN_ID) >= 20, 'a server with one user, too')
  clock.nowMs += 60_000
  t.ok(await pause('8001', ANA_ID) >= 20, 'and one of ours, for whose page the router answers')
})

t.test('server beats: the pages of ten servers bring no more than the budget of one', async t => {
  const [budget, pages, seconds] = [100, 3000, 150]
  const moreShops = Array.from({ length: 8 }, (_, at) => `shop-${at}`)
  let seed = 1
  const random = (): number => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647
  const { ask, clock, beats } = testServerBeats({
    heartbeatBudget: budget, moreShops, random, users: 4096
  })
  const shops = ['shop-a', 'shop-b', ...moreShops]
  const startMs = clock.nowMs
  // They come within 30 s, as many to each server.
  const due: number[][] = Array.from({ length: seconds * 1000 }, () => [])
  for (let page = 0; page < pages; page++) due[Math.floor(random() * 30_000)]!.push(page)
  const counts = new Array<number>(seconds).fill(0)
  const come = new Set<number>()
  for (let atMs = 0; atMs < due.length; atMs++) {
    clock.nowMs = startMs + atMs
    for (const page of due[atMs]!) {
      const id = formatClient(clientNumber(page + 1))
      const reply = await ask(`/heartbeat?server=${shops[page % shops.length]!}&client_id=${id}`)
      if (come.has(page)) counts[Math.floor(atMs / 1000)]!++
      come.add(page)
      const pauseMs = Number(headerOf(reply, 'X-Heartbeat-Interval')) * 1000
      due[atMs + Math.round(pauseMs)]?.push(page)
    }
  }
  const later = counts.slice(40)
  // Random jitter leaves a spread around the budget.
  t.ok(Math.max(...later) < budget * 1.3, `${Math.max(...later)}`)
  const mean = later.reduce((sum, count) => sum + count) / later.length
  t.ok(mean <= budget, `${mean}`)
  t.ok(mean > budget * 0.8, `enough of them: ${mean}`)
  t.strictSame(beats.slice(0, 2), [0, 0])
  const total = (all: readonly number[]): number => all.reduce((sum, count) => sum + count)
  t.equal(total(beats), pages + total(counts))
})

t.test('server beats: those that are taken are counted for their server', async t => {
  const { ask, beats, deny } = testServerBeats()
  await ask(BEAT_OF_ANA)
  await ask(BEAT_OF_ANA, { method: 'GET' })
  await ask(`/heartbeat?server=shop-b&client_id=${BEN_ID}`)
  await ask(BEAT_OF_ANA, { method: 'OPTIONS' })
  await ask(`/leave?server=shop-a&client_id=${ANA_ID}`)
  await ask(`/heartbeat?server=shop-a&client_id=${formatClient(clientNumber(9))}`, { method: 'GET' })
  deny(BEN_ID)
  await ask(`/heartbeat?server=shop-b&client_id=${BEN_ID}`)
  t.strictSame(beats, [0, 0, 2, 1])
})

t.test('server beats: nobody is admitted beyond the capacity', async t => {
  const { ask, users } = testServerBeats({ capacities: [0, 0, 1, 0] })
  t.equal((await ask(BEAT_OF_ANA)).status, 204)
  const reply = await ask(`${BEAT}&client_id=${BEN_ID}`)
  t.strictSame([reply.status, errorOf(reply)], [503, 'unavailable'])
  t.strictSame(users(), [`${ANA_ID} at 2`])
})
