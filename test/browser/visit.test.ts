/** A visit in Chromium: in by the router, counted while the page is open, gone when it closes. */
import {
  browserTest, closeTabs, startSite, timesOf, untilLogged, untilPageCounts, untilUsers, urlOf,
  usersOf
} from './browser.ts'

browserTest('browser: the router brings a visitor to a server', async (t, lab) => {
  const cluster = await startSite(t)
  const page = await (await lab.newVisitor()).newPage()
  await page.goto(urlOf(cluster.routingPort, '/?from=a-link'))
  const { port, search } = new URL(page.url())
  t.ok(cluster.ports.includes(Number(port)), port)
  t.equal(search, '?from=a-link')
  t.equal(await page.title(), 'A page')
  await untilPageCounts(page, 1)
  const frontDoor = await page.evaluate(() => window.usher!.frontDoor)
  t.equal(frontDoor, urlOf(cluster.routingPort))
})

browserTest('browser: the live count rises and falls with another visitor', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '0.2' })
  const here = await (await lab.newVisitor()).newPage()
  await here.goto(urlOf(cluster.routingPort))
  await untilPageCounts(here, 1)
  const other = await (await lab.newVisitor()).newPage()
  await other.goto(here.url())
  await untilPageCounts(here, 2)
  await closeTabs(other)
  await untilPageCounts(here, 1)
  t.strictSame(timesOf(cluster, 'user timed out'), [])
})

browserTest('browser: closing the page removes the user within moments', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '60', TIMEOUT_THRESHOLD: '86400' })
  const visitor = await lab.newVisitor()
  const page = await visitor.newPage()
  await page.goto(urlOf(cluster.routingPort))
  await untilPageCounts(page, 1)
  t.equal(usersOf(cluster).length, 1)
  await closeTabs(page)
  await untilLogged(cluster, 'user left', 1)
  t.strictSame(usersOf(cluster), [])
})

browserTest('browser: going to another site removes the user within moments', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '60', TIMEOUT_THRESHOLD: '86400' })
  const page = await (await lab.newVisitor()).newPage()
  await page.goto(urlOf(cluster.routingPort))
  await untilPageCounts(page, 1)
  await page.goto('about:blank')
  await untilUsers(cluster, 0)
})

browserTest('browser: without JavaScript the page is served, and the user counted', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '0.2', TIMEOUT_THRESHOLD: '1' })
  const page = await (await lab.newVisitor({ javaScriptEnabled: false })).newPage()
  const answer = await page.goto(urlOf(cluster.routingPort))
  t.equal(answer?.status(), 200)
  t.equal(await page.locator('h1').textContent(), "A page of one's own")
  await untilLogged(cluster, 'user arrived', 1)
  await untilLogged(cluster, 'user timed out', 1)
})

browserTest('browser: the script leaves nothing but window.usher behind', async (t, lab) => {
  const cluster = await startSite(t)
  const visitor = await lab.newVisitor()
  const [plain, page] = [await visitor.newPage(), await visitor.newPage()]
  await plain.goto(urlOf(cluster.ports[0]!, '/other.html'))
  await page.goto(urlOf(cluster.ports[0]!))
  const names = (): string[] => Object.getOwnPropertyNames(window)
  const before = new Set(await plain.evaluate(names))
  t.strictSame((await page.evaluate(names)).filter(name => !before.has(name)), ['usher'])
  t.strictSame(await page.evaluate(() => Object.keys(window.usher!)), ['on', 'leave', 'frontDoor'])
})
