/** What axe-core finds in the pages that visitors see: nothing, light or dark, narrow or wide. */
import type { Test } from 'tap'
import { join } from 'node:path'
import { ROOT, startCluster, type Cluster } from '../cluster.ts'
import { browserTest, untilPageCounts, urlOf } from './browser.ts'
import { checkBarriers } from './looks.ts'

const SITES = ['site-1', 'site-2', 'site-3']
/** The pages that stand in for a site's own are served here as files, to be seen one by one. */
const PAGES = ['denied', 'full', 'unavailable', 'fault']

browserTest('browser: axe-core finds no violation in the rooms', async (t, lab) => {
  const cluster = await startPages(t)
  const page = await (await lab.newVisitor({ reducedMotion: 'reduce' })).newPage()
  for (const [at, site] of SITES.entries()) {
    await page.goto(urlOf(cluster.ports[at]!))
    await untilPageCounts(page, 1)
    await checkBarriers(t, page, site)
  }
})

browserTest('browser: axe-core finds no violation where there is no page', async (t, lab) => {
  const cluster = await startPages(t)
  lab.expectComplaint(/404 \(Not Found\)/)
  const page = await (await lab.newVisitor({ reducedMotion: 'reduce' })).newPage()
  for (const [at, site] of SITES.entries()) {
    const answer = await page.goto(urlOf(cluster.ports[at]!, '/missing'))
    t.equal(answer?.status(), 404)
    await checkBarriers(t, page, `${site}, 404`)
  }
})

browserTest('browser: axe-core finds no violation in a room that a visitor has to leave', async (t, lab) => {
  const cluster = await startPages(t)
  lab.expectComplaint(/403 \(Forbidden\)/)
  const page = await (await lab.newVisitor({ reducedMotion: 'reduce' })).newPage()
  await page.route('**/heartbeat', route => route.fulfill({ status: 403, json: { error: 'denied' } }))
  for (const [at, site] of SITES.entries()) {
    await page.goto(urlOf(cluster.ports[at]!))
    await page.locator('main.usher-denied').waitFor()
    await checkBarriers(t, page, `${site}, denied`)
  }
})

browserTest('browser: axe-core finds no violation in the pages of refusals and faults', async (t, lab) => {
  const cluster = await startPages(t)
  const page = await (await lab.newVisitor({ reducedMotion: 'reduce' })).newPage()
  for (const name of PAGES) {
    await page.goto(urlOf(cluster.ports[SITES.length]!, `/${name}.html`))
    await checkBarriers(t, page, name)
  }
})

function startPages (t: Test): Promise<Cluster> {
  const folders = [...SITES, 'pages'].map(name => join(ROOT, 'dist/html', name))
  return startCluster(t, { PORTS: '0,0,0,0', HTML_DIRS: folders.join() })
}
