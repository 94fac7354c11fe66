/**
 * Makes a clone ready to run: installs packages and builds dist/ where they are missing or stale.
 * Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..')
const LOCK = join(ROOT, 'package-lock.json')
const INSTALLED_LOCK = join(ROOT, 'node_modules/.package-lock.json')
/** The Node ABI that native packages were compiled for. */
const ABI_STAMP = join(ROOT, 'node_modules/.usher-abi')
/** The state of the sources that dist/ was made from; written by the build. */
const BUILD_STAMP = join(ROOT, 'dist/.stamp')
/** Everything that dist/ is made of. */
const SOURCES = [
  'packages/shared/src', 'packages/coordinator/src', 'packages/workers/src', 'html', 'db', 'scripts',
  'package.json', 'package-lock.json', 'tsconfig.base.json'
]
const STILL_BUSY_MS = 10_000

export async function prepare () {
  if (!isInstalled()) {
    await run('Installing packages (SQLite may be compiled, which takes a minute or two)',
      'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    writeFileSync(ABI_STAMP, process.versions.modules)
  } else if (readOr(ABI_STAMP, process.versions.modules) !== process.versions.modules) {
    await run('Compiling SQLite for this version of Node',
      'npm', ['rebuild', '--loglevel=error', 'better-sqlite3'])
    writeFileSync(ABI_STAMP, process.versions.modules)
  }
  if (readOr(BUILD_STAMP, '') !== sourceStamp()) {
    await run('Building dist/', process.execPath, [join(ROOT, 'scripts/build.mjs')])
  }
}

/** Runs a command to its end, with a line when it takes long; rejects with what it printed. */
export async function run (title, command, args) {
  const started = Date.now()
  console.error(`${title} ...`)
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  child.stdout.on('data', text => { printed += text })
  child.stderr.on('data', text => { printed += text })
  const seconds = () => ((Date.now() - started) / 1000).toFixed(0)
  const stillBusy = setInterval(() => console.error(`  ... ${seconds()} s`), STILL_BUSY_MS)
  try {
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    if (code !== 0) throw new Error(`${title} failed with code ${code}:\n${printed}`)
  } finally {
    clearInterval(stillBusy)
  }
}

/** Whether node_modules holds every package of the lock file in its version. */
function isInstalled () {
  if (!existsSync(INSTALLED_LOCK)) return false
  const wanted = JSON.parse(readFileSync(LOCK, 'utf8')).packages
  const installed = JSON.parse(readFileSync(INSTALLED_LOCK, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) =>
    !path.startsWith('node_modules/') || entry.optional ||
    installed[path]?.version === entry.version)
}

/** Changes when any source file does: names, sizes and times, not contents. */
export function sourceStamp () {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    const path = join(ROOT, source)
    const isFolder = statSync(path).isDirectory()
    const files = isFolder
      ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile() && !/\.db(-wal|-shm)?$/.test(entry.name))
        .map(entry => join(entry.parentPath ?? entry.path, entry.name)).sort()
      : [path]
    for (const file of files) {
      const { size, mtimeMs } = statSync(file)
      hash.update(`${file}\n${size}\n${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}

function readOr (path, otherwise) {
  return existsSync(path) ? readFileSync(path, 'utf8') : otherwise
}
