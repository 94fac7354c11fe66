import {
  appendFileSync, chmodSync, closeSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync,
  readlinkSync, realpathSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, utimesSync,
  writeFileSync, writeSync
} from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import type { Reply, RequestFields, StreamedBody } from '@usher/shared/http/vocabulary/values.ts'
import { parseAddress } from '@usher/shared/client.ts'
import { goneReply, siteReply } from '../../src/static-server/site-reply.ts'
import { FileStreams, type FileStreamParts } from '../../src/static-server/file-streams.ts'
import { loadSites } from '../../src/static-server/loader/load-sites.ts'
import { openSite } from '../../src/static-server/site.ts'
import { until } from '../../../shared/test/http/fixtures/until.ts'
import { asNobody } from './fixtures/as-nobody.ts'
import { loadSite } from './fixtures/load-site.ts'
import { headerOf, testRequest } from './fixtures/request.ts'

const KIB = 1024
const MIB = 2 ** 20
const MEMORY_FILE_MAX_BYTES = 64 * KIB
/** In whole seconds, so that it can be set again exactly. */
const PAST_S = 1_000_000_000
/** Some pieces and a bit. */
const BYTES = 300 * KIB + 7

const codings = codingChooser()

function content (letter: string): Buffer {
  return Buffer.alloc(BYTES, `${letter}${'0123456789'.repeat(3)}`)
}

async function readAll (body: StreamedBody): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let left = body.bytes; left > 0;) {
    const piece = await body.next()
    pieces.push(Buffer.from(piece))
    left -= piece.length
  }
  body.close()
  return Buffer.concat(pieces)
}

/** A folder with one large file and a page for what is not there, as a server serves it. */
async function testSite (t: Test, parts: Partial<FileStreamParts> = {}) {
  const dir = realpathSync(t.testdir({
    site: { '404.html': 'not here', 'index.html': 'page', media: {} }, outside: {}
  }))
  const path = join(dir, 'site/media/film.mp4')
  writeFileSync(path, content('a'))
  utimesSync(path, PAST_S, PAST_S)
  const lines: object[] = []
  const warn = (line: object): void => { lines.push(line) }
  const streams = new FileStreams({ log: { warn }, ...parts })
  const load = () => loadSite(join(dir, 'site'), { memoryFileMaxBytes: MEMORY_FILE_MAX_BYTES })
  const state = { site: await load() }
  const ask = async (
    headers: RequestFields = {}, method = 'GET', target = '/media/film.mp4', address = '192.0.2.7'
  ): Promise<Reply> => {
    const request = testRequest(target, { headers, method, address: parseAddress(address)! })
    const { part, ...reply } = siteReply(state.site, request, codings)
    if (part === undefined) return reply
    const gone = () => goneReply(state.site, request, codings)
    return await streams.open({ ...reply, part }, request, gone)
  }
  const reload = async (): Promise<void> => {
    state.site = await load()
  }
  return { dir, path, lines, streams, ask, reload }
}

/** How often this process has the file open. */
function openCount (path: string): number {
  return readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
    } catch {
      return false
    }
  }).length
}

/** The closing of a file is not waited for by anybody. */
async function closed (path: string): Promise<void> {
  await until(() => openCount(path) === 0)
}

t.test('file streams: the whole, a part and the head of a file', async t => {
  const { ask, path, lines, streams } = await testSite(t)
  const whole = await ask()
  t.equal(whole.status, 200)
  t.strictSame([headerOf(whole, 'Content-Type'), headerOf(whole, 'Accept-Ranges')], ['video/mp4', 'bytes'])
  t.match(headerOf(whole, 'ETag'), /^"[\w-]{22}-identity"$/, 'a strong tag')
  t.notOk('part' in whole)
  t.equal(whole.isKept, false)
  t.ok((await readAll(whole.streamed!)).equals(content('a')))
  const cases: ReadonlyArray<[range: string, first: number, last: number]> = [
    ['bytes=0-0', 0, 0], ['bytes=65530-65545', 65530, 65545], ['bytes=-5', BYTES - 5, BYTES - 1],
    [`bytes=${BYTES - 1}-`, BYTES - 1, BYTES - 1], ['bytes=1-', 1, BYTES - 1], [`bytes=7-${BYTES + 9}`, 7, BYTES - 1]
  ]
  for (const [range, first, last] of cases) {
    const part = await ask({ range })
    t.equal(part.status, 206, range)
    t.equal(headerOf(part, 'Content-Range'), `bytes ${first}-${last}/${BYTES}`)
    t.equal(part.streamed!.bytes, last - first + 1)
    t.ok((await readAll(part.streamed!)).equals(content('a').subarray(first, last + 1)), range)
  }
  const head = await ask({}, 'HEAD')
  t.equal(head.streamed!.bytes, BYTES)
  head.streamed!.close()
  head.streamed!.close()
  await closed(path)
  t.equal(streams.count, 0)
  t.strictSame(lines, [])
})

t.test('file streams: conditions are answered without the file, and If-Range takes its tag', async t => {
  const { ask, path } = await testSite(t)
  const first = await ask()
  first.streamed!.close()
  const [etag, date] = ['ETag', 'Last-Modified'].map(name => headerOf(first, name)!) as [string, string]
  const cases: ReadonlyArray<[headers: RequestFields, status: number]> = [
    [{ 'if-none-match': etag }, 304], [{ 'if-modified-since': date }, 304], [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': etag }, 200], [{ range: 'bytes=0-9', 'if-range': etag }, 206],
    [{ range: 'bytes=0-9', 'if-range': `W/${etag}` }, 200], [{ range: 'bytes=0-9', 'if-range': '"other"' }, 200],
    [{ range: `bytes=${BYTES}-` }, 416], [{ range: 'bytes=0-1,5-6' }, 200]
  ]
  for (const [headers, status] of cases) {
    const reply = await ask(headers)
    t.equal(reply.status, status, JSON.stringify(headers))
    t.equal(reply.streamed !== undefined, status === 200 || status === 206)
    reply.streamed?.close()
  }
  await closed(path)
})

t.test('file streams: a loaded file keeps its tag, and each change gives another', async t => {
  const { ask, path, reload } = await testSite(t)
  const tag = async (): Promise<string> => {
    await reload()
    const reply = await ask({}, 'HEAD')
    reply.streamed!.close()
    return headerOf(reply, 'ETag')!
  }
  const tags = [await tag()]
  t.equal(await tag(), tags[0])
  const changes: ReadonlyArray<() => void> = [
    () => { writeFileSync(path, content('b')) },
    () => { utimesSync(path, PAST_S, PAST_S) },
    () => {
      writeFileSync(path, content('c'))
      utimesSync(path, PAST_S, PAST_S)
    },
    () => {
      writeFileSync(`${path}.new`, content('d'))
      utimesSync(`${path}.new`, PAST_S, PAST_S)
      renameSync(`${path}.new`, path)
    },
    () => { truncateSync(path, BYTES - 1) }
  ]
  for (const change of changes) {
    change()
    tags.push(await tag())
  }
  t.equal(new Set(tags).size, tags.length)
})

t.test('file streams: what is not as it was loaded is 404, and said once', async t => {
  type Change = (path: string, dir: string) => void
  const secretly: Change = path => {
    writeFileSync(path, content('b'))
    utimesSync(path, PAST_S, PAST_S)
  }
  const cases: ReadonlyArray<[what: string, change: Change]> = [
    ['written over', path => { writeFileSync(path, content('b')) }],
    ['written over, its time put back', secretly],
    ['longer', path => { appendFileSync(path, 'b') }],
    ['shorter', path => { truncateSync(path, BYTES - 1) }],
    ['gone', path => { unlinkSync(path) }],
    ['another file', path => {
      writeFileSync(`${path}.new`, content('b'))
      renameSync(`${path}.new`, path)
    }],
    ['a link out', (path, dir) => {
      renameSync(path, join(dir, 'outside/film.mp4'))
      symlinkSync('../../outside/film.mp4', path)
    }],
    ['in a folder that is a link out now', (_path, dir) => {
      renameSync(join(dir, 'site/media'), join(dir, 'outside/media'))
      symlinkSync('../outside/media', join(dir, 'site/media'))
    }],
    ['a folder', path => {
      unlinkSync(path)
      mkdirSync(path)
    }]
  ]
  for (const [what, change] of cases) {
    const { ask, path, dir, lines, streams } = await testSite(t)
    change(path, dir)
    for (const method of ['GET', 'HEAD', 'GET']) {
      const reply = await ask({ range: 'bytes=0-9' }, method)
      t.equal(reply.status, 404, what)
      t.equal(reply.body.toString(), 'not here', 'the site\'s own page')
      t.equal(reply.streamed, undefined)
    }
    t.match(lines, [{ file: path, reason: 'has changed' }], what)
    t.equal(lines.length, 1)
    t.equal(streams.count, 0)
    await closed(path)
  }
})

t.test('file streams: a file that may not be read any more is 404', { skip: process.platform !== 'linux' }, async t => {
  const { ask, path, lines } = await testSite(t)
  chmodSync(path, 0)
  t.equal((await asNobody(() => ask())).status, 404)
  t.match(lines, [{ file: path, reason: 'may not be read' }])
})

t.test('file streams: a change is served after a reload', async t => {
  const { ask, path, reload } = await testSite(t)
  writeFileSync(path, content('b'))
  t.equal((await ask()).status, 404)
  await reload()
  t.ok((await readAll((await ask()).streamed!)).equals(content('b')))
})

t.test('file streams: what changes while it is sent ends there, and nothing of the new is sent', async t => {
  const changes: ReadonlyArray<[what: string, change: (path: string) => void]> = [
    ['written over', path => { writeFileSync(path, content('b')) }],
    ['one byte written', path => {
      const fd = openSync(path, 'r+')
      writeSync(fd, 'b', BYTES - 1)
      closeSync(fd)
    }],
    ['shorter', path => { truncateSync(path, 70_000) }],
    ['empty', path => { truncateSync(path, 0) }],
    ['longer', path => { appendFileSync(path, 'b') }]
  ]
  for (const [what, change] of changes) {
    const { ask, path, lines } = await testSite(t)
    const bodies = [(await ask()).streamed!, (await ask()).streamed!]
    t.ok((await bodies[0]!.next()).equals(content('a').subarray(0, 262_144)))
    change(path)
    for (const body of bodies) {
      await t.rejects(body.next(), what)
      body.close()
    }
    t.match(lines, [{ file: path, reason: 'has changed' }])
    t.equal(lines.length, 1, 'once for both')
    await closed(path)
  }
})

t.test('file streams: whose name is replaced or removed is sent to its end', async t => {
  const changes: ReadonlyArray<(path: string, dir: string) => void> = [
    path => { unlinkSync(path) },
    (_path, dir) => { rmSync(join(dir, 'site'), { recursive: true }) },
    path => {
      writeFileSync(`${path}.new`, content('b'))
      renameSync(`${path}.new`, path)
    },
    (path, dir) => { linkSync(path, join(dir, 'outside/backup.mp4')) }
  ]
  for (const change of changes) {
    const { ask, path, dir, lines } = await testSite(t)
    const { streamed } = await ask()
    const [first] = [Buffer.from(await streamed!.next())]
    change(path, dir)
    const pieces = [first!]
    for (let bytes = first!.length; bytes < BYTES; bytes += pieces.at(-1)!.length) {
      pieces.push(Buffer.from(await streamed!.next()))
    }
    streamed!.close()
    t.ok(Buffer.concat(pieces).equals(content('a')))
    t.strictSame(lines, [])
    await closed(path)
  }
})

/** Writes over the file, in place, when it is told to, and says so before and after. */
const WRITER = `
  const { openSync, writeSync, closeSync } = require('node:fs')
  const { parentPort, workerData: { path, bytes } } = require('node:worker_threads')
  const next = Buffer.alloc(bytes, 'z')
  parentPort.on('message', spins => {
    const fd = openSync(path, 'r+')
    for (let spin = 0; spin < spins; spin++) Math.sqrt(spin)
    for (let at = 0; at < bytes; at += 4096) writeSync(fd, next, at, Math.min(4096, bytes - at), at)
    closeSync(fd)
    parentPort.postMessage('done')
  })
  parentPort.postMessage('up')
`

t.test('file streams: never half old and half new, at whatever moment another thread writes', async t => {
  const { ask, path, reload } = await testSite(t)
  const writer = new Worker(WRITER, { eval: true, workerData: { path, bytes: BYTES } })
  t.teardown(() => writer.terminate())
  const said = (): Promise<unknown> => new Promise(resolve => writer.once('message', resolve))
  await said()
  const rounds = 150
  const ends = { whole: 0, cut: 0 }
  for (let round = 0; round < rounds; round++) {
    writeFileSync(path, content('a'))
    await reload()
    const { streamed } = await ask()
    const written = said()
    writer.postMessage(round * 1500)
    const pieces: Buffer[] = []
    try {
      for (let left = BYTES; left > 0; left -= pieces.at(-1)!.length) {
        pieces.push(Buffer.from(await streamed!.next()))
      }
      ends.whole++
    } catch {
      ends.cut++
    }
    streamed!.close()
    await written
    const sent = Buffer.concat(pieces)
    if (!sent.equals(content('a').subarray(0, sent.length))) t.fail(`round ${round}: new content was sent`)
  }
  t.equal(ends.whole + ends.cut, rounds)
})

t.test('file streams: one descriptor for all who are sent a file', { skip: process.platform !== 'linux' }, async t => {
  const { ask, path, streams } = await testSite(t)
  const replies = await Promise.all(Array.from({ length: 100 }, () => ask()))
  t.equal(openCount(path), 1)
  t.equal(streams.count, 100)
  for (const { streamed } of replies.slice(1)) streamed!.close()
  t.ok((await readAll(replies[0]!.streamed!)).equals(content('a')))
  await closed(path)
  t.equal(streams.count, 0)
})

t.test('file streams: above the bound it is 503, until one has left', async t => {
  const { ask } = await testSite(t, { streamsMax: 3 })
  const bodies = (await Promise.all([ask(), ask(), ask()])).map(({ streamed }) => streamed!)
  const busy = await ask()
  t.equal(busy.status, 503)
  t.strictSame([headerOf(busy, 'Retry-After'), headerOf(busy, 'Cache-Control')], ['5', 'no-store'])
  t.equal((await ask({}, 'GET', '/index.html')).body.toString(), 'page', 'what is in memory is served')
  bodies[1]!.close()
  bodies[1]!.close()
  const next = await ask()
  t.equal(next.status, 200)
  t.equal((await ask()).status, 503)
})

t.test('file streams: when they run short a network may have its quota, and others have the rest', async t => {
  const { ask } = await testSite(t, { streamsMax: 64 })
  const statuses = async (count: number, address: string) =>
    (await Promise.all(Array.from({ length: count }, () => ask({}, 'GET', '/media/film.mp4', address))))
      .filter(({ status }) => status === 200).length
  t.equal(await statuses(60, '192.0.2.1'), 32, 'half of them')
  t.equal(await statuses(40, '192.0.2.2'), 16)
  t.equal(await statuses(40, '192.0.2.3'), 16)
  t.equal(await statuses(1, '192.0.2.4'), 0)
})

t.test('file streams: the last descriptors are kept back', async t => {
  const { ask, path, lines, streams } = await testSite(t, { descriptorLimit: 32 })
  t.equal((await ask()).status, 503)
  t.equal(streams.count, 0)
  t.strictSame(lines, [])
  await closed(path)
})

t.test('file streams: large files take no memory and no room, and have the type of their beginning', async t => {
  const dir = t.testdir({ 'index.html': 'page' })
  const sparse = (name: string, bytes: number, head = ''): void => {
    writeFileSync(join(dir, name), head)
    truncateSync(join(dir, name), bytes)
  }
  sparse('disk.iso', 2 ** 33)
  sparse('page.html', 5 * MIB, '<meta charset=windows-1252>')
  sparse('map.svgz', 5 * MIB, gzipSync('<svg/>').toString('latin1'))
  writeFileSync(join(dir, 'map.svgz'), Buffer.concat([gzipSync('<svg/>'), Buffer.alloc(5 * MIB)]))
  writeFileSync(join(dir, 'edge.bin'), Buffer.alloc(4 * MIB))
  writeFileSync(join(dir, 'over.bin'), Buffer.alloc(4 * MIB + 1))
  const found: number[] = []
  const loaded = await loadSites([dir], {
    memoryFileMaxBytes: 4 * MIB, bytesMax: 4 * MIB + 4, onFound: bytes => { found.push(bytes) }
  })
  t.strictSame(found, [4 * MIB + 4])
  t.ok(loaded.memory.bytes < 5 * MIB, `${loaded.memory.bytes} bytes`)
  const { files } = await openSite(dir, loaded)
  const facts = (path: string) => {
    const { contentType, variants: { identity } } = files.get(path)!
    return [contentType, identity.coding, identity.bytes, identity.whole.part?.bytes]
  }
  t.strictSame(facts('/disk.iso'), ['application/x-iso9660-image', 'identity', 2 ** 33, 2 ** 33])
  t.strictSame(facts('/page.html'), ['text/html', 'identity', 5 * MIB, 5 * MIB])
  t.strictSame(facts('/map.svgz').slice(0, 2), ['image/svg+xml', 'gzip'])
  t.strictSame(facts('/edge.bin').slice(2), [4 * MIB, undefined])
  t.strictSame(facts('/over.bin').slice(2), [4 * MIB + 1, 4 * MIB + 1])
  t.ok(files.get('/edge.bin')!.variants.identity.body.equals(readFileSync(join(dir, 'edge.bin'))))
})
