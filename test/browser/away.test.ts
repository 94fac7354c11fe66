/** Visitors in Chromium who go and come back, or whose browser dies. */
import { chromium } from 'playwright-core'
import { chromiumOptions } from '../../scripts/kit/chromium.ts'
import { until } from '../cluster.ts'
import {
  browserTest, recordBeats, startSite, timesOf, untilLogged, untilPageCounts, untilUsers, urlOf,
  usersOf
} from './browser.ts'

browserTest('browser: a page in the back/forward cache is left, and back with it', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '0.3', TIMEOUT_THRESHOLD: '86400' })
  // The first beat of a page that comes back is for one who is not here any more.
  lab.expectComplaint(/404 \(Not Found\)/)
  const visitor = await lab.newVisitor()
  const beats = recordBeats(visitor)
  const page = await visitor.newPage()
  await page.goto(urlOf(cluster.routingPort))
  await untilPageCounts(page, 1)
  await page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => { if (persisted) document.title = 'Kept' })
  })
  // A page elsewhere, so that nothing but the leave tells of the visitor.
  await page.goto('about:blank')
  await untilUsers(cluster, 0)
  const beatsBefore = beats.length
  await page.goBack({ waitUntil: 'commit' })
  await untilUsers(cluster, 1)
  await until(() => page.title(), title => title === 'Kept')
  await until(async () => beats.length, length => length >= beatsBefore + 3)
  t.equal(usersOf(cluster).length, 1)
  t.strictSame(timesOf(cluster, 'user timed out'), [])
})

browserTest('browser: offline and back', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '0.2', TIMEOUT_THRESHOLD: '86400' })
  lab.expectComplaint(/ERR_INTERNET_DISCONNECTED/)
  const visitor = await lab.newVisitor()
  const beats = recordBeats(visitor)
  const page = await visitor.newPage()
  let failedCount = 0
  page.on('requestfailed', () => { failedCount += 1 })
  await page.goto(urlOf(cluster.routingPort))
  await untilPageCounts(page, 1)
  const missed = page.evaluate(() => new Promise<void>(resolve => {
    window.usher!.on('missed', () => resolve())
  }))
  await visitor.setOffline(true)
  await missed
  t.ok(failedCount <= 2, `rests as soon as a beat has failed: ${failedCount} did`)

  const beatsBefore = beats.length
  await visitor.setOffline(false)
  await until(async () => beats.length, length => length >= beatsBefore + 3)
  t.equal(usersOf(cluster).length, 1)
  t.strictSame(timesOf(cluster, 'user left'), [])
})

browserTest('browser: a killed browser is a user until the time-out', async (t) => {
  const timeoutMs = 3000
  const cluster = await startSite(t, {
    HEARTBEAT_INTERVAL: '0.3', TIMEOUT_THRESHOLD: String(timeoutMs / 1000)
  })
  const server = await chromium.launchServer(chromiumOptions())
  t.teardown(() => server.kill())
  const browser = await chromium.connect(server.wsEndpoint())
  const visitor = await browser.newContext()
  const beats = recordBeats(visitor)
  const page = await visitor.newPage()
  await page.goto(urlOf(cluster.routingPort))
  await until(async () => beats.length, length => length >= 3)
  server.process().kill('SIGKILL')
  const lastBeatMs = beats.at(-1)!.startMs
  t.equal(usersOf(cluster).length, 1)

  await untilLogged(cluster, 'user timed out', 1)
  const silentMs = timesOf(cluster, 'user timed out')[0]! - lastBeatMs
  t.ok(silentMs >= timeoutMs, `not before the time-out: ${silentMs} ms`)
  t.strictSame(usersOf(cluster), [])
  t.strictSame(timesOf(cluster, 'user left'), [])
})
