/** The console's sections Account, Audit and Denied, in Chromium. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ROOT, startCluster, until, workingFolder, type Cluster } from '../cluster.ts'
import { Operator } from '../../scripts/kit/operator.ts'
import { browserTest, SITE, startSite, urlOf } from './browser.ts'
import { openConsole, PASSWORD, SETTINGS, showView } from './console-page.ts'
import { checkLooks } from './looks.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

async function script (cluster: Cluster): Promise<Operator> {
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  return operator
}

function themeOf (page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.documentElement.dataset['theme'])
}

function groundOf (page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor)
}

browserTest('account: a session elsewhere is ended, and that browser has to log in again', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  lab.expectComplaint(/401 \(Unauthorized\)/)
  const there = await openConsole(await lab.newVisitor({ userAgent: HOSTILE }), cluster, 'overview')
  const here = await openConsole(await lab.newVisitor(), cluster, 'account')
  const rows = here.locator('#sessions tr')
  await rows.nth(1).waitFor()
  t.equal(await rows.count(), 2)
  t.match(await rows.first().innerText(), /Chrome on Linux.*this session/s)
  t.equal(await rows.first().getByRole('button').count(), 0, 'the own one is ended by logging out')
  t.ok((await rows.nth(1).innerText()).startsWith(HOSTILE), 'shown as text')
  await rows.nth(1).getByRole('button', { name: /^End the session of/ }).click()
  await there.waitForURL('**/login.html')
  await here.getByText(`The session of ${HOSTILE} has ended.`).waitFor()
  await until(() => rows.count(), count => count === 1)
  t.equal(await here.evaluate(() => document.activeElement?.id), 'title-sessions', 'the focus is not lost')
  await showView(here, 'audit')
  await here.locator('#audit-rows', { hasText: `ended a session from 127.0.0.1, ${HOSTILE}` }).waitFor()
})

browserTest('account: the theme holds after a reload, in other tabs, and before anything is painted', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const context = await lab.newVisitor({ colorScheme: 'light' })
  const page = await openConsole(context, cluster, 'account')
  const other = await context.newPage()
  await other.goto(urlOf(cluster.monitoringPort, '/tracker.html'))
  await other.evaluate(() => {
    document.addEventListener('themechange', () => { document.title = 'theme changed' })
  })
  const light = await groundOf(page)
  await page.getByLabel('Dark').check()
  t.equal(await themeOf(page), 'dark')
  t.not(await groundOf(page), light)
  await until(() => other.title(), title => title === 'theme changed')
  t.equal(await themeOf(other), 'dark')

  await page.addInitScript(() => {
    // By the time that there is a body, the page has its theme.
    new MutationObserver((_, observer) => {
      if (document.body === null) return
      observer.disconnect()
      document.documentElement.dataset['seen'] = document.documentElement.dataset['theme'] ?? 'none'
    }).observe(document, { childList: true, subtree: true })
  })
  await page.reload()
  t.equal(await page.evaluate(() => document.documentElement.dataset['seen']), 'dark')
  t.equal(await page.getByLabel('Dark').isChecked(), true)
  await page.getByLabel('System').check()
  t.equal(await themeOf(page), undefined)
  t.equal(await groundOf(page), light)
  await page.evaluate(() => {
    document.addEventListener('themechange', () => { document.title = 'system changed' })
  })
  await page.emulateMedia({ colorScheme: 'dark' })
  await until(() => page.title(), title => title === 'system changed')
  await page.getByLabel('Light').check()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL('**/login.html')
  t.equal(await themeOf(page), 'light', 'on the other pages, too')
})

browserTest('account: a browser that refuses storage has the switches for the page', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const context = await lab.newVisitor({ colorScheme: 'light' })
  await context.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get () { throw new DOMException('refused', 'SecurityError') }
    })
  })
  const page = await openConsole(context, cluster, 'account')
  await page.getByLabel('Dark').check()
  t.equal(await themeOf(page), 'dark')
  await showView(page, 'overview')
  await showView(page, 'account')
  t.equal(await themeOf(page), 'dark')
})

browserTest('account: times are this browser\'s, or UTC', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const page = await openConsole(await lab.newVisitor({ timezoneId: 'Asia/Tokyo' }), cluster, 'audit')
  const when = page.locator('#audit-rows .c-when').last()
  await when.waitFor()
  const local = await when.innerText()
  await showView(page, 'account')
  await page.getByLabel('UTC').check()
  await showView(page, 'audit')
  const hourOf = (clock: string): number => Number(clock.slice(0, 2))
  await until(() => when.innerText(), text => hourOf(text) === (hourOf(local) + 24 - 9) % 24)
  await page.reload()
  await until(() => when.innerText(), text => text !== '' && text !== local)
})

browserTest('account: the password is changed in place, and what is wrong stands beside its field', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  lab.expectComplaint(/403 \(Forbidden\)|400 \(Bad Request\)/)
  const other = await script(cluster)
  const context = await lab.newVisitor()
  const page = await openConsole(context, cluster, 'account')
  const tab = await context.newPage()
  await tab.goto(urlOf(cluster.monitoringPort, '/tracker.html'))
  const [current, next] = [page.getByLabel('Current password'), page.getByLabel('New password')]
  const change = page.getByRole('button', { name: 'Change password' })
  const submit = async (oldPassword: string, newPassword: string): Promise<void> => {
    await current.fill(oldPassword)
    await next.fill(newPassword)
    await change.click()
  }
  await submit('not the one', 'a new one, and long')
  await page.getByRole('alert').getByText('The current password is wrong.').waitFor()
  t.equal(await current.getAttribute('aria-invalid'), 'true')
  t.equal(await current.getAttribute('aria-describedby'), 'password-form-error')
  await submit(PASSWORD, PASSWORD)
  await page.getByRole('alert').getByText('The new password must differ from the current one.').waitFor()
  t.equal(await page.locator('#password-form .error').count(), 1, 'the earlier one is gone')
  t.equal(await next.getAttribute('aria-describedby'), 'password-form-error new-password-hint')
  t.equal(await current.getAttribute('aria-invalid'), null)
  await submit(PASSWORD, 'a new one, and long')
  await page.getByRole('status').getByText('Your password was changed. Your other sessions have ended.').waitFor()
  t.equal(await page.locator('#password-form .error').count(), 0)
  t.equal(await current.inputValue() + await next.inputValue(), '')
  t.equal((await other.get('/stats')).status, 401)
  await until(() => page.locator('#sessions tr').count(), count => count === 1)
  const changed = new Operator(cluster)
  await changed.logIn('admin', 'a new one, and long')
  await changed.post(`/servers/${cluster.ports[0]}/drain`)
  for (const one of [page, tab]) {
    await showView(one, 'servers')
    // News that came after the change, by a stream with the new cookie.
    await one.locator('#servers-table').getByText('Empty, safe to stop').first().waitFor()
    t.match(one.url(), '/tracker.html', 'and no tab of this browser has to log in again')
  }
})

browserTest('denied: rows stay what they are while others come and go, and the focus with them', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const operator = await script(cluster)
  for (const last of [1, 2, 3]) {
    await operator.post('/deny', { address: `203.0.113.${last}`, reason: HOSTILE })
  }
  const page = await openConsole(await lab.newVisitor(), cluster, 'denied')
  const allow = (address: string) => page.getByRole('button', { name: `Allow ${address}`, exact: true })
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  await allow('203.0.113.2').focus()
  await page.locator('#denied-rows').evaluate(rows => {
    for (const row of rows.children) (row as HTMLElement).dataset['old'] = ''
  })
  t.ok((await page.locator('#denied-rows .c-why').first().innerText()) === HOSTILE, 'shown as text')
  await operator.post('/deny', { address: '198.51.100.0/24', minutes: 5 })
  await page.getByText('198.51.100.0/24 range').waitFor()
  t.equal(await focused(), 'Allow 203.0.113.2')
  t.equal(await page.locator('#denied-rows tr[data-old]').count(), 3)
  t.match(await page.locator('#denied-rows tr').first().innerText(), /No reason given.*[45] min left/s)
  await page.keyboard.press('Enter')
  await until(focused, label => label === 'Allow 203.0.113.1')
  for (const address of ['203.0.113.1', '203.0.113.3', '198.51.100.0/24']) {
    await operator.post('/allow', { address })
  }
  await page.getByRole('heading', { name: 'Nobody is denied' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.id), 'search-denied')
  await checkLooks(t, page, 'nobody denied')
  await page.getByRole('link', { name: 'Go to Users' }).click()
  await page.locator('#title-users').waitFor()
})

browserTest('denied, audit: what cannot be seen in a reason is written out', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const operator = await script(cluster)
  await operator.post('/deny', { address: '203.0.113.1', reason: 'see \u202egnp.exe\u200b' })
  const page = await openConsole(await lab.newVisitor(), cluster, 'denied')
  const shown = 'see \\u202egnp.exe\\u200b'
  await page.locator('#denied-rows').getByText(shown, { exact: true }).waitFor()
  await showView(page, 'audit')
  await page.locator('#audit-rows', { hasText: `denied 203.0.113.1 until allowed, nobody was there: ${shown}` }).waitFor()
  t.match(cluster.log.find(line => line['action'] === 'deny'), { detail: { reason: shown } })
})

browserTest('denied: of many entries the newest are shown, and search finds the others', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const operator = await script(cluster)
  for (let number = 0; number < 205; number++) {
    await operator.post('/deny', { address: `10.0.${number >> 8}.${number & 255}` })
  }
  const page = await openConsole(await lab.newVisitor(), cluster, 'denied')
  const rows = page.locator('#denied-rows tr')
  await rows.first().waitFor()
  t.equal(await rows.count(), 200)
  await page.getByText('Newest 200 of 205 entries; search finds the others').waitFor()
  await page.locator('#title-denied').focus()
  await page.keyboard.press('/')
  await page.keyboard.type('10.0.0.0')
  await until(() => rows.count(), count => count === 1)
  await page.getByRole('button', { name: 'Allow 10.0.0.0' }).waitFor()
  await page.getByLabel(/^Search id/).fill('zebra')
  await page.getByRole('heading', { name: 'Nothing matches “zebra”' }).waitFor()
})

browserTest('audit: is searched as one types, and older entries come on demand', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const operator = await script(cluster)
  for (let number = 0; number < 110; number++) {
    await operator.post('/deny', { address: `10.0.0.${number}`, reason: HOSTILE })
  }
  const page = await openConsole(await lab.newVisitor(), cluster, 'audit')
  const entries = page.locator('#audit-rows tr:not(.day)')
  await entries.first().waitFor()
  t.equal(await entries.count(), 100)
  t.match(await page.locator('#audit-rows tr').first().innerText(), /^Today, /)
  await page.getByText(/^Oldest: Today \d\d:\d\d\. The newest 100,000 are kept\.$/).waitFor()
  await page.getByRole('button', { name: 'Show older' }).click()
  await until(() => entries.count(), count => count === 112)
  t.equal(await page.locator('#audit-rows tr.day').count(), 1, 'the day has one heading')
  t.equal(await page.getByRole('button', { name: 'Show older' }).isVisible(), false)

  await page.getByLabel('Search audit').fill('admin DENIED 10.0.0.99')
  await page.getByText('1 entry matches').waitFor()
  t.equal(await entries.count(), 1)
  t.match(await entries.first().innerText(), `denied 10.0.0.99 until allowed, nobody was there: ${HOSTILE}`)
  await page.getByLabel('Search audit').fill('denied')
  await page.getByText('Newest 100 that match').waitFor()
  await page.getByRole('button', { name: 'Show older' }).click()
  await page.getByText('110 entries match').waitFor()
  await page.getByLabel('Search audit').fill('zebra')
  await page.getByRole('heading', { name: 'Nothing matches “zebra”' }).waitFor()
  await checkLooks(t, page, 'audit, nothing found')
})

browserTest('audit: a viewer is told whom to ask, and sees no button that is not for them', async (t, lab) => {
  const cwd = workingFolder(t, SITE)
  const cluster = await startCluster(t, { ...SETTINGS, HTML_DIRS: 'site' }, { cwd })
  const child = spawn(process.execPath,
    [join(ROOT, 'dist/account.js'), 'add', "o'desk", '--permission', '0'], { cwd })
  child.stdin.end(`${PASSWORD}\n`)
  await once(child, 'close')
  await (await script(cluster)).post('/deny', { address: '203.0.113.1' })
  const page = await openConsole(await lab.newVisitor(), cluster, 'audit', "o'desk")
  await page.getByRole('heading', { name: 'You cannot read the audit' }).waitFor()
  t.equal(await page.locator('#audit-command').innerText(),
    "npm run account -- permission 'o'\\''desk' 1")
  t.equal(await page.getByLabel('Search audit').isVisible(), false)
  t.equal(await page.getByRole('link', { name: /^Audit/ }).isVisible(), false)
  await checkLooks(t, page, 'audit, for a viewer')
  await showView(page, 'denied')
  await page.locator('#denied-rows tr').waitFor()
  t.equal(await page.locator('#view-denied').getByRole('button').count(), 0)
  await showView(page, 'account')
  await page.getByText('Viewer: can view (permission 0)').waitFor()
})

browserTest('account: no section has a barrier that axe-core knows', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const operator = await script(cluster)
  await operator.post('/deny', { address: '203.0.113.0/24' })
  await operator.post('/deny', { userId: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61', minutes: 60, reason: HOSTILE })
  const page = await openConsole(await lab.newVisitor(), cluster, 'account')
  await page.locator('#sessions tr').first().waitFor()
  await checkLooks(t, page, 'account')
  for (const view of ['denied', 'audit']) {
    await showView(page, view)
    await page.locator(`#${view}-rows tr`).first().waitFor()
    await checkLooks(t, page, view)
  }
})
