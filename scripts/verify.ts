/**
 * `npm run verify`: spin looks at every state of the lock's model, which must have no error, and at
 * the mutants in it, each of which must have one. `-- --full` takes larger models, `-- --model F`
 * another file. Needs spin and gcc (Debian: `apt-get install spin gcc`). Exit code 1 when anything
 * is otherwise, or missing.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { ROOT } from './kit/places.ts'

const MODEL = join(ROOT, 'packages/shared/model/lock.pml')
const MUTANTS = ['NO_RECOVERY', 'NO_REPAIR', 'EARLY_RELEASE', 'NO_NOTIFY_ALL', 'FORGET_WAIT']
const SMALL = [{ WORKERS: 3, DEATHS: 1, ROUNDS: 1 }, { WORKERS: 2, DEATHS: 2, ROUNDS: 2 }] as const
/** The first with 4,000,000 states, the second with 2,000,000. */
const LARGE = [{ WORKERS: 3, DEATHS: 2, ROUNDS: 1 }, { WORKERS: 2, DEATHS: 2, ROUNDS: 3 }] as const
const DEPTH_MAX = 1_000_000
const MEMORY_MB_MAX = 4000
/** Of one model; the largest takes a sixth of it. */
const SEARCH_MS_MAX = 60_000

/** What the preprocessor is told: sizes, and the mutant's name. */
type Defines = Readonly<Record<string, number | undefined>>

interface Search {
  readonly states: number
  readonly seconds: number
  /** What was violated, in spin's words; undefined for no error. */
  readonly error: string | undefined
}

const { values: given } = parseArgs({
  options: { full: { type: 'boolean' }, model: { type: 'string' } }
})
const model = given.model === undefined ? MODEL : resolve(given.model)
const folder = mkdtempSync(join(tmpdir(), 'usher-verify-'))
try {
  process.exitCode = verify() ? 0 : 1
} catch (error) {
  console.error(`verify: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}

/** Prints a line for each search; whether all came out as they should. */
function verify (): boolean {
  printRow(['model', 'states', 'seconds', 'outcome'])
  let isGood = true
  const sizes = given.full === true ? [...SMALL, ...LARGE] : SMALL
  for (const size of sizes) {
    const found = search(size)
    const isFine = found.error === undefined
    isGood &&= isFine
    report(nameOf(size), found, isFine ? 'no error' : `ERROR: ${found.error}`)
  }
  for (const mutant of MUTANTS) {
    const found = search({ ...SMALL[0], [mutant]: undefined })
    const isCaught = found.error !== undefined
    isGood &&= isCaught
    report(mutant, found, isCaught ? `caught: ${found.error}` : 'NOT CAUGHT')
  }
  console.log(isGood ? 'the model holds, and every mutant is caught' : 'the model does not hold')
  return isGood
}

/** Makes the checker for this variant and runs it to its end or its first error. */
function search (defines: Defines): Search {
  const flags = Object.entries(defines).map(([name, value]) =>
    value === undefined ? `-D${name}` : `-D${name}=${value}`)
  run('spin', [...flags, '-a', model])
  run('gcc', ['-O1', '-w', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${MEMORY_MB_MAX}`, '-o', 'pan', 'pan.c'])
  const startMs = monotonicNowMs()
  const said = run('./pan', [`-m${DEPTH_MAX}`, '-w24'])
  const seconds = (monotonicNowMs() - startMs) / 1000
  const [, states] = /(\d+) states, stored/.exec(said) ?? []
  const [, errors] = /errors: (\d+)/.exec(said) ?? []
  // Spin also ends well when it was cut short by depth or memory.
  if (states === undefined || errors === undefined || /max search depth too small|out of memory/.test(said)) {
    throw new Error(`the search was not finished:\n${said}`)
  }
  const [, error = 'an error'] = /^pan:\d+: (.*?) \(at depth/m.exec(said) ?? []
  return { states: Number(states), seconds, error: errors === '0' ? undefined : error }
}

function run (program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      cwd: folder, encoding: 'utf8', stdio: 'pipe', timeout: SEARCH_MS_MAX
    })
  } catch (error) {
    const { code, stdout } = error as { readonly code?: string, readonly stdout?: string }
    if (code === 'ENOENT') {
      throw new Error(`${program} was not found; install it (Debian: apt-get install spin gcc)`)
    }
    throw new Error(`${program} failed: ${(error as Error).message}\n${stdout ?? ''}`)
  }
}

function nameOf ({ WORKERS, DEATHS, ROUNDS }: typeof SMALL[number] | typeof LARGE[number]): string {
  return `${WORKERS} threads, ${DEATHS} deaths, ${ROUNDS} rounds`
}

function report (name: string, { states, seconds }: Search, outcome: string): void {
  printRow([name, String(states), seconds.toFixed(2), outcome])
}

function printRow ([name, states, seconds, outcome]: [string, string, string, string]): void {
  console.log(`${name.padEnd(32)} ${states.padStart(9)} ${seconds.padStart(8)}  ${outcome}`)
}
