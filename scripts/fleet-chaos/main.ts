/**
 * `npm run fleet-chaos -- --seconds N --seed S`: a fleet under load while its engine, its nodes and
 * the links between them fail, by the seed's schedule; prints one line. Exit code 0 when nobody
 * failed, no server had too many, and engine, nodes and visitors agreed whenever all was calm.
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ENGINE_PROGRAMS, NO_ENGINE } from '../../packages/shared/test/fleet/engine-process.ts'
import { PROGRAM_DIR } from '../kit/places.ts'
import { fleetChaosRun } from './run.ts'

const USAGE = `npm run fleet-chaos -- [--seconds 60] [--faults 10000] [--seed 1] [--nodes 3] [--capacity 8]
                       [--visitors 60] [--verbose] [--program PATH]

  --seconds   how long there are faults, and --faults how many at most
  --seed      the same seed has the same faults in the same order
  --nodes     2 to 8, with three servers each
  --capacity  users that each server admits
  --verbose   says on standard error what is done and found
  --program   another coordinator.js than the one that was built here
`
const USAGE_EXIT = 2
const SECONDS_MAX = 7200
const FAULTS_MAX = 10_000
const SEED_MAX = 2 ** 31 - 1
const NODES_MAX = 8
const VISITORS_MAX = 1000

const { isVerbose, ...options } = parse(process.argv.slice(2))
if (ENGINE_PROGRAMS.length === 0) {
  process.stderr.write(`fleet-chaos: ${NO_ENGINE}\n`)
  process.exit(1)
}
const { failures, violations, ...counts } = await fleetChaosRun({
  ...options,
  note: what => { if (isVerbose) process.stderr.write(`${new Date().toISOString()} ${what}\n`) }
})
for (const what of [...violations, ...failures]) process.stderr.write(`${what}\n`)
process.stdout.write(`faults ${counts.faults}, calms ${counts.calms}, entered ${counts.entered}, ` +
  `samples ${counts.samples}, failed ${failures.length}, violations ${violations.length}\n`)
process.exit(failures.length + violations.length === 0 ? 0 : 1)

function parse (args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: 'string', default: '60' },
        faults: { type: 'string', default: String(FAULTS_MAX) },
        seed: { type: 'string', default: '1' },
        nodes: { type: 'string', default: '3' },
        capacity: { type: 'string', default: '8' },
        visitors: { type: 'string', default: '60' },
        program: { type: 'string', default: join(PROGRAM_DIR, 'coordinator.js') },
        verbose: { type: 'boolean', default: false }
      }
    })
    return {
      seconds: whole('seconds', values.seconds, 1, SECONDS_MAX),
      faults: whole('faults', values.faults, 1, FAULTS_MAX),
      seed: whole('seed', values.seed, 0, SEED_MAX),
      nodes: whole('nodes', values.nodes, 2, NODES_MAX),
      capacity: whole('capacity', values.capacity, 1, VISITORS_MAX),
      visitors: whole('visitors', values.visitors, 1, VISITORS_MAX),
      program: resolve(values.program),
      isVerbose: values.verbose
    }
  } catch (error) {
    process.stderr.write(`fleet-chaos: ${(error as Error).message}\n\n${USAGE}`)
    process.exit(USAGE_EXIT)
  }
}

function whole (name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new Error(`--${name} is "${text}"; it must be a whole number from ${min} to ${max}`)
}
