import { symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadSite, SITE_BYTES_MAX } from '../../src/static-server/site.ts'

const ENTRIES_MAX = 1000

t.test('site: files answer to their paths, index.html also to its folder', async t => {
  const dir = t.testdir({
    'index.html': 'root',
    '404.html': 'gone',
    'page.html': 'page',
    '.env': 'secret',
    sub: { 'index.html': 'sub', 'a b.css': '', 'not-index.html': '' },
    plain: { 'x.txt': 'x' }
  })
  const site = await loadSite(dir)
  t.strictSame([...site.files.keys()].sort(), [
    '/', '/404.html', '/index.html', '/page.html', '/plain/x.txt',
    '/sub/', '/sub/a b.css', '/sub/index.html', '/sub/not-index.html'
  ])
  t.equal(site.files.get('/'), site.files.get('/index.html'))
  t.equal(site.files.get('/sub/')!.variants.identity.body.toString(), 'sub')
  t.equal(site.notFound, site.files.get('/404.html'))
  t.strictSame([...site.redirects], [['/sub', '/sub/']])
  t.strictSame([site.dir, site.bytes, site.skipped.length], [dir, 16, 0])
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

t.test('site: its size is bounded, and what is too large is named', async t => {
  const dir = t.testdir({ 'a.txt': 'x'.repeat(60), sub: { 'b.bin': 'x'.repeat(40) } })
  t.equal((await loadSite(dir, { bytesMax: 100, entriesMax: ENTRIES_MAX })).bytes, 100)
  const cases: ReadonlyArray<[bytesMax: number, message: string]> = [
    [99, `${dir} has 0.01 MiB (100 bytes) in 2 files; a site may have 0.01 MiB (99 bytes)`],
    [59, `${join(dir, 'a.txt')} has 0.01 MiB (60 bytes); all files of a site together may have 0.01 MiB (59 bytes)`]
  ]
  for (const [bytesMax, message] of cases) {
    await t.rejects(loadSite(dir, { bytesMax, entriesMax: ENTRIES_MAX }), { code: 'USHER_SITE_TOO_LARGE', message })
  }
  t.equal(SITE_BYTES_MAX, 268_435_456)
})

t.test('site: a folder that is not there is named', async t => {
  const dir = join(t.testdir({}), 'missing')
  await t.rejects(loadSite(dir), { code: 'USHER_SITE_UNREADABLE', message: new RegExp(`^${dir} could not be read`) })
})

t.test('site: many files are all loaded', async t => {
  const files = Array.from({ length: 200 }, (_, at) => [`${at}.txt`, `body ${at}`])
  const dir = t.testdir(Object.fromEntries(files))
  const site = await loadSite(dir)
  t.equal(site.files.size, 200)
  for (const at of [0, 99, 199]) {
    t.equal(site.files.get(`/${at}.txt`)!.variants.identity.body.toString(), `body ${at}`)
  }
})

t.test('site: a file from the future was last modified now', async t => {
  const dir = t.testdir({ 'future.txt': '', 'past.txt': '' })
  const pastS = Date.UTC(2020, 0, 1) / 1000
  utimesSync(join(dir, 'past.txt'), pastS, pastS)
  utimesSync(join(dir, 'future.txt'), 4e9, 4e9)
  const site = await loadSite(dir)
  t.equal(site.files.get('/past.txt')!.lastModifiedMs, pastS * 1000)
  t.ok(site.files.get('/future.txt')!.lastModifiedMs! <= Date.now())
})

t.test('site: what was skipped is told', async t => {
  const dir = t.testdir({ 'outside.txt': 'secret', site: { 'a.txt': '' } })
  symlinkSync('../outside.txt', join(dir, 'site/out.txt'))
  const site = await loadSite(join(dir, 'site'))
  t.strictSame(site.skipped, ['out.txt (leads out of the folder or to a dotfile)'])
  t.notOk(site.files.has('/out.txt'))
})

t.test('site: a loaded site does not change with its folder', async t => {
  const dir = t.testdir({ 'a.txt': 'old' })
  const site = await loadSite(dir)
  writeFileSync(join(dir, 'a.txt'), 'new')
  t.equal(site.files.get('/a.txt')!.variants.identity.body.toString(), 'old')
})
