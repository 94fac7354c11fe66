/**
 * SIGHUP: what the running program takes over of its settings and pages. One program; each test
 * begins where the one before has left it.
 */
import { truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import type { LogLine } from '../scripts/kit/program.ts'
import { ask, startCluster, until, Visitor, workingFolder } from './cluster.ts'

const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
const PASSWORD = 'a password for a test'
const AT_START = { LOG_LEVEL: 'info', DELAY_BETWEEN_ROUTING: '60', HTML_DIRS: 'a,b,c' }
/** With any other file it is too much. */
const SITE_BYTES_MAX = 256 * 1024 * 1024

const cwd = workingFolder(t, { a: {}, b: {}, c: {} })
writePages('1')
writeSettings({})
const cluster = await startCluster(
  t, { CRASH_DIR: cwd, ADMIN_PASSWORD: PASSWORD, MEMORY_FILE_MAX: '256MiB' }, { cwd, nodeOptions: PRELOAD })
const [port] = cluster.ports as [number]

t.test('reload: all servers switch to their new pages', async t => {
  t.same(await pages(), ['a1', 'b1', 'c1'])
  writePages('2')
  await reload('all servers serve the files as they are now')
  t.same(await pages(), ['a2', 'b2', 'c2'])
})

t.test('reload: when a folder cannot be read no server switches and no setting changes', async t => {
  writePages('3')
  const large = join(cwd, 'c/large.bin')
  writeFileSync(large, '')
  truncateSync(large, SITE_BYTES_MAX)
  writeSettings({ LOG_LEVEL: 'silent' })
  const { err } = await reload('the reload failed: not every server could read its files, so pages and settings stay as they were')
  t.match(err, { code: 'USHER_SITE_TOO_LARGE' })
  t.same(await pages(), ['a2', 'b2', 'c2'])
  unlinkSync(large)
  writePages('2')
})

t.test('reload: a shorter wait is the next visitor\'s, a new log level every thread\'s', async t => {
  let isRedirected = false
  ask(cluster.routingPort).then(() => { isRedirected = true }, () => {})
  // A method that is refused at once: when it is answered, the loop has come round to both.
  await ask(cluster.routingPort, '/', { method: 'POST' })
  writeSettings({ LOG_LEVEL: 'debug', DELAY_BETWEEN_ROUTING: '0' })
  const { changes } = await reload('settings were changed')
  t.same(changes, ['LOG_LEVEL from info to debug', 'DELAY_BETWEEN_ROUTING from 60 to 0'])
  const talkers = ['coordinator', ...cluster.ports.map(port => `server ${port}`)]
  await until(
    () => new Visitor().enter(cluster), () => talkers.every(thread => debugLines(thread) > 0))
  t.notOk(isRedirected, 'who came under the longer wait keeps it')
})

t.test('reload: what replaces a dead worker has the new level', async t => {
  writeFileSync(join(cwd, `server ${port} exit`), '')
  await cluster.logged(/worker is up again/)
  const earlier = debugLines(`server ${port}`)
  await until(() => new Visitor().ask(port), () => debugLines(`server ${port}`) > earlier)
  t.same(await pages(), ['a2', 'b2', 'c2'])
})

t.test('reload: what needs a restart is named, the rest is changed', async t => {
  writeSettings({
    LOG_LEVEL: 'error', DELAY_BETWEEN_ROUTING: '0', MAX_USERS: '16', METRICS_TOKEN: 'x'.repeat(16)
  })
  const { changes } = await reload('settings were changed')
  t.same(changes, ['LOG_LEVEL from debug to error'])
  const [warning] = cluster.log.filter(({ msg }) => msg.includes('need a restart'))
  t.same(warning?.['settings'], ['MAX_USERS', 'METRICS_TOKEN'])
})

t.test('reload: wrong settings are named and change nothing, pages neither', async t => {
  writePages('4')
  writeSettings({ LOG_LEVEL: 'loud', DELAY_BETWEEN_ROUTING: '-1' })
  const { problems } = await reload('the reload failed: a setting is wrong, so pages and settings stay as they were')
  t.match(problems, [
    /^LOG_LEVEL \(usher.env line 1\) is "loud"; allowed: one of trace,/,
    /^DELAY_BETWEEN_ROUTING \(usher.env line 2\) is "-1"; allowed: 0 to 60 seconds$/
  ])
  t.same(await pages(), ['a2', 'b2', 'c2'])
  await new Visitor().enter(cluster) // Without a wait, still.
})

t.test('reload: the monitor hears of the level too', async t => {
  const operator = new Operator(cluster)
  t.equal((await operator.logIn('admin', PASSWORD)).status, 200)
  writeSettings({ DELAY_BETWEEN_ROUTING: '0' })
  await reload('settings were changed') // Said when all threads have it: the level was an error's.
  t.same(audited(), [], 'the login is not at the level of errors')
  await operator.post('/logout')
  t.same(audited(), ['logout'])
  t.equal(await cluster.stop(), 0)
})

function writePages (version: string): void {
  for (const site of ['a', 'b', 'c']) {
    writeFileSync(join(cwd, site, 'index.html'), `${site}${version}`)
  }
}

/** Those of the start, but for these. */
function writeSettings (changes: Record<string, string>): void {
  const lines = Object.entries({ ...AT_START, ...changes }).map(([name, text]) => `${name}=${text}\n`)
  writeFileSync(join(cwd, 'usher.env'), lines.join(''))
}

/** Resolves with the first line that says so from now on. */
async function reload (message: string): Promise<LogLine> {
  const earlier = cluster.log.length
  cluster.process.kill('SIGHUP')
  const line = await until(
    async () => cluster.log.slice(earlier).find(({ msg }) => msg === message),
    found => found !== undefined)
  return line!
}

function pages (): Promise<string[]> {
  return Promise.all(cluster.ports.map(async port => (await ask(port)).body))
}

function debugLines (thread: string): number {
  return cluster.log.filter(line => line['thread'] === thread && line['level'] === 20).length
}

function audited (): unknown[] {
  return cluster.log.filter(({ msg }) => msg === 'audit').map(line => line['action'])
}
