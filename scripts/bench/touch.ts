/**
 * The user table's touch against its plain rival, a Map on the main thread that a worker reaches by
 * postMessage: what each costs the processor, both threads of the rival counted, and how long each
 * takes. In turn, A B A B.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import { allocateTable, type TableMemory } from '@usher/shared/memory/table-view.ts'
import { median, spread } from '../measure/figures.ts'
import { verdictOf, type BenchPart, type ReportTable } from './report/report.ts'

export const USERS = 20_000
export const SERVERS = 3
export const TOUCHES = 200_000
/** Messages on their way at a time; more only fills memory. */
export const IN_FLIGHT = 10_000

/** table: users who stay; moves: each is on another server than before; more: goes on with map. */
export type TouchOrder = 'table' | 'moves' | 'map' | 'more'
export interface TouchThreadData {
  readonly memory: TableMemory
}

type TouchReport = 'done' | { readonly id: string, readonly server: number }

/** Of one touch, in nanoseconds. */
interface Cost {
  readonly cpuNs: number
  readonly wallNs: number
}

const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
const LIMITS = { floor: 8, goal: 12 }
const THREAD_FILE = fileURLToPath(new URL('touch-thread.js', import.meta.url))

export const benchTouch: BenchPart = async ({ rounds }) => {
  const random = (): number => (Math.random() * 2 ** 32) | 0
  const memory = allocateTable(USERS * 2, SERVERS, TIMES, random, SERVERS_MAX)
  const worker = new Worker(THREAD_FILE, { workerData: { memory } satisfies TouchThreadData })
  const map = new Map<string, { server: number, lastSeenMs: number }>()
  // Warm-up: all is compiled, every user is in, and all are confirmed.
  for (const order of ['table', 'moves', 'map', 'table', 'table'] as const) {
    await measured(worker, map, order)
  }
  const costs: Array<Readonly<Record<'table' | 'moves' | 'map', Cost>>> = []
  for (let round = 0; round < rounds; round++) {
    const stays = await measured(worker, map, 'table')
    const posted = await measured(worker, map, 'map')
    const moves = await measured(worker, map, 'moves')
    await measured(worker, map, 'table') // Everybody is where they were.
    costs.push({ table: stays, map: posted, moves })
  }
  await worker.terminate()

  const row = (name: string, side: 'table' | 'moves' | 'map'): string[] => [
    name,
    spread(costs.map(cost => cost[side].cpuNs), 0),
    spread(costs.map(cost => cost[side].wallNs), 0)
  ]
  const ratios = (side: 'table' | 'moves', unit: keyof Cost): number[] => (
    costs.map(cost => cost.map[unit] / cost[side][unit])
  )
  const table: ReportTable = {
    id: 'touch',
    title: 'A touch, beside a postMessage to a Map on the main thread',
    columns: ['one touch', 'CPU ns', 'ns until done'],
    rows: [
      row('user table, where they were', 'table'),
      row('user table, on another server', 'moves'),
      row('postMessage to a Map', 'map'),
      ratioRow('ratio, where they were', 'table'),
      ratioRow('ratio, on another server', 'moves')
    ],
    notes: [
      `${USERS} users in the same order on both sides; medians (least to most) of ${rounds} ` +
      'rounds, ratios round by round.'
    ],
    command: 'npm run bench -- touch'
  }
  const [low, high] = [ratios('table', 'cpuNs'), ratios('table', 'wallNs')].map(median)
  return {
    tables: [table],
    plots: [],
    goals: [{
      case: 'touch',
      floor: `${LIMITS.floor} x a postMessage to a Map`,
      goal: `${LIMITS.goal} x`,
      measured: `${low!.toFixed(1)} x by CPU, ${high!.toFixed(1)} x by time`,
      verdict: verdictOf(low!, LIMITS)
    }]
  }

  function ratioRow (name: string, side: 'table' | 'moves'): string[] {
    return [name, spread(ratios(side, 'cpuNs'), 1), spread(ratios(side, 'wallNs'), 1)]
  }
}

/** One round; the Map's side is this thread. */
async function measured (
  worker: Worker, map: Map<string, { server: number, lastSeenMs: number }>, order: TouchOrder
): Promise<Cost> {
  const startMs = monotonicNowMs()
  const startCpu = process.cpuUsage()
  await new Promise<void>(resolve => {
    let seen = 0
    worker.removeAllListeners('message')
    worker.on('message', (report: TouchReport) => {
      if (report === 'done') return resolve()
      const user = map.get(report.id)
      if (user === undefined) {
        map.set(report.id, { server: report.server, lastSeenMs: monotonicNowMs() })
      } else {
        user.server = report.server
        user.lastSeenMs = monotonicNowMs()
      }
      if (++seen % IN_FLIGHT === 0) worker.postMessage('more')
    })
    worker.postMessage(order)
  })
  const { user, system } = process.cpuUsage(startCpu)
  return {
    cpuNs: (user + system) * 1000 / TOUCHES,
    wallNs: (monotonicNowMs() - startMs) * 1e6 / TOUCHES
  }
}
