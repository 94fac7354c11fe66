/**
 * Runs jobs, some at a time, each a process of its own: a test file, which says in TAP what passed,
 * or a check, which passes or fails. Prints a line for each, and all that a failed one said.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { ROOT } from '../setup.mjs'

/** Much of what tests of whole clusters do is wait. */
const JOBS_MAX = 2 * availableParallelism()
/** `# { total: 3, pass: 2, fail: 1 }` */
const SUMMARY = /^# \{ total: .* \}$/gm
/** `ok 3 - a claim # SKIP why not` */
const SKIP_LINES = /^\s*ok\b.* # SKIP (.*)$/gm

/**
 * @typedef {object} Job
 * @property {string} name
 * @property {string[]} args Node's
 * @property {Record<string, unknown>} env added to this process's own
 * @property {boolean} isTap a test file; otherwise a check
 * @property {number} secondsMax then it is ended
 */

/**
 * Resolves with what all of them came to: `{ passed, failed, skips }`.
 * @param {Job[]} jobs
 */
export async function runJobs (jobs) {
  const total = { passed: 0, failed: 0, skips: [] }
  const waiting = [...jobs]
  const running = new Set()
  const endAll = signal => {
    for (const child of running) kill(child)
    process.kill(process.pid, signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, endAll)
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const { passed, failed, skips } = await runJob(job, running)
      total.passed += passed
      total.failed += failed
      total.skips.push(...skips)
    }
  }
  await Promise.all(Array.from({ length: JOBS_MAX }, work))
  return total
}

async function runJob (job, running) {
  const startMs = performance.now()
  // A group of its own, so that what it started ends with it.
  const child = spawn(process.execPath, job.args, {
    cwd: ROOT, env: { ...process.env, ...job.env }, detached: true, stdio: ['ignore', 'pipe', 'pipe']
  })
  running.add(child)
  let [said, complained] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => { said += text })
  child.stderr.setEncoding('utf8').on('data', text => { complained += text })
  const timer = setTimeout(() => {
    complained += `ended after ${job.secondsMax} s\n`
    kill(child)
  }, job.secondsMax * 1000)
  child.on('exit', () => { kill(child) }) // What it has left behind.
  const code = await new Promise(resolve => { child.on('close', resolve) })
  clearTimeout(timer)
  running.delete(child)
  const result = job.isTap ? tapResult(said, code) : checkResult(code)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  const isGood = result.failed === 0
  console.log(`${isGood ? 'ok' : 'not ok'} ${job.name}: ${result.passed} passed, ${seconds} s`)
  if (!isGood) console.log((job.isTap ? failuresIn(said) : said) + complained)
  return result
}

function checkResult (code) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skips: [] }
}

/** A file that ends badly, or without a claim, has failed, whatever it counted. */
function tapResult (said, code) {
  const summary = said.match(SUMMARY)?.at(-1) ?? ''
  const count = name => Number(summary.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0)
  const [passed, failed] = [count('pass'), count('fail') + count('todo')]
  const skips = [...said.matchAll(SKIP_LINES)].map(([, reason]) => reason)
  const isBad = code !== 0 || passed + skips.length === 0
  return { passed, failed: Math.max(failed, isBad ? 1 : 0), skips }
}

/** The failed claims, each with all that is known of it. */
function failuresIn (said) {
  let isInFailure = false
  return said.split('\n').filter(line => {
    if (/^\s*(not )?ok\b/.test(line)) isInFailure = /^\s*not ok\b/.test(line)
    const isShown = isInFailure
    if (/^\s*\.\.\.$/.test(line)) isInFailure = false
    return isShown
  }).map(line => `${line}\n`).join('')
}

/** The child and whatever it has started. */
function kill (child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {} // All have ended.
}
