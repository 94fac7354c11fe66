/** Many tabs of the console in one browser, which has six connections to a host. */
import type { BrowserContext, Page } from 'playwright-core'
import { startCluster, until, Visitor, type Cluster } from '../cluster.ts'
import { launchChromium } from '../../scripts/kit/chromium.ts'
import { Operator } from '../../scripts/kit/operator.ts'
import { browserTest } from './browser.ts'

const PASSWORD = 'quite a long password'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }
/** To a browser no secure context, in which it has fewer features (Web Locks are among them). */
const HOST = 'lan.example'
/** More than the browser has connections. */
const TABS = 8

async function openTabs (visitor: BrowserContext, host: string, cluster: Cluster): Promise<Page[]> {
  const first = await visitor.newPage()
  const url = `http://${host}:${cluster.monitoringPort}/`
  await first.goto(url)
  await first.getByLabel('Name').fill('admin')
  await first.getByLabel('Password').fill(PASSWORD)
  await first.getByRole('button', { name: 'Log in' }).click()
  await first.waitForURL('**/tracker.html')
  const pages = [first]
  while (pages.length < TABS) {
    const page = await visitor.newPage()
    await page.goto(`${url}tracker.html`)
    pages.push(page)
  }
  return pages
}

/** What the tabs have in common: one number that only the stream brings. */
async function untilAllShow (pages: readonly Page[], users: number): Promise<void> {
  for (const page of pages) {
    await page.locator('.rail [data-live]', { hasText: /^\s*Live/ }).waitFor()
    await page.locator('#nav-users', { hasText: new RegExp(`^${users}$`) }).waitFor()
  }
}

async function streamCount (operator: Operator): Promise<number> {
  const { text } = await operator.get('/metrics')
  return Number(/^usher_event_streams (\d+)$/m.exec(text)?.[1])
}

browserTest('console tabs: eight are live by one stream, an action works, and the leader may close', async (t, lab) => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const visitor = await lab.newVisitor()
  const streaming = new Set<Page>()
  visitor.on('request', request => {
    if (request.url().endsWith('/events')) streaming.add(request.frame().page())
  })
  const pages = await openTabs(visitor, '127.0.0.1', cluster)
  await untilAllShow(pages, 0)
  await until(() => streamCount(operator), count => count === 1)
  await new Visitor().enter(cluster)
  await untilAllShow(pages, 1)

  const last = pages.at(-1)!
  await last.locator('.rail').getByRole('link', { name: 'Servers' }).click()
  await last.getByRole('button', { name: /^Drain/ }).first().click()
  await last.getByRole('dialog').getByRole('button', { name: /^Drain/ }).click()
  await pages[1]!.getByText('Draining').first().waitFor()

  const leader = pages.find(page => streaming.has(page))!
  await leader.close()
  const others = pages.filter(page => page !== leader)
  await new Visitor().enter(cluster)
  await untilAllShow(others, 2)
  await until(() => streamCount(operator), count => count === 1)

  await others[0]!.evaluate(() => { document.dispatchEvent(new Event('freeze')) })
  await new Visitor().enter(cluster)
  await untilAllShow(others.slice(1), 3)
})

browserTest('console tabs: plain HTTP by a name shares as well, and a logout reaches all', async t => {
  const cluster = await startCluster(t, { ...SETTINGS, PUBLIC_HOSTS: HOST })
  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const browser = await launchChromium({ args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] })
  t.teardown(() => browser.close())
  const pages = await openTabs(await browser.newContext(), HOST, cluster)
  t.equal(await pages[0]!.evaluate(() => isSecureContext), false)
  await untilAllShow(pages, 0)
  await until(() => streamCount(operator), count => count === 1)
  await pages[0]!.locator('.rail .me').click()
  await pages[0]!.getByRole('button', { name: 'Log out' }).click()
  for (const page of pages) await page.waitForURL('**/login.html')
})
