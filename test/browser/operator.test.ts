/** The operator's journey in Chromium, with the visitor's page open beside the console. */
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { ask, until, type Cluster } from '../cluster.ts'
import { browserTest, startSite, untilPageCounts, urlOf } from './browser.ts'
import { checkLooks } from './looks.ts'

const PASSWORD = 'correct horse battery'
const QUICK = { HEARTBEAT_INTERVAL: '0.3' }

async function logIn (page: Page, { monitoringPort }: Cluster, password = PASSWORD): Promise<void> {
  await page.goto(urlOf(monitoringPort))
  await page.getByLabel('Name').fill('admin')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

browserTest('operator: logs in with the printed password and is made to change it', async (t, lab) => {
  const cluster = await startSite(t)
  lab.expectComplaint(/401 \(Unauthorized\)/)
  await until(async () => cluster.said(), said => said.includes('choose your own'))
  const [, printed = ''] = /^ +password +(\S+)$/m.exec(cluster.said()) ?? []
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster, 'not the printed one')
  await page.getByText('Name and password do not match.').waitFor()
  t.equal(await page.getByLabel('Name').inputValue(), 'admin', 'the name is kept')
  t.equal(await page.getByLabel('Password').inputValue(), '', 'the password is not')
  await page.getByLabel('Password').fill(printed)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/password.html')
  await page.goto(urlOf(cluster.monitoringPort))
  t.match(page.url(), /password\.html$/, 'there is no way around')
  await page.getByLabel('Current password').fill(printed)
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.waitForURL('**/tracker.html')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
})

browserTest('operator: sees a visitor, denies them, and that page says so; allows them again', async (t, lab) => {
  const cluster = await startSite(t, { ...QUICK, ADMIN_PASSWORD: PASSWORD })
  lab.expectComplaint(/403 \(Forbidden\)/)
  const visitor = await lab.newVisitor()
  const visit = await visitor.newPage()
  await visit.goto(urlOf(cluster.routingPort))
  await untilPageCounts(visit, 1)
  const [cookie] = await visitor.cookies()
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  await page.locator('#nav-users', { hasText: '1' }).waitFor()

  await page.getByRole('link', { name: /^Users/ }).click()
  await page.getByLabel('Search by id or address').fill(cookie!.value.slice(0, 8))
  const row = page.locator('#users tr', { hasText: cookie!.value })
  await row.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Deny…' }).click()
  await page.getByLabel(/^Reason/).fill('<img src=x onerror=alert(1)>')
  await page.getByRole('dialog').getByRole('button', { name: /^Deny 1 user/ }).click()
  await visit.locator('main.usher-denied h1').waitFor()
  t.equal(await visit.title(), 'Access ended')
  await page.locator('#nav-users', { hasText: '0' }).waitFor()

  await page.getByRole('link', { name: /^Denied/ }).click()
  const denied = page.locator('#denied-rows tr', { hasText: cookie!.value })
  t.match(await denied.innerText(), '<img src=x onerror=alert(1)>', 'shown as text')
  await page.getByRole('link', { name: /^Audit/ }).click()
  await page.locator('#audit-rows tr', { hasText: cookie!.value }).first().waitFor()
  await page.getByRole('link', { name: /^Denied/ }).click()
  await denied.getByRole('button', { name: /^Allow/ }).click()
  await page.getByRole('heading', { name: 'Nobody is denied' }).waitFor()
  const answer = await visit.goto(urlOf(cluster.routingPort))
  t.equal(answer?.status(), 200)
})

browserTest('operator: is told of a network that floods the site, and denies it', async (t, lab) => {
  const cluster = await startSite(t, {
    ...QUICK, ADMIN_PASSWORD: PASSWORD, TRUST_PROXY: '127.0.0.1', NEWCOMERS_PER_MINUTE: '5'
  })
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  await page.locator('#nav-users', { hasText: '0' }).waitFor()
  for (let beat = 0; beat < 100; beat++) {
    await ask(cluster.ports[0]!, `/heartbeat?client_id=${randomUUID()}`, {
      method: 'POST', headers: { 'x-forwarded-for': '2001:db8:7:1::1' }
    })
  }
  const notice = page.locator('.notice', { hasText: '2001:db8:7:1::/64 brings more new visitors' })
  await notice.getByText(/requests since .* TRUSTED_NETWORKS/).waitFor()
  await checkLooks(t, page, 'notice of a network')
  await notice.getByRole('button', { name: 'Deny 2001:db8:7:1::/64…' }).click()
  await page.getByRole('dialog').getByText(/users come from there now/).waitFor()
  await page.getByRole('button', { name: 'Deny it for 1 h' }).click()
  await page.getByText('2001:db8:7:1::/64 denied for 1 h.').waitFor()
  await page.locator('#nav-users', { hasText: '0' }).waitFor()
  await page.getByRole('link', { name: /^Audit/ }).click()
  await page.getByText(/denied 2001:db8:7:1::\/64 for 1 h, \d+ users removed/).waitFor()
})

browserTest('operator: logs in and out by forms, without JavaScript', async (t, lab) => {
  const cluster = await startSite(t, { ADMIN_PASSWORD: PASSWORD })
  const page = await (await lab.newVisitor({ javaScriptEnabled: false })).newPage()
  await logIn(page, cluster, 'wrong password')
  t.match(page.url(), /login\.html\?error=no_match$/)
  t.match(await page.locator('#error').innerText(), /do not match/)
  await logIn(page, cluster)
  t.match(page.url(), /tracker\.html$/)
  await page.goto(urlOf(cluster.monitoringPort, '/password.html'))
  await page.getByRole('button', { name: 'Log out' }).click()
  t.match(page.url(), /login\.html$/)
  await page.goto(urlOf(cluster.monitoringPort))
  t.match(page.url(), /login\.html$/, 'the session has ended on the server')
})

browserTest('operator: no page of the monitor has a barrier that axe-core knows', async (t, lab) => {
  const cluster = await startSite(t, { ADMIN_PASSWORD: PASSWORD })
  const page = await (await lab.newVisitor()).newPage()
  await page.goto(urlOf(cluster.monitoringPort))
  await checkLooks(t, page, 'login')
  await logIn(page, cluster)
  await page.locator('#cards article, #cards > *').first().waitFor()
  for (const view of ['overview', 'users', 'servers', 'denied', 'audit', 'account']) {
    await page.goto(urlOf(cluster.monitoringPort, `/tracker.html#${view}`))
    await page.locator(`#title-${view}`).waitFor()
    await checkLooks(t, page, view)
  }
  await page.goto(urlOf(cluster.monitoringPort, '/password.html'))
  await checkLooks(t, page, 'password')
})
