/**
 * What visitors notice of operators: the p99 of pages while logins flood the monitor and a console
 * pages through a million users, beside the p99 when nothing else goes on. The whole program stands
 * on one core, visitors and flood on the other.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../packages/workers/src/database/open.ts'
import type { SavedUser } from '../../packages/workers/src/database/rows.ts'
import { verdictOf, type BenchResult } from '../bench/report/report.ts'
import { ROOT } from '../kit/places.ts'
import { median, spread } from '../measure/figures.ts'
import type { FloodCounts, FloodData } from './flood-process.ts'
import { startUsher } from './peers/usher.ts'
import { inRounds, isDisturbed, ratios, type Sample } from './rounds.ts'
import type { Stand } from './stand.ts'
import { CONNECTIONS, runWrk, type LoadResult } from './wrk.ts'

const USERS = 1_000_000
const USERS_OF_TRIAL = 10_000
/** Places in the table besides: each connection of a visitor takes one. */
const ROOM = 100_000
const SERVER_NAMES = ['one', 'two', 'three']
const MINUTE_MS = 60_000
const PASSWORD = 'a password of the benchmark'
const SECONDS = 3
/** Of a p99 in which a core's every halt shows. */
const ROUNDS_MIN = 9
/** Logins are few in a second, and V8 compiles what handles them for more than a minute. */
const WARM_UP_MS = 60_000
const WARM_UP_MS_OF_TRIAL = 500
const GOAL = { floor: 2, goal: 1.5 }
const PROCESS_FILE = fileURLToPath(new URL('flood-process.js', import.meta.url))

/** What one measurement gives: how long pages took, and what the flood did meanwhile. */
interface Pages {
  readonly pages: LoadResult
  readonly flood: FloodCounts | undefined
}

type Samples = ReadonlyArray<Sample<Pages>>

export async function benchFlood (stand: Stand, rounds: number): Promise<BenchResult> {
  const { ground, cores, program: path } = stand
  const databasePath = join(ground.folder, 'a-million-users.db')
  const users = stand.isTrial ? USERS_OF_TRIAL : USERS
  await saveUsers(databasePath, users)
  const settings = {
    ADMIN_PASSWORD: PASSWORD,
    DB_PATH: databasePath,
    SERVER_NAMES: SERVER_NAMES.join(','),
    MAX_USERS: String(users + ROOM)
  }
  const { program } = await startUsher(ground, cores.server, { program: path, settings })
  let flood: ChildProcess | undefined
  try {
    const { monitoringPort, serverUrls: [url] } = program
    const data: FloodData = { monitoringPort, username: 'admin', password: PASSWORD, users }
    flood = startFlood(data)
    await once(flood, 'message')
    const visit = async (): Promise<Pages> => ({
      pages: await runWrk(stand.wrk, {
        url: url!,
        shape: 'same',
        service: 'page',
        isClosing: false,
        seconds: stand.isTrial ? stand.seconds : SECONDS,
        threads: 1
      }),
      flood: undefined
    })
    // Warm-up: of the servers, and of the console.
    await visit()
    await inFlood(flood, () => wait(stand.isTrial ? WARM_UP_MS_OF_TRIAL : WARM_UP_MS))
    await inFlood(flood, visit)
    const { pid } = program.process
    const samples = await inRounds([
      { name: 'quiet', pid: pid!, measure: visit },
      { name: 'flooded', pid: pid!, measure: () => inFlood(flood!, visit) }
    ], stand.isTrial ? rounds : Math.max(rounds, ROUNDS_MIN), stand)
    return resultOf(samples.get('quiet')!, samples.get('flooded')!, stand)
  } finally {
    flood?.kill('SIGKILL')
    await program.stop('SIGKILL') // It would save them all again.
  }
}

/**
 * The visitors who are measured share a core with it, and are not to wait for their own attacker:
 * it gives way to them at once.
 */
function startFlood (data: FloodData): ChildProcess {
  return fork(PROCESS_FILE, [JSON.stringify(data)], {
    execPath: 'chrt', execArgv: ['-i', '0', process.execPath]
  })
}

/** As if they had been here when the program was last stopped: it brings them back at its start. */
async function saveUsers (path: string, users: number): Promise<void> {
  const database = openDatabase(path, join(ROOT, 'db/migrations'))
  await database.write(sql => { sql.saveUsers(manyUsers(users, Date.now())) })
  database.close()
}

function * manyUsers (users: number, nowMs: number): Generator<SavedUser> {
  for (let user = 0; user < users; user++) {
    const agoMs = user % MINUTE_MS
    yield {
      kind: 'id',
      client: `${user.toString(16).padStart(8, '0')}-c0de-4000-8000-000000000000`,
      address: `10.${(user >> 16) & 255}.${(user >> 8) & 255}.${user & 255}`,
      server: SERVER_NAMES[user % SERVER_NAMES.length]!,
      isConfirmed: 1,
      firstSeenMs: nowMs - MINUTE_MS - agoMs,
      lastSeenMs: nowMs - agoMs
    }
  }
}

async function inFlood<T> (
  flood: ChildProcess, during: () => Promise<T>
): Promise<T & { readonly flood: FloodCounts }> {
  flood.send('begin')
  const seen = await during()
  const told = once(flood, 'message') as Promise<[FloodCounts]>
  flood.send('end')
  const [counts] = await told
  return { ...seen, flood: counts }
}

function resultOf (
  quietSamples: Samples, floodedSamples: Samples, { commandOf }: Pick<Stand, 'commandOf'>
): BenchResult {
  const [quiet, flooded] = [quietSamples, floodedSamples].map(samples => ({
    p50s: samples.map(({ value }) => value.pages.p50Ms),
    p99s: samples.map(({ value }) => value.pages.p99Ms)
  }))
  const disturbed = [...quietSamples, ...floodedSamples].filter(isDisturbed).length
  const pagesMs = floodedSamples.map(({ value }) => value.flood!.pageMs)
  const times = ratios(flooded!.p99s, quiet!.p99s)
  const row = (name: string, { p50s, p99s }: typeof quiet & {}): string[] => (
    [name, spread(p50s, 2), spread(p99s, 2)]
  )
  return {
    tables: [{
      id: 'flood',
      title: 'Pages while logins flood and a console pages through a million users',
      columns: ['pages', 'p50 ms', 'p99 ms'],
      rows: [
        row('nothing else goes on', quiet!),
        row('flooded', flooded!),
        ['ratio, round by round', spread(ratios(flooded!.p50s, quiet!.p50s), 2), spread(times, 2)]
      ],
      notes: [
        `${CONNECTIONS} connections of one thread of wrk at one of three servers; 200 logins at a ` +
        'time, one wave after another; the console asks for one page of 100 users after another, ' +
        'newest first, each ' +
        `${spread(pagesMs, 0)} ms. ${pagesMs.length} rounds; ${disturbed} of ` +
        `${2 * pagesMs.length} measurements were disturbed to the last.`
      ],
      command: commandOf('flood')
    }],
    plots: [],
    goals: [{
      case: 'p99 of pages while logins flood and a console pages through a million users',
      floor: `${GOAL.floor} x the quiet p99`,
      goal: `${GOAL.goal} x`,
      measured: `${spread(times, 2)} x`,
      verdict: verdictOf(median(times), GOAL)
    }]
  }
}
