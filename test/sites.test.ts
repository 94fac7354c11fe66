/** Sites with rules of their own in the running program: the cases, bad lines, and a reload. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SITE_CASES, SITES, type SiteName } from '../packages/workers/test/static-server/cases/site-cases.ts'
import { writeSite } from '../packages/workers/test/static-server/fixtures/site-folder.ts'
import { ask, startCluster, until, Visitor, workingFolder } from './cluster.ts'

const NAMES = Object.keys(SITES) as SiteName[]
const ID = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const NEWCOMER = 'private, no-store'
const PROGRAM = new URL('../dist/coordinator.js', import.meta.url).pathname

const cwd = workingFolder(t, { 'usher.env': '' })
for (const name of NAMES) writeSite(join(cwd, name), SITES[name])
const cluster = await startCluster(t, { HTML_DIRS: NAMES.join(), DELAY_BETWEEN_ROUTING: '0' }, { cwd })
const portOf = (name: SiteName): number => cluster.ports[NAMES.indexOf(name)]!

t.test('sites: every case, for a visitor who is known and for a newcomer', async t => {
  for (const { by, rule, site, path, method = 'GET', headers = {}, status, body, has = {} } of SITE_CASES) {
    const name = `${site} ${path}: ${rule} (${by})`
    const known = await ask(portOf(site), path, { method, headers: { ...headers, cookie: ID } })
    t.equal(known.status, status, name)
    if (body !== undefined && method !== 'HEAD') t.equal(known.body, body, name)
    for (const [field, value] of Object.entries(has)) t.equal(known.headers[field], value, `${name}: ${field}`)

    const newcomer = await ask(portOf(site), path, { method, headers })
    t.equal(newcomer.status, status, name)
    const isGivenCookie = newcomer.headers['set-cookie'] !== undefined
    for (const [field, value] of Object.entries(has)) {
      const isOfPage = field === 'cache-control' && isGivenCookie
      t.equal(newcomer.headers[field], isOfPage ? NEWCOMER : value, `newcomer: ${name}: ${field}`)
    }
  }
})

t.test('sites: a page with the cookie is for no cache, whatever the rules say', async t => {
  const page = await ask(portOf('app'), '/index.html')
  t.match(String(page.headers['set-cookie']), /^client_id=/)
  t.equal(page.headers['cache-control'], NEWCOMER)
  t.equal(page.headers['cdn-cache-control'], undefined)
  t.equal(page.headers['x-frame-options'], 'DENY')
  const again = await ask(portOf('app'), '/index.html', { headers: { cookie: ID } })
  t.equal(again.headers['cdn-cache-control'], 'max-age=60')
})

t.test('sites: a visitor of a single-page app is routed with their path, counted once and shown the app', async t => {
  const visitor = new Visitor()
  const port = portOf('app')
  const first = await visitor.ask(port, '/cart/items/7')
  t.equal(first.status, 200)
  const users = Number((await visitor.ask(port, '/heartbeat')).headers['x-active-users'])
  t.equal((await visitor.ask(port, '/orders')).status, 200)
  t.equal((await visitor.ask(port, '/go/x')).headers['location'], '/x')
  t.equal(Number((await visitor.ask(port, '/heartbeat')).headers['x-active-users']), users)
})

t.test('sites: a reload with a bad line keeps the old site, all of it; one without takes it over', async t => {
  const write = (name: string, text: string): void => { writeFileSync(join(cwd, 'netlify', name), text) }
  const earlier = cluster.log.length
  write('index.html', 'new home')
  write('_redirects', '/news2 /blog\n/a /b\n/b /a\n')
  write('_headers', '/\n  X-New: yes\n  Content-Length: 7\n')
  cluster.process.kill('SIGHUP')
  const refused = await until(
    async () => cluster.log.slice(earlier).find(({ msg }) => msg.startsWith('the reload failed')),
    line => line !== undefined)
  const { code, message } = refused!['err'] as { code: string, message: string }
  t.equal(code, 'USHER_SITE_RULES_INVALID')
  // The log writes line feeds out.
  t.strictSame(message.split('\\n').map(line => line.replace(/.*\/netlify\//, '')), [
    '_headers line 3 names Content-Length, which is of the connection or the message itself, which the server sees to',
    '_redirects line 2 goes round in circles by way of line 3, for example from /a'
  ])
  const home = await ask(portOf('netlify'), '/')
  t.strictSame([home.body, home.headers['x-new']], ['home', undefined])
  t.match(home.headers['link'], /app\.css/)
  t.equal((await ask(portOf('netlify'), '/news2')).status, 404)

  const check = spawnSync(process.execPath, [PROGRAM, '--check', '--html-dirs', 'netlify'], { cwd, encoding: 'utf8' })
  t.equal(check.status, 1)
  t.match(check.stderr, /usher: \S+\/_headers line 3 names Content-Length.*\n\S+\/_redirects line 2 goes round/)
  t.match(check.stdout, /HTML_DIRS/)
  const start = spawnSync(process.execPath, [
    PROGRAM, '--html-dirs', 'netlify', '--ports', '0', '--routing-port', '0', '--monitoring-port', '0', '--log-file', '-'
  ], { cwd, encoding: 'utf8' })
  t.equal(start.status, 1)
  t.match(start.stderr, /_headers line 3 names Content-Length/)

  write('_redirects', '/news2 /blog\n')
  write('_headers', '/\n  X-New: yes\n')
  const between = cluster.log.length
  cluster.process.kill('SIGHUP')
  await until(
    async () => cluster.log.slice(between).some(({ msg }) => /serve the files as they are now/.test(msg)),
    isDone => isDone)
  const now = await ask(portOf('netlify'), '/')
  t.strictSame([now.body, now.headers['x-new'], now.headers['link']], ['new home', 'yes', undefined])
  t.equal((await ask(portOf('netlify'), '/news2')).headers['location'], '/blog')
  t.equal((await ask(portOf('cloudflare'), '/home301')).status, 301)
  const good = spawnSync(process.execPath, [PROGRAM, '--check', '--html-dirs', 'netlify'], { cwd, encoding: 'utf8' })
  t.strictSame([good.status, good.stderr], [0, ''])
})
