/**
 * A shop that is not ours, with the page script from the router's address: on a site of its own,
 * where no cookie travels, and on the router's, where the cookie carries the id. The visitor is one
 * user from the arrival on, through reloads, and gone when the page is closed.
 */
import { randomUUID } from 'node:crypto'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { CERT, KEY } from '../../packages/shared/test/fixtures/tls-pems.ts'
import { ask, startCluster, until, type Cluster } from '../cluster.ts'
import { browserTest, closeTabs, timesOf, untilLogged, usersOf } from './browser.ts'
import { PLAIN_PATH, startShop, type Shop } from './shop.ts'

/** Each is a registrable name: `.test` is nobody's, and no public suffix has a dot under it. */
const DOOR_SITE = 'usher-one.test'
const SHOP_SITE = 'usher-two.test'
const DOOR = `door.${DOOR_SITE}`
const PRELOAD = `--import=${new URL('../fixtures/test-names.mjs', import.meta.url).href}`
const FLAGS = ['--host-resolver-rules=MAP *.test 127.0.0.1']
/** As a visitor sets it: "Block third-party cookies". */
const BLOCKED = { profile: { cookie_controls_mode: 1, block_third_party_cookies: true } }
const ALLOWED = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }
const GRACE_MS = 4000
const RELOADS = 4

async function start (
  t: Test, shopHost: string, settings: Record<string, string> = {}
): Promise<{ cluster: Cluster, shop: Shop }> {
  const shop = await startShop(t, shopHost, 'shop-a')
  const cluster = await startCluster(t, {
    PORTS: '',
    EXTERNAL_SERVERS: `shop-a=${shop.url}`,
    PUBLIC_HOSTS: DOOR,
    DELAY_BETWEEN_ROUTING: '0',
    HEARTBEAT_INTERVAL: '0.5',
    LEAVE_GRACE: String(GRACE_MS / 1000),
    LOG_LEVEL: 'debug',
    ...settings
  }, { nodeOptions: PRELOAD })
  shop.door = `http://${DOOR}:${cluster.routingPort}`
  return { cluster, shop }
}

browserTest('two sites: no cookie travels, and the visitor is one user until the page is closed', async (t, lab) => {
  const { cluster, shop } = await start(t, `shop.${SHOP_SITE}`)
  const visitor = await lab.newBrowser(FLAGS, BLOCKED)
  await thirdPartyCookies(t, visitor, shop, 'blocked')
  const requests = recordRequests(visitor)
  const page = await visitor.newPage()
  await stay(t, cluster, page, shop)
  const beats = requests.filter(request => pathOf(request) === '/heartbeat')
  t.equal(beats.filter(request => queryOf(request).has('ticket')).length, 1, 'one arrival')
  const ids = new Set(beats.map(request => queryOf(request).get('client_id')))
  t.same([...ids], usersBefore(cluster), 'by the id of the door\'s cookie')
})

browserTest('two sites: a door and a shop of one site, and the cookie carries the id', async (t, lab) => {
  const { cluster, shop } = await start(t, `shop.${DOOR_SITE}`, {
    COOKIE_DOMAIN: DOOR_SITE, TICKETS: 'never'
  })
  const visitor = await lab.newBrowser(FLAGS, BLOCKED)
  const requests = recordRequests(visitor)
  const page = await visitor.newPage()
  await stay(t, cluster, page, shop)
  for (const request of requests.filter(request => pathOf(request) === '/heartbeat')) {
    t.notMatch(request.url(), /client_id|ticket/)
  }
})

browserTest('two sites: that third-party cookies are blocked is seen where they are not', async (t, lab) => {
  const shop = await startShop(t, `shop.${SHOP_SITE}`, 'shop-a')
  await thirdPartyCookies(t, await lab.newBrowser(FLAGS, ALLOWED), shop, 'sent')
})

/** Comes in by the door, reloads and goes. */
async function stay (t: Test, cluster: Cluster, page: Page, shop: Shop): Promise<void> {
  await page.goto(`${shop.door}/shoes?size=43`)
  t.equal(page.url(), `${shop.url}/shoes?size=43`, 'the address bar shows no ticket')
  await untilLogged(cluster, 'user arrived', 1)
  const [routed] = cluster.log.filter(({ msg }) => msg === 'visitor routed')
  t.same(usersOf(cluster), [routed!['client']], 'who came by the door is who is here')
  const look = watchUsers(cluster)
  for (let reload = 0; reload < RELOADS; reload++) {
    const beat = page.waitForResponse(answer => pathOf(answer.request()) === '/heartbeat' && answer.ok())
    await page.reload()
    await beat
    t.equal(page.url(), `${shop.url}/shoes?size=43`)
  }
  t.same([look.most, look.fewest], [1, 1], 'never two, and never nobody')
  await closeTabs(page)
  await until(async () => look.last, users => users === 0)
  await look.stop()
  t.equal(look.most, 1)
  t.equal(timesOf(cluster, 'user arrived').length, 1)
  t.equal(timesOf(cluster, 'user left').length, 1)
}

function usersBefore ({ log }: Cluster): unknown[] {
  return log.filter(({ msg }) => msg === 'user arrived').map(({ client }) => client)
}

function recordRequests (visitor: BrowserContext): Request[] {
  const requests: Request[] = []
  visitor.on('request', request => { requests.push(request) })
  return requests
}

function pathOf (request: Request): string {
  return new URL(request.url()).pathname
}

function queryOf (request: Request): URLSearchParams {
  return new URL(request.url()).searchParams
}

/**
 * Whether a cookie of the door's site that says that it may, `SameSite=None`, comes along with a
 * request of the shop's page.
 */
async function thirdPartyCookies (
  t: Test, visitor: BrowserContext, shop: Shop, expected: 'blocked' | 'sent'
): Promise<void> {
  const seen: Array<string | undefined> = []
  const server = https.createServer({ cert: CERT, key: KEY }, (request, response) => {
    seen.push(request.headers.cookie)
    response.setHeader('set-cookie', 'proof=1; SameSite=None; Secure; Path=/')
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*')
    response.setHeader('access-control-allow-credentials', 'true')
    response.setHeader('content-type', 'text/html')
    response.end('<link rel="icon" href="data:,">')
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close().closeAllConnections() })
  const url = `https://proof.${DOOR_SITE}:${(server.address() as AddressInfo).port}/`
  const page = await visitor.newPage()
  for (let visit = 0; visit < 2; visit++) await page.goto(url)
  await page.goto(shop.url + PLAIN_PATH)
  await page.evaluate(async url => { await fetch(url, { credentials: 'include' }) }, url)
  await page.close()
  const cookie = expected === 'sent' ? 'proof=1' : undefined
  t.strictSame(seen, [undefined, 'proof=1', cookie], `third-party cookies are ${expected}`)
}

interface Look {
  most: number
  fewest: number
  last: number
  stop (): Promise<void>
}

/** Counts the users of the shop again and again, by a beat that adds nobody. */
function watchUsers ({ routingPort }: Cluster): Look {
  const over = new AbortController()
  const look: Look = {
    most: 0,
    fewest: Infinity,
    last: NaN,
    async stop () {
      over.abort()
      await done
    }
  }
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const target = `/heartbeat?server=shop-a&client_id=${randomUUID()}`
      look.last = Number((await ask(routingPort, target)).headers['x-active-users'])
      look.most = Math.max(look.most, look.last)
      look.fewest = Math.min(look.fewest, look.last)
      await setTimeout(20)
    }
  }
  const done = watch()
  return look
}
