/** Pages of two shops that are not ours, in Chromium: what the router's script does with them. */
import type { Test } from 'tap'
import type { Page } from 'playwright-core'
import { Operator } from '../../scripts/kit/operator.ts'
import { startCluster, until, type Cluster } from '../cluster.ts'
import {
  browserTest, closeTabs, recordBeats, untilPageCounts, untilUsers, usersOf
} from './browser.ts'
import { HEALTH_PATH, startShop, type Shop } from './shop.ts'

declare global {
  interface Window { hear (): void }
}

const PASSWORD = 'correct horse battery'
const PATH = '/shoes?size=43#top'

interface Street {
  readonly cluster: Cluster
  readonly operator: Operator
  readonly shops: readonly [Shop, Shop]
  readonly door: string
}

async function startStreet (t: Test): Promise<Street> {
  const shops = [
    await startShop(t, '127.0.0.1', 'shop-a'), await startShop(t, '127.0.0.1', 'shop-b')
  ] as const
  const cluster = await startCluster(t, {
    PORTS: '',
    EXTERNAL_SERVERS: shops.map(({ serverName, url }) => `${serverName}=${url}`).join(','),
    HEALTH_PATH,
    HEALTH_INTERVAL: '0.1',
    HEALTH_RISE: '1',
    HEARTBEAT_INTERVAL: '0.3',
    LEAVE_GRACE: '0.5',
    DELAY_BETWEEN_ROUTING: '0',
    ADMIN_PASSWORD: PASSWORD,
    LOG_LEVEL: 'debug'
  })
  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const door = `http://127.0.0.1:${cluster.routingPort}`
  for (const shop of shops) shop.door = door
  return { cluster, operator, shops, door }
}

/** Comes in by the router; the shop where the page is from. */
async function enter (page: Page, { door, shops }: Street): Promise<Shop> {
  await page.goto(door + PATH)
  await untilPageCounts(page, 1)
  return shopOf(page, shops)
}

function shopOf (page: Page, shops: readonly Shop[]): Shop {
  return shops.find(({ url }) => page.url() === url + PATH)!
}

browserTest('server script: is content with a strict policy, and the tabs of a visitor share beats', async (t, lab) => {
  const street = await startStreet(t)
  const visitor = await lab.newVisitor()
  const tabs = [await visitor.newPage(), await visitor.newPage()] as const
  const { url } = await enter(tabs[0], street)
  await tabs[1].goto(url + PATH)
  await untilPageCounts(tabs[1], 1)
  t.equal(usersOf(street.cluster).length, 1)
  t.same(await tabs[0].evaluate(() => Object.keys(window).filter(name => /usher/i.test(name))),
    ['usher'])
  t.equal(await tabs[0].evaluate(() => window.usher!.frontDoor), `${street.door}/`)
  const beats = recordBeats(visitor)
  let heard = 0
  await visitor.exposeFunction('hear', () => { heard++ })
  for (const tab of tabs) {
    await tab.evaluate(() => { window.usher!.on('beat', () => { window.hear() }) })
  }
  await until(async () => heard - beats.length, spared => spared > 6)
  await closeTabs(tabs[0])
  await tabs[1].evaluate(() => { window.usher!.leave() })
  await untilUsers(street.cluster, 0)
})

browserTest('server script: a page moves by itself when its server is emptied', async (t, lab) => {
  lab.expectComplaint(/409/)
  const street = await startStreet(t)
  const page = await (await lab.newVisitor()).newPage()
  const before = await enter(page, street)
  const { status } = await street.operator.post(`/servers/${before.serverName}/drain`, { minutes: 0 })
  t.equal(status, 200)
  await until(async () => shopOf(page, street.shops), shop => shop !== before && shop !== undefined)
  await untilPageCounts(page, 1)
  t.equal(usersOf(street.cluster).length, 1, 'and its visitor with it')
})

browserTest('server script: while its server is down a page shows the way to the front door', async (t, lab) => {
  lab.expectComplaint(/503/)
  const street = await startStreet(t)
  const page = await (await lab.newVisitor()).newPage()
  const before = await enter(page, street)
  const offer = page.getByRole('status')
  t.equal(await offer.count(), 0)
  before.health = 500
  await offer.waitFor()
  t.equal(await offer.textContent(), 'This server takes no visitors right now. Back to the front door')
  t.ok(await page.getByRole('heading', { name: 'A shop' }).isVisible(), 'the page stays')
  before.health = 200
  await offer.waitFor({ state: 'detached' })
  before.health = 500
  await page.getByRole('link', { name: 'Back to the front door' }).click()
  await until(async () => shopOf(page, street.shops), shop => shop !== before && shop !== undefined)
  await untilPageCounts(page, 1)
  t.equal(usersOf(street.cluster).length, 1)
})

browserTest('server script: who is denied is told so', async (t, lab) => {
  lab.expectComplaint(/403/)
  const street = await startStreet(t)
  const page = await (await lab.newVisitor()).newPage()
  await enter(page, street)
  const [userId] = usersOf(street.cluster)
  t.equal((await street.operator.post('/disconnect', { userId })).status, 200)
  await page.getByRole('heading', { name: 'Your access has ended.' }).waitFor()
  t.equal(await page.getByRole('heading', { name: 'A shop' }).count(), 0)
})

browserTest('server script: a wrong name is one line for the owner of the page, and nothing else', async (t, lab) => {
  const street = await startStreet(t)
  const [shop] = street.shops
  const complaint = /^Usher counts nobody on this page\. /
  lab.expectComplaint(complaint)
  lab.expectComplaint(/404/)
  const page = await (await lab.newVisitor()).newPage()
  const said: string[] = []
  page.on('console', message => { if (complaint.test(message.text())) said.push(message.text()) })
  const requests: string[] = []
  page.on('request', request => { requests.push(new URL(request.url()).pathname) })
  shop.serverName = 'shp-a'
  await page.goto(shop.url)
  await until(async () => said.length, count => count === 1)
  t.match(said[0], 'There is no server "shp-a"; server must be one of: shop-a, shop-b.')
  shop.serverName = undefined
  await page.goto(shop.url)
  await until(async () => said.length, count => count === 2)
  t.match(said[1], 'data-server="NAME"')
  t.same(requests.filter(path => path !== '/' && !path.startsWith('/usher.js')), ['/heartbeat'])
  t.equal(street.cluster.log.filter(({ msg }) => msg === 'user arrived').length, 0)
})
