/**
 * One soak: a program with short times, warmed up and at rest; then under load for as long as it is
 * told; then at rest again. In the end it must be where it began.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { ProcessProbe } from '../measure/process-figures.ts'
import { startProgram, type Program } from '../kit/program.ts'
import { Console } from './console.ts'
import { Measures, type Sample } from './measures.ts'
import { rowsOf, tableOf, type Soaked } from './verdict.ts'
import { BEAT_MS, Visitors } from './visitors.ts'

export interface SoakPlan {
  readonly minutes: number
  readonly print: (text: string) => void
}

const PASSWORD = 'a password for the soak'
const TOKEN = 'token-of-the-soak'
/** So short that users come and go hundreds of times. */
const SETTINGS = {
  HEARTBEAT_INTERVAL: String(BEAT_MS / 1000),
  TIMEOUT_THRESHOLD: '2',
  RESERVATION_TTL: '1',
  DELAY_BETWEEN_ROUTING: '0.05',
  ADMIN_PASSWORD: PASSWORD,
  METRICS_TOKEN: TOKEN
}
/** Of the whole, and at most this long. */
const WARM_UP_SHARE = 0.2
/** By then each thread has loaded what it loads when it is first needed, also on a busy machine. */
const WARM_UP_MS_MIN = 6_000
const WARM_UP_MS_MAX = 60_000
const SAMPLE_MS_MAX = 5000
const SAMPLES_MIN = 12
/** All users time out within 3 s; a busy machine takes longer. */
const REST_MS_MAX = 30_000
const REST_LOOK_MS = 500
const GRAVE_LEVEL = 50
/** One in 5 seconds. */
const HISTORY_PER_MINUTE = 12

interface Parts {
  readonly program: Program
  readonly visitors: Visitors
  readonly console: Console
  readonly measures: Measures
}

/** @returns whether it has ended where it began, and nothing failed on the way */
export async function runSoak ({ minutes, print }: SoakPlan): Promise<boolean> {
  const probe = new ProcessProbe()
  const wrongs: string[] = []
  const program = await startProgram({ ...SETTINGS, ...probe.env }, {
    nodeOptions: probe.nodeOptions,
    onLine: line => { if (Number(line['level']) >= GRAVE_LEVEL) wrongs.push(JSON.stringify(line)) },
    onComplaint: text => { wrongs.push(text) }
  })
  try {
    const visitors = new Visitors(program)
    const console = new Console({ program, visitors, name: 'admin', password: PASSWORD })
    const measures = new Measures(program, probe, TOKEN)
    const soaked = await soak({ program, visitors, console, measures }, minutes * 60_000)
    const rows = rowsOf(soaked)
    const failures = [...visitors.failures].map(([what, count]) => `${what}, ${count} times`)
    wrongs.push(...failures, ...console.failures)
    print(tableOf(rows))
    print(`soak: ${minutes} min, ${visitors.requestCount} requests of visitors, ` +
      `${soaked.rowCount} rows, ${soaked.under.length} samples; ` +
      (wrongs.length === 0 ? 'nothing failed' : `FAILED: ${wrongs.slice(0, 10).join('; ')}`))
    return wrongs.length === 0 && rows.every(({ wrong }) => wrong === '')
  } finally {
    await program.stop()
    probe.close()
  }
}

async function soak (parts: Parts, ms: number): Promise<Soaked> {
  await load(parts, Math.max(WARM_UP_MS_MIN, Math.min(WARM_UP_MS_MAX, ms * WARM_UP_SHARE)))
  const begin = await rest(parts, Infinity)
  const [auditBefore, startMs] = [parts.console.auditCount, performance.now()]
  const under = await load(parts, ms)
  const end = await rest(parts, begin.descriptors)
  const minutes = (performance.now() - startMs) / 60_000
  const rowCount = parts.console.auditCount - auditBefore + Math.ceil(minutes * HISTORY_PER_MINUTE)
  return { begin, under, end, rowCount }
}

/** @returns what was measured meanwhile */
async function load ({ visitors, console, measures }: Parts, ms: number): Promise<Sample[]> {
  const endMs = performance.now() + ms
  const pauseMs = Math.min(SAMPLE_MS_MAX, ms / SAMPLES_MIN)
  const samples: Sample[] = []
  const watch = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await wait(Math.min(pauseMs, Math.max(0, endMs - performance.now())))
      samples.push(await measures.sample())
    }
  }
  await Promise.all([visitors.comeAndGo(endMs), console.operate(endMs), watch()])
  return samples
}

/** Resolves when no user and no connection is left, or when the time is over. */
async function rest ({ measures, visitors }: Parts, descriptorsMax: number): Promise<Sample> {
  visitors.rest()
  const endMs = performance.now() + REST_MS_MAX
  for (let before = Infinity; ;) {
    const sample = await measures.sample()
    const { users, descriptors } = sample
    const isAtRest = users === 0 && descriptors <= descriptorsMax && descriptors >= before
    if (isAtRest || performance.now() > endMs) return sample
    before = descriptors
    await wait(REST_LOOK_MS)
  }
}
