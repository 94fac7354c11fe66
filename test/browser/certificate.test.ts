/** The console says that the certificate has expired, and that it is renewed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  EXPIRED_CERT, KEY, OTHER_CERT, OTHER_KEY
} from '../../packages/shared/test/fixtures/tls-pems.ts'
import { startCluster, workingFolder } from '../cluster.ts'
import { browserTest, SITE } from './browser.ts'
import { checkLooks } from './looks.ts'

const PASSWORD = 'a password for a test'

browserTest('certificate: an expired one is a notice, until it is renewed', async (t, lab) => {
  const cwd = workingFolder(t, { ...SITE, 'cert.pem': EXPIRED_CERT, 'key.pem': KEY })
  const cluster = await startCluster(t, {
    HTML_DIRS: 'site', ADMIN_PASSWORD: PASSWORD, TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem'
  }, { cwd })
  const page = await (await lab.newVisitor({ ignoreHTTPSErrors: true })).newPage()
  await page.goto(`${cluster.monitorUrl}/`)
  await page.getByLabel('Name').fill('admin')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  const notice = page.locator('.notice.down', { hasText: /The certificate has expired: \d+ \w+ 202[01]/ })
  await notice.getByText(/Renew the file of TLS_CERT, then send SIGHUP/).waitFor()
  await checkLooks(t, page, 'notice of a certificate')
  writeFileSync(join(cwd, 'cert.pem'), OTHER_CERT)
  writeFileSync(join(cwd, 'key.pem'), OTHER_KEY)
  cluster.process.kill('SIGHUP')
  await notice.waitFor({ state: 'detached' })
  t.ok(await page.locator('#notices').isHidden(), 'and the stream of updates goes on')
})
