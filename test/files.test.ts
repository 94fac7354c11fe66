/** The servers' files in the running program: read once for all, whatever stands among them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { ask, startCluster, until, workingFolder, type Cluster } from './cluster.ts'

const SMALL_MEMORY = `--import=${new URL('fixtures/small-memory.mjs', import.meta.url).href}`
const CRASHES = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
const ALL_SERVE = /serve the files as they are now/
const MIB = 2 ** 20
/** No file is too large for it. */
const IN_MEMORY = { MEMORY_FILE_MAX: '256MiB' }
const FILES = 360
const FILE_BYTES = 200_000

/** As a page of prose: words in no order, which compress as prose does. */
function textOf (file: number): string {
  let seed = file + 1
  let text = ''
  while (text.length < FILE_BYTES) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    text += `${(seed >> 8) % 4096} `
  }
  return text.slice(0, FILE_BYTES)
}

function rssMib ({ process }: Cluster): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))!
  return Number(kib) / 1024
}

async function reload (cluster: Cluster, message: RegExp): Promise<Record<string, unknown>> {
  const earlier = cluster.log.length
  cluster.process.kill('SIGHUP')
  const line = await until(
    async () => cluster.log.slice(earlier).find(({ msg }) => message.test(msg)),
    found => found !== undefined)
  return line!
}

t.test('files: what cannot be served is named in one warning and stops nothing', async t => {
  const cwd = workingFolder(t, { 'usher.env': '', site: { 'index.html': 'here', sub: { 'a.txt': 'a' } } })
  const at = (name: string) => join(cwd, 'site', name)
  writeFileSync(Buffer.concat([Buffer.from(at('sub/bad-')), Buffer.from([0xff])]), 'x')
  mkdirSync(Buffer.concat([Buffer.from(at('folder-')), Buffer.from([0xfe])]))
  execFileSync('mkfifo', [at('pipe')])
  symlinkSync('nowhere', at('dangling'))
  symlinkSync('../usher.env', at('out.txt'))
  writeFileSync(at('picture.svgz'), gzipSync('<svg/>'))
  writeFileSync(at('old.html'), Buffer.from('<meta charset=windows-1252>caf\xe9', 'latin1'))
  const cluster = await startCluster(t, { HTML_DIRS: 'site' }, { cwd })
  const warnings = cluster.log.filter(({ msg }) => /cannot be served/.test(msg))
  t.equal(warnings.length, 1, 'for three servers')
  t.same([...warnings[0]!['some'] as string[]].sort(), [
    'dangling (leads nowhere)', 'folder-\\xfe (has a name that is not UTF-8)',
    'out.txt (leads out of the folder or to a dotfile)', 'pipe (is no regular file)',
    'sub/bad-\\xff (has a name that is not UTF-8)'
  ])
  const [port] = cluster.ports as [number]
  t.same([(await ask(port)).body, (await ask(port, '/sub/a.txt')).body], ['here', 'a'])
  const picture = await ask(port, '/picture.svgz')
  t.same([picture.headers['content-type'], picture.headers['content-encoding']], ['image/svg+xml', 'gzip'])
  t.equal((await ask(port, '/old.html')).headers['content-type'], 'text/html')
  t.same([(await ask(port, '/out.txt')).status, (await ask(port, '/pipe')).status], [404, 404])
})

t.test('files: a folder that three servers serve takes its memory once, and a reload frees it', async t => {
  const cwd = workingFolder(t, {
    site: { 'index.html': 'first', _headers: '/*\n  X-A: b\n/\n  X-B: c\n', _redirects: '/app/* /index.html 200\n' }
  })
  writeFileSync(join(cwd, 'site/large.bin'), Buffer.alloc(120 * MIB, 'x'))
  const cluster = await startCluster(t, { HTML_DIRS: 'site', CRASH_DIR: cwd, ...IN_MEMORY }, { cwd, nodeOptions: CRASHES })
  const baseMib = rssMib(cluster) - 120
  t.ok(baseMib > 60 && baseMib < 340, `${baseMib} MiB without the site`)
  for (const version of ['second', 'third', 'fourth']) {
    writeFileSync(join(cwd, 'site/index.html'), version)
    await reload(cluster, ALL_SERVE)
    const bodies = await Promise.all(cluster.ports.map(async port => (await ask(port)).body))
    t.same(bodies, [version, version, version])
    const shown = await ask(cluster.ports[0]!, '/app/x')
    t.same([shown.body, shown.headers['x-a'], shown.headers['x-b']], [version, 'b', undefined], 'by the rules')
    await until(async () => rssMib(cluster), mib => mib < baseMib + 120 + 60)
  }
  writeFileSync(join(cwd, 'site/index.html'), 'not read yet')
  const [port] = cluster.ports as [number]
  writeFileSync(join(cwd, `server ${port} exit`), '')
  await cluster.logged(/worker is up again/)
  t.equal((await ask(port)).body, 'fourth', 'what replaces a dead server serves what the others do')
})

t.test('files: 72 MB of text are taken over by a reload', async t => {
  const cwd = workingFolder(t, { site: { 'index.html': 'small' } })
  const cluster = await startCluster(t, { HTML_DIRS: 'site' }, { cwd })
  for (let file = 0; file < FILES; file++) {
    writeFileSync(join(cwd, 'site', `${file}.html`), textOf(file))
  }
  writeFileSync(join(cwd, 'site/index.html'), 'large')
  await reload(cluster, ALL_SERVE)
  const bodies = await Promise.all(cluster.ports.map(port => ask(port, `/${FILES - 1}.html`)))
  t.ok(bodies.every(({ body }) => body === textOf(FILES - 1)))
  const headers = { 'accept-encoding': 'br' }
  t.equal((await ask(cluster.ports[0]!, '/0.html', { headers })).headers['content-encoding'], 'br')
  t.equal((await ask(cluster.routingPort)).status, 302)
})

t.test('files: a site that does not fit in memory is refused in words, at the start and at a reload', async t => {
  const cwd = workingFolder(t, { site: { 'index.html': 'small' }, large: {} })
  writeFileSync(join(cwd, 'large/large.bin'), Buffer.alloc(100 * MIB))
  const refused = await startCluster(t, { HTML_DIRS: 'large', ...IN_MEMORY }, { cwd, nodeOptions: SMALL_MEMORY })
    .then(() => 'started', (error: Error) => error.message)
  t.match(refused, /need 100 MiB .* or more.* of the 256 MiB .* that this process may use, \d+(\.\d+)? MiB .* are left/)

  const cluster = await startCluster(t, { HTML_DIRS: 'site', ...IN_MEMORY }, { cwd, nodeOptions: SMALL_MEMORY })
  renameSync(join(cwd, 'large/large.bin'), join(cwd, 'site/large.bin'))
  writeFileSync(join(cwd, 'site/index.html'), 'large')
  const { err } = await reload(cluster, /the reload failed/)
  t.match(err, { code: 'USHER_SITE_TOO_LARGE', message: /need 100.01 MiB/ })
  t.equal((await ask(cluster.ports[0]!)).body, 'small')
  unlinkSync(join(cwd, 'site/large.bin'))
  await reload(cluster, ALL_SERVE)
  t.equal((await ask(cluster.ports[0]!)).body, 'large')
})
