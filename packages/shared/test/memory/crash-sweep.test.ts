/**
 * Every operation on the user table, by a thread that dies before its first write to the shared
 * memory, before its second, and so on until it gets through; after each death the recovery, and
 * then every invariant. Which operations there are is in crash-cases.ts.
 */
import t from 'tap'
import { CASES, type CrashCase } from './crash-cases.ts'
import { crashAtEveryStep } from './crash-steps.ts'

for (const crashCase of CASES) {
  t.test(`crash sweep: ${crashCase.name}`, async t => {
    const { steps, violations } = crashAtEveryStep(crashCase)
    t.strictSame(violations.slice(0, 5), [])
    t.ok(steps >= crashCase.stepsMin, `${steps} steps`)
    t.comment(`${steps} steps`)
  })
}

t.test('crash sweep: with recovery switched off, or a part of it, the same deaths are found out', async t => {
  const broken = (recovery: 'none' | 'release only'): number =>
    CASES.filter(given => crashAtEveryStep(given, recovery).violations.length > 0).length
  t.equal(broken('none'), CASES.length, 'every operation takes a lock')
  const changing = CASES.filter(({ isChanging }: CrashCase) => isChanging)
  t.ok(broken('release only') >= changing.length, 'and every change leaves something to repair')
})
