/** The tokens of programs in the console: made, copied and revoked, with the keyboard alone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Operator } from '../../scripts/kit/operator.ts'
import { ROOT, startCluster, until, workingFolder } from '../cluster.ts'
import { browserTest, SITE, startSite } from './browser.ts'
import { focused, openConsole, PASSWORD, SETTINGS, tabTo } from './console-page.ts'
import { checkLooks } from './looks.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'

browserTest('tokens: one is made, copied, used and revoked by keyboard alone', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  const context = await lab.newVisitor({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await openConsole(context, cluster, 'account')
  const table = page.locator('#tokens-table')
  await page.getByRole('heading', { name: 'Tokens' }).waitFor()
  t.equal(await table.isVisible(), false)

  await tabTo(page, 'token-name')
  await page.keyboard.type(HOSTILE)
  await page.keyboard.press('Tab')
  t.equal(await focused(page), 'token-days')
  await page.keyboard.press('ArrowUp') // From 90 days to 30.
  await page.keyboard.press('Tab') // "View", which is checked.
  for (let presses = 0; presses < 2; presses++) await page.keyboard.press('Tab')
  await page.keyboard.press('Space') // "Drain".
  await page.keyboard.press('Enter')
  await page.locator('#token-made').waitFor()
  t.equal(await focused(page), 'copy-token', 'what to do next has the focus')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  const token = await page.evaluate(() => navigator.clipboard.readText())
  t.match(token, /^usher_[\w-]{43}$/)
  t.equal(await page.locator('#token-text').innerText(), token)
  t.match(await page.locator('#token-made-text').innerText(), /valid until .*\. Copy it now: it is not shown again\.$/)
  t.equal(await page.locator('#token-name').inputValue(), '')

  const authorization = { authorization: `Bearer ${token}` }
  const program = new Operator(cluster)
  t.equal((await program.get('/metrics', authorization)).status, 200)
  t.match(await program.get('/audit', authorization), { status: 403 })
  const drained = await program.post(`/servers/${cluster.ports[0]}/drain`, { note: 'new disk' }, { headers: authorization })
  t.equal(drained.status, 200)

  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  t.equal(await page.locator('#token-made').isVisible(), false)
  t.equal(await page.locator('#token-text').textContent(), '', 'it is nowhere in the page any more')
  t.equal(await focused(page), 'title-tokens')
  await page.reload()
  const row = table.locator('tbody tr')
  await row.waitFor()
  const text = await row.innerText()
  t.match(text, HOSTILE, 'shown as text')
  t.match(text, /View.*Drain/s)
  t.match(text, /admin/)
  t.match(text, /(now|s ago) 127\.0\.0\.1/)

  const revoke = `Revoke ${HOSTILE}…`
  await tabTo(page, revoke)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: `Revoke the token ${HOSTILE}?` }).waitFor()
  t.equal(await focused(page), 'dialog-cancel')
  await checkLooks(t, page, 'the question before a token is revoked')
  await page.keyboard.press('Escape')
  t.equal((await program.get('/metrics', authorization)).status, 200)
  await until(() => focused(page), name => name === revoke)
  await page.keyboard.press('Enter')
  await tabTo(page, 'dialog-go')
  await page.keyboard.press('Enter')
  await page.getByText(`The token ${HOSTILE} is revoked.`).waitFor()
  t.match(await program.get('/metrics', authorization), { status: 401, json: { error: 'invalid_token' } })
  await until(() => table.isVisible(), isVisible => !isVisible)

  await page.evaluate(() => { location.hash = 'audit' })
  const audit = page.locator('#audit-rows')
  await audit.getByText(`made the token ${HOSTILE} for view and drain`).waitFor()
  await audit.getByText(`started draining ${cluster.ports[0]}, by the token ${HOSTILE}: new disk`).waitFor()
  await audit.getByText(`revoked the token ${HOSTILE}`).waitFor()
  t.notOk(cluster.log.some(line => JSON.stringify(line).includes(token)), 'the log has it nowhere')
})

browserTest('tokens: what is wrong stands beside its field, and nothing is lost', async (t, lab) => {
  const cluster = await startSite(t, SETTINGS)
  lab.expectComplaint(/409 \(Conflict\)/)
  const page = await openConsole(await lab.newVisitor(), cluster, 'account')
  const name = page.locator('#token-name')
  const make = page.getByRole('button', { name: 'Make token' })
  await name.fill('prometheus')
  await make.click()
  await page.locator('#token-made').waitFor()
  await name.fill('PROMETHEUS')
  await make.click()
  await page.getByRole('alert').getByText('There is a token "PROMETHEUS" already.').waitFor()
  t.equal(await name.inputValue(), 'PROMETHEUS')
  t.equal(await focused(page), 'token-name')
  await page.getByRole('checkbox', { name: /^View/ }).uncheck()
  await name.fill('another')
  await make.click()
  t.equal(await page.locator('#token-form input[value="view"]').evaluate(box =>
    (box as HTMLInputElement).validationMessage), 'Choose at least one thing that it may do.')
  t.equal(await page.locator('#tokens tr').count(), 1)
  await page.getByRole('checkbox', { name: /^Report/ }).check()
  await make.click()
  await until(() => page.locator('#tokens tr').count(), count => count === 2)
  t.equal(await page.locator('#token-form .error').count(), 0)
})

browserTest('tokens: the list and the form in every look, and nothing of it for a viewer', async (t, lab) => {
  const cwd = workingFolder(t, SITE)
  const cluster = await startCluster(t, { ...SETTINGS, HTML_DIRS: 'site' }, { cwd })
  for (const words of [['add', 'desk', '--permission', '0'], ['add', 'ben', '--permission', '1']]) {
    const child = spawn(process.execPath, [join(ROOT, 'dist/account.js'), ...words], { cwd })
    child.stdin.end(`${PASSWORD}\n`)
    await once(child, 'close')
  }
  const ben = await Operator.loggedIn(cluster, 'ben', PASSWORD)
  const scopes = ['view', 'disconnect', 'drain', 'report']
  await ben.post('/tokens', { name: 'a name that is as long as a name may be, 64 characters', scopes })
  await ben.post('/tokens', { name: 'shop-a', scopes: ['report'], days: 7 })
  const child = spawn(process.execPath, [join(ROOT, 'dist/account.js'), 'permission', 'ben', '0'], { cwd })
  await once(child, 'close')
  const page = await openConsole(await lab.newVisitor(), cluster, 'account')
  await page.locator('#token-name').fill('prometheus')
  await page.getByRole('button', { name: 'Make token' }).click()
  await page.locator('#token-made').waitFor()
  await until(() => page.locator('#tokens tr').count(), count => count === 3)
  t.equal(await page.locator('#tokens .tag.off').count(), 4, 'what its maker may no longer do')
  t.match(await page.locator('#tokens tr').last().innerText(), /Expires in 6 d 23 h/)
  await checkLooks(t, page, 'account, with tokens')
  const viewer = await openConsole(await lab.newVisitor(), cluster, 'account', 'desk')
  await viewer.locator('#sessions tr').first().waitFor()
  t.equal(await viewer.locator('#title-tokens').isVisible(), false)
})
