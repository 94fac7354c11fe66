/** The running program with router and servers under other names: one person is one id. */
import t, { type Test } from 'tap'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import { Operator } from '../scripts/kit/operator.ts'
import {
  ask, samePorts, startCluster, until, workingFolder, type Answer, type Cluster
} from './cluster.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = {
  ADMIN_PASSWORD: PASSWORD, DELAY_BETWEEN_ROUTING: '0', PUBLIC_HOSTS: 'door.example', LEAVE_GRACE: '0'
}
const DOOR = 'door.example'

/** Each server under a host name of its own. */
async function start (
  t: Test, settings: Record<string, string> = {}, cwd = workingFolder(t)
): Promise<{ cluster: Cluster, operator: Operator, cwd: string }> {
  // The ports are known once the kernel has chosen them.
  const first = await startCluster(t, SETTINGS, { cwd })
  const ports = samePorts(first)
  await first.stop()
  return await startAgain(t, { ...ports, ...settings }, cwd)
}

async function startAgain (
  t: Test, settings: Record<string, string>, cwd: string
): Promise<{ cluster: Cluster, operator: Operator, cwd: string }> {
  const urls = settings['PORTS']!.split(',').map((port, index) => `http://shop-${index}.example:${port}`)
  const cluster = await startCluster(t, { SERVER_URLS: urls.join(','), ...SETTINGS, ...settings }, { cwd })
  return { cluster, operator: await Operator.loggedIn(cluster, 'admin', PASSWORD), cwd }
}

/** Cookies as browsers keep them: of each host name by itself. */
class Browser {
  readonly cookies = new Map<string, string>()
  readonly #keepsCookies: boolean

  constructor (keepsCookies = true) {
    this.#keepsCookies = keepsCookies
  }

  async ask (url: URL, method = 'GET'): Promise<Answer> {
    const cookie = this.cookies.get(url.hostname)
    const answer = await ask(Number(url.port), url.pathname + url.search, {
      method, headers: { host: url.host, ...(cookie !== undefined && { cookie }) }
    })
    const [given] = answer.headers['set-cookie'] ?? []
    if (given !== undefined && this.#keepsCookies) {
      this.cookies.set(url.hostname, given.split(';')[0]!)
    }
    return answer
  }

  /** Follows redirects, for so many hops at most; every address on the way. */
  async open (url: URL, hopsMax = 5): Promise<{ status: number, way: readonly URL[] }> {
    const way = [url]
    for (;;) {
      const { status, headers } = await this.ask(way.at(-1)!)
      if (status !== 302 || way.length > hopsMax) return { status, way }
      way.push(new URL(headers.location!))
    }
  }
}

const door = ({ routingPort }: Cluster, path = '/'): URL => new URL(`http://${DOOR}:${routingPort}${path}`)

async function loads (operator: Operator): Promise<number[]> {
  const servers = (await operator.get('/stats')).json['servers']
  return Object.values(servers as Record<string, { index: number, load: number }>)
    .sort((a, b) => a.index - b.index).map(({ load }) => load)
}

async function ids (operator: Operator): Promise<string[]> {
  const { users } = (await operator.get('/users')).json as { users: ReadonlyArray<{ id: string }> }
  return users.map(({ id }) => id)
}

/** For tests that leave it as it is, but for users. */
const shared = await start(t, { ROUTER_URL: 'http://door.example' })

t.test('tickets: a person is one id at the router and at every server, and stays where they are', async t => {
  const { cluster, operator } = shared
  const people = Array.from({ length: 9 }, () => new Browser())
  for (const person of people) {
    const { status, way } = await person.open(door(cluster))
    t.equal(status, 200)
    t.equal(way.length, 2)
    const [, page] = way
    t.equal(new Set(person.cookies.values()).size, 1, 'one id under both names')
    t.equal(person.cookies.size, 2)
    for (let visit = 0; visit < 3; visit++) {
      t.equal((await person.ask(new URL('/', page))).status, 200, 'a reload, without the ticket')
      const again = await person.open(door(cluster))
      t.equal(again.way[1]!.host, page!.host, 'the same server')
    }
    t.equal(new Set(person.cookies.values()).size, 1)
  }
  t.strictSame(await loads(operator), [3, 3, 3])
  const cookies = people.map(({ cookies }) => cookies.get(DOOR)!.replace('client_id=', ''))
  t.strictSame((await ids(operator)).sort(), cookies.sort())
})

t.test('tickets: without them a person is another one at each name', async t => {
  const { cluster } = await start(t, { TICKETS: 'never' })
  const person = new Browser()
  const { way } = await person.open(door(cluster))
  t.equal(way[1]!.search, '')
  t.equal(new Set(person.cookies.values()).size, 2)
})

t.test('tickets: good for the first who comes, and at their server only', async t => {
  const { cluster, operator } = shared
  const [, page] = (await new Browser().open(door(cluster))).way
  const id = decodeJwt(page!.searchParams.get('usher_ticket')!).sub
  const newcomer = async (url: URL): Promise<string | undefined> => {
    const browser = new Browser()
    t.equal((await browser.ask(url)).status, 200)
    return browser.cookies.get(url.hostname)
  }
  t.not(await newcomer(page!), `client_id=${id}`, 'used')
  const unused = new URL((await new Browser().ask(door(cluster))).headers.location!)
  const owner = decodeJwt(unused.searchParams.get('usher_ticket')!).sub
  const elsewhere = new URL(unused)
  const [other] = cluster.ports.filter(port => String(port) !== unused.port)
  elsewhere.port = String(other)
  t.not(await newcomer(elsewhere), `client_id=${owner}`, 'for another server')
  const forged = new URL(unused)
  const [head, claims] = unused.searchParams.get('usher_ticket')!.split('.')
  forged.searchParams.set('usher_ticket', `${head}.${claims}.${'A'.repeat(86)}`)
  t.not(await newcomer(forged), `client_id=${owner}`, 'forged')
  const head1 = await new Browser().ask(unused, 'HEAD')
  t.equal(head1.headers['set-cookie'], undefined, 'a HEAD does not use it up')
  t.equal(await newcomer(unused), `client_id=${owner}`)
  t.ok((await ids(operator)).includes(owner!))
})

t.test('tickets: a server\'s new thread knows which were used; a new run takes none of the old', async t => {
  const { cluster, operator, cwd } = await start(t)
  const { way } = await new Browser().open(door(cluster))
  const page = way[1]!
  const id = `client_id=${decodeJwt(page.searchParams.get('usher_ticket')!).sub}`
  const unused = new URL((await new Browser().ask(door(cluster))).headers.location!)
  for (const port of cluster.ports) t.equal((await operator.post(`/servers/${port}/restart`)).status, 200)
  const again = new Browser()
  t.equal((await again.ask(page)).status, 200)
  t.not(again.cookies.get(page.hostname), id)
  const keys = (await ask(cluster.routingPort, '/.well-known/jwks.json')).body
  t.equal(await cluster.stop(), 0)
  const next = await startAgain(t, samePorts(cluster), cwd)
  t.equal((await ask(next.cluster.routingPort, '/.well-known/jwks.json')).body, keys, 'the keys are the same')
  const late = new Browser()
  t.equal((await late.ask(unused)).status, 200)
  t.not(late.cookies.get(unused.hostname), `client_id=${decodeJwt(unused.searchParams.get('usher_ticket')!).sub}`)
  t.equal(new Set((await openAt(next.cluster)).cookies.values()).size, 1, 'and new ones are good')
})

async function openAt (cluster: Cluster): Promise<Browser> {
  const browser = new Browser()
  await browser.open(door(cluster))
  return browser
}

t.test('tickets: an app can verify them by the published keys', async t => {
  const { cluster } = shared
  const { status, headers, body } = await ask(cluster.routingPort, '/.well-known/jwks.json')
  t.equal(status, 200)
  t.match(headers, { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=900' })
  const keys = createLocalJWKSet(JSON.parse(body) as JSONWebKeySet)
  const location = new URL((await ask(cluster.routingPort, '/', { headers: { host: DOOR } })).headers.location!)
  const { payload } = await jwtVerify(location.searchParams.get('usher_ticket')!, keys, {
    issuer: 'http://door.example', audience: location.port, algorithms: ['EdDSA']
  })
  t.equal(payload.exp! - payload.iat!, 60)
})

t.test('tickets: the last places, of people with and without cookies, under other names', async t => {
  const { cluster, operator } = await start(t, { CAPACITY: '1', RESERVATION_TTL: '60' })
  for (let number = 0; number < 3; number++) {
    const { status, way } = await new Browser(number !== 1).open(door(cluster))
    t.equal(status, 200)
    t.equal(way.length, 2)
  }
  t.strictSame(await loads(operator), [1, 1, 1])
  for (const port of cluster.ports) {
    const straight = await new Browser(false).open(new URL(`http://shop.example:${port}/`))
    t.equal(straight.status, 503)
    t.equal(straight.way.length, 2, 'is sent to the router once, and told there')
  }
  t.strictSame(await loads(operator), [1, 1, 1])
})

t.test('tickets: a denied person is denied by a ticket, too', async t => {
  const { cluster, operator } = shared
  const browser = new Browser()
  const unused = new URL((await browser.ask(door(cluster))).headers.location!)
  const id = decodeJwt(unused.searchParams.get('usher_ticket')!).sub
  t.equal((await operator.post('/deny', { userId: id })).status, 200)
  t.equal((await new Browser().ask(unused)).status, 403)
  const other = await until(() => new Browser().open(door(cluster)), ({ status }) => status === 200)
  t.equal(other.way.length, 2)
})
