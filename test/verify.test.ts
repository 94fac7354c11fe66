/** The lock's model: checked as `npm run verify` does it, and that a wrong one is found out. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { ROOT } from './cluster.ts'

const TOOL = join(ROOT, 'dist/tools/verify.js')
const MODEL = join(ROOT, 'packages/shared/model/lock.pml')
/** Whatever holds a step that the model has, too. */
const CODE = ['lock', 'shard', 'recovery'].map(name => join(ROOT, `packages/shared/src/memory/${name}.ts`))
const isMissing = spawnSync('spin', ['-V']).error !== undefined
const needsSpin = { skip: isMissing && 'spin was not found (Debian: apt-get install spin gcc)' }

function verify (args: readonly string[], path = process.env['PATH']) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [TOOL, ...args], {
    encoding: 'utf8', env: { PATH: path }
  })
  return { status, stdout, stderr }
}

t.test('verify: the lock and its model name the same steps', async t => {
  const stepsIn = (paths: readonly string[]): string[] => {
    const text = paths.map(path => readFileSync(path, 'utf8')).join('\n')
    return [...text.matchAll(/@([A-Z][A-Z_]+)/g)].map(([, step]) => step!).sort()
  }
  t.strictSame(stepsIn([MODEL]), stepsIn(CODE))
  t.ok(stepsIn(CODE).includes('TAKE_OVER'))
})

t.test('verify: the model has no error and every mutant has one', needsSpin, async t => {
  const { status, stdout } = verify([])
  t.equal(status, 0, stdout)
  t.equal(stdout.match(/no error$/gm)?.length, 2)
  t.equal(stdout.match(/caught: /g)?.length, 5)
  t.comment(stdout)
})

async function anErrorIsTold (t: Test): Promise<void> {
  const path = join(t.testdir(), 'wrong.pml')
  // The second arrival is not counted, which only two rounds tell; and a mutant is gone.
  writeFileSync(path, readFileSync(MODEL, 'utf8')
    .replace('arrives && !slot -> load++ ', 'arrives && !slot && rounds < 2 -> load++ ')
    .replace('#ifdef FORGET_WAIT', '#ifdef NOBODY'))
  const { status, stdout } = verify(['--model', path])
  t.equal(status, 1)
  t.match(stdout, /3 threads, .* no error/)
  t.match(stdout, /2 threads, .* ERROR: assertion violated \(load==slot\)/)
  t.match(stdout, /FORGET_WAIT .* NOT CAUGHT/)
}

if (isLong) {
  t.test('verify: an error in the model, or a mutant that is none, is told', needsSpin, anErrorIsTold)
}

t.test('verify: says what is missing', async t => {
  const { status, stderr } = verify([], t.testdir())
  t.equal(status, 1)
  t.match(stderr, /^verify: spin was not found; install it/)
})
