/** Pages that are open on a drained server, in Chromium. */
import { Operator } from '../../scripts/kit/operator.ts'
import { until } from '../cluster.ts'
import { browserTest, startSite, untilPageCounts, urlOf, usersOf } from './browser.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { ADMIN_PASSWORD: PASSWORD, HEARTBEAT_INTERVAL: '0.3' }

browserTest('browser: an open page stays while its server drains, and moves when the time is over', async (t, lab) => {
  lab.expectComplaint(/409/)
  const cluster = await startSite(t, SETTINGS)
  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const page = await (await lab.newVisitor()).newPage()
  await page.goto(urlOf(cluster.routingPort) + 'index.html?a=1#here')
  await untilPageCounts(page, 1)
  const before = new URL(page.url())
  const drain = (order: object) => operator.post(`/servers/${before.port}/drain`, order)
  t.equal((await drain({})).status, 200)
  await page.reload()
  await untilPageCounts(page, 1)
  t.equal(page.url(), before.href, 'who is there stays, also over a reload')

  const newcomer = await (await lab.newVisitor()).newPage()
  await newcomer.goto(before.href)
  await untilPageCounts(newcomer, 1)
  t.not(new URL(newcomer.url()).port, before.port, 'a newcomer comes in by the router')

  t.equal((await drain({ minutes: 0 })).status, 200)
  await until(async () => new URL(page.url()).port, port => port !== before.port)
  await untilPageCounts(page, 1)
  const after = new URL(page.url())
  t.strictSame([after.pathname, after.search, after.hash], ['/index.html', '?a=1', '#here'])
  await until(async () => usersOf(cluster).length, count => count === 2)
  t.match((await operator.get('/stats')).json, { total_users: 2, servers: { [before.port]: { active_users: 0 } } })
})
