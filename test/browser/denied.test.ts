/** A visitor in Chromium whose access ends while the page is open. */
import type { Test } from 'tap'
import { Operator } from '../../scripts/kit/operator.ts'
import type { Cluster } from '../cluster.ts'
import {
  browserTest, closeTabs, recordBeats, startSite, untilPageCounts, urlOf
} from './browser.ts'

const PASSWORD = 'correct horse battery'

browserTest('browser: denied while open, the page gives way to the message', async (t, lab) => {
  const { cluster, operator } = await startWithOperator(t)
  lab.expectComplaint(/403 \(Forbidden\)/)
  const visitor = await lab.newVisitor()
  const tabs = [await visitor.newPage(), await visitor.newPage()]
  await tabs[0]!.goto(urlOf(cluster.routingPort))
  await tabs[1]!.goto(tabs[0]!.url())
  for (const tab of tabs) await untilPageCounts(tab, 1)
  const [cookie] = await visitor.cookies()
  t.equal((await operator.post('/deny', { userId: cookie!.value })).status, 200)

  for (const tab of tabs) {
    await tab.locator('main.usher-denied h1').waitFor()
    t.equal(await tab.title(), 'Access ended')
    const text = await tab.locator('body').innerText()
    t.match(text, /^Your access has ended\.\s+The people who run this site have ended your access to it\./)
    t.equal(await tab.evaluate(() => document.activeElement?.tagName), 'H1', 'read aloud')
  }

  const beats = recordBeats(visitor)
  await closeTabs(tabs[1]!)
  await tabs[0]!.reload()
  t.match(await tabs[0]!.locator('main').innerText(), cookie!.value, 'the id to give to the operator')
  t.equal(beats.length, 0, 'both tabs have fallen silent')
})

browserTest('browser: who is denied is told so at the front door', async (t, lab) => {
  const { cluster, operator } = await startWithOperator(t)
  lab.expectComplaint(/403 \(Forbidden\)/)
  t.equal((await operator.post('/deny', { address: '127.0.0.1', force: true })).status, 200)
  const page = await (await lab.newVisitor()).newPage()
  const answer = await page.goto(urlOf(cluster.routingPort))
  t.equal(answer?.status(), 403)
  t.equal(await page.locator('h1').innerText(), 'Your access has ended.')
})

async function startWithOperator (t: Test): Promise<{ cluster: Cluster, operator: Operator }> {
  const cluster = await startSite(t, { ADMIN_PASSWORD: PASSWORD, HEARTBEAT_INTERVAL: '0.3' })
  return { cluster, operator: await Operator.loggedIn(cluster, 'admin', PASSWORD) }
}
