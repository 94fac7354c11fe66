/**
 * `npm test`: gets everything ready, then types, lint, dead code and every tap test; ends with a
 * line `N passed, N failed`. File names as arguments run only those tests.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { prepare, ROOT, run } from './setup.mjs'

const TESTS = ['packages/*/test/**/*.test.ts', 'html/test/**/*.test.ts', 'test/**/*.test.ts']
const TAP_LOG = join(ROOT, '.tap/last-run.tap')
/** `# { total: 3, pass: 2, fail: 1 }` */
const SUMMARY_LINES = /^# \{ total: .* \}$/gm
/** `ok 3 - a claim # SKIP why not` */
const SKIP_LINES = /^\s*ok\b.* # SKIP (.*)$/gm
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
  const runTap = process.stdout.isTTY ? tapForPeople : tapForLogs
  const { code, summary, skips } = await runTap(files)
  const count = name => Number(summary.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0)
  const [passed, failed, skipped] = [count('pass'), count('fail'), count('skip') + count('todo')]
  for (const reason of new Set(skips)) {
    const count = skips.filter(other => other === reason).length
    console.log(`${count} ${count === 1 ? 'test was' : 'tests were'} skipped: ${reason}`)
  }
  const forbidsSkips = process.env.CI === 'true' && skipped > 0
  if (forbidsSkips) console.log(`${skipped} skipped, which CI=true does not allow`)
  const unseen = failed === 0 && (code !== 0 || forbidsSkips || passed === 0) ? 1 : 0
  console.log(`${passed} passed, ${failed + unseen} failed`)
  return failed + unseen === 0 ? 0 : 1
}

/** tap's own display; what it counted is in the file that it writes beside. */
async function tapForPeople (files) {
  mkdirSync(join(ROOT, '.tap'), { recursive: true })
  const tap = spawn(bin('tap'), [`--output-file=${TAP_LOG}`, ...files], { cwd: ROOT, stdio: 'inherit' })
  const code = await new Promise(resolve => { tap.on('close', resolve) })
  const log = existsSync(TAP_LOG) ? readFileSync(TAP_LOG, 'utf8') : ''
  return { code, summary: log.match(SUMMARY_LINES)?.at(-1) ?? '', skips: skipsIn(log) }
}

/** A line for each file, and whatever failed in it with all that is known of it. */
async function tapForLogs (files) {
  const tap = spawn(bin('tap'), ['--reporter=tap', ...files], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit']
  })
  let summary = ''
  const skips = []
  let isInFailure = false
  createInterface(tap.stdout).on('line', line => {
    if (/^\s*(not )?ok\b/.test(line)) isInFailure = /^\s*not ok\b/.test(line)
    if (isInFailure || /^ok\b/.test(line)) console.log(line)
    if (/^\s*\.\.\.$/.test(line)) isInFailure = false
    if (line.match(SUMMARY_LINES)) summary = line
    skips.push(...skipsIn(line))
  })
  const code = await new Promise(resolve => { tap.on('close', resolve) })
  return { code, summary, skips }
}

/** Why something was skipped, once for each time. */
function skipsIn (text) {
  return [...text.matchAll(SKIP_LINES)].map(([, reason]) => reason)
}
