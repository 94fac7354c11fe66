/** Servers that run elsewhere, in the console: added, changed and removed by keyboard alone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Operator } from '../../scripts/kit/operator.ts'
import { ROOT, startCluster, until, workingFolder } from '../cluster.ts'
import { startElsewhere } from '../elsewhere.ts'
import { browserTest, SITE, startSite } from './browser.ts'
import { focused, openConsole, PASSWORD, SETTINGS, tabTo } from './console-page.ts'
import { checkLooks } from './looks.ts'

const CHECKED = { ...SETTINGS, HEALTH_INTERVAL: '0.2' }

browserTest('elsewhere: one is added, changed and removed by keyboard alone', async (t, lab) => {
  const app = await startElsewhere(t)
  const cluster = await startSite(t, CHECKED)
  const page = await openConsole(await lab.newVisitor(), cluster, 'servers')
  const rows = page.locator('#elsewhere tr')
  await page.getByRole('heading', { name: 'Servers that run elsewhere' }).waitFor()
  t.equal(await page.locator('#elsewhere-table').isVisible(), false)

  await tabTo(page, 'server-name')
  await page.keyboard.type('shop-a')
  await page.keyboard.press('Tab')
  await page.keyboard.type(app.url)
  await page.keyboard.press('Tab')
  await page.keyboard.type('2')
  await page.keyboard.press('Enter')
  await page.getByText('shop-a was added.').waitFor()
  await rows.first().waitFor()
  await until(() => focused(page), id => id === 'title-elsewhere')
  t.match(await rows.first().innerText(), /shop-a\s+added here/)
  await until(() => page.locator('#server-name').inputValue(), text => text === '')
  const shown = page.locator('#servers-table tr', { hasText: 'shop-a' })
  await until(() => shown.innerText(), text => /\bUp\b/.test(text))
  t.match(await shown.innerText(), app.url.replace('http://', ''))

  await tabTo(page, 'Change shop-a')
  await page.keyboard.press('Enter')
  await until(() => focused(page), id => id === 'server-url')
  t.equal(await page.locator('#server-url').inputValue(), app.url)
  t.equal(await page.locator('#server-name').evaluate(field => (field as HTMLInputElement).readOnly), true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Control+A')
  await page.keyboard.type('5')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter') // Opens what is said of health checks.
  await page.keyboard.press('Tab')
  await page.keyboard.type('/up')
  await page.keyboard.press('Enter')
  await page.getByText('shop-a was changed.').waitFor()
  await until(() => rows.first().innerText(), text => /\t5\t[\s\S]*\/up/.test(text))
  await until(async () => app.asked, asked => asked.includes('/up'))

  await tabTo(page, 'Remove shop-a…')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Remove shop-a?' }).waitFor()
  await until(() => focused(page), id => id === 'dialog-cancel')
  await checkLooks(t, page, 'the question before a server is removed')
  await tabTo(page, 'dialog-go')
  await page.keyboard.press('Enter')
  await page.getByText('shop-a was removed.').waitFor()
  await until(() => rows.count(), count => count === 0)
  await until(() => shown.count(), count => count === 0)
  const filter = page.locator('#server-filter label', { hasText: 'shop-a' })
  await until(() => filter.count(), count => count === 0)

  await page.evaluate(() => { location.hash = 'audit' })
  const audit = page.locator('#audit-rows')
  await audit.getByText(`added the server shop-a at ${app.url}`).waitFor()
  await audit.getByText('changed the server shop-a').waitFor()
  await audit.getByText('removed the server shop-a').waitFor()
})

browserTest('elsewhere: what is wrong stands beside its field, and nothing is lost', async (t, lab) => {
  const app = await startElsewhere(t)
  const cluster = await startSite(t, CHECKED)
  lab.expectComplaint(/40[09] \((?:Bad Request|Conflict)\)/)
  const page = await openConsole(await lab.newVisitor(), cluster, 'servers')
  const [name, url] = [page.locator('#server-name'), page.locator('#server-url')]
  const add = page.getByRole('button', { name: 'Add server' })
  await name.fill('Shop A')
  await url.fill(app.url)
  await add.click()
  await page.getByRole('alert').getByText(/^name is "Shop A"; allowed: a name of 1 to 63/).waitFor()
  await until(() => focused(page), id => id === 'server-name')
  await name.fill('shop-a')
  await url.fill('ftp://a.example')
  await add.click()
  await page.getByRole('alert').getByText(/^url is "ftp:/).waitFor()
  await until(() => focused(page), id => id === 'server-url')
  await url.fill(app.url)
  await page.getByText('Health check', { exact: true }).last().click()
  await page.locator('#server-status').fill('20')
  await page.getByText('Health check', { exact: true }).last().click()
  await add.click()
  await page.getByRole('alert').getByText(/^health.status is "20"/).waitFor()
  await until(() => focused(page), id => id === 'server-status')
  await page.locator('#server-status').fill('')
  await add.click()
  await page.locator('#elsewhere tr').waitFor()
  await name.fill('shop-a')
  await url.fill(app.url)
  await add.click()
  await page.getByRole('alert').getByText('There is a server shop-a already.').waitFor()
  t.equal(await url.inputValue(), app.url)
})

browserTest('elsewhere: the list and the form in every look, and nothing of it for a viewer', async (t, lab) => {
  const app = await startElsewhere(t)
  const cwd = workingFolder(t, SITE)
  const cluster = await startCluster(t, {
    ...CHECKED, HTML_DIRS: 'site', EXTERNAL_SERVERS: `shop-of-the-settings=${app.url}`
  }, { cwd })
  const child = spawn(process.execPath, [join(ROOT, 'dist/account.js'), 'add', 'desk', '--permission', '0'], { cwd })
  child.stdin.end(`${PASSWORD}\n`)
  await once(child, 'close')
  const operator = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  await operator.post('/servers', {
    name: `a-name-that-is-as-long-as-a-name-may-be-${'x'.repeat(23)}`,
    url: `${app.url}/${'a-long-base-path/'.repeat(6)}`,
    weight: 1000,
    capacity: 1_000_000,
    health: { path: '/health/that/says/it/all', interval: 0.5, timeout: 0.25, status: '200-299', rise: 1, fall: 9 }
  })
  const page = await openConsole(await lab.newVisitor(), cluster, 'servers')
  await until(() => page.locator('#elsewhere tr').count(), count => count === 2)
  t.equal(await page.getByRole('button', { name: /^Change shop-of-the-settings/ }).count(), 0)
  await page.getByRole('button', { name: /^Change a-name/ }).click()
  t.equal(await page.locator('#server-fall').inputValue(), '9')
  await checkLooks(t, page, 'servers, with those elsewhere')
  await page.getByRole('button', { name: 'Cancel' }).click()
  t.equal(await page.locator('#server-fall').inputValue(), '')
  await until(() => focused(page), id => id === 'title-elsewhere')
  const viewer = await openConsole(await lab.newVisitor(), cluster, 'servers', 'desk')
  await viewer.locator('#servers-table tbody tr').first().waitFor()
  t.equal(await viewer.locator('#title-elsewhere').isVisible(), false)
})
