import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import type { Reply } from '@usher/shared/http/vocabulary/values.ts'
import { siteReply } from '../../../src/static-server/site-reply.ts'
import { checkSites, loadSites } from '../../../src/static-server/loader/load-sites.ts'
import { HeaderRules } from '../../../src/static-server/rules/header-rules.ts'
import { parseHeadersFile } from '../../../src/static-server/rules/headers-file.ts'
import { RedirectRules } from '../../../src/static-server/rules/redirect-rules.ts'
import { parseRedirectsFile } from '../../../src/static-server/rules/redirects-file.ts'
import { targetProblems } from '../../../src/static-server/rules/redirect-targets.ts'
import type { Site } from '../../../src/static-server/site.ts'
import { BAD_LINES } from '../cases/bad-lines.ts'
import { SITE_CASES, SITES, type SiteCase, type SiteFixture } from '../cases/site-cases.ts'
import { loadSite } from '../fixtures/load-site.ts'
import { testRequest } from '../fixtures/request.ts'
import { writeSite } from '../fixtures/site-folder.ts'

const codings = codingChooser()

async function openFixture (fixture: SiteFixture): Promise<Site> {
  return await loadSite(writeSite(t.testdir({}), fixture))
}

function ask (
  site: Site, { path, method = 'GET', headers = {} }: Pick<SiteCase, 'path' | 'method' | 'headers'>
): Reply {
  return siteReply(site, testRequest(path, { method, headers }), codings)
}

interface RefusedSite extends Error {
  readonly code: string
}

/** By lower-case name; a name that is there twice is an error. */
function headersOf ({ headers }: Reply): Map<string, string> {
  const found = new Map<string, string>()
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase()
    if (found.has(name)) throw new Error(`${name} is there twice`)
    found.set(name, headers[at + 1]!)
  }
  return found
}

t.test('rules: every case, by whose documentation decides it', async t => {
  const sites = new Map<string, Site>()
  for (const [name, fixture] of Object.entries(SITES)) sites.set(name, await openFixture(fixture))
  for (const { by, rule, ...request } of SITE_CASES.filter(({ isOwn }) => isOwn !== true)) {
    const reply = ask(sites.get(request.site)!, request)
    const name = `${request.site} ${request.path}: ${rule} (${by})`
    t.equal(reply.status, request.status, name)
    if (request.body !== undefined) t.equal(reply.body.toString(), request.body, name)
    const headers = headersOf(reply)
    for (const [field, value] of Object.entries(request.has ?? {})) {
      if (field !== 'content-length') t.equal(headers.get(field), value, `${name}: ${field}`)
    }
  }
})

t.test('rules: every bad line is named with its file and its number, at a check and at a load', async t => {
  for (const { file, text, line, what } of BAD_LINES) {
    const dir = t.testdir({ 'index.html': '', sub: { 'index.html': '' }, [file]: text })
    for (const read of [checkSites, loadSites]) {
      const error = await read([dir]).then(() => undefined, (error: RefusedSite) => error)
      const name = `${file} ${text.slice(0, 60)}`
      t.equal(error?.code, 'USHER_SITE_RULES_INVALID', name)
      const lines = error?.message.split('\n') ?? []
      t.ok(lines.every(text => text.startsWith(`${join(dir, file)} line `)), name)
      const said = lines.find(text => text.startsWith(`${join(dir, file)} line ${line} `))
      t.match(said, what, name)
    }
  }
})

t.test('rules: all that is wrong is said at once, and much of it shortened', async t => {
  const dir = t.testdir({ _headers: '/a\n  Date: x\n  Set-Cookie: x\n', _redirects: '/a\n/b /b\n' })
  const lines = await loadSites([dir]).then(() => [], ({ message }: Error) => message.split('\n'))
  const places = lines.map(text => text.slice(dir.length + 1).split(' ').slice(0, 3).join(' '))
  t.strictSame(places, ['_headers line 2', '_headers line 3', '_redirects line 1', '_redirects line 2'])
  const long = t.testdir({ _redirects: '/a\n'.repeat(60) })
  const many = await loadSites([long]).then(() => [], ({ message }: Error) => message.split('\n'))
  t.strictSame([many.length, many.at(-1)], [51, 'and 10 more'])
})

t.test('rules: files that cannot be read stop the load, rather than being left out', async t => {
  const linked = t.testdir({ 'index.html': '', _headers: t.fixture('symlink', 'nowhere') })
  await t.rejects(loadSites([linked]), { code: 'USHER_SITE_UNREADABLE', message: /_headers \(leads nowhere\)/ })
  const large = t.testdir({ _redirects: '#'.repeat(4 * 1024 * 1024 + 1) })
  await t.rejects(loadSites([large]), { code: 'USHER_SITE_RULES_INVALID', message: /has 4194305 bytes; 4194304 are allowed/ })
})

t.test('rules: in other folders than the root they are files like others', async t => {
  const site = await openFixture({ files: { 'sub/_headers': '/*\n  X-A: b', 'sub/_redirects': '/a /b', 'sub/x.txt': 'x' } })
  t.equal(ask(site, { path: '/sub/_headers' }).status, 200)
  t.notOk(headersOf(ask(site, { path: '/sub/x.txt' })).has('x-a'))
})

t.test('rules: both kinds of line ends and a byte order mark are read', async t => {
  const site = await openFixture({
    files: { 'index.html': '' }, headers: '\ufeff/*\r\n\tX-A: b\r\n', redirects: '\ufeff/a\t/b\t301\r\n\r\n/c /d'
  })
  t.equal(headersOf(ask(site, { path: '/' })).get('x-a'), 'b')
  t.strictSame([ask(site, { path: '/a' }).status, ask(site, { path: '/c' }).status], [301, 302])
})

t.test('rules: plain requests get one and the same reply object', async t => {
  const site = await openFixture(SITES.app)
  const pairs: ReadonlyArray<[string, string]> = [['/cart', '/orders/1'], ['/robots.txt', '/robots.txt'], ['/assets/none.js', '/assets/no.css']]
  for (const [one, other] of pairs) {
    const reply = ask(site, { path: one })
    t.equal(reply, ask(site, { path: other }), one)
    t.equal(reply.isKept, true, one)
  }
})

t.test('rules: a file that is read from the disk is as any other', async t => {
  const dir = writeSite(t.testdir({}), {
    files: { 'film.mp4': '0123456789', 'index.html': '' }, headers: '/*\n  X-A: b\n/watch/*\n  X-C: d\n', redirects: '/watch/* /film.mp4 200\n'
  })
  const site = await loadSite(dir, { memoryFileMaxBytes: 4 })
  for (const [path, field] of [['/film.mp4', undefined], ['/watch/1', 'd']] as const) {
    const reply = siteReply(site, testRequest(path, { headers: { range: 'bytes=2-5' } }), codings)
    const headers = headersOf(reply)
    t.strictSame([reply.status, headers.get('x-a'), headers.get('x-c'), headers.get('content-range')], [206, 'b', field, 'bytes 2-5/10'], path)
    t.strictSame([reply.part?.first, reply.part?.bytes], [2, 4], path)
  }
})

t.test('rules: a redirect to this site is the way to a page, one to another is not', async t => {
  const site = await openFixture(SITES.cloudflare)
  t.equal(ask(site, { path: '/home301' }).isPage, true)
  t.equal(ask(site, { path: '/twitch' }).isPage, false)
})

/** Words that rules are made of, and what may come between them. */
const WORDS = fc.constantFrom(
  '/', '/a', '/*', '/b/*', '/:x', '/:x/y', '/index.html', ':splat', '*', '200', '301', '302!', '404', 'a=:b', 'Country=de', '#', '!',
  'https://x.example/', '//x', '..', '%', '%2e', '\ud800', '\ufffd', '\r', '\u0000', 'X-A', 'X-A:', 'Set-Cookie:', ':', 'Link: </a>')
const TEXTS = fc.array(fc.array(fc.oneof(WORDS, fc.string()), { maxLength: 6 }), { maxLength: 8 })
  .chain(lines => fc.constantFrom(' ', '', '\t').map(gap => lines.map(words => words.join(gap)).join('\n')))

t.test('rules: any text is read to its end: as rules, or as problems with lines that are there', async t => {
  fc.assert(fc.property(TEXTS, text => {
    const count = text.split('\n').length
    for (const { problems } of [parseHeadersFile(text), parseRedirectsFile(text)]) {
      for (const { line, what } of problems) {
        if (line < 1 || line > count || what === '' || /[\p{Cc}]/u.test(what)) return false
      }
    }
    const { rules } = parseRedirectsFile(text)
    return targetProblems(rules, ['index.html']).every(({ line }) => rules.some(rule => rule.line === line))
  }), { numRuns: 2000 })
  t.pass()
})

t.test('rules: what is accepted never makes a field that a door refuses, or a way to another host', async t => {
  const FIELD = /^[\t\x20-\x7e]*$/
  const site = await openFixture({ files: { 'index.html': 'x', '404.html': 'y' } })
  fc.assert(fc.property(
    TEXTS, TEXTS, fc.array(fc.webPath().map(path => `/${path}`), { minLength: 1 }), fc.boolean(),
    (headersText, redirectsText, paths, isSplat) => {
      const headers = parseHeadersFile(headersText)
      const redirects = parseRedirectsFile(`${isSplat ? '/* /:splat 302\n/x /y' : ''}\n${redirectsText}`)
      // Without the paths that were refused: a site with such a line is not served.
      const headerRules = headers.rules
        .filter(({ path }) => path.head.length > 0 || path.splat !== undefined)
      const ruled: Site = {
        ...site,
        headerRules: new HeaderRules(headerRules),
        redirectRules: new RedirectRules(redirects.rules)
      }
      for (const path of paths) {
        const reply = ask(ruled, { path })
        const fields = headersOf(reply)
        if (![...fields.values()].every(value => FIELD.test(value))) return false
        const location = fields.get('location')
        const isAway = location !== undefined && !location.startsWith('https://x.example/') &&
          new URL(location, 'http://here.example').host !== 'here.example'
        if (isAway) return false
      }
      return true
    }), { numRuns: 1000 })
  t.pass()
})
