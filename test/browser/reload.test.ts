/** Reloads in Chromium: the same person, on the same server. */
import { until } from '../cluster.ts'
import {
  browserTest, closeTabs, startSite, untilPageCounts, untilUsers, urlOf, usersOf
} from './browser.ts'

browserTest('browser: a reload keeps the server, and so does the front door', async (t, lab) => {
  const cluster = await startSite(t)
  const pages = []
  for (let count = 0; count < 3; count++) {
    const page = await (await lab.newVisitor()).newPage()
    await page.goto(urlOf(cluster.routingPort))
    await untilPageCounts(page, 1)
    pages.push(page)
  }
  const [first, , third] = pages
  const home = third!.url()
  t.equal(new Set(pages.map(page => page.url())).size, 3, 'each on a server of their own')
  // The first server has no users now: a newcomer goes there.
  await closeTabs(first!)
  await untilUsers(cluster, 2)
  const checkAtHome = async (what: string): Promise<void> => {
    t.equal(third!.url(), home, what)
    await untilPageCounts(third!, 1)
    // The page before has left, and the page after was seen within the grace.
    t.equal(usersOf(cluster).length, 2, what)
    t.equal(cluster.log.filter(({ msg }) => msg === 'user left').length, 1, 'the first visitor')
  }
  for (const visit of [1, 2]) {
    await third!.reload()
    await checkAtHome(`reload ${visit}`)
    await third!.goto(urlOf(cluster.routingPort))
    await checkAtHome(`front door ${visit}`)
  }
})

browserTest('browser: three tabs and five reloads are one user', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '0.3' })
  const visitor = await lab.newVisitor()
  const tabs = [await visitor.newPage(), await visitor.newPage(), await visitor.newPage()]
  await tabs[0]!.goto(urlOf(cluster.routingPort))
  for (const tab of tabs.slice(1)) await tab.goto(tabs[0]!.url())
  for (let reloads = 0; reloads < 5; reloads++) await tabs[reloads % 3]!.reload()
  const everybody = new Set(cluster.log.map(line => line['client']).filter(Boolean))
  t.equal(everybody.size, 1)
  for (const tab of tabs) await untilPageCounts(tab, 1)
  await until(async () => usersOf(cluster).length, count => count === 1)
  const [cookie, ...others] = await visitor.cookies()
  t.strictSame([cookie?.name, others], ['client_id', []])
  t.strictSame(usersOf(cluster), [cookie?.value])
})
