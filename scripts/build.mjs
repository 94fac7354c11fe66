/**
 * Makes dist/: the program and its worker files, the tools, the visitors' pages. npm's packages
 * stay outside of the bundles, because some of them load files of their own by path.
 */
import { build } from 'esbuild'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, sourceStamp } from './setup.mjs'

const SITES = ['site-1', 'site-2', 'site-3']
const MONITOR_SCRIPTS = ['login', 'no-permission', 'password', 'theme', 'tracker']
const fresh = join(ROOT, 'dist.new')
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const packages = Object.keys({ ...dependencies, ...devDependencies })

/**
 * npm's packages are required, not imported: to import CommonJS, every thread compiles Node's lexer
 * for it first, which takes some 100 ms of processor time in each of five threads.
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
const DEFINE_REQUIRE = "import { createRequire as requireFrom } from 'node:module'; " +
  'const require = requireFrom(import.meta.url);'

const stamp = sourceStamp()
rmSync(fresh, { recursive: true, force: true })
mkdirSync(fresh)
await Promise.all([buildProgram(), buildPages()])
writeFileSync(join(fresh, '.stamp'), stamp)
rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
renameSync(fresh, join(ROOT, 'dist'))

async function buildProgram () {
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      coordinator: 'packages/coordinator/src/main.ts',
      'static-server': 'packages/workers/src/static-server/main.ts',
      monitor: 'packages/workers/src/monitor/main.ts',
      load: 'scripts/load.ts',
      bench: 'scripts/bench.ts',
      attackers: 'scripts/attackers.ts',
      'bench-console': 'scripts/bench-console.ts',
      account: 'scripts/account.ts',
      credentials: 'packages/workers/src/credentials/main.ts',
      screenshots: 'scripts/screenshots.ts',
      fuzz: 'scripts/fuzz.ts',
      'fuzz-thread': 'scripts/fuzz-thread.ts',
      soak: 'scripts/soak.ts',
      chaos: 'scripts/chaos.ts',
      'chaos-preload': 'scripts/chaos/preload.ts',
      verify: 'scripts/verify.ts'
    },
    outdir: fresh,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What a thread imports later is a file of its own, or its packages would load with the thread.
    splitting: true,
    target: 'node20.19',
    sourcemap: true,
    banner: { js: DEFINE_REQUIRE },
    plugins: [packagesByRequire],
    logLevel: 'warning'
  })
  cpSync(join(ROOT, 'db/migrations'), join(fresh, 'db'), { recursive: true })
}

async function buildPages () {
  const options = { absWorkingDir: ROOT, bundle: true, minify: true, format: 'iife', target: 'es2022', logLevel: 'warning' }
  await build({ ...options, entryPoints: ['html/page-script/main.ts'], outfile: join(fresh, 'usher.js') })
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
