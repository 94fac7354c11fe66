/**
 * A link on another site to the console: the session's cookie stays behind, and the console opens
 * all the same. `localhost` is another site than `127.0.0.1`.
 */
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { Operator } from '../../scripts/kit/operator.ts'
import { startCluster, workingFolder, type Cluster } from '../cluster.ts'
import { browserTest, urlOf } from './browser.ts'
import { checkLooks } from './looks.ts'

const PASSWORD = 'quite a long password'
const PATH = '/tracker.html?from=wiki#users'

async function startWiki (t: Test, settings: Record<string, string> = {}): Promise<Cluster> {
  const site = { 'index.html': '<!doctype html><link rel="icon" href="data:,"><a id="link">Console</a>' }
  return await startCluster(t, { ...settings, HTML_DIRS: 'site', ADMIN_PASSWORD: PASSWORD }, {
    cwd: workingFolder(t, { site })
  })
}

/** Clicks a link to the console on a page of another site. */
async function follow (
  page: Page, cluster: Cluster, attributes: Record<string, string> = {}
): Promise<void> {
  await page.goto(`http://localhost:${cluster.ports[0]}/`)
  await page.locator('#link').evaluate((link, given) => {
    for (const [name, value] of Object.entries(given)) link.setAttribute(name, value)
  }, { href: urlOf(cluster.monitoringPort, PATH), ...attributes })
  await page.locator('#link').click()
}

async function logIn (page: Page, cluster: Cluster): Promise<void> {
  await page.goto(urlOf(cluster.monitoringPort))
  await page.getByLabel('Name').fill('admin')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/tracker.html')
}

browserTest('links: one from another site opens the console, with path, query and section', async (t, lab) => {
  const cluster = await startWiki(t)
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  for (const attributes of [{}, { rel: 'noreferrer' }]) {
    const cookies: boolean[] = []
    page.on('request', request => {
      if (!request.isNavigationRequest() || !request.url().includes('tracker.html')) return
      void request.allHeaders().then(({ cookie = '' }) => { cookies.push(cookie.includes('session_id')) })
    })
    await follow(page, cluster, attributes)
    await page.locator('#view-users').waitFor()
    await page.locator('.rail [data-live]', { hasText: /^\s*Live/ }).waitFor()
    await page.waitForURL(urlOf(cluster.monitoringPort, PATH))
    t.strictSame(cookies, [false, true], 'the cookie is as strict as it was')
    page.removeAllListeners('request')
    await page.goBack({ waitUntil: 'commit' })
    t.equal(new URL(page.url()).hostname, 'localhost', 'and back is where one came from')
  }
})

browserTest('links: without a session one is led to the login, with and without scripts', async (t, lab) => {
  const cluster = await startWiki(t)
  for (const javaScriptEnabled of [true, false]) {
    const visitor = await lab.newVisitor({ javaScriptEnabled })
    const page = await visitor.newPage()
    if (javaScriptEnabled) await follow(page, cluster)
    else await page.goto(urlOf(cluster.monitoringPort, PATH), { referer: 'http://localhost/' })
    await page.waitForURL('**/login.html*')
    t.equal(await page.getByRole('heading').innerText(), 'Usher console')
  }
})

browserTest('links: without scripts the console goes on by itself as well', async (t, lab) => {
  const cluster = await startWiki(t)
  const visitor = await lab.newVisitor({ javaScriptEnabled: false })
  const page = await visitor.newPage()
  await logIn(page, cluster)
  await page.goto(`http://localhost:${cluster.ports[0]}/`)
  await visitor.route('**/index-of-links', route => route.fulfill({
    contentType: 'text/html',
    body: `<link rel="icon" href="data:,"><a href="${urlOf(cluster.monitoringPort, PATH)}">Console</a>`
  }))
  await page.goto(`http://localhost:${cluster.ports[0]}/index-of-links`)
  await page.getByRole('link').click()
  await page.waitForURL('**/tracker.html?from=wiki&*')
  t.match(await page.title(), /Usher/)
})

browserTest('links: the page that goes on, and the one for a denied address, have no barriers', async (t, lab) => {
  const cluster = await startWiki(t, { TRUST_PROXY: '127.0.0.1' })
  const visitor = await lab.newVisitor({ reducedMotion: 'reduce' })
  lab.expectComplaint(/ERR_FAILED|403 \(Forbidden\)/)
  await visitor.route('**/continue.js', route => route.abort())
  const page = await visitor.newPage()
  await follow(page, cluster)
  await page.getByRole('heading', { name: 'Opening the console' }).waitFor()
  await checkLooks(t, page, 'goes on')

  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  t.equal((await operator.post('/deny', { address: '203.0.113.0/24' })).status, 200)
  await visitor.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.9' })
  await page.goto(urlOf(cluster.monitoringPort))
  await page.getByRole('heading', { name: 'Your address is denied' }).waitFor()
  t.match(await page.locator('main').innerText(), /203\.0\.113\.9/)
  await checkLooks(t, page, 'denied')
})
