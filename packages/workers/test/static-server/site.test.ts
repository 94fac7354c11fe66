import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadSite } from './fixtures/load-site.ts'

t.test('site: files answer to their paths, index.html also to its folder', async t => {
  const dir = t.testdir({
    'index.html': 'root',
    '404.html': 'gone',
    'page.html': 'page',
    '.env': 'secret',
    sub: { 'index.html': 'sub', 'a b.css': '', 'not-index.html': '' },
    plain: { 'x.txt': 'x', 'two\nlines "quoted".txt': '2' }
  })
  const site = await loadSite(dir)
  t.strictSame([...site.files.keys()].sort(), [
    '/', '/404.html', '/index.html', '/page.html', '/plain/two\nlines "quoted".txt', '/plain/x.txt',
    '/sub/', '/sub/a b.css', '/sub/index.html', '/sub/not-index.html'
  ])
  t.equal(site.files.get('/'), site.files.get('/index.html'))
  t.equal(site.files.get('/sub/')!.variants.identity.body.toString(), 'sub')
  t.equal(site.notFound, site.files.get('/404.html'))
  t.strictSame([...site.redirects], [['/sub', '/sub/']])
  t.strictSame([site.dir, site.bytes], [dir, 17])
})

t.test('site: redirects are percent-encoded and begin with a single slash', async t => {
  const page = () => ({ 'index.html': '' })
  const dir = t.testdir({
    'é ü': page(), 'a%2fb': page(), '\\evil.com': page(), 'a?b#c': { d: page() }, '@x:1': page()
  })
  const site = await loadSite(dir)
  t.strictSame(Object.fromEntries(site.redirects), {
    '/é ü': '/%C3%A9%20%C3%BC/',
    '/a%2fb': '/a%252fb/',
    '/\\evil.com': '/%5Cevil.com/',
    '/a?b#c/d': '/a%3Fb%23c/d/',
    '/@x:1': '/%40x%3A1/'
  })
})

t.test('site: a folder without pages is a site all the same', async t => {
  const site = await loadSite(t.testdir({}))
  const counts = [site.files.size, site.redirects.size, site.bytes]
  t.strictSame([...counts, site.notFound], [0, 0, 0, undefined])
})

t.test('site: a 404.html in a sub-folder is an ordinary file', async t => {
  const site = await loadSite(t.testdir({ sub: { '404.html': '' } }))
  t.equal(site.notFound, undefined)
  t.ok(site.files.has('/sub/404.html'))
})

t.test('site: a loaded site does not change with its folder', async t => {
  const dir = t.testdir({ 'a.txt': 'old' })
  const site = await loadSite(dir)
  writeFileSync(join(dir, 'a.txt'), 'new')
  t.equal(site.files.get('/a.txt')!.variants.identity.body.toString(), 'old')
})
