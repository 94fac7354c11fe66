import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { notFoundPage } from '../../src/static-server/site.ts'
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
  t.equal(notFoundPage(site, '/sub/gone'), site.files.get('/404.html'))
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
  t.strictSame([...counts, notFoundPage(site, '/')], [0, 0, 0, undefined])
})

t.test('site: what is not there has the page of its folder, or of the nearest one above', async t => {
  const page = () => ({ '404.html': '' })
  const site = await loadSite(t.testdir({ ...page(), a: { ...page(), b: { c: page() } }, 'x404.html': '' }))
  const cases: ReadonlyArray<[path: string, page: string]> = [
    ['/', '/404.html'], ['/gone', '/404.html'], ['/a', '/404.html'], ['/b/c/d/e', '/404.html'], ['//a/x', '/404.html'],
    ['/a/', '/a/404.html'], ['/a/x', '/a/404.html'], ['/a/b/x', '/a/404.html'], ['/a/b/c', '/a/404.html'],
    ['/a/b/c/', '/a/b/c/404.html'], ['/a/b/c/d/e/f', '/a/b/c/404.html']
  ]
  for (const [path, page] of cases) t.equal(notFoundPage(site, path), site.files.get(page), path)
  const below = await loadSite(t.testdir({ a: { '404.html': '' } }))
  t.equal(notFoundPage(below, '/gone'), undefined)
  t.equal(notFoundPage(below, '/a/gone'), below.files.get('/a/404.html'))
})

t.test('site: a loaded site does not change with its folder', async t => {
  const dir = t.testdir({ 'a.txt': 'old' })
  const site = await loadSite(dir)
  writeFileSync(join(dir, 'a.txt'), 'new')
  t.equal(site.files.get('/a.txt')!.variants.identity.body.toString(), 'old')
})
