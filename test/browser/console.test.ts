/** The overview and the servers in a browser, when all is well and when it is not. */
import type { Locator, Page } from 'playwright-core'
import { stageHistory, stageNews } from '../../scripts/screenshots/staged-news.ts'
import { startCluster, until, workingFolder, type Cluster } from '../cluster.ts'
import { Operator } from '../../scripts/kit/operator.ts'
import { browserTest, startSite, untilPageCounts, urlOf } from './browser.ts'
import { checkBarriers, checkLooks } from './looks.ts'

const PASSWORD = 'quite a long password'
const ADMIN = { ADMIN_PASSWORD: PASSWORD }
const STEP_MS = 5000

async function logIn (page: Page, cluster: Cluster): Promise<void> {
  await page.goto(urlOf(cluster.monitoringPort))
  await page.getByLabel('Name').fill('admin')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/tracker.html')
}

/** In one line, as it reads. */
async function textOf (element: Locator): Promise<string> {
  return (await element.innerText()).replaceAll(/\s+/g, ' ')
}

/** The cells of the first chart's table, by rows. */
async function chartTable (page: Page): Promise<string[][]> {
  const details = page.locator('.astable').first()
  if (!await details.evaluate(element => (element as HTMLDetailsElement).open)) {
    await details.locator('summary').click()
  }
  return await details.locator('tbody tr').evaluateAll(rows =>
    rows.map(row => [...row.children].map(({ textContent }) => textContent)))
}

browserTest('console: charts are full when they open, and can be read without looking', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  // Staged servers stand in the order of their names as numbers.
  const [first, second] = [...cluster.ports].sort((a, b) => a - b) as [number, number]
  const page = await (await lab.newVisitor()).newPage()
  const loads = Array.from({ length: 720 }, (_, at) => at > 300 && at < 330 ? null : 100 + at % 7)
  await stageNews(page, {
    servers: { [first]: { active_users: 104 }, [second]: { active_users: 101 } }
  })
  await stageHistory(page, { servers: { [first]: loads, [second]: loads } })
  await logIn(page, cluster)
  const [lines, stack] = await page.locator('.chart').all()
  await lines!.locator('canvas').waitFor()
  // The lines come with the history, what is now with the first news, in either order.
  await until(() => textOf(lines!.locator('.legend')),
    text => /^Now\s+\d+ 104\s+\d+ 101\s+spread 3/.test(text))
  t.match(await textOf(lines!), /Axis starts at \d+/, 'balanced lines are told apart')
  t.match(await textOf(stack!.locator('.legend')), /total 205/)

  await lines!.locator('.plot').focus()
  await page.keyboard.press('Home')
  const legend = lines!.locator('.legend')
  t.match(await textOf(legend), /\d\d:\d\d:\d\d\s+\d+ 100\s+\d+ 100\s+spread 0/)
  await page.keyboard.press('ArrowRight')
  t.match(await textOf(legend), /\d+ 101\s+\d+ 101/)
  t.match(await textOf(page.locator('#announcer')), /101/, 'and is said')
  await page.keyboard.press('Escape')
  t.match(await textOf(legend), /^Now/)

  const rows = await until(() => chartTable(page), ({ length }) => length > 0)
  t.ok(rows.length > 9 && rows.length < 15, `${rows.length} rows`)
  t.ok(rows.some(([, ...cells]) => cells.every(text => text === 'no data')), 'a gap is a gap')
  await page.getByRole('radio', { name: '5 min', exact: true }).check()
  await until(() => chartTable(page), ([row]) =>
    row !== undefined && row.every(text => text !== 'no data'))
})

browserTest('console: a server that is down is red everywhere; a table nearly full says what to set', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  const page = await (await lab.newVisitor()).newPage()
  await stageNews(page, {
    servers: {
      8000: { active_users: 600 },
      8001: {
        active_users: 12,
        state: 'draining',
        drained_from: 431,
        state_since: new Date().toISOString(),
        drain: { note: 'new disk', moves_from: new Date(Date.now() - 1000).toISOString() }
      },
      8002: { active_users: 0, state: 'down', restarts: 4, state_since: new Date(Date.now() - 480_500).toISOString() }
    },
    table: { used: 612, size: 640 }
  })
  await logIn(page, cluster)
  await page.locator('.card.down').getByText('Down for 8 min').waitFor()
  await page.locator('.notice.down', { hasText: /8002 has been down since .* restarted 4 times/ }).waitFor()
  await page.locator('.notice.drain', { hasText: /95\.6 % full, 612 of 640.*MAX_USERS/ }).waitFor()
  const drained = page.locator('.card.drain', { hasText: 'users left of 431' })
  await drained.getByText('new disk · Everybody left moves now').waitFor()
  const [card] = await page.locator('.card.up').all()
  const last = card!.getByRole('button', { name: 'Drain 8000…' })
  t.equal(await last.getAttribute('aria-disabled'), 'true')
  await card!.getByText('The only server that takes visitors').waitFor()
  t.equal(await page.locator('.card.down').getByRole('button', { name: /Restart/ }).count(), 0)
  t.match(await textOf(page.locator('#totals')), /8000\s+only one available/)
  await page.locator('.legend', { hasText: /8002 down/ }).first().waitFor()
  await checkLooks(t, page, 'incident')
  for (const section of ['Users', 'Denied', 'Servers']) {
    await page.getByRole('link', { name: section }).first().click()
    t.equal(await textOf(page.locator('#nav-down')), '1 down', `seen from ${section}`)
  }
  await page.getByText('Draining, 12 users left').waitFor()
  await page.getByText('8000 is the only server that takes visitors').waitFor()
  const drain = page.getByRole('button', { name: 'Drain 8000…' })
  t.equal(await drain.getAttribute('aria-disabled'), 'true')
  await drain.click({ force: true })
  t.equal(await page.locator('dialog[open]').count(), 0)
  await checkLooks(t, page, 'servers')
})

browserTest('console: from nine servers on the overview has the table', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  const page = await (await lab.newVisitor()).newPage()
  const servers = Object.fromEntries(
    Array.from({ length: 9 }, (_, at) => [8000 + at, { active_users: at }]))
  await stageNews(page, { servers })
  await logIn(page, cluster)
  await page.locator('#cards-table tbody tr').nth(8).waitFor()
  t.equal(await page.locator('#cards').isVisible(), false)
  await checkLooks(t, page, 'nine servers')
})

browserTest('console: drains a server and makes it ready again', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  const first = cluster.ports[0]!
  const visit = await (await lab.newVisitor()).newPage()
  await visit.goto(urlOf(cluster.routingPort))
  await untilPageCounts(visit, 1)
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  await page.getByRole('link', { name: 'Servers' }).first().click()
  await page.getByRole('button', { name: `Drain ${first}…` }).click()
  const dialog = page.getByRole('dialog')
  t.match(await textOf(dialog), /keeps its 1 user/)
  await dialog.getByRole('button', { name: `Drain ${first}` }).click()
  await page.getByText('Draining, 1 user left').waitFor()
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const { servers } = (await operator.get('/stats')).json as { servers: Record<string, object> }
  t.match(servers[first], { state: 'draining', drained_from: 1 })
  await visit.close()
  await page.getByText('Empty, safe to stop').waitFor()
  await page.getByRole('button', { name: `Make ready ${first}` }).click()
  await page.getByRole('button', { name: `Drain ${first}…` }).waitFor()
})

browserTest('console: a question that follows another one at once is answered by itself', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  const [first] = cluster.ports as [number]
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  const card = page.locator('.card').nth(0)
  const drain = card.getByRole('button', { name: `Drain ${first}…`, exact: true })
  await drain.click()
  await page.getByRole('dialog').waitFor()
  // The browser says that a dialog has closed when this is over.
  await drain.evaluate((button: HTMLElement) => {
    document.getElementById('dialog-cancel')!.click()
    button.click()
  })
  await page.locator('#dialog-go').click()
  await card.getByText('Draining').first().waitFor()
})

browserTest('console: by keyboard from the card: drains with note and time, changes it, restarts, makes ready', async (t, lab) => {
  const cluster = await startSite(t, ADMIN)
  const [first] = cluster.ports as [number]
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, cluster)
  const card = page.locator('.card').nth(0)
  const press = async (name: string): Promise<void> => {
    await card.getByRole('button', { name, exact: true }).focus()
    await page.keyboard.press('Enter')
  }
  const dialog = page.getByRole('dialog')
  await press(`Drain ${first}…`)
  await dialog.waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await press(`Drain ${first}…`)
  await dialog.getByRole('radio', { name: 'Stay' }).focus()
  await page.keyboard.press('ArrowRight')
  t.match(await textOf(dialog), /Users who are left at \d\d:\d\d to\w+ move at their next request/)
  await page.keyboard.press('Tab')
  await page.keyboard.type('new disk')
  await checkBarriers(t, page, 'drain dialog')
  await page.keyboard.press('Enter')
  await card.getByText(/new disk · Everybody left moves at \d\d:\d\d/).waitFor()
  await checkLooks(t, page, 'drained card')

  await press(`Change the drain of ${first}…`)
  t.equal(await dialog.getByLabel(/^Note/).inputValue(), 'new disk')
  await dialog.getByRole('radio', { name: 'Now' }).check()
  await dialog.getByRole('button', { name: 'Change the drain' }).press('Enter')
  await card.getByText('new disk · Everybody left moves now').waitFor()

  await press(`Restart ${first}…`)
  await dialog.getByRole('button', { name: `Restart ${first}` }).press('Enter')
  await page.getByText(`${first} has been restarted.`).waitFor()
  await press(`Make ready ${first}`)
  await card.getByRole('button', { name: `Drain ${first}…` }).waitFor()
  t.equal(await card.getByText('new disk').isVisible(), false)

  await page.getByRole('link', { name: 'Audit' }).first().click()
  await page.getByText('new disk').first().waitFor()
})

browserTest('console: says that news have stopped, and goes on by itself after a restart', async (t, lab) => {
  lab.expectComplaint(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY|ERR_CONNECTION_RESET/)
  lab.expectComplaint(/50\d \(/)
  const cwd = workingFolder(t)
  const before = await startCluster(t, { ...ADMIN }, { cwd })
  const samePorts = {
    PORTS: before.ports.join(','),
    ROUTING_PORT: String(before.routingPort),
    MONITORING_PORT: String(before.monitoringPort)
  }
  const page = await (await lab.newVisitor()).newPage()
  await logIn(page, before)
  await page.locator('.rail .live', { hasText: 'Live' }).waitFor()
  await page.locator('.chart canvas').first().waitFor()
  const operator = new Operator(before)
  await operator.logIn('admin', PASSWORD)
  // The monitor has kept a load of the time before.
  await until(() => operator.get('/history?minutes=1'), ({ text }) => /"active_users":\[[^\]]*\d/.test(text))

  await before.stop()
  const stoppedStep = Math.floor(Date.now() / STEP_MS)
  await page.locator('#stale', { hasText: /Live updates stopped at .*What you see is .* old/ }).waitFor()
  t.ok(await page.locator('#totals').evaluate(totals => totals.closest('.stale-data') !== null))
  t.match(await textOf(page.locator('#summary')), /^As of/)
  await page.locator('#stale', { hasText: /The monitor does not answer\. Trying again/ }).waitFor()
  await checkLooks(t, page, 'stale')
  // Until the time without the program has a step of the chart to itself.
  await until(async () => Math.floor(Date.now() / STEP_MS), step => step > stoppedStep + 2)

  await startCluster(t, { ...ADMIN, ...samePorts }, { cwd })
  await page.locator('#stale').waitFor({ state: 'hidden' })
  await page.locator('.rail .live', { hasText: 'Live' }).waitFor()
  t.equal(await page.locator('.stale-data').count(), 0)
  const isGap = ([, ...cells]: readonly string[]): boolean =>
    cells.every(text => text === 'no data')
  const rows = await until(() => chartTable(page), shown =>
    shown.some(isGap) && !isGap(shown.at(-1)!))
  t.ok(rows.filter(isGap).length >= 2, 'the time without the program is a gap, and not a 0')
})
