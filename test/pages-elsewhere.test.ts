/** People on pages of other programs, who beat to the router: the test plays both. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import {
  ask, startCluster, until, Visitor, workingFolder, type Answer, type Cluster
} from './cluster.ts'
import { startElsewhere, type Elsewhere } from './elsewhere.ts'

const PASSWORD = 'correct horse battery'
const CROWD = 300
const OTHER = 'https://other.example'

interface Site {
  readonly cluster: Cluster
  readonly shops: readonly Elsewhere[]
  readonly operator: Operator
}

async function start (
  t: Test, settings: Record<string, string> = {}, cwd = workingFolder(t)
): Promise<Site> {
  const shops = [await startElsewhere(t), await startElsewhere(t), await startElsewhere(t)]
  const names = shops.map(({ url }, at) => `shop-${'abc'[at]}=${url}`)
  const cluster = await startCluster(t, {
    PORTS: '',
    EXTERNAL_SERVERS: names.join(','),
    TICKETS: 'always',
    DELAY_BETWEEN_ROUTING: '0',
    HEALTH_INTERVAL: '0.1',
    HEALTH_FALL: '2',
    ADMIN_PASSWORD: PASSWORD,
    LOG_LEVEL: 'debug',
    ...settings
  }, { cwd })
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  await until(() => operator.get('/stats'), ({ text }) => !text.includes('"starting"'))
  return { cluster, shops, operator }
}

/** Somebody with a page of a shop open; the browser sends no cookie along. */
class Guest {
  readonly #site: Site
  readonly shop: number
  readonly #ticket: string
  readonly id: string

  constructor (site: Site, location: string, id: string) {
    this.#site = site
    this.id = id
    this.shop = site.shops.findIndex(({ url }) => location.startsWith(`${url}/`))
    this.#ticket = new URL(location).searchParams.get('usher_ticket')!
  }

  beat (more = ''): Promise<Answer> {
    return this.#post('/heartbeat', `client_id=${this.id}${more}`)
  }

  arrive (): Promise<Answer> {
    return this.#post('/heartbeat', `ticket=${this.#ticket}`)
  }

  leave (): Promise<Answer> {
    return this.#post('/leave', `client_id=${this.id}`)
  }

  #post (path: string, query: string): Promise<Answer> {
    const { cluster, shops } = this.#site
    const origin = new URL(shops[this.shop]!.url).origin
    return ask(cluster.routingPort, `${path}?server=shop-${'abc'[this.shop]}&${query}`, {
      method: 'POST', headers: { origin, 'sec-fetch-site': 'cross-site' }
    })
  }
}

/** Comes by the router. */
async function guest (site: Site): Promise<Guest> {
  const visitor = new Visitor()
  const { headers } = await visitor.ask(site.cluster.routingPort)
  return new Guest(site, headers.location!, visitor.cookie!.replace('client_id=', ''))
}

async function activeUsers ({ operator }: Site): Promise<unknown[]> {
  const { json } = await operator.get('/stats?limit=0')
  const servers = json['servers'] as Record<string, { active_users: number }>
  return Object.values(servers).map(server => server.active_users)
}

t.test('pages elsewhere: a crowd is counted where it was sent, and until it leaves', async t => {
  const site = await start(t)
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => guest(site)))
  const arrivals = await Promise.all(crowd.map(one => one.arrive()))
  t.same([...new Set(arrivals.map(({ status }) => status))], [204])
  t.same(await activeUsers(site), [100, 100, 100], 'as exactly as they were placed')
  for (const { status, headers } of await Promise.all(crowd.map(one => one.beat()))) {
    t.same([status, headers['x-active-users']], [204, '100'])
    t.ok(Number(headers['x-heartbeat-interval']) >= 2.5)
  }
  t.same(await activeUsers(site), [100, 100, 100])
  const arrived = site.cluster.log.filter(({ msg }) => msg === 'user arrived')
  t.same(new Set(arrived.map(({ client }) => client)), new Set(crowd.map(({ id }) => id)),
    'each under the id of the router\'s cookie')
  t.same([...new Set(arrived.map(({ server }) => server))].sort(), ['shop-a', 'shop-b', 'shop-c'])

  const again = await crowd[0]!.arrive()
  t.match([again.status, again.body], [400, /"ticket_used"/])
  const other = await guest(site)
  const forged = await crowd[0]!.beat(`&ticket=${'e30.'.repeat(2)}e30`)
  t.match([forged.status, forged.body], [400, /"ticket_(malformed|forged)"/])
  t.match(await other.arrive(), { status: 204 })
  await other.leave()
  await Promise.all(crowd.slice(0, 150).map(one => one.leave()))
  const left = await activeUsers(site) as number[]
  t.equal(left.reduce((sum, users) => sum + users), 150)
})

t.test('pages elsewhere: a server that goes is told to those who are there', async t => {
  const site = await start(t)
  const { cluster, shops, operator } = site
  const crowd = [await guest(site), await guest(site), await guest(site)]
  for (const one of crowd) t.equal((await one.arrive()).status, 204)
  const [here] = crowd.filter(({ shop }) => shop === 0) as [Guest]
  await shops[0]!.close()
  await until(() => here.beat(), ({ status }) => status === 503)
  const down = await here.beat()
  t.match([down.body, down.headers], [/"error":"down"/, {
    'retry-after': '5', 'access-control-allow-origin': shops[0]!.url, vary: 'Origin'
  }])
  t.same(await activeUsers(site), [1, 1, 1], 'the page is still open')

  const [there] = crowd.filter(({ shop }) => shop === 1) as [Guest]
  t.equal((await operator.post('/servers/shop-b/drain')).status, 200)
  t.equal((await there.beat()).status, 204, 'who is at one that drains stays')
  const maintenance = { maintenance: true, force: true }
  t.equal((await operator.post('/servers/shop-c/drain', maintenance)).status, 200)
  const [gone] = crowd.filter(({ shop }) => shop === 2) as [Guest]
  t.match(await gone.beat(), { status: 409, body: /"error":"moved"/ })
  t.equal((await operator.post('/disconnect', { userId: there.id })).status, 200)
  t.match(await there.beat(), { status: 403, body: /"error":"denied"/ })
  t.equal(await cluster.stop(), 0)
})

t.test('pages elsewhere: other origins are refused, until ALLOWED_ORIGINS and a reload let them in', async t => {
  const cwd = workingFolder(t, { 'usher.env': 'ALLOWED_ORIGINS=\n' })
  const site = await start(t, {}, cwd)
  const { cluster } = site
  const beat = (): Promise<Answer> => ask(cluster.routingPort, '/heartbeat?server=shop-a', {
    method: 'POST', headers: { origin: OTHER, 'sec-fetch-site': 'cross-site' }
  })
  t.match(await beat(), { status: 403, body: /"foreign_origin"/ })
  t.match(await cluster.logged(/ALLOWED_ORIGINS/), { level: 40, origin: OTHER, server: 'shop-a' })
  writeFileSync(join(cwd, 'usher.env'), `ALLOWED_ORIGINS=${OTHER}\n`)
  cluster.process.kill('SIGHUP')
  const { changes } = await cluster.logged(/^settings were changed/)
  t.match(changes, [`ALLOWED_ORIGINS from (empty) to ${OTHER}`])
  t.match(await beat(), { status: 204, headers: { 'access-control-allow-origin': OTHER } })
})

t.test('pages elsewhere: a server that is added counts its people, and one that is removed does not', async t => {
  const { cluster, operator } = await start(t)
  const late = await startElsewhere(t)
  const beat = (): Promise<Answer> => ask(cluster.routingPort, '/heartbeat?server=shop-d', {
    method: 'POST', headers: { origin: late.url, 'sec-fetch-site': 'same-site' }
  })
  t.equal((await beat()).status, 403, 'nobody knows its pages')
  t.match(await operator.post('/servers', { name: 'shop-d', url: late.url }), { status: /^20/ })
  t.match(await beat(), { status: 204, headers: { 'access-control-allow-origin': late.url } })
  t.equal((await operator.post('/servers/shop-d/remove')).status, 200)
  t.equal((await beat()).status, 403)
})

t.test('pages elsewhere: the router has the script, and redirects all else', async t => {
  const { cluster: { routingPort } } = await start(t, { TIMEOUT_THRESHOLD: '77', TICKET_PARAMETER: 'pass' })
  const script = await ask(routingPort, '/usher.js')
  t.equal(script.status, 200)
  t.match(script.headers, {
    'content-type': 'text/javascript; charset=utf-8', 'access-control-allow-origin': '*', vary: 'Accept-Encoding, Origin'
  })
  t.match(script.body, /"pass"[^]*77000/)
  t.notMatch(script.body, /__\w+__/)
  const { etag = '' } = script.headers
  t.equal((await ask(routingPort, '/usher.js', { headers: { 'if-none-match': etag } })).status, 304)
  const coded = await ask(routingPort, '/usher.js', { headers: { 'accept-encoding': 'br' } })
  t.equal(coded.headers['content-encoding'], 'br')
  for (const path of ['/usher.js/', '/leave', '/leave?server=shop-a', '/heartbeat']) {
    t.equal((await ask(routingPort, path)).status, 302, path)
  }
})
