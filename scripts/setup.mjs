/**
 * Makes a clone ready to run: installs packages and builds dist/ where they are missing or stale.
 * Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..')
const BUILD = join(ROOT, 'scripts/build.mjs')
const LOCK = join(ROOT, 'package-lock.json')
const INSTALLED_LOCK = join(ROOT, 'node_modules/.package-lock.json')
/** The Node ABI that native packages were compiled for. */
const ABI_STAMP = join(ROOT, 'node_modules/.usher-abi')
const PROGRAM_SOURCES = [
  'packages/shared/src', 'packages/coordinator/src', 'packages/workers/src', 'html', 'db/migrations',
  'scripts/build.mjs', 'scripts/code-cache.mjs', 'scripts/code-writer.cjs', 'scripts/setup.mjs', 'package.json', 'package-lock.json', 'tsconfig.base.json'
]
/** Made by the build beside the code that reads it, and no source of anything. */
export const COMMON_PASSWORDS = join(ROOT, 'packages/shared/src/common-passwords.txt')
/** What the build makes: a folder, and everything that it is made of. */
export const PROGRAM = { name: 'dist', sources: PROGRAM_SOURCES }
export const TOOLS = { name: 'dist/tools', sources: [...PROGRAM_SOURCES, 'scripts'] }
const STILL_BUSY_MS = 10_000

// At SIGUSR1 Node opens its debugger, and SIGUSR2 would end a build half-way.
for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => {})

/** For the tests and the tools: everything. */
export async function prepare () {
  await install({ isForDevelopment: true })
  await buildWhatIsStale([PROGRAM, TOOLS])
}

/**
 * For the program and the account command: no tools. Where dist/ is fresh, as after
 * `npm ci --omit=dev` beside it, nothing of what the build needs is asked for.
 */
export async function prepareProgram () {
  await install({ isForDevelopment: !isFresh(PROGRAM) })
  await buildWhatIsStale([PROGRAM])
}

/** For commands: says what is wrong, with `last` as its last line, and ends. */
export async function orExit (working, last) {
  try {
    return await working
  } catch (error) {
    console.error(error.message)
    if (last !== undefined) console.log(last)
    process.exit(1)
  }
}

/** Installs npm's packages where some that are needed are missing. */
export async function install ({ isForDevelopment }) {
  if (!isInstalled(isForDevelopment)) {
    await run('Installing packages (SQLite may be compiled, which takes a minute or two)',
      'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    writeFileSync(ABI_STAMP, process.versions.modules)
  } else if (readOr(ABI_STAMP, process.versions.modules) !== process.versions.modules) {
    await run('Compiling SQLite for this version of Node',
      'npm', ['rebuild', '--loglevel=error', 'better-sqlite3'])
    writeFileSync(ABI_STAMP, process.versions.modules)
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

/** In order: the program's folder takes the place of the whole of dist/. */
async function buildWhatIsStale (outputs) {
  for (const output of outputs) {
    if (isFresh(output)) continue
    await run(`Building ${output.name}`, process.execPath, [BUILD, output.name])
  }
}

/** Whether node_modules holds every package of the lock file that is needed, in its version. */
function isInstalled (isForDevelopment) {
  if (!existsSync(INSTALLED_LOCK)) return false
  const wanted = JSON.parse(readFileSync(LOCK, 'utf8')).packages
  const installed = JSON.parse(readFileSync(INSTALLED_LOCK, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) =>
    !path.startsWith('node_modules/') || entry.optional ||
    (entry.dev && !isForDevelopment) || installed[path]?.version === entry.version)
}

function isFresh (output) {
  return readOr(join(ROOT, output.name, '.stamp'), '') === sourceStamp(output)
}

/** Changes when any source file does: its name or its contents, so that a copy is as fresh. */
export function sourceStamp ({ sources }) {
  const hash = createHash('sha256')
  for (const source of sources) {
    const path = join(ROOT, source)
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath ?? entry.path, entry.name))
        .filter(file => file !== COMMON_PASSWORDS).sort()
      : [path]
    for (const file of files) {
      const contents = readFileSync(file)
      hash.update(`${relative(ROOT, file)}\n${contents.length}\n`).update(contents)
    }
  }
  return hash.digest('hex')
}

function readOr (path, otherwise) {
  return existsSync(path) ? readFileSync(path, 'utf8') : otherwise
}
