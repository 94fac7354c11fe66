/** Several tabs of one visitor in Chromium, and a hidden tab. */
import { setTimeout } from 'node:timers/promises'
import {
  browserTest, closeTabs, pausesMs, recordBeats, setHidden, startSite, timesOf, untilPageCounts,
  untilUsers, urlOf, usersOf
} from './browser.ts'
import { until } from '../cluster.ts'

/** The default. */
const LEAVE_GRACE_MS = 2000

browserTest('browser: the tabs of a visitor share one beat', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '1' })
  const visitor = await lab.newVisitor()
  const [first, second] = [await visitor.newPage(), await visitor.newPage()]
  await first.goto(urlOf(cluster.routingPort))
  await untilPageCounts(first, 1)
  await second.goto(first.url())
  await untilPageCounts(second, 1)
  const beats = recordBeats(visitor)
  await until(async () => beats.length, length => length >= 6)
  const spanMs = beats[5]!.startMs - beats[0]!.startMs
  t.ok(spanMs >= 4000, `five pauses of a second, not ten of a half: ${spanMs} ms`)
})

browserTest('browser: closing one tab keeps the user of the other', async (t, lab) => {
  const cluster = await startSite(t, { HEARTBEAT_INTERVAL: '60' })
  const visitor = await lab.newVisitor()
  const [closing, staying] = [await visitor.newPage(), await visitor.newPage()]
  await closing.goto(urlOf(cluster.routingPort))
  await staying.goto(closing.url())
  for (const tab of [closing, staying]) await untilPageCounts(tab, 1)
  await untilUsers(cluster, 1)
  const arrivals = timesOf(cluster, 'user arrived').length
  await closeTabs(closing)
  await setTimeout(LEAVE_GRACE_MS + 1000)
  t.strictSame(timesOf(cluster, 'user left'), [], 'the other tab was seen within the grace')
  t.equal(timesOf(cluster, 'user arrived').length, arrivals)
  t.equal(usersOf(cluster).length, 1)
  await closeTabs(staying)
  await untilUsers(cluster, 0)
})

browserTest('browser: a hidden tab beats seldom, keeps its user, and catches up', async (t, lab) => {
  const timeoutMs = 8000
  const cluster = await startSite(t, {
    HEARTBEAT_INTERVAL: '0.2', TIMEOUT_THRESHOLD: String(timeoutMs / 1000)
  })
  const visitor = await lab.newVisitor()
  const beats = recordBeats(visitor)
  const page = await visitor.newPage()
  await page.goto(urlOf(cluster.routingPort))
  await until(async () => beats.length, length => length >= 4)
  const seenPauses = pausesMs(beats)

  await setHidden(page, true)
  const before = beats.length
  await until(async () => beats.length, length => length >= before + 3)
  // A beat may have been on its way as the page was hidden.
  const hiddenPauses = pausesMs(beats.slice(-2))
  for (const pauseMs of hiddenPauses) {
    t.ok(pauseMs > timeoutMs / 3, `a pause of ${pauseMs} ms, after pauses of ${seenPauses}`)
    t.ok(pauseMs < timeoutMs, `${pauseMs} ms`)
  }
  t.strictSame(timesOf(cluster, 'user timed out'), [])
  t.equal(usersOf(cluster).length, 1)

  await setHidden(page, false)
  await until(async () => beats.length, length => length >= before + 8)
  const lastPauses = pausesMs(beats.slice(-5))
  t.ok(Math.min(...lastPauses) < timeoutMs / 3, `often again: ${lastPauses}`)
})
