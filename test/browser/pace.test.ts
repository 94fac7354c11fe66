/** Ten minutes of a page in Chromium, under a clock that the test moves. */
import type { Page } from 'playwright-core'
import { until } from '../cluster.ts'
import { browserTest, setHidden, startSite, urlOf } from './browser.ts'

/** By the page's own clock: when a beat was sent, when answered, and what the answer asked for. */
interface Exchange {
  readonly sentMs: number
  readonly answeredMs: number
  readonly askedMs: number
  readonly isHidden: boolean
}

const STEP_MS = 500
const TIMEOUT_MS = 60_000

browserTest('browser: for ten minutes no beat comes too soon or too late', async (t, lab) => {
  const cluster = await startSite(t, {
    HEARTBEAT_INTERVAL: '2.5', TIMEOUT_THRESHOLD: String(TIMEOUT_MS / 1000)
  })
  const visitor = await lab.newVisitor()
  const page = await visitor.newPage()
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1000)
  await visitor.addInitScript(recordExchanges)
  await page.goto(urlOf(cluster.routingPort))

  await passMinutes(page, 6)
  const seenCount = (await exchangesOf(page)).length
  t.ok(seenCount >= 6 * 60 / 3.5, `${seenCount} beats while seen`)
  await setHidden(page, true)
  await passMinutes(page, 3)
  const hiddenCount = (await exchangesOf(page)).length - seenCount
  t.ok(hiddenCount >= 3 && hiddenCount <= 7, `${hiddenCount} beats while hidden`)
  await setHidden(page, false)
  await passMinutes(page, 1)

  const exchanges = await exchangesOf(page)
  t.ok(exchanges.length > seenCount + hiddenCount + 60 / 3.5, 'and seen again')
  for (const [at, { sentMs, isHidden }] of exchanges.entries()) {
    const previous = exchanges[at - 1]
    if (previous === undefined) continue
    // The page's clock has fractions, and the difference of two is not quite what it was.
    const pauseMs = Math.round(sentMs - previous.answeredMs)
    const what = `beat ${at} after ${pauseMs} ms, asked for ${previous.askedMs}`
    t.ok(pauseMs >= previous.askedMs, `not too soon: ${what}`)
    t.ok(sentMs - previous.sentMs <= TIMEOUT_MS, `not too late: ${what}`)
    if (!isHidden && !previous.isHidden) {
      t.ok(pauseMs <= previous.askedMs + STEP_MS, `as told: ${what}`)
    }
  }
})

/** In the page, before its own scripts: notes each beat as the page's clock has it. */
function recordExchanges (): void {
  const fetchPlain = window.fetch
  const exchanges: Exchange[] = []
  const record = { exchanges, pendingCount: 0 }
  Object.assign(window, { record })
  window.fetch = async (...args) => {
    const [sentMs, isHidden] = [Date.now(), document.visibilityState === 'hidden']
    record.pendingCount += 1
    try {
      const answer = await fetchPlain(...args)
      const askedMs = Number(answer.headers.get('X-Heartbeat-Interval')) * 1000
      exchanges.push({ sentMs, answeredMs: Date.now(), askedMs, isHidden })
      return answer
    } finally {
      record.pendingCount -= 1
    }
  }
}

type RecordingWindow = Window & {
  readonly record: { readonly exchanges: Exchange[], readonly pendingCount: number }
}

function exchangesOf (page: Page): Promise<Exchange[]> {
  return page.evaluate(() => (window as unknown as RecordingWindow).record.exchanges)
}

/** The clock stands while an answer is on its way: the network is not what is tried here. */
async function passMinutes (page: Page, minutes: number): Promise<void> {
  for (let passedMs = 0; passedMs < minutes * 60_000; passedMs += STEP_MS) {
    await page.clock.runFor(STEP_MS)
    await until(
      () => page.evaluate(() => (window as unknown as RecordingWindow).record.pendingCount),
      pendingCount => pendingCount === 0
    )
  }
}
