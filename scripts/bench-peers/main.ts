/**
 * `npm run bench:peers`: Usher beside the web servers that are found on this machine, one core for
 * the server and one for the load. Prints tables; with `--write` it writes docs/performance.md with
 * its plots, all other parts of the report included.
 */
import { parseArgs } from 'node:util'
import type { BenchPart, BenchResult } from '../bench/report/report.ts'
import { tableText } from '../bench/report/tables.ts'
import { benchAuth } from './auth-bench.ts'
import { benchBurst } from './burst-bench.ts'
import { CASES } from './cases.ts'
import { chooseCores, moveToCores } from './cores.ts'
import { benchFlood } from './flood-bench.ts'
import { makeGround } from './ground.ts'
import { benchHandshakes } from './handshake-bench.ts'
import { benchIdle } from './idle-bench.ts'
import { benchLatency } from './latency-bench.ts'
import { OTHER_PARTS } from './other-parts.ts'
import { findProgram } from './peers/peer.ts'
import { benchRequests } from './request-bench.ts'
import { findPeers, type Stand } from './stand.ts'
import { benchWaiting } from './wait-bench.ts'
import { writeReport } from './write-report.ts'

type Part = (stand: Stand, rounds: number) => Promise<BenchResult>

const USAGE_EXIT = 2
const ROUNDS = 5
const SECONDS = 2
const [ROUNDS_MAX, SECONDS_MAX] = [50, 60]

const PARTS: Readonly<Record<string, Part>> = {
  ...Object.fromEntries(CASES.map(one => [one.id, (stand: Stand, rounds: number) => (
    benchRequests(one, stand, rounds)
  )])),
  latency: benchLatency,
  auth: benchAuth,
  handshake: benchHandshakes,
  idle: benchIdle,
  burst: benchBurst,
  wait: benchWaiting,
  flood: benchFlood,
  ...Object.fromEntries(Object.entries(OTHER_PARTS).map(([id, part]) => [id, onBothCores(part)]))
}

const options = parse(process.argv.slice(2))
const wrk = findProgram('wrk')
if (wrk === undefined || findProgram('taskset') === undefined) {
  process.stderr.write('bench:peers: wrk and taskset are needed (Debian: wrk, util-linux)\n')
  process.exitCode = 1
} else {
  await bench(wrk)
}

async function bench (wrk: string): Promise<void> {
  const cores = chooseCores()
  moveToCores(cores.load)
  const ground = makeGround()
  try {
    const { peers, missing } = findPeers(options.program, ground.certificate !== undefined)
    if (missing.length > 0) process.stdout.write(`Left out, not found here: ${missing.join(', ')}\n\n`)
    const { program, seconds, isTrial } = options
    const stand = { ground, cores, wrk, peers, seconds, isTrial, program, commandOf }
    const { results, failures } = await run(stand)
    if (options.isWriting) writeReport(results, { missing, failures })
    if (failures.length > 0) process.exitCode = 1
  } finally {
    ground.clear()
  }
}

/** What measures no server by itself shares the machine with it as it likes. */
function onBothCores (part: BenchPart): Part {
  return async ({ cores: { server, load }, isTrial }, rounds) => {
    moveToCores(server, load)
    try {
      return await part({ rounds, isTrial })
    } finally {
      moveToCores(load)
    }
  }
}

/** A part that fails takes nothing from the others. */
async function run (stand: Stand): Promise<{ results: BenchResult[], failures: string[] }> {
  const results: BenchResult[] = []
  const failures: string[] = []
  for (const id of options.parts) {
    try {
      const result = await PARTS[id]!(stand, options.rounds)
      for (const table of result.tables) process.stdout.write(`${tableText(table)}\n`)
      for (const goal of result.goals) {
        process.stdout.write(
          `${goal.verdict.padEnd(6)}  ${goal.case}: ${goal.measured}` +
          ` (floor ${goal.floor || 'none'}, goal ${goal.goal})\n`)
      }
      process.stdout.write('\n')
      results.push(result)
    } catch (error) {
      failures.push(`${id}: ${(error as Error).message}`)
      process.stderr.write(`bench:peers: ${id} failed: ${(error as Error).stack}\n`)
    }
  }
  return { results, failures }
}

function commandOf (part: string): string {
  return `npm run bench:peers -- --only ${part}`
}

function parse (args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: String(ROUNDS) },
        seconds: { type: 'string', default: String(SECONDS) },
        only: { type: 'string', default: Object.keys(PARTS).join(',') },
        program: { type: 'string' },
        trial: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false }
      }
    })
    const parts = values.only.split(',')
    const unknown = parts.filter(part => !Object.hasOwn(PARTS, part))
    if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}`)
    if (values.trial && values.write) throw new Error('--trial measures nothing that --write may write')
    return {
      rounds: whole('rounds', values.rounds, ROUNDS_MAX),
      seconds: whole('seconds', values.seconds, SECONDS_MAX),
      parts,
      program: values.program,
      isTrial: values.trial,
      isWriting: values.write
    }
  } catch (error) {
    process.stderr.write(`bench:peers: ${(error as Error).message}\n\n${usage()}`)
    process.exit(USAGE_EXIT)
  }
}

function whole (name: string, text: string, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new Error(`--${name} is "${text}"; it must be a whole number from 1 to ${max}`)
}

function usage (): string {
  return `npm run bench:peers -- [--rounds ${ROUNDS}] [--seconds ${SECONDS}] [--only PART,PART] [--write]
                     [--program PATH/TO/coordinator.js] [--trial]

--trial has few of everything, to see whether all of it works; its figures mean nothing.

Parts: ${Object.keys(PARTS).join(', ')}
`
}
