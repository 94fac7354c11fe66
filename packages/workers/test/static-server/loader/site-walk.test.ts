import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findFiles, SITE_ENTRIES_MAX } from '../../../src/static-server/loader/site-walk.ts'
import { asNobody } from '../fixtures/as-nobody.ts'

async function pathsIn (dir: string): Promise<string[]> {
  const { files } = await findFiles(dir, SITE_ENTRIES_MAX)
  return files.map(file => file.path).sort()
}

t.test('site walk: finds files in folders, with size and time, and no dotfiles', async t => {
  const dir = t.testdir({
    'index.html': 'four',
    '.env': 'secret',
    '.git': { config: 'secret' },
    sub: { 'a b.css': '', '.hidden': 'secret', deep: { 'x.js': 'x' }, empty: {} }
  })
  t.strictSame(await pathsIn(dir), ['index.html', 'sub/a b.css', 'sub/deep/x.js'])
  const { files, skipped } = await findFiles(dir, SITE_ENTRIES_MAX)
  const index = files.find(file => file.path === 'index.html')!
  t.equal(index.bytes, 4)
  t.equal(index.modifiedMs, Math.floor(statSync(join(dir, 'index.html')).mtimeMs))
  t.strictSame(skipped, [], 'dotfiles are no news')
})

t.test('site walk: finds .well-known in the folder itself, and no other dotfile in or under it', async t => {
  const dir = t.testdir({
    '.well-known': { 'security.txt': '', '.hidden': 'secret', 'acme-challenge': { token: '' }, '.well-known': { 'a.txt': '' } },
    sub: { '.well-known': { 'a.txt': 'secret' } },
    '.well-known-too': { 'a.txt': 'secret' },
    outside: {}
  })
  symlinkSync('.well-known/security.txt', join(dir, 'security.txt'))
  symlinkSync('.well-known/.hidden', join(dir, 'hidden.txt'))
  symlinkSync('sub/.well-known', join(dir, 'linked'))
  t.strictSame(await pathsIn(dir), ['.well-known/acme-challenge/token', '.well-known/security.txt', 'security.txt'])
  rmSync(join(dir, '.well-known'), { recursive: true })
  symlinkSync(tmpdir(), join(dir, '.well-known'))
  const { skipped } = await findFiles(dir, SITE_ENTRIES_MAX)
  t.match(skipped.join(), /\.well-known \(leads out of the folder/)
})

t.test('site walk: follows links inside of the folder only', async t => {
  const dir = t.testdir({
    outside: { 'secret.txt': 'secret', folder: { 'secret.txt': 'secret' } },
    'site-2': { 'secret.txt': 'secret' },
    site: { 'index.html': 'x', '.dot': { 'secret.txt': 'secret' }, real: { 'a.txt': 'a' } }
  })
  const links: ReadonlyArray<[from: string, to: string]> = [
    ['file-out.txt', '../outside/secret.txt'],
    ['folder-out', '../outside/folder'],
    ['absolute-out.txt', join(dir, 'outside/secret.txt')],
    ['neighbour', '../site-2'],
    ['parent', '..'],
    ['passwd', '/etc/passwd'],
    ['nowhere', 'not-there'],
    ['loop', 'loop'],
    ['self', '.'],
    ['real/up', '..'],
    ['dot', '.dot'],
    ['dot.txt', '.dot/secret.txt'],
    ['file-in.txt', 'index.html'],
    ['folder-in', 'real']
  ]
  for (const [from, to] of links) symlinkSync(to, join(dir, 'site', from))
  symlinkSync('../outside/secret.txt', join(dir, 'site/chain-2'))
  symlinkSync('chain-2', join(dir, 'site/chain-1'))

  const { files, skipped } = await findFiles(join(dir, 'site'), SITE_ENTRIES_MAX)
  t.strictSame(files.map(file => file.path).sort(),
    ['file-in.txt', 'folder-in/a.txt', 'index.html', 'real/a.txt'])
  t.strictSame(skipped.map(line => line.replace(/ \(.*/, '')).sort(), [
    'absolute-out.txt', 'chain-1', 'chain-2', 'dot', 'dot.txt', 'file-out.txt', 'folder-in/up', 'folder-out', 'loop',
    'neighbour', 'nowhere', 'parent', 'passwd', 'real/up', 'self'
  ])
  const reasons = {
    parent: 'leads out of the folder or to a dotfile', nowhere: 'leads nowhere', self: 'leads back to a folder that contains it'
  }
  for (const [path, reason] of Object.entries(reasons)) t.ok(skipped.includes(`${path} (${reason})`), path)
})

t.test('site walk: the folder itself may be a link', async t => {
  const dir = t.testdir({ release: { 'a.txt': 'a' }, current: t.fixture('symlink', 'release') })
  t.strictSame(await pathsIn(join(dir, 'current')), ['a.txt'])
})

t.test('site walk: the number of entries is bounded', async t => {
  const dir = t.testdir({ 'a.txt': '', sub: { 'b.txt': '' } })
  t.equal((await findFiles(dir, 3)).files.length, 2)
  await t.rejects(findFiles(dir, 2), {
    code: 'USHER_SITE_TOO_LARGE', message: `${dir} has more than 2 files and folders`
  })
})

t.test('site walk: folders that link to each other end', async t => {
  const dir = t.testdir({ a: { 'x.txt': '' }, b: { 'y.txt': '' } })
  symlinkSync('../b', join(dir, 'a/to-b'))
  symlinkSync('../a', join(dir, 'b/to-a'))
  t.strictSame(await pathsIn(dir), ['a/to-b/y.txt', 'a/x.txt', 'b/to-a/x.txt', 'b/y.txt'])
})

t.test('site walk: what cannot be read is named', async t => {
  const dir = t.testdir({ 'a.txt': 'a' })
  for (const path of [join(dir, 'missing'), join(dir, 'a.txt')]) {
    await t.rejects(findFiles(path, SITE_ENTRIES_MAX), {
      code: 'USHER_SITE_UNREADABLE', message: new RegExp(`^${path} could not be read: `)
    })
  }
})

const LINUX = { skip: process.platform !== 'linux' && 'names are any bytes on Linux only' }

t.test('site walk: names that are no UTF-8 are left out and named, anywhere in the tree', LINUX, async t => {
  const dir = t.testdir({ 'a.txt': '', sub: { 'b.txt': '' }, 'é ü': { 'ü.txt': '' } })
  const bytes = (name: string) => Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, 'latin1')])
  writeFileSync(bytes('sub/bad-\xff.html'), 'x')
  writeFileSync(bytes('caf\xe9\n'), 'x')
  mkdirSync(bytes('folder-\xfe'))
  writeFileSync(bytes('folder-\xfe/c.txt'), 'x')
  symlinkSync(bytes('sub/bad-\xff.html'), join(dir, 'link.html'))
  writeFileSync(bytes('.dot-\xff'), 'x')
  const { files, skipped } = await findFiles(dir, SITE_ENTRIES_MAX)
  t.strictSame(files.map(file => file.path).sort(), ['a.txt', 'sub/b.txt', 'é ü/ü.txt'])
  t.strictSame([...skipped].sort(), [
    'caf\\xe9\\x0a (has a name that is not UTF-8)',
    'folder-\\xfe (has a name that is not UTF-8)',
    'link.html (leads to a name that is not UTF-8)',
    'sub/bad-\\xff.html (has a name that is not UTF-8)'
  ])
})

t.test('site walk: sockets, pipes and devices are left out and named', LINUX, async t => {
  // A socket's path has at most 107 bytes.
  const dir = mkdtempSync(join(tmpdir(), 'usher-walk-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  writeFileSync(join(dir, 'a.txt'), 'a')
  execFileSync('mkfifo', [join(dir, 'pipe\nx')])
  symlinkSync('/dev/null', join(dir, 'device'))
  const server = createServer().listen(join(dir, 'socket'))
  await once(server, 'listening')
  const { files, skipped } = await findFiles(dir, SITE_ENTRIES_MAX)
  server.close()
  t.strictSame(files.map(file => file.path), ['a.txt'])
  t.strictSame([...skipped].sort(), [
    'device (leads out of the folder or to a dotfile)', 'pipe\\nx (is no regular file)', 'socket (is no regular file)'
  ])
})

t.test('site walk: a folder that may not be read is left out and named', LINUX, async t => {
  const dir = t.testdir({ 'a.txt': '', closed: { 'b.txt': '' } })
  chmodSync(join(dir, 'closed'), 0)
  const { files, skipped } = await asNobody(() => findFiles(dir, SITE_ENTRIES_MAX))
  t.strictSame([files.map(file => file.path), skipped], [['a.txt'], ['closed (may not be read)']])
})
