import t from 'tap'
import { browserName } from '../../../monitor-script/kit/browser-name.ts'

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

t.test('browser name: browser and system, by the usual marks', async t => {
  const check = (userAgent: string, name: string): void => { t.equal(browserName(userAgent), name) }
  check(CHROME, 'Chrome on Linux')
  check(CHROME.replace('Chrome', 'HeadlessChrome'), 'Chrome on Linux')
  check(`${CHROME} Edg/140.0`, 'Edge on Linux')
  check(`${CHROME} OPR/120.0`, 'Opera on Linux')
  check('Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0', 'Firefox on Linux')
  check('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0', 'Firefox on Windows')
  check('Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1', 'Safari on iPhone')
  check('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 'Safari on macOS')
  check('Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', 'Chrome on Android')
})

t.test('browser name: what has no mark is shown as it came, and not at any length', async t => {
  t.equal(browserName('curl/8.14.1'), 'curl/8.14.1')
  t.equal(browserName('<b>x</b>'), '<b>x</b>')
  t.equal(browserName(''), 'Unknown browser')
  t.equal(browserName('x'.repeat(256)), `${'x'.repeat(40)}…`)
})
