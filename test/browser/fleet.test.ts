/** The console of a fleet: nodes, their servers and people, a drain elsewhere, one node away. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ENGINE_SKIP } from '../../packages/shared/test/fleet/engine-kit.ts'
import { until } from '../cluster.ts'
import { startFleet } from '../fleet-nodes.ts'
import { enter, logInEverywhere } from '../fleet-people.ts'
import { browserTest } from './browser.ts'
import { openConsole, showView } from './console-page.ts'
import { checkLooks } from './looks.ts'

browserTest('fleet: nodes, servers and users of all nodes at the console of one', async (t, lab) => {
  if (ENGINE_SKIP !== false) {
    t.comment(ENGINE_SKIP)
    return
  }
  const { members } = await startFleet(t, {
    DELAY_BETWEEN_ROUTING: '0',
    TIMEOUT_THRESHOLD: '3600',
    UNCONFIRMED_TIMEOUT: '3600',
    CAPACITY: '50'
  })
  const [one, two, three] = members
  await logInEverywhere(members)
  await enter(members, 12)
  const page = await openConsole(await lab.newVisitor(), one!.cluster, 'overview')
  const totals = page.locator('#totals')
  await totals.getByText('on this node').waitFor()
  await totals.getByText('Spread in the fleet').waitFor()
  await page.locator('#summary', { hasText: 'node node-1 of a fleet with 9 servers and 12 users' }).waitFor()

  // The charts are of all nodes; or of one, and then of its servers.
  const lines = page.locator('figure', { hasText: 'Load per node' })
  await lines.locator('.legend').getByText(/^node-3 [3-6]$/).waitFor()
  const stack = page.locator('figure', { hasText: 'All nodes, stacked' })
  await stack.locator('.legend').getByText('total 12', { exact: true }).waitFor()
  await page.getByLabel('Charts of').selectOption('node-2')
  const ofServers = page.locator('figure', { hasText: 'Load per server' }).locator('.legend')
  await ofServers.getByText(new RegExp(`^${two!.cluster.ports[0]} [12]$`)).waitFor()
  t.equal(await ofServers.getByText(/spread [01]$/).count(), 1)
  await page.getByLabel('Charts of').selectOption({ label: 'node-1, this node' })
  await ofServers.getByText(new RegExp(`^${one!.cluster.ports[0]} [12]$`)).waitFor()
  await page.getByLabel('Charts of').selectOption('All nodes')
  await lines.locator('.legend').getByText(/^node-3 [3-6]$/).waitFor()
  await checkLooks(t, page, 'charts of all nodes')

  await showView(page, 'servers')
  const nodes = page.locator('#nodes-panel')
  await nodes.getByText('12 users on 3 nodes').waitFor()
  await nodes.locator('tr', { hasText: 'node-1' }).getByText('this node').waitFor()
  t.equal(await nodes.locator('tbody tr').count(), 3)
  const servers = page.locator('#fleet-panel')
  t.equal(await servers.locator('tbody tr').count(), 6)
  t.equal(await servers.getByText(/^Up, [12] of 50 places taken$/).count(), 6)
  t.equal(await servers.getByRole('button', { name: /Restart/ }).filter({ visible: true }).count(), 0,
    'that is done at its own node')
  await checkLooks(t, page, 'nodes')

  // Drain elsewhere is confirmed as one's own is.
  const name = `node-2/${two!.cluster.ports[0]}`
  await servers.getByRole('button', { name: `Drain ${name}…` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(`Drain ${name}?`).waitFor()
  await page.getByLabel(/^Note/).fill('new disk')
  await dialog.getByRole('button', { name: `Drain ${name}` }).click()
  await page.getByText(`${name} is draining.`).waitFor()
  const row = servers.locator('tr', { hasText: name })
  await row.getByText(/^Draining/).or(row.getByText('Empty, safe to stop')).waitFor()
  await row.getByText('new disk').waitFor()
  await row.getByRole('button', { name: `Make ready ${name}` }).click()
  await row.getByText(/^Up, \d of 50 places taken$/).waitFor()

  // And of a whole node.
  const second = nodes.locator('tr', { hasText: 'node-2' })
  await second.getByRole('button', { name: 'Drain node node-2…' }).click()
  await dialog.getByText('Drain the node node-2?').waitFor()
  await dialog.getByRole('button', { name: 'Drain node node-2' }).click()
  await page.getByText('The node node-2 is draining.').waitFor()
  await second.getByText(/^Draining, [3-6] users left$/).waitFor()
  await checkLooks(t, page, 'a node that drains')
  await second.getByRole('button', { name: 'Make ready node node-2' }).click()
  await second.getByText(/^Up for /).waitFor()

  await showView(page, 'audit')
  await page.locator('#audit-rows tr', { hasText: 'started draining the node node-2' }).waitFor()
  await page.locator('#audit-rows tr', { hasText: `made ${name} ready` }).getByText('at node-1').waitFor()
  await checkLooks(t, page, 'audit')

  await showView(page, 'users')
  await page.getByText('12 users, 3 of 3 nodes answered').waitFor()
  await until(() => page.locator('#users tr').count(), count => count === 12)
  const elsewhere = page.locator('#users tr', { hasText: 'node-2/' }).first()
  const id = await elsewhere.locator('.c-id .mono').textContent() ?? ''
  await page.getByRole('radio', { name: 'node-2', exact: true }).check()
  await page.locator('#users tr', { hasText: 'node-3/' }).first().waitFor({ state: 'detached' })
  t.match(page.url(), /server=node-2%2F/)
  await page.getByRole('radio', { name: 'All', exact: true }).check()
  await page.getByText('12 users, 3 of 3 nodes answered').waitFor()
  await checkLooks(t, page, 'users')

  // One of another node is disconnected by the same dialog.
  await page.getByLabel('Search by id or address').fill(id)
  await page.getByText(/^1 user, \d of 3 nodes answered$/).waitFor()
  await page.locator('#users tr').first().click()
  await page.getByRole('button', { name: 'Disconnect…' }).click()
  await dialog.getByRole('button', { name: 'Disconnect 1 user' }).click()
  await page.getByText('1 user disconnected.').waitFor()
  await page.getByRole('heading', { name: /^Nobody matches/ }).waitFor()
  await page.getByRole('button', { name: 'Clear search' }).click()

  await three!.cluster.stop('SIGKILL')
  await page.getByText(/^\d+ users, 2 of 3 nodes answered$/).waitFor()
  await page.getByText('Users of node-3 are not listed: it does not answer.').waitFor()
  await checkLooks(t, page, 'users of two nodes')
  await showView(page, 'servers')
  await nodes.locator('tr', { hasText: 'node-3' }).getByText(/^Away since \d\d:\d\d:\d\d$/).waitFor()
  await nodes.getByText(/ on 2 of 3 nodes$/).waitFor()
  await until(() => servers.locator('tbody tr').count(), count => count === 3)
  await checkLooks(t, page, 'a node away')
  await showView(page, 'overview')
  await page.getByText(/^The node node-3 has been away since \d\d:\d\d:\d\d\.$/).waitFor()
  await lines.locator('.legend').getByText('node-3 away').waitFor()
  await page.locator('#range-15').check({ force: true })
  await page.getByText('What node-3 had before is not in the charts: it does not answer.').waitFor()
  t.notOk(await stack.locator('.legend').getByText('total 12', { exact: true }).isVisible())
  await checkLooks(t, page, 'the notice')
  await takePictures(page)
})

/** For people to look at, where USHER_PICTURES names a folder. */
async function takePictures (page: Page): Promise<void> {
  const folder = process.env['USHER_PICTURES']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  for (const view of ['overview', 'servers', 'users', 'audit']) {
    await showView(page, view)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const width of [390, 1440]) {
        await page.setViewportSize({ width, height: 900 })
        await page.waitForTimeout(300)
        await page.screenshot({ path: join(folder, `${view}-${colorScheme}-${width}.png`), fullPage: true })
      }
    }
  }
}
