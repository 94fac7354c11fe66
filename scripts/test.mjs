/**
 * `npm test`: gets everything ready, then types, lint, dead code and every tap test; ends with a
 * line `N passed, N failed`. File names as arguments run only those tests.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, ROOT, run } from './setup.mjs'

const TESTS = ['packages/*/test/**/*.test.ts', 'html/test/**/*.test.ts', 'test/**/*.test.ts']
const TAP_LOG = join(ROOT, '.tap/last-run.tap')
const bin = name => join(ROOT, 'node_modules/.bin', name)
const chosen = process.argv.slice(2)

try {
  await prepare()
  if (chosen.length === 0) await checkSource()
} catch (error) {
  console.error(error.message)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
process.exit(await runTests(chosen.length === 0 ? TESTS : chosen))

async function checkSource () {
  await run('Checking types', bin('tsc'), ['-b'])
  await run('Checking style', bin('eslint'), ['.', '--max-warnings=0'])
  await run('Looking for dead code', bin('knip'), [])
}

/** Runs tap; returns the exit code. */
async function runTests (files) {
  mkdirSync(join(ROOT, '.tap'), { recursive: true })
  const args = [`--reporter=${process.stdout.isTTY ? 'default' : 'terse'}`, `--output-file=${TAP_LOG}`, ...files]
  const child = spawn(bin('tap'), args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise(resolve => { child.on('close', resolve) })
  const { passed, failed, skipped } = counts()
  const forbidsSkips = process.env.CI === 'true' && skipped > 0
  if (forbidsSkips) console.log(`${skipped} skipped, which CI=true does not allow`)
  const missing = failed === 0 && (code !== 0 || forbidsSkips || passed === 0) ? 1 : 0
  console.log(`${passed} passed, ${failed + missing} failed`)
  return failed + missing === 0 ? 0 : 1
}

/** What tap counted, from the last line of its own log. */
function counts () {
  const log = existsSync(TAP_LOG) ? readFileSync(TAP_LOG, 'utf8') : ''
  const summary = log.match(/^# \{ (total: .*) \}$/gm)?.at(-1) ?? ''
  const count = name => Number(summary.match(new RegExp(`${name}: (\\d+)`))?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}
