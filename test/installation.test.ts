/**
 * What an installation is: the tarball of `npm pack` and how it runs, and a checkout that has only
 * the packages of a production install.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync,
  symlinkSync, writeFileSync
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { openDatabase } from '@usher/workers/database/open.ts'
import { ask, ROOT, startCluster, workingFolder } from './cluster.ts'

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}
interface LockedPackage { readonly dev?: boolean }

/** Those that the browsers load included. */
const CODE_FILES_MAX = 32
/** Each kind of file that an installation needs. */
const KINDS = [
  /^(package\.json|README\.md|LICENSE|bin\/usher\.js)$/,
  /^dist\/(coordinator|main|thread|static-server|site-loader|health-checks|monitor|credentials|account)\.js(\.map)?$/,
  /^dist\/(main|static-server|site-loader|monitor)\.js\.code$/,
  /^dist\/package\.json$/,
  /^dist\/(server-)?usher\.js$/,
  /^dist\/common-passwords\.txt$/,
  /^dist\/usher_v1\.lua$/,
  /^dist\/db\/\d{3}-[a-z-]+\.sql$/,
  /^dist\/html\/(pages|site-\d)\/[a-z0-9-]+\.(html|css|js|svg)$/,
  /^dist\/html\/monitor\/([a-z-]+\.html|assets\/[a-z-]+\.(css|js|svg))$/
]
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

/** An installation without npm's part: the packages are those of this checkout. */
const prefix = t.testdir()
const folder = join(prefix, 'lib/package')
const command = join(prefix, 'bin/usher')
const tarball = execFileSync(
  'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', prefix],
  { cwd: ROOT, encoding: 'utf8' }).trim()
for (const name of ['lib', 'bin']) mkdirSync(join(prefix, name))
execFileSync('tar', ['-xzf', join(prefix, tarball), '-C', join(prefix, 'lib')])
symlinkSync(join(ROOT, 'node_modules'), join(prefix, 'lib/node_modules'))
symlinkSync('../lib/package/bin/usher.js', command)

function filesIn (dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(dir, path)).isFile()).sort()
}

function usher (cwd: string, ...args: string[]) {
  const env = { PATH: process.env['PATH'] }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

t.test('installation: the tarball holds what runs and nothing else', async t => {
  const files = filesIn(folder)
  t.strictSame(files.filter(file => !KINDS.some(kind => kind.test(file))), [])
  for (const kind of KINDS) t.ok(files.some(file => kind.test(file)), `${kind}`)
  const code = files.filter(file => file.startsWith('dist/') && file.endsWith('.js'))
  t.ok(code.length <= CODE_FILES_MAX, `${code.length} files of code`)
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    t.notOk(text.includes(ROOT), `${file} names no folder of the machine that built it`)
    t.notMatch(text, '"sourcesContent"', `${file} holds no sources`)
  }
})

t.test('installation: the dependencies are what the built program loads', async t => {
  const loaded = new Set<string>()
  for (const file of readdirSync(join(folder, 'dist')).filter(name => name.endsWith('.js'))) {
    const text = readFileSync(join(folder, 'dist', file), 'utf8')
    for (const [, name] of text.matchAll(/(?:require\d?\(|\bfrom |^import )"([^"]+)"/gm)) {
      if (!name!.startsWith('.') && !isBuiltin(name!)) loaded.add(name!)
    }
  }
  const packages = [...loaded].map(name => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
  t.strictSame([...new Set(packages)].sort(), Object.keys(manifest.dependencies).sort())
})

t.test('installation: the command runs the program, and the account command beside it', async t => {
  const cwd = workingFolder(t)
  const times = (): unknown => (
    filesIn(folder).map(file => [file, statSync(join(folder, file)).mtimeMs])
  )
  const before = times()
  const settings = { ADMIN_PASSWORD: 'correct horse battery', DELAY_BETWEEN_ROUTING: '0' }
  const cluster = await startCluster(
    t, settings, { cwd, program: command, shell: 'shift; exec "$@"' })
  t.match(await ask(cluster.routingPort, '/'), { status: 302 })
  t.match(await ask(cluster.ports[0]!, '/'), { status: 200, body: /<title>/ })
  t.match(usher(cwd, 'account', 'list'), {
    status: 0, stdout: /^admin +1 /m, stderr: `Database: ${join(cwd, 'db/usher.db')}\n`
  })
  t.equal(await cluster.stop(), 0)
  t.strictSame(times(), before, 'nothing is written beside the program')
  t.match(filesIn(cwd), ['db/usher.db', 'server.log'])
})

t.test('installation: --help, --version, --check and wrong words', async t => {
  const cwd = t.testdir()
  t.strictSame(usher(cwd, '--version'), { status: 0, stdout: `${manifest.version}\n`, stderr: '' })
  t.match(usher(cwd, '--help'), { status: 0, stdout: /^ +usher \[--name value/m, stderr: '' })
  t.match(usher(cwd, '--check'), { status: 0, stdout: `DB_PATH=${join(cwd, 'db/usher.db')}`, stderr: '' })
  t.match(usher(cwd, 'account', '--help'), { status: 0, stdout: /^ +usher account COMMAND/m })
  t.match(usher(cwd, 'acount'), { status: 2, stdout: '', stderr: 'unexpected argument "acount"' })
  t.strictSame(filesIn(cwd), [])
})

t.test('installation: a checkout with production packages runs what was built', async t => {
  const checkout = t.testdir({ bin: {}, work: {} })
  const lock = JSON.parse(readFileSync(join(ROOT, 'node_modules/.package-lock.json'), 'utf8')) as
    { packages: Record<string, LockedPackage> }
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true)
  for (const [path] of packages.filter(([path]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true })
    symlinkSync(join(ROOT, path), join(checkout, path))
  }
  writeFileSync(join(checkout, 'node_modules/.package-lock.json'),
    JSON.stringify({ packages: Object.fromEntries(packages) }))
  const files = execFileSync(
    'git', ['ls-files', '-co', '--exclude-standard', 'packages', 'html', 'db', 'scripts', '*.json'],
    { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  for (const path of files) cpSync(join(ROOT, path), join(checkout, path))
  cpSync(join(ROOT, 'dist'), join(checkout, 'dist'), { recursive: true })
  writeFileSync(join(checkout, 'bin/npm'), '#!/bin/sh\necho "npm $*" >&2; exit 1\n', { mode: 0o755 })
  const run = (script: string, ...args: string[]) => spawnSync(
    process.execPath, [join(checkout, 'scripts', script), ...args],
    {
      cwd: join(checkout, 'work'),
      env: { PATH: `${join(checkout, 'bin')}:${process.env['PATH']}` },
      encoding: 'utf8'
    })

  openDatabase(join(checkout, 'work/db/usher.db'), join(ROOT, 'db/migrations')).close()
  t.match(run('account.mjs', 'list'), { status: 0, stderr: /^Database: / })
  t.match(run('start.mjs', '--version'), { status: 0, stdout: manifest.version, stderr: '' })
  t.match(run('run.mjs', 'load'), { status: 1, stderr: /^npm ci/m }, 'a tool needs the others, too')
  writeFileSync(join(checkout, 'html/common/room.ts'), '// Other than what was built.')
  t.match(run('start.mjs', '--version'), { status: 1, stderr: /^npm ci/m })
  t.match(run('account.mjs', 'list'), { status: 0 }, 'which never builds')
})

t.test('installation: the account command says what is missing, and installs and builds nothing', async t => {
  // Outside of this checkout, where Node finds none of its packages.
  const checkout = mkdtempSync(join(tmpdir(), 'usher-'))
  t.teardown(() => rmSync(checkout, { recursive: true }))
  cpSync(join(ROOT, 'scripts/account.mjs'), join(checkout, 'scripts/account.mjs'))
  writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }')
  const missing = () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath, [join(checkout, 'scripts/account.mjs'), 'list'], { encoding: 'utf8' })
    return [status, stdout, stderr]
  }
  t.strictSame(missing(), [1, '', `account: the program is not built yet. In ${checkout}/ type: npm ci && npm run build\n`])
  cpSync(join(ROOT, 'dist'), join(checkout, 'dist'), { recursive: true })
  t.strictSame(missing(), [1, '', `account: its packages are not installed. In ${checkout}/ type: npm ci --omit=dev\n`])
})
