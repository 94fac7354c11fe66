/**
 * `npm run soak -- --minutes N`: a real program under mixed load, users coming and going all the
 * while; in the end, a table of what it took, and whether it ended where it began. Exit code 1 when
 * it did not, or when anything failed; 2 for wrong words.
 */
import { parseArgs } from 'node:util'
import { runSoak } from './run.ts'

const USAGE_EXIT = 2
/** Half of it is the steady part; less is over before anything is steady. */
const MINUTES_MIN = 0.1
const MINUTES_MAX = 7 * 24 * 60

const minutes = parse()
if (minutes !== undefined) {
  const isGood = await runSoak({ minutes, print: text => { console.log(text) } })
  process.exitCode = isGood ? 0 : 1
}

function parse (): number | undefined {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string', default: '2' } } })
    const minutes = Number(values.minutes)
    if (minutes >= MINUTES_MIN && minutes <= MINUTES_MAX) return minutes
    throw new Error(`--minutes is "${values.minutes}"; it must be ${MINUTES_MIN} to ${MINUTES_MAX}`)
  } catch (error) {
    console.error(`soak: ${(error as Error).message}`)
    process.exitCode = USAGE_EXIT
    return undefined
  }
}
