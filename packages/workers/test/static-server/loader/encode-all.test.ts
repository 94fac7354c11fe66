import { readFileSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import t, { type Test } from 'tap'
import { isPacked } from '@usher/shared/http/files/compression.ts'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import { siteReply } from '../../../src/static-server/site-reply.ts'
import { loadSite, skippedIn } from '../fixtures/load-site.ts'
import { headerOf, testRequest } from '../fixtures/request.ts'

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('typescript'))
const TEXT = SOURCE.subarray(0, 20_000)
const NOW_S = 1_700_000_000
const HAS_ZSTD = 'zstdCompressSync' in zlib
/** As RFC 8878 has it: a frame of one raw block, whatever this Node knows. */
const ZSTD_ABC = Buffer.from('28b52ffd2003190000616263', 'hex')

function brotli (body: Buffer, quality: number): Buffer {
  return zlib.brotliCompressSync(body, {
    params: {
      [zlib.constants.BROTLI_PARAM_MODE]: zlib.constants.BROTLI_MODE_TEXT,
      [zlib.constants.BROTLI_PARAM_QUALITY]: quality,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length
    }
  })
}

/** Files with their age in seconds. */
function folder (
  t: Test, files: Readonly<Record<string, readonly [body: Buffer, ageS: number]>>
): string {
  const dir = t.testdir({})
  for (const [name, [body, ageS]] of Object.entries(files)) {
    writeFileSync(join(dir, name), body)
    utimesSync(join(dir, name), NOW_S - ageS, NOW_S - ageS)
  }
  return dir
}

t.test('encode all: what is compressed beside a file is sent in its place, unless it is older', async t => {
  const own = zlib.gzipSync(TEXT, { level: 1 })
  const dir = folder(t, {
    'app.js': [TEXT, 10],
    'app.js.br': [brotli(TEXT, 1), 9],
    'app.js.gz': [own, 10],
    'old.js': [TEXT, 10],
    'old.js.br': [brotli(TEXT, 1), 11],
    'old.js.gz': [own, 11]
  })
  const { files } = await loadSite(dir)
  const app = files.get('/app.js')!
  t.ok(app.variants.br!.body.equals(brotli(TEXT, 1)))
  t.ok(app.variants.gzip!.body.equals(own), 'of the same age: who unpacks an archive gives all one time')
  t.equal(app.variants.br!.body.buffer, files.get('/app.js.br')!.variants.identity.body.buffer, 'kept once')
  const old = files.get('/old.js')!
  t.ok(old.variants.br!.body.equals(brotli(TEXT, 11)))
  t.notOk(old.variants.gzip!.body.equals(own))
  t.equal(files.get('/app.js.gz')!.contentType, 'application/gzip', 'a download under its own name')
  t.equal(new Set([...Object.values(app.variants), ...Object.values(old.variants)]
    .filter(variant => variant !== undefined).map(({ etag }) => etag)).size, HAS_ZSTD ? 6 : 5, 'a tag for all bytes')
  t.strictSame(await skippedIn(dir), [])
})

t.test('encode all: what does not hold the same is named and not sent in its place', async t => {
  const other = Buffer.from('something else')
  const bomb = zlib.gzipSync(Buffer.alloc(50_000_000))
  const dir = folder(t, {
    'a.js': [TEXT, 10],
    'a.js.br': [brotli(other, 11), 1],
    'a.js.gz': [zlib.gzipSync(other), 1],
    'b.js': [SOURCE.subarray(0, 100_000), 10],
    'b.js.gz': [bomb, 1],
    'b.js.br': [Buffer.from('no brotli'), 1],
    'c.js': [Buffer.from('abc'), 10],
    'c.js.gz': [zlib.gzipSync('abc'), 1]
  })
  const { files } = await loadSite(dir)
  t.ok(files.get('/a.js')!.variants.br!.body.equals(brotli(TEXT, 11)))
  t.ok(zlib.gunzipSync(files.get('/b.js')!.variants.gzip!.body).equals(SOURCE.subarray(0, 100_000)))
  t.equal(files.get('/c.js')!.variants.gzip, undefined, 'larger than the file itself')
  const skipped = ['a.js.br', 'a.js.gz', 'b.js.br', 'b.js.gz'].map(name =>
    `${name} (does not hold what ${name.slice(0, 4)} does, so it is not sent in its place)`)
  t.strictSame([...await skippedIn(dir)].sort(), skipped)
  t.equal(files.get('/a.js.br')!.variants.identity.body.length, brotli(other, 11).length)
})

t.test('encode all: only texts are compressed, and whatever is compressed beside others is sent', async t => {
  const dir = folder(t, {
    'a.png': [TEXT, 0],
    'a.woff2': [TEXT, 0],
    'a.zip': [TEXT, 0],
    'a.mp4': [TEXT, 0],
    'a.wasm': [TEXT, 0],
    'a.wasm.br': [brotli(TEXT, 5), 0],
    'a.svg': [TEXT, 0]
  })
  const { files } = await loadSite(dir)
  const codings = (name: string): string => Object.values(files.get(name)!.variants)
    .filter(variant => variant !== undefined).map(({ coding }) => coding).join(' ')
  for (const name of ['/a.png', '/a.woff2', '/a.zip', '/a.mp4', '/a.wasm.br']) t.equal(codings(name), 'identity', name)
  t.equal(codings('/a.wasm'), 'identity br')
  t.equal(codings('/a.svg'), HAS_ZSTD ? 'identity br zstd gzip' : 'identity br gzip')
})

t.test('encode all: each client is sent the coding that it takes, and caches are told', async t => {
  const zst = Buffer.concat([ZSTD_ABC, Buffer.alloc(9)])
  const large = Buffer.alloc(70_000, 'large ')
  const dir = folder(t, {
    'a.js': [TEXT, 1],
    'large.json': [large, 1],
    'large.json.zst': [zst, 1],
    'large.json.br': [brotli(large, 5), 1]
  })
  const codings = codingChooser()
  const site = await loadSite(dir, { memoryFileMaxBytes: 65_536 })
  const sent = (path: string, accepted: string): string => {
    const reply = siteReply(site, testRequest(path, { headers: { 'accept-encoding': accepted } }), codings)
    t.equal(headerOf(reply, 'Vary'), 'Accept-Encoding')
    const coding = headerOf(reply, 'Content-Encoding') ?? 'identity'
    t.match(headerOf(reply, 'ETag'), new RegExp(`-${coding}"$`))
    return `${coding}${reply.part === undefined ? '' : ' from disk'}`
  }
  t.equal(sent('/a.js', 'gzip, deflate, br, zstd'), 'br')
  t.equal(sent('/a.js', 'zstd, gzip'), HAS_ZSTD ? 'zstd' : 'gzip')
  t.equal(sent('/a.js', 'gzip'), 'gzip')
  t.equal(sent('/large.json', 'zstd, gzip'), 'zstd', 'a packed one may be in memory')
  t.equal(sent('/large.json', 'br, gzip'), 'br')
  t.equal(sent('/large.json', 'gzip'), 'identity from disk')
  unlinkSync(join(dir, 'large.json.br'))
})

t.test('encode all: text is compressed as well as can be until the time for it is over', async t => {
  const [small, middle] = [SOURCE.subarray(0, 50_000), SOURCE.subarray(0, 200_000)]
  const easy = Buffer.alloc(2 * 2 ** 20 - 100_000, 'the same again\n')
  const dir = folder(t, { 'small.js': [small, 0], 'middle.js': [middle, 0], 'easy.txt': [easy, 0] })
  const load = async () => (await loadSite(dir)).files
  const [files, again] = [await load(), await load()]
  const br = (from: typeof files, name: string): Buffer => from.get(name)!.variants.br!.body
  t.ok(br(files, '/small.js').equals(brotli(small, 11)))
  t.ok(br(files, '/middle.js').equals(brotli(middle, 11)), 'the smallest first')
  t.ok(br(files, '/easy.txt').equals(brotli(easy, 9)))
  for (const name of ['/small.js', '/middle.js', '/easy.txt']) {
    t.equal(again.get(name)!.variants.br!.etag, files.get(name)!.variants.br!.etag, 'the same at each start')
  }
})

t.test('encode all: zstd is what Node says it is', async t => {
  t.equal(await isPacked(ZSTD_ABC, Buffer.from('abc'), 'zstd'), true)
  t.equal(await isPacked(Buffer.from('abc'), Buffer.from('abc'), 'zstd'), false)
  t.equal(await isPacked(ZSTD_ABC, Buffer.from('abd'), 'zstd'), !HAS_ZSTD, 'Node 20 cannot tell')
  t.equal(await isPacked(zlib.gzipSync(''), Buffer.alloc(0), 'gzip'), true)
})
