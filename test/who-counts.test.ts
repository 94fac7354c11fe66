/** Which requests bring a user in, at the running program: browsers' heads, probes, other sites. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { COUNTING_CASES } from '../packages/shared/test/http/cases/counting-cases.ts'
import { RawClient } from '../packages/shared/test/http/fixtures/raw-client.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { ask, startCluster, workingFolder, type Answer, type Cluster } from './cluster.ts'

const PASSWORD = 'a long and secret text'
const PAGE = '<!doctype html><title>A page</title>'
const SETTINGS = {
  HTML_DIRS: 'site', TRUST_PROXY: '127.0.0.1', DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD
}

let addressCount = 0
/** Somewhere nobody has been before. */
function newAddress (): string {
  addressCount += 1
  return `198.${18 + (addressCount >> 8)}.${addressCount & 255}.7`
}

/** Its pages answer every path, so that nothing but the head tells one request from another. */
function startSite (settings: Record<string, string> = {}): Promise<Cluster> {
  const cwd = workingFolder(t, { site: { 'index.html': PAGE, '404.html': PAGE } })
  return startCluster(t, { ...SETTINGS, ...settings }, { cwd })
}

const cluster = await startSite()
const { routingPort, monitoringPort } = cluster
const [port, otherPort] = cluster.ports as [number, number]

/** Users who are active or have a place, by a request that changes nothing. */
async function users (): Promise<number> {
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const { json } = await operator.get('/stats?limit=0')
  const servers = Object.values(json['servers'] as Record<string, { active_users: number, reserved: number }>)
  return servers.reduce((sum, { active_users: active, reserved }) => sum + active + reserved, 0)
}

async function beat (method: string, query = '', headers: Record<string, string> = {}): Promise<Answer> {
  return await ask(port, `/heartbeat${query}`, { method, headers: { 'x-forwarded-for': newAddress(), ...headers } })
}

t.test('who counts: what a browser, a robot or a probe sends, as the cases have it', async t => {
  for (const at of [port, routingPort]) {
    const before = await users()
    let added = 0
    for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
      const answer = await ask(at, path, { method, headers: { 'x-forwarded-for': newAddress(), ...headers } })
      if (effect === 'adds') added += 1
      t.equal(answer.headers['set-cookie'] !== undefined, effect === 'adds', `${at}, cookie: ${what}`)
    }
    t.equal(await users() - before, added, `${at}: ${added} of ${COUNTING_CASES.length} cases count`)
  }
})

t.test('who counts: a beat by GET keeps and moves who is here, and adds nobody', async t => {
  const id = randomUUID()
  const query = `?client_id=${id}&servers`
  const before = await users()
  const away = await beat('GET', query)
  t.equal(away.status, 404)
  t.match(JSON.parse(away.body), { error: 'not_here' })
  t.match(away.headers, { 'x-active-users': /^\d+$/, 'x-server-users': /=.*=.*=/ })
  t.equal(await users(), before)
  t.equal((await beat('POST', query)).status, 204)
  t.equal(await users(), before + 1)
  t.equal((await beat('GET', query)).status, 204)
  t.equal((await ask(otherPort, `/heartbeat${query}`)).status, 204)
  t.match((await beat('HEAD', query)).status, 204)
  t.equal(await users(), before + 1, 'on the other server now')
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const { json } = await operator.get(`/users?q=${id}`)
  t.match(json, { users: [{ id, server: String(otherPort) }] })
})

t.test('who counts: a posted beat without an id is given one', async t => {
  const before = await users()
  const address = newAddress()
  const first = await beat('POST', '', { 'x-forwarded-for': address })
  t.equal(first.status, 204)
  const [cookie = ''] = first.headers['set-cookie']![0]!.split(';')
  t.match(cookie, /^client_id=[0-9a-f-]{36}$/)
  t.equal((await beat('GET', '', { 'x-forwarded-for': address, cookie })).status, 204)
  t.equal(await users(), before + 1, 'the id has taken the place of the address')
})

t.test('who counts: pages of other sites beat for nobody, and the log says what to do', async t => {
  const before = await users()
  const refused = [
    { origin: 'http://evil.example' }, { referer: 'http://evil.example/' }, { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' }, { origin: `http://127.0.0.1:${port}`, 'x-forwarded-proto': 'https' }
  ]
  for (const headers of refused) {
    for (const at of [port, routingPort]) {
      const answer = await ask(at, '/heartbeat', { method: 'POST', headers })
      t.equal(answer.status, 403, JSON.stringify(headers))
      t.match(JSON.parse(answer.body), { error: 'foreign_origin' })
    }
  }
  t.equal((await beat('GET', '', { referer: 'http://evil.example/' })).status, 403)
  t.match(await cluster.logged(/PUBLIC_HOSTS/), { level: 40, page: 'http://evil.example' })
  t.equal(await users(), before)
  for (const headers of [
    { origin: `http://127.0.0.1:${otherPort}` }, { referer: `http://127.0.0.1:${port}/page` },
    { origin: 'https://127.0.0.1', 'x-forwarded-proto': 'https' },
    { origin: 'http://shop.example', 'x-forwarded-host': 'shop.example:81' },
    { origin: 'null', 'sec-fetch-site': 'same-origin' }
  ]) t.equal((await beat('POST', '', headers)).status, 204, JSON.stringify(headers))
})

t.test('who counts: an id that somebody else writes into a link keeps its user\'s address', async t => {
  const id = randomUUID()
  const [home, elsewhere] = [newAddress(), newAddress()]
  const cookie = `client_id=${id}`
  await ask(port, '/', { headers: { 'x-forwarded-for': home, cookie } })
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const addressOf = async (): Promise<unknown> => (await operator.get(`/users?q=${id}`)).json['users']
  for (const method of ['GET', 'POST']) {
    t.equal((await beat(method, `?client_id=${id}`, { 'x-forwarded-for': elsewhere })).status, 204)
    t.match(await addressOf(), [{ address: home }], method)
  }
  await beat('GET', `?client_id=${id}`, { 'x-forwarded-for': elsewhere, cookie })
  t.match(await addressOf(), [{ address: elsewhere }], 'whoever has the cookie too has moved')
})

t.test('who counts: every port says whether it is well, to anybody', async t => {
  const before = await users()
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  for (const at of [routingPort, monitoringPort, ...cluster.ports]) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await ask(at, '/healthz', { method })
      t.strictSame([status, headers['set-cookie']], [200, undefined], `${method} ${at}`)
    }
  }
  await operator.post(`/servers/${port}/drain`, {})
  const draining = await ask(port, '/healthz')
  t.equal(draining.status, 503)
  t.match(JSON.parse(draining.body), { error: 'not_ready', message: 'draining' })
  t.equal((await ask(otherPort, '/healthz')).status, 200)
  t.equal((await ask(routingPort, '/healthz')).status, 200)
  await operator.post(`/servers/${port}/ready`, {})
  t.equal((await ask(port, '/healthz')).status, 200)
  t.equal(await users(), before)
})

t.test('who counts: names of ours are ours at every address', async t => {
  const named = await startSite({
    PUBLIC_HOSTS: 'shop.example',
    ROUTER_URL: 'https://www.example.org',
    SERVER_URLS: 'https://a.example.org,https://b.example.org,https://c.example.org'
  })
  for (const origin of ['https://shop.example', 'http://shop.example:81', 'https://www.example.org', 'https://b.example.org']) {
    const answer = await ask(named.ports[0]!, '/heartbeat', { method: 'POST', headers: { origin } })
    t.equal(answer.status, 204, origin)
  }
  const headers = { origin: 'https://d.example.org' }
  t.equal((await ask(named.ports[0]!, '/heartbeat', { method: 'POST', headers })).status, 403)
})

t.test('who counts: a port that stops says so to who is connected', async t => {
  const stopping = await startSite()
  const ports = [stopping.routingPort, stopping.ports[0]!]
  const clients = await Promise.all(ports.map(at => RawClient.connect(at)))
  const stopped = stopping.stop()
  await Promise.all(clients.map(async (client, index) => {
    let status: number | undefined
    do {
      client.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
      status = (await client.reply())?.status
    } while (status === 200)
    t.equal(status, 503, index === 0 ? 'the router' : 'a server')
    client.close()
  }))
  t.equal(await stopped, 0)
})
