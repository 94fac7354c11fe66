/** A visitor in Chromium whose access ends while the page is open. */
import type { Test } from 'tap'
import { join } from 'node:path'
import { startCoordinator, type Coordinator } from '@usher/coordinator/coordinator.ts'
import { checkPorts } from '@usher/coordinator/port-check.ts'
import { silentLog } from '@usher/shared/log.ts'
import { allocateLogLosses } from '@usher/shared/memory/log-losses.ts'
import { compareSettings } from '@usher/shared/settings/setting-changes.ts'
import { loadSettings, type CompleteSettings } from '@usher/shared/settings/settings.ts'
import { ROOT, workingFolder } from '../cluster.ts'
import { browserTest, recordBeats, SITE, untilPageCounts, urlOf } from './browser.ts'

browserTest('browser: denied while open, the page gives way to the message', async (t, lab) => {
  const { cluster, routingPort } = await startInProcess(t)
  lab.expectComplaint(/403 \(Forbidden\)/)
  const visitor = await lab.newVisitor()
  const tabs = [await visitor.newPage(), await visitor.newPage()]
  await tabs[0]!.goto(urlOf(routingPort))
  await tabs[1]!.goto(tabs[0]!.url())
  for (const tab of tabs) await untilPageCounts(tab, 1)
  const [cookie] = await visitor.cookies()
  await cluster.actions.setDenyList([{ kind: 'id', text: cookie!.value, untilMs: undefined }])

  for (const tab of tabs) {
    await tab.locator('main.usher-denied h1').waitFor()
    t.equal(await tab.title(), 'Access ended')
    const text = await tab.locator('body').innerText()
    t.match(text, /^Your access has ended\.\s+The people who run this site have ended your access to it\./)
    t.equal(await tab.evaluate(() => document.activeElement?.tagName), 'H1', 'read aloud')
  }

  const beats = recordBeats(visitor)
  await tabs[1]!.close({ runBeforeUnload: true })
  await tabs[0]!.reload()
  t.match(await tabs[0]!.locator('main').innerText(), cookie!.value, 'the id to give to the operator')
  t.equal(beats.length, 0, 'both tabs have fallen silent')
})

browserTest('browser: who is denied is told so at the front door', async (t, lab) => {
  const { cluster, routingPort } = await startInProcess(t)
  lab.expectComplaint(/403 \(Forbidden\)/)
  await cluster.actions.setDenyList([{ kind: 'address', text: '127.0.0.1', untilMs: undefined }])
  const page = await (await lab.newVisitor()).newPage()
  const answer = await page.goto(urlOf(routingPort))
  t.equal(answer?.status(), 403)
  t.equal(await page.locator('h1').innerText(), 'Your access has ended.')
})

/** A cluster whose deny list the test can reach. */
async function startInProcess (t: Test): Promise<{ cluster: Coordinator, routingPort: number }> {
  const programDir = join(ROOT, 'dist')
  const loaded = loadSettings({
    argv: ['--host', '127.0.0.1', '--ports', '0,0,0', '--routing-port', '0', '--monitoring-port',
      '0', '--delay-between-routing', '0', '--log-file', '-', '--log-level', 'silent',
      '--html-dirs', 'site', '--heartbeat-interval', '0.3'],
    env: {},
    cwd: workingFolder(t, SITE),
    programDir
  }) as CompleteSettings
  const settings = await checkPorts(loaded.settings)
  const cluster = await startCoordinator({
    settings,
    readChanges: () => compareSettings(loaded, loaded),
    programDir,
    earlyServer: { listen () {}, take: () => undefined, close () {} },
    isTerminal: false,
    log: silentLog(),
    logLosses: allocateLogLosses()
  })
  t.teardown(() => cluster.close())
  return { cluster, routingPort: settings.routingPort }
}
