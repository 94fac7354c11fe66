/** Servers that run elsewhere, in the console: what their checks find, and maintenance. */
import type { Locator, Page } from 'playwright-core'
import { startCluster, until, workingFolder } from '../cluster.ts'
import { startElsewhere } from '../elsewhere.ts'
import { browserTest, SITE } from './browser.ts'
import { focused, openConsole, SETTINGS, showView, tabTo } from './console-page.ts'
import { checkLooks } from './looks.ts'

const QUICK = { ...SETTINGS, HTML_DIRS: 'site', HEALTH_INTERVAL: '0.1' }

function cardOf (page: Page, name: string): Locator {
  return page.locator('.card', { hasText: name })
}

browserTest('external: a server is up, put into maintenance by keyboard, made ready, down, and back', async (t, lab) => {
  const [a, b] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ...QUICK, PORTS: '0', EXTERNAL_SERVERS: `shop-a=${a.url},shop-b=${b.url}/base`
  }, { cwd: workingFolder(t, SITE) })
  const page = await openConsole(await lab.newVisitor(), cluster, 'overview')
  const card = cardOf(page, 'shop-a')
  await card.getByText(a.url).waitFor()
  await card.getByText(/^Last check: status 200, \d+ ms$/).waitFor()
  t.equal(await card.getByRole('button', { name: /Restart/ }).count(), 0, 'that is done where it runs')
  t.equal(await page.getByRole('button', { name: `Maintain ${cluster.ports[0]}…` }).count(), 0,
    'an own server has no maintenance')

  await tabTo(page, 'Maintain shop-a…')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Put shop-a into maintenance?').waitFor()
  await dialog.getByText('Nobody is sent there any more. Nobody is on it now.').waitFor()
  t.equal(await focused(page), 'dialog-cancel')
  await checkLooks(t, page, 'the question')
  await page.keyboard.press('Escape')
  t.equal(await focused(page), 'Maintain shop-a…', 'the focus comes back')
  t.match(await card.getAttribute('class'), /\bup\b/, 'Escape changes nothing')
  await page.keyboard.press('Enter')
  await page.getByLabel(/^Note/).fill('new <b>disk</b>')
  await page.keyboard.press('Enter')
  await page.getByText('shop-a is in maintenance.').waitFor()
  await card.getByText('Maintenance', { exact: true }).waitFor()
  await card.getByText(/^new <b>disk<\/b> · Last check: status 200, \d+ ms$/).waitFor()
  await page.locator('.legend', { hasText: 'shop-a maintenance' }).first().waitFor()
  await checkLooks(t, page, 'maintenance')

  await showView(page, 'servers')
  const row = page.locator('#servers-table tr', { hasText: 'shop-a' })
  await row.getByRole('button', { name: 'Change the note of shop-a…' }).click()
  t.equal(await page.getByLabel(/^Note/).inputValue(), 'new <b>disk</b>')
  await page.getByLabel(/^Note/).fill('new fan')
  await dialog.getByRole('button', { name: 'Change the note' }).click()
  await row.getByText(/^new fan/).waitFor()
  await row.getByText('Maintenance', { exact: true }).waitFor()
  await checkLooks(t, page, 'servers')
  await row.getByRole('button', { name: 'Make ready shop-a' }).click()
  await row.getByText('Up', { exact: true }).waitFor()

  b.status = 503
  const notice = page.locator('.notice.down', { hasText: 'shop-b has been down since' })
  await showView(page, 'overview')
  await notice.getByText(/: status 503\./).waitFor()
  await cardOf(page, 'shop-b').getByText('status 503', { exact: true }).waitFor()
  await checkLooks(t, page, 'down')
  b.status = 200
  await until(async () => await cardOf(page, 'shop-b').getAttribute('class') ?? '', text => / up\b/.test(text))
  await notice.waitFor({ state: 'detached' })
})

browserTest('external: the last server that takes visitors cannot be put into maintenance by mistake', async (t, lab) => {
  const a = await startElsewhere(t)
  const cluster = await startCluster(t, { ...QUICK, PORTS: '', EXTERNAL_SERVERS: `shop-a=${a.url}` })
  const page = await openConsole(await lab.newVisitor(), cluster, 'overview')
  const maintain = page.getByRole('button', { name: 'Maintain shop-a…' })
  await cardOf(page, 'shop-a').getByText('Up', { exact: true }).waitFor()
  await until(() => maintain.getAttribute('aria-disabled'), text => text === 'true')
  await cardOf(page, 'shop-a').getByText('The only server that takes visitors').waitFor()
  await maintain.click({ force: true })
  t.equal(await page.locator('dialog[open]').count(), 0)
})
