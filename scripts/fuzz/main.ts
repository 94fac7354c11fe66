/**
 * `npm run fuzz -- --seconds N [--seed S]`: broken requests, settings and account commands against
 * a real program, after everything that has ever been found. `-- --replay FILE` repeats a finding.
 * The same seed means the same inputs. Exit code 1 when anything is found, 2 for wrong words.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readInputs, runFuzz, type FuzzPlan } from './run.ts'
import { ROOT } from '../kit/places.ts'

const USAGE_EXIT = 2
const SECONDS_MAX = 24 * 3600
const SEED_MAX = 2 ** 32 - 1
const CORPUS = join(ROOT, 'test/fuzz-corpus')

const plan = parse()
if (plan !== undefined) process.exitCode = await runFuzz(plan) === 0 ? 0 : 1

function parse (): FuzzPlan | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_MAX)) },
        replay: { type: 'string' }
      }
    })
    return {
      seconds: values.replay === undefined ? whole('seconds', values.seconds, SECONDS_MAX) : 0,
      seed: whole('seed', values.seed, SEED_MAX),
      corpus: readInputs(values.replay ?? CORPUS),
      isOneByOne: values.replay !== undefined,
      findingsFolder: mkdtempSync(join(tmpdir(), 'usher-findings-')),
      print: text => { console.log(text) }
    }
  } catch (error) {
    console.error(`fuzz: ${(error as Error).message}`)
    process.exitCode = USAGE_EXIT
    return undefined
  }
}

function whole (name: string, text: string, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= max) return value
  throw new Error(`--${name} is "${text}"; it must be a whole number up to ${max}`)
}
