import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import type { Reply, RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import { siteReply } from '../../src/static-server/site-reply.ts'
import type { Site } from '../../src/static-server/site.ts'
import { loadSite } from './fixtures/load-site.ts'
import { headerOf, testRequest } from './fixtures/request.ts'

const SECRET = 'nobody may read this'
const LONG = 'the same words over and over; '.repeat(50)

const testdir = t.testdir({
  'outside.txt': SECRET,
  site: {
    'index.html': LONG,
    '404.html': `nothing here; ${LONG}`,
    'ten.bin': '0123456789',
    'a b+c.txt': 'space',
    'é.txt': 'accent',
    '100%.txt': 'percent',
    '.env': SECRET,
    '.git': { config: SECRET },
    sub: { 'index.html': 'sub', 'x.txt': 'x', '.env': SECRET },
    plain: { 'x.txt': 'x' },
    evil: { 'index.html': 'evil' }
  },
  bare: { 'a.txt': 'a' }
})
symlinkSync('../outside.txt', join(testdir, 'site/out.txt'))
symlinkSync('..', join(testdir, 'site/up'))

const site = await loadSite(join(testdir, 'site'))
const bare = await loadSite(join(testdir, 'bare'))
const codings = codingChooser()

function ask (
  target: string, headers: RequestFields = {}, method = 'GET', from: Site = site
): Reply {
  return siteReply(from, testRequest(target, { headers, method }), codings)
}

t.test('file reply: paths that name no file are 404, in every spelling', async t => {
  const targets = [
    '/missing', '/index.html/', '/INDEX.HTML', '/plain', '/plain/', '/sub/missing', '/sub//', '//', '//sub/', '/sub//x.txt',
    '/../outside.txt', '/sub/../../outside.txt', '/..', '/.', '/./index.html', '/sub/../index.html', '/../../etc/passwd',
    '/%2e%2e%2foutside.txt', '/%2e%2e/outside.txt', '/..%2foutside.txt', '/sub/%2E%2E/%2E%2E/outside.txt', '/sub%2fx.txt',
    '/sub%2Findex.html', '/%2fevil/', '/..%5coutside.txt', '/..\\outside.txt', '/sub\\x.txt', '/sub%5cx.txt',
    '/%252e%252e%252foutside.txt', '/%252e%252e/outside.txt', '/%25%32%65%25%32%65/outside.txt', '/..%c0%afoutside.txt',
    '/%c0%ae%c0%ae/outside.txt', '/%e0%80%af', '/%f0%80%80%af', '/%ed%a0%80', '/%ff', '/%u002e%u002e/outside.txt',
    '/index.html%00', '/%00', '/index.html%00.txt', '/..%00/outside.txt', '/%', '/%z', '/%zz', '/%2', '/index.html%', '/100%.txt',
    '/.env', '/%2eenv', '/%2Eenv', '/.git/config', '/.git', '/.git/', '/sub/.env', '/.', '/out.txt', '/up/outside.txt', '/up/',
    '//evil', '//evil/', '//evil.com/%2e%2e', '/\\evil', '/\\evil.com/', '///evil/', '/index.html;x', '/index.html.', '/index.html%20',
    '/~root', '/C:/outside.txt', '/file:///etc/passwd', '/__proto__', '/constructor', '', '*',
    '/\xe9.txt', '/\xc3\xa9.txt', `/${'a'.repeat(100_000)}`, `/${'../'.repeat(30_000)}outside.txt`, `/${'%2e%2e%2f'.repeat(5000)}`,
    `/${'%'.repeat(50_000)}`
  ]
  for (const target of targets) {
    for (const method of ['GET', 'HEAD']) {
      const reply = ask(target, {}, method)
      t.equal(reply.status, 404, `${method} ${target.slice(0, 60)}`)
      t.notMatch(reply.body.toString(), SECRET)
      t.match(reply.body.toString(), 'nothing here')
    }
  }
})

t.test('file reply: paths that name a file are 200', async t => {
  const cases: ReadonlyArray<[target: string, body: string]> = [
    ['/', LONG], ['/index.html', LONG], ['/?query', LONG], ['/%69ndex.html', LONG], ['/sub/', 'sub'], ['/sub/index.html', 'sub'],
    ['/sub/x.txt', 'x'], ['/plain/x.txt', 'x'], ['/a%20b+c.txt', 'space'], ['/a%20b%2Bc.txt', 'space'],
    ['/%C3%A9.txt', 'accent'], ['/100%25.txt', 'percent'], ['/404.html', `nothing here; ${LONG}`], ['/evil/', 'evil']
  ]
  for (const [target, body] of cases) {
    const reply = ask(target)
    t.strictSame([reply.status, reply.body.toString()], [200, body], target)
  }
})

t.test('file reply: plain requests get one and the same reply object', async t => {
  t.equal(ask('/'), ask('/index.html'))
  t.equal(ask('/', { 'accept-encoding': 'br' }), ask('/', { 'accept-encoding': 'gzip, br' }))
})

t.test('file reply: a folder with a page is redirected to its slash, with the query', async t => {
  const cases: ReadonlyArray<[target: string, location: string]> = [
    ['/sub', '/sub/'], ['/s%75b', '/sub/'], ['/sub?a=%20b&c', '/sub/?a=%20b&c'], ['/sub?//evil.com', '/sub/?//evil.com'],
    ['/sub?\xe9 \r\nX: y', '/sub/?%E9%20%0D%0AX:%20y'], ['/evil', '/evil/']
  ]
  for (const [target, location] of cases) {
    const reply = ask(target)
    t.strictSame([reply.status, headerOf(reply, 'Location'), headerOf(reply, 'Cache-Control')], [301, location, 'no-cache'], target)
  }
})

t.test('file reply: the coding follows the request, and Vary says so', async t => {
  const cases: ReadonlyArray<[
    target: string, accept: string | undefined, coding: string | undefined, vary: boolean
  ]> = [
    ['/', undefined, undefined, true],
    ['/', 'gzip', 'gzip', true],
    ['/', 'gzip, deflate, br', 'br', true],
    ['/', 'identity;q=0', undefined, true],
    ['/', '*;q=0', undefined, true],
    ['/ten.bin', 'gzip, br', undefined, false],
    ['/sub/', 'gzip, br', undefined, false],
    ['/missing', 'gzip', 'gzip', true],
    ['/missing', undefined, undefined, true]
  ]
  const decode = { gzip: gunzipSync, br: brotliDecompressSync, undefined: (body: Buffer) => body }
  for (const [target, accept, coding, vary] of cases) {
    const reply = ask(target, accept === undefined ? {} : { 'accept-encoding': accept })
    t.equal(headerOf(reply, 'Content-Encoding'), coding, `${target} ${accept}`)
    t.equal(headerOf(reply, 'Vary'), vary ? 'Accept-Encoding' : undefined, `${target} ${accept}`)
    t.ok(decode[coding as keyof typeof decode](reply.body).equals(ask(target).body))
  }
})

t.test('file reply: conditions are judged on the chosen coding', async t => {
  const plain = headerOf(ask('/'), 'ETag')!
  const br = headerOf(ask('/', { 'accept-encoding': 'br' }), 'ETag')!
  const date = headerOf(ask('/'), 'Last-Modified')!
  t.not(plain, br)
  const cases: ReadonlyArray<[headers: RequestFields, status: number]> = [
    [{ 'if-none-match': plain }, 304],
    [{ 'if-none-match': br }, 200],
    [{ 'if-none-match': br, 'accept-encoding': 'br' }, 304],
    [{ 'if-none-match': `${plain}, ${br}`, 'accept-encoding': 'br' }, 304],
    [{ 'if-modified-since': date }, 304],
    [{ 'if-match': plain }, 200],
    [{ 'if-match': br }, 412],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 412]
  ]
  for (const [headers, status] of cases) {
    for (const method of ['GET', 'HEAD']) {
      t.equal(ask('/', headers, method).status, status, `${method} ${JSON.stringify(headers)}`)
    }
  }
  const notModified = ask('/', { 'if-none-match': br, 'accept-encoding': 'br' })
  t.strictSame(notModified.headers, ['ETag', br, 'Cache-Control', 'no-cache', 'Vary', 'Accept-Encoding'])
})

t.test('file reply: conditions and ranges do not apply where there is no file', async t => {
  const headers = { 'if-none-match': '*', 'if-match': '"x"', range: 'bytes=0-1' }
  for (const [target, status] of [['/missing', 404], ['/sub', 301]] as const) {
    t.equal(ask(target, headers).status, status, target)
  }
  t.strictSame([headerOf(ask('/missing'), 'ETag'), headerOf(ask('/missing'), 'Last-Modified')], [undefined, undefined])
})

t.test('file reply: ranges', async t => {
  const etag = headerOf(ask('/ten.bin'), 'ETag')!
  const date = headerOf(ask('/ten.bin'), 'Last-Modified')!
  const cases: ReadonlyArray<{
    headers: RequestFields
    method?: string
    status: number
    body?: string
    contentRange?: string
  }> = [
    { headers: { range: 'bytes=2-4' }, status: 206, body: '234', contentRange: 'bytes 2-4/10' },
    { headers: { range: 'bytes=-3' }, status: 206, body: '789', contentRange: 'bytes 7-9/10' },
    { headers: { range: 'bytes=0-' }, status: 206, body: '0123456789', contentRange: 'bytes 0-9/10' },
    { headers: { range: 'bytes=10-' }, status: 416, contentRange: 'bytes */10' },
    { headers: { range: 'bytes=1-2,4-5' }, status: 200, body: '0123456789' },
    { headers: { range: 'lines=1-2' }, status: 200, body: '0123456789' },
    { headers: { range: 'bytes=2-4' }, method: 'HEAD', status: 200, body: '0123456789' },
    { headers: { range: 'bytes=10-' }, method: 'HEAD', status: 200, body: '0123456789' },
    { headers: { range: 'bytes=2-4', 'if-range': etag }, status: 206, body: '234', contentRange: 'bytes 2-4/10' },
    { headers: { range: 'bytes=2-4', 'if-range': date }, status: 206, body: '234', contentRange: 'bytes 2-4/10' },
    { headers: { range: 'bytes=2-4', 'if-range': '"other"' }, status: 200, body: '0123456789' },
    { headers: { range: 'bytes=99-', 'if-range': `W/${etag}` }, status: 200, body: '0123456789' },
    { headers: { range: 'bytes=2-4', 'if-none-match': etag }, status: 304, body: '' },
    { headers: { range: 'bytes=99-', 'if-match': '"other"' }, status: 412 },
    { headers: { 'if-range': '"other"' }, status: 200, body: '0123456789' }
  ]
  for (const { headers, method, status, body, contentRange } of cases) {
    const reply = ask('/ten.bin', headers, method)
    const name = `${method ?? 'GET'} ${JSON.stringify(headers)}`
    t.strictSame([reply.status, headerOf(reply, 'Content-Range')], [status, contentRange], name)
    if (body !== undefined) t.equal(reply.body.toString(), body, name)
  }
  t.equal(headerOf(ask('/ten.bin'), 'Accept-Ranges'), 'bytes')
})

t.test('file reply: a range is one of the coded bytes', async t => {
  const whole = ask('/', { 'accept-encoding': 'br' })
  const part = ask('/', { 'accept-encoding': 'br', range: 'bytes=1-3' })
  t.ok(part.body.equals(whole.body.subarray(1, 4)))
  t.strictSame(
    ['Content-Encoding', 'ETag', 'Content-Range', 'Vary'].map(name => headerOf(part, name)),
    ['br', headerOf(whole, 'ETag'), `bytes 1-3/${whole.body.length}`, 'Accept-Encoding'])
})

t.test('file reply: a site without 404.html has a plain answer', async t => {
  const reply = ask('/missing', {}, 'GET', bare)
  t.strictSame([reply.status, headerOf(reply, 'Content-Type'), headerOf(reply, 'Cache-Control')],
    [404, 'text/plain; charset=utf-8', 'no-cache'])
  t.equal(ask('/', {}, 'GET', bare).status, 404, 'no listing')
})
