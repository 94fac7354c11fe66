/** The users in the console, in Chromium: thousands of them, found, selected, denied, allowed. */
import http from 'node:http'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { UserInfo } from '@usher/shared/api/account.ts'
import { ask, type Cluster } from '../cluster.ts'
import { Operator } from '../../scripts/kit/operator.ts'
import { browserTest, startSite, urlOf, type Lab } from './browser.ts'
import { checkBarriers } from './looks.ts'

const ADMIN = 'correct horse battery'
const MANY = 5000
/** Rows in the page at any time: a window of 900 pixels, and some beyond its edges. */
const ROWS_MAX = 60
const AT_A_TIME = 25

interface Console {
  readonly cluster: Cluster
  readonly page: Page
  readonly operator: Operator
}

/** The users' part of the console, with so many users who do nothing but be there. */
async function openUsers (
  t: Test, lab: Lab, count: number, { hash = '#users', account = 'admin' } = {}
): Promise<Console> {
  const cluster = await startSite(t, { ADMIN_PASSWORD: ADMIN, LOG_LEVEL: 'info' })
  await beat(cluster, 0, count)
  const operator = new Operator(cluster)
  await operator.logIn('admin', ADMIN)
  const page = await (await lab.newVisitor({ viewport: { width: 1440, height: 900 } })).newPage()
  // All come from one address here.
  await page.route('**/users/sharing?*', route => route.fulfill({ json: { users: 47 } }))
  await page.goto(urlOf(cluster.monitoringPort))
  await page.getByLabel('Name').fill(account)
  await page.getByLabel('Password').fill(ADMIN)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/tracker.html')
  await page.goto(urlOf(cluster.monitoringPort, `/tracker.html${hash}`))
  await page.locator('#title-users').waitFor()
  return { cluster, page, operator }
}

/** Users from number `first` on, in turn on each server. */
async function beat ({ ports }: Cluster, first: number, count: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_A_TIME })
  const left = [...Array(count).keys()].map(at => first + at)
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const port = ports[next % ports.length]!
      await ask(port, `/heartbeat?client_id=${idOf(next)}`, { method: 'POST', agent })
    }
  }))
  agent.destroy()
}

function idOf (number: number): string {
  return `${number.toString(16).padStart(8, '0')}-93d4-4c11-8a77-0b9e5d2f4a61`
}

function rows (page: Page) {
  return page.locator('#users tr')
}

function rowOf (page: Page, number: number) {
  return rows(page).filter({ hasText: idOf(number) })
}

async function untilCount (page: Page, text: string): Promise<void> {
  await page.locator('#user-count', { hasText: text }).waitFor()
}

async function denied (operator: Operator): Promise<string[]> {
  const { denied } = (await operator.get('/denied')).json as
    { denied: Array<{ userId?: string, address?: string }> }
  return denied.map(({ userId, address }) => userId ?? address!).sort()
}

browserTest('users: scrolls through thousands with a few rows in the page', async (t, lab) => {
  const { page } = await openUsers(t, lab, MANY, { hash: '#users?sort=place' })
  await untilCount(page, '5,000 users')
  t.equal(await page.locator('#users-table').getAttribute('aria-rowcount'), '5001')
  t.ok(await rows(page).count() <= ROWS_MAX)
  const seen = new Set<string>()
  for (const share of [0.3, 0.6, 1]) {
    await page.locator('#users-scroll').evaluate((scroller, share) => {
      scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight)
    }, share)
    await page.waitForFunction(last =>
      Number([...document.querySelectorAll('#users tr')].at(-1)?.ariaRowIndex) > last &&
      document.querySelector('#users tr.unknown') === null, share * MANY)
    t.ok(await rows(page).count() <= ROWS_MAX, `${await rows(page).count()} rows`)
    seen.add(await rows(page).last().locator('.c-id').innerText())
  }
  t.equal(seen.size, 3, 'others each time')
  t.equal(await rows(page).last().getAttribute('aria-rowindex'), '5001')
  t.match(await page.locator('#users-range').innerText(), / to 5,000 of 5,000\.$/)
})

browserTest('users: search, server and order are in the address, and come back', async (t, lab) => {
  const { page, cluster } = await openUsers(t, lab, 60)
  await untilCount(page, '60 users')
  await page.keyboard.press('/')
  await page.keyboard.type('0000002')
  await untilCount(page, '16 users')
  await page.locator('label', { hasText: String(cluster.ports[1]) }).click()
  await untilCount(page, '5 users')
  for (const port of await rows(page).locator('.c-srv').allInnerTexts()) {
    t.equal(port.trim(), String(cluster.ports[1]))
  }
  const newest = page.getByRole('columnheader', { name: 'First seen' })
  t.equal(await newest.getAttribute('aria-sort'), 'descending', 'unless one wants another order')
  const header = page.getByRole('columnheader', { name: 'Last seen' })
  t.equal(await header.getAttribute('aria-sort'), 'none')
  await header.getByRole('button').click()
  t.equal(await header.getAttribute('aria-sort'), 'descending')
  await header.getByRole('button').click()
  t.equal(await header.getAttribute('aria-sort'), 'none', 'a second time takes it away')
  await page.goBack()
  t.equal(await header.getAttribute('aria-sort'), 'descending')
  const { hash } = new URL(page.url())
  t.equal(hash, `#users?q=0000002&server=${cluster.ports[1]}&sort=last_seen`)
  await page.reload()
  await untilCount(page, '5 users')
  t.equal(await page.locator('#search').inputValue(), '0000002')
  t.equal(await header.getAttribute('aria-sort'), 'descending')
  await page.locator('#search').focus()
  await page.keyboard.press('Escape')
  await untilCount(page, '20 users')
})

browserTest('users: news that come while somebody types leave what is typed', async (t, lab) => {
  const { page } = await openUsers(t, lab, 20)
  await untilCount(page, '20 users')
  let release = (): void => {}
  const news = new Promise<void>(resolve => { release = resolve })
  await page.route(/\/(?:stats|events)$/, async route => {
    await news
    await route.continue()
  })
  await page.reload()
  await untilCount(page, '20 users')
  await page.locator('#search').focus()
  const typed = '0'.repeat(50)
  const typing = page.evaluate(async text => {
    const search = document.querySelector<HTMLInputElement>('#search')!
    const servers = document.querySelector('#server-filter')!.getElementsByTagName('input')
    // Faster than what is typed is asked for, until the servers have come to be known.
    for (let count = 0; count < text.length || servers.length < 2; count++) {
      if (count < text.length) search.value += text[count]
      search.dispatchEvent(new Event('input'))
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }, typed)
  release()
  await typing
  t.equal(await page.locator('#search').inputValue(), typed)
})

browserTest('users: selects by keys, over what is scrolled away, too', async (t, lab) => {
  const { page } = await openUsers(t, lab, 300, { hash: '#users?sort=place' })
  await untilCount(page, '300 users')
  await rows(page).first().focus()
  await page.keyboard.press('Space')
  t.equal(await page.locator('#selected-count').innerText(), '1 selected')
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowDown')
  t.equal(await page.locator('#selected-count').innerText(), '4 selected')
  await page.keyboard.press('Shift+ArrowUp')
  t.equal(await page.locator('#selected-count').innerText(), '3 selected')
  await page.keyboard.press('End')
  await page.locator('#users tr:focus[aria-rowindex="301"]').waitFor()
  await page.locator('#users tr:focus:not(.unknown)').waitFor()
  await page.keyboard.press('Space')
  await page.locator('#selected-count', { hasText: '4 selected' }).waitFor()
  await page.keyboard.press('Home')
  await page.locator('#users tr:focus[aria-rowindex="2"]').waitFor()
  t.equal(await page.locator('#users tr[aria-selected="true"]').count(), 3, 'still selected')
  await page.keyboard.press('PageDown')
  t.match(await page.locator('#users tr:focus').getAttribute('aria-rowindex'), /^[12]\d$/)
  await page.keyboard.press('Escape')
  t.equal(await page.locator('#selection').isVisible(), false)
})

browserTest('users: selects by mouse: a range, all, none', async (t, lab) => {
  const { page } = await openUsers(t, lab, 250)
  await untilCount(page, '250 users')
  await rows(page).nth(2).click()
  await rows(page).nth(6).click({ modifiers: ['Shift'] })
  await page.locator('#selected-count', { hasText: '5 selected' }).waitFor()
  await page.getByRole('checkbox', { name: 'Select all results' }).check()
  await page.locator('#selected-count', { hasText: '250 selected' }).waitFor()
  await page.getByRole('button', { name: 'Clear selection' }).click()
  t.equal(await page.locator('#selection').isVisible(), false)
  t.equal(await page.locator('#users tr[aria-selected="true"]').count(), 0)
})

browserTest('users: holds still while one points at it, and says how many have come', async (t, lab) => {
  const { page, cluster } = await openUsers(t, lab, 10)
  await untilCount(page, '10 users')
  await rows(page).nth(4).hover()
  const before = await rows(page).locator('.c-id').allInnerTexts()
  // The first look while it is held is what later ones are compared with.
  await page.waitForResponse(/\/users\?/)
  await beat(cluster, 500, 12)
  const button = page.getByRole('button', { name: 'Show 12 new users' })
  await button.waitFor()
  t.strictSame(await rows(page).locator('.c-id').allInnerTexts(), before)
  await untilCount(page, '22 users')
  await button.click()
  await rowOf(page, 511).waitFor()
  t.equal(await rows(page).count(), 22)
  t.equal(await button.isVisible(), false)
})

browserTest('users: denies several, shown as text, and undoes it', async (t, lab) => {
  const { page, operator } = await openUsers(t, lab, 20)
  await untilCount(page, '20 users')
  for (const number of [3, 4, 5]) await rowOf(page, number).click()
  await page.getByRole('button', { name: 'Deny…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Deny 3 users?' })
  await dialog.getByText('44 other users share these addresses').waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.id), 'dialog-cancel')
  await dialog.getByLabel(/^Reason/).fill('<img src=x onerror=alert(1)>')
  await dialog.getByLabel('15 min', { exact: true }).check()
  await dialog.getByRole('button', { name: 'Deny 3 users for 15 min' }).click()
  await page.getByText('3 users denied for 15 min.').waitFor()
  t.strictSame(await denied(operator), [3, 4, 5].map(idOf))
  await untilCount(page, '17 users')

  await page.getByRole('link', { name: /^Denied/ }).click()
  const row = page.locator('#denied-rows tr', { hasText: idOf(4) })
  t.match(await row.innerText(), '<img src=x onerror=alert(1)>', 'shown as text')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: 3 entries are allowed again.').waitFor()
  t.strictSame(await denied(operator), [])
  await page.keyboard.press('Escape')
  t.equal(await page.locator('#result').innerText(), '', 'Escape takes it away')
})

browserTest('users: denies a range when it is meant', async (t, lab) => {
  const { page, operator } = await openUsers(t, lab, 5)
  lab.expectComplaint(/409 \(Conflict\)/)
  await untilCount(page, '5 users')
  await rowOf(page, 1).click()
  await page.getByRole('button', { name: 'Deny…' }).click()
  await page.getByText('The id and the whole range 127.0.0.0/24').click()
  await page.getByText('4 other users come from there and would be refused too.').waitFor()
  await page.getByRole('button', { name: 'Deny 1 user for 1 h' }).click()
  await page.getByRole('dialog', { name: 'Deny 127.0.0.0/24, your own address?' }).waitFor()
  await page.getByRole('button', { name: 'Deny 127.0.0.0/24 anyway' }).click()
  await page.getByText('1 user denied for 1 h.').waitFor()
  t.strictSame(await denied(operator), [idOf(1), '127.0.0.0/24'].sort())
})

browserTest('users: a row takes a click as soon as it is there', async (t, lab) => {
  const { page } = await openUsers(t, lab, 5)
  let answer = (): void => {}
  const isAsked = new Promise<void>(resolve => {
    void page.route('**/user-info', async route => {
      resolve()
      await new Promise<void>(resolve => { answer = resolve })
      await route.continue()
    })
  })
  await page.reload()
  await isAsked
  await page.locator('#nav-users', { hasText: '5' }).waitFor()
  t.equal(await rows(page).count(), 0, 'none before it is known what may be done')
  answer()
  await rowOf(page, 1).click()
  await page.getByRole('button', { name: 'Deny…' }).click()
})

browserTest('users: the undo waits while one is at it', async (t, lab) => {
  const { page, cluster } = await openUsers(t, lab, 5)
  await page.clock.install()
  await page.reload()
  await untilCount(page, '5 users')
  await rowOf(page, 1).click()
  await page.getByRole('button', { name: 'Deny…' }).click()
  await page.getByRole('button', { name: 'Deny 1 user for 1 h' }).click()
  const undo = page.getByRole('button', { name: 'Undo' })
  await undo.focus()
  await page.clock.runFor(30_000)
  t.ok(await undo.isVisible(), 'has the focus')
  await page.locator('#search').focus()
  await page.clock.runFor(5000)
  t.ok(await undo.isVisible())
  await page.clock.runFor(6000)
  t.equal(await undo.isVisible(), false)
  t.equal(cluster.process.exitCode, null)
})

browserTest('users: disconnects without a way back', async (t, lab) => {
  const { page, operator } = await openUsers(t, lab, 5)
  await untilCount(page, '5 users')
  await rowOf(page, 1).click()
  await page.getByRole('button', { name: 'Disconnect…' }).click()
  await page.getByRole('button', { name: 'Disconnect 1 user' }).click()
  await page.getByText('1 user disconnected.').waitFor()
  t.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0)
  await untilCount(page, '4 users')
  t.strictSame(await denied(operator), [])
})

browserTest('users: says why nobody is there, and what to do about it', async (t, lab) => {
  const { page, cluster } = await openUsers(t, lab, 0)
  await page.getByRole('heading', { name: 'No users yet' }).waitFor()
  await page.getByText('npm run load -- burst', { exact: true }).last().waitFor()
  await beat(cluster, 0, 1)
  await untilCount(page, '1 user')
  await page.locator('#search').fill('<b>c0ffee')
  await page.getByRole('heading', { name: 'Nobody matches “<b>c0ffee”' }).waitFor()
  await page.getByRole('button', { name: 'Clear search' }).click()
  await rowOf(page, 0).waitFor()
  await page.locator('label', { hasText: String(cluster.ports[2]) }).click()
  await page.getByRole('heading', { name: `Nobody is on ${cluster.ports[2]}` }).waitFor()
  await page.getByRole('button', { name: 'All servers' }).click()
  await rowOf(page, 0).waitFor()
})

browserTest('users: a viewer selects nobody', async (t, lab) => {
  const { page } = await openUsers(t, lab, 5)
  const viewer = { permission: 0, can_view: true, can_disconnect: false }
  const json: UserInfo = {
    username: 'sam', ...viewer, must_change_password: false, permissions: [viewer]
  }
  await page.route('**/user-info', route => route.fulfill({ json }))
  await page.reload()
  await untilCount(page, '5 users')
  t.equal(await page.locator('#view-users input[type=checkbox]:visible').count(), 0)
  t.strictSame(await page.locator('#view-users button:visible').allInnerTexts(),
    ['First seen', 'Last seen'])
  await rowOf(page, 1).click()
  await page.keyboard.press('Space')
  t.equal(await page.locator('#selection').isVisible(), false)
  t.equal(await page.locator('#users tr[aria-selected]').count(), 0)
})

browserTest('users: no barrier that axe-core knows, and nothing scrolls sideways', async (t, lab) => {
  const { page } = await openUsers(t, lab, 40)
  await untilCount(page, '40 users')
  await rows(page).nth(1).click()
  await page.locator('#selection').waitFor()
  await check(t, page, 'selected')
  await page.getByRole('button', { name: 'Deny…' }).click()
  await check(t, page, 'dialog')
  await page.getByRole('button', { name: /^Deny 1 user/ }).click()
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  await check(t, page, 'undo')
  await page.locator('#search').fill('nobody')
  await page.locator('#nobody').waitFor()
  await check(t, page, 'nobody')
})

async function check (t: Test, page: Page, name: string): Promise<void> {
  await checkBarriers(t, page, name)
  for (const width of [360, 600, 768, 1024, 1200, 1600]) {
    await page.setViewportSize({ width, height: 900 })
    const isTooWide = await page.evaluate(() =>
      document.documentElement.scrollWidth > document.documentElement.clientWidth ||
      document.getElementById('users-scroll')!.scrollWidth >
      document.getElementById('users-scroll')!.clientWidth)
    t.equal(isTooWide, false, `${name}, ${width}`)
  }
}
