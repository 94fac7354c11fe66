/**
 * `npm run chaos -- --seconds N --seed S`: the program under load while its workers die, again and
 * again, at any instant and inside locked sections; prints one line. Exit code 0 when no request
 * failed after one retry and the program always agreed with the model.
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chaosRun, type RunResult } from './run.ts'
import { PROGRAM_DIR } from '../kit/places.ts'

const USAGE = `npm run chaos -- [--seconds 60] [--kills 100000] [--seed 1] [--servers 16] [--apps 2]
                 [--changing 0] [--kill-all-every 0] [--capacity 0] [--clients 80]
                 [--verbose] [--program PATH]

  --seconds   how long workers are killed, and --kills how many at most
  --seed      the same seed has the same workers die in the same ways and order
  --servers   2 to 32
  --apps      external servers, which are killed, hang and answer 500: up to 8
  --changing  more of those, which are added, moved and removed: up to 8
  --kill-all-every  rounds between two kills of the whole program; 0 for none
  --capacity  users that each server admits; 0 for as many as come
  --clients   as many as all servers but one have room for
  --verbose   says on standard error who dies and what is found
  --program   another coordinator.js than the one that was built here
`
const USAGE_EXIT = 2
const SECONDS_MAX = 7200
const KILLS_MAX = 100_000
const SEED_MAX = 2 ** 31 - 1
const SERVERS_MAX = 32
const APPS_MAX = 8
const CLIENTS_MAX = 1000
const ROUNDS_MAX = 1000

interface Given {
  readonly seconds: number
  readonly kills: number
  readonly seed: number
  readonly servers: number
  readonly apps: number
  readonly changing: number
  readonly killAllEvery: number
  readonly capacity: number
  readonly clients: number
  readonly program: string
  readonly isVerbose: boolean
}

const { isVerbose, ...given } = parse(process.argv.slice(2))
const result = await chaosRun({
  ...given,
  htmlDir: join(PROGRAM_DIR, 'html/site-1'),
  note: what => { if (isVerbose) process.stderr.write(`${new Date().toISOString()} ${what}\n`) }
})
print(result)
process.exit(result.failures.length + result.violations.length === 0 ? 0 : 1)

function print ({ kills, killsHoldingLock, requests, failures, violations }: RunResult): void {
  // What was wrong is for standard error: the one line is for scripts.
  for (const what of [...violations, ...failures]) process.stderr.write(`${what}\n`)
  process.stdout.write(`kills ${kills}, holding a lock ${killsHoldingLock}, requests ${requests}, ` +
    `failed after a retry ${failures.length}, violations ${violations.length}\n`)
}

function parse (args: string[]): Given {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: 'string', default: '60' },
        kills: { type: 'string', default: String(KILLS_MAX) },
        seed: { type: 'string', default: '1' },
        servers: { type: 'string', default: '16' },
        apps: { type: 'string', default: '2' },
        changing: { type: 'string', default: '0' },
        'kill-all-every': { type: 'string', default: '0' },
        capacity: { type: 'string', default: '0' },
        clients: { type: 'string', default: '80' },
        program: { type: 'string', default: join(PROGRAM_DIR, 'coordinator.js') },
        verbose: { type: 'boolean', default: false }
      }
    })
    const servers = whole('servers', values.servers, 2, SERVERS_MAX)
    const capacity = whole('capacity', values.capacity, 0, CLIENTS_MAX)
    // One server may be down: no client must be told for long that all are full.
    const room = capacity === 0 ? CLIENTS_MAX : (servers - 1) * capacity
    const clientsMax = Math.min(CLIENTS_MAX, room)
    return {
      seconds: whole('seconds', values.seconds, 1, SECONDS_MAX),
      kills: whole('kills', values.kills, 1, KILLS_MAX),
      seed: whole('seed', values.seed, 0, SEED_MAX),
      servers,
      apps: whole('apps', values.apps, 0, APPS_MAX),
      changing: whole('changing', values.changing, 0, APPS_MAX),
      killAllEvery: whole('kill-all-every', values['kill-all-every'], 0, ROUNDS_MAX),
      capacity,
      clients: whole('clients', values.clients, 1, clientsMax),
      program: resolve(values.program),
      isVerbose: values.verbose
    }
  } catch (error) {
    process.stderr.write(`chaos: ${(error as Error).message}\n\n${USAGE}`)
    process.exit(USAGE_EXIT)
  }
}

function whole (name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new Error(`--${name} is "${text}"; it must be a whole number from ${min} to ${max}`)
}
