/** The monitor's pages, with what is filled in. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadPages } from '../../../src/monitor/routes/pages.ts'

function program (t: Test): string {
  const dir = t.testdir()
  const pages = join(dir, 'html/monitor')
  mkdirSync(join(pages, 'assets'), { recursive: true })
  writeFileSync(join(pages, 'login.html'), 'login [__ERROR__]')
  writeFileSync(join(pages, 'password.html'), 'password [__ERROR__]')
  writeFileSync(join(pages, 'tracker.html'), 'console')
  writeFileSync(join(pages, 'no-permission.html'), '__USERNAME__ and __USERNAME__')
  writeFileSync(join(pages, 'continue.html'), 'url=__ADDRESS__ href="__ADDRESS__"')
  writeFileSync(join(pages, 'denied.html'), '__ADDRESS__ is denied')
  writeFileSync(join(pages, 'assets/usher.css'), 'b{}')
  return dir
}

t.test('pages: an error is a sentence of ours, whatever the address says', async t => {
  const pages = await loadPages(program(t))
  t.equal(pages.login(undefined), 'login []')
  t.match(pages.login('no_match'), /<p class="error" id="error" role="alert">Name and password do not/)
  t.match(pages.password('wrong_password'), /The current password is wrong\./)
  for (const code of ['<script>', 'toString', '__proto__', '']) {
    t.equal(pages.login(code), 'login []', code)
  }
})

t.test('pages: a name is text', async t => {
  const pages = await loadPages(program(t))
  t.equal(pages.noPermission('<b>$&'), '&lt;b&gt;$&amp; and &lt;b&gt;$&amp;')
  t.equal(pages.console(), 'console')
  t.equal(pages.continue('/?a="&'), 'url=/?a=&quot;&amp; href="/?a=&quot;&amp;"')
  t.equal(pages.denied('::1'), '::1 is denied')
  t.strictSame([...pages.assets.files.keys()], ['/usher.css'])
})
