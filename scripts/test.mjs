/**
 * `npm test`: prepares the tree, then runs the lanes, several tests at a time; ends with a line `N
 * passed, N failed`. Arguments choose: lanes by name, test files by path, `all` for every lane.
 */
import { orExit, prepare } from './setup.mjs'
import { chosenJobs } from './test/chosen-jobs.mjs'
import { runJobs } from './test/run-jobs.mjs'

await orExit(prepare(), '0 passed, 1 failed')
process.exitCode = await test(await orExit(chosenJobs(process.argv.slice(2))))

/** Returns the exit code. */
async function test (jobs) {
  const { passed, failed, skips } = await runJobs(jobs)
  for (const reason of new Set(skips)) {
    const count = skips.filter(other => other === reason).length
    console.log(`${count} ${count === 1 ? 'test was' : 'tests were'} skipped: ${reason}`)
  }
  const forbidsSkips = process.env.CI === 'true' && skips.length > 0
  if (forbidsSkips) console.log(`${skips.length} skipped, which CI=true does not allow`)
  const unseen = failed === 0 && (forbidsSkips || passed === 0) ? 1 : 0
  console.log(`${passed} passed, ${failed + unseen} failed`)
  return failed + unseen === 0 ? 0 : 1
}
