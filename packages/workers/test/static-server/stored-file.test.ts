import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { testFile } from './fixtures/load-site.ts'
import { headerOf } from './fixtures/request.ts'

const TEXT = Buffer.from('all the same words, again and again; '.repeat(100))
const MODIFIED_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

t.test('stored file: the extension decides the type and whether it is compressed', async t => {
  const cases: ReadonlyArray<[name: string, type: string, isText: boolean]> = [
    ['a.html', 'text/html; charset=utf-8', true],
    ['a.HTML', 'text/html; charset=utf-8', true],
    ['a.css', 'text/css; charset=utf-8', true],
    ['a.js', 'text/javascript; charset=utf-8', true],
    ['a.min.mjs', 'text/javascript; charset=utf-8', true],
    ['a.txt', 'text/plain; charset=utf-8', true],
    ['a.json', 'application/json; charset=utf-8', true],
    ['a.geojson', 'application/geo+json', true],
    ['a.xml', 'application/xml', true],
    ['a.rss', 'application/rss+xml', true],
    ['a.svg', 'image/svg+xml', true],
    ['a.webmanifest', 'application/manifest+json; charset=utf-8', true],
    ['a.wasm', 'application/wasm', false],
    ['a.png', 'image/png', false],
    ['a.woff2', 'font/woff2', false],
    ['a.nobodyknows', 'application/octet-stream', false],
    ['html', 'application/octet-stream', false],
    ['folder.html/plain', 'application/octet-stream', false]
  ]
  for (const [name, type, isText] of cases) {
    const file = await testFile(name, TEXT, MODIFIED_MS)
    t.equal(file.contentType, type, name)
    t.equal(file.variants.br !== undefined, isText, `${name} as br`)
    t.equal(file.variants.gzip !== undefined, isText, `${name} as gzip`)
    t.equal(file.isNegotiated, isText, name)
  }
})

t.test('stored file: variants hold the same content, at every size', async t => {
  for (const bytes of [TEXT.length, 128 * 1024, 128 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 1]) {
    const body = Buffer.alloc(bytes, TEXT)
    const { identity, br, gzip } = (await testFile('a.txt', body, MODIFIED_MS)).variants
    t.ok(identity.body.equals(body), `${bytes} plain`)
    t.ok(brotliDecompressSync(br!.body).equals(body), `${bytes} br`)
    t.ok(gunzipSync(gzip!.body).equals(body), `${bytes} gzip`)
  }
})

t.test('stored file: a variant that is not smaller is not kept', async t => {
  for (const text of ['', 'a', 'short']) {
    const { variants, isNegotiated } = await testFile('a.txt', Buffer.from(text), MODIFIED_MS)
    t.match(variants, { br: undefined, gzip: undefined })
    t.equal(isNegotiated, false)
    t.equal(headerOf(variants.identity.whole, 'Vary'), undefined)
  }
})

t.test('stored file: entity tags are strong, one per coding, and follow the content', async t => {
  const files = await Promise.all([
    testFile('a.txt', TEXT, MODIFIED_MS), testFile('a.txt', Buffer.concat([TEXT, TEXT]), MODIFIED_MS)
  ])
  const tags = files.flatMap(({ variants }) =>
    [variants.identity, variants.br!, variants.gzip!].map(({ etag }) => etag))
  t.equal(new Set(tags).size, 6)
  for (const tag of tags) t.match(tag, /^"[\w-]{22}-(identity|br|gzip)"$/)
  const again = await testFile('b.txt', TEXT, MODIFIED_MS + 1000)
  t.equal(again.variants.br!.etag, tags[1], 'equal bytes have equal tags')
})

t.test('stored file: its replies carry what caches need', async t => {
  const { variants } = await testFile('a.html', TEXT, MODIFIED_MS)
  for (const variant of [variants.identity, variants.br!, variants.gzip!]) {
    const { whole, notModified, coding, etag } = variant
    t.equal(whole.body, variant.body)
    t.strictSame(
      [whole.status, ...['Content-Type', 'ETag', 'Last-Modified', 'Cache-Control', 'Vary', 'Accept-Ranges', 'Content-Encoding']
        .map(name => headerOf(whole, name))],
      [200, 'text/html; charset=utf-8', etag, 'Fri, 02 Jan 2026 03:04:05 GMT', 'no-cache', 'Accept-Encoding', 'bytes',
        coding === 'identity' ? undefined : coding])
    t.strictSame(notModified.headers, ['ETag', etag, 'Cache-Control', 'no-cache', 'Vary', 'Accept-Encoding'])
    t.strictSame([notModified.status, notModified.body.length], [304, 0])
  }
})

t.test('stored file: dates are whole seconds, and may be missing', async t => {
  t.equal((await testFile('a.txt', TEXT, MODIFIED_MS)).lastModifiedMs, MODIFIED_MS - 678)
  const undated = await testFile('a.txt', TEXT, undefined)
  t.equal(undated.lastModifiedMs, undefined)
  t.equal(headerOf(undated.variants.identity.whole, 'Last-Modified'), undefined)
})

t.test('stored file: what is compressed already has one form, and says so', async t => {
  const body = gzipSync(TEXT)
  const { variants, isNegotiated, contentType } = await testFile('a.svgz', body, MODIFIED_MS)
  t.match(variants, { br: undefined, gzip: undefined })
  t.strictSame([isNegotiated, contentType], [false, 'image/svg+xml'])
  const { whole, etag } = variants.identity
  t.strictSame(['Content-Type', 'Content-Encoding', 'Vary'].map(name => headerOf(whole, name)), ['image/svg+xml', 'gzip', undefined])
  t.match(etag, /-gzip"$/)
  t.ok(whole.body.equals(body))
  const archive = (await testFile('a.gz', body, MODIFIED_MS)).variants.identity.whole
  t.strictSame(['Content-Type', 'Content-Encoding'].map(name => headerOf(archive, name)), ['application/gzip', undefined])
})
