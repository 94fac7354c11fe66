/**
 * What is measured of a program under a soak, again and again: from outside by its process and its
 * database, from inside by what it tells Prometheus.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessFigures, ProcessProbe } from '../measure/process-figures.ts'
import type { Program } from '../kit/program.ts'

export interface Sample extends ProcessFigures {
  /** Since the first one. */
  readonly minutes: number
  readonly users: number
  readonly databaseBytes: number
  readonly walBytes: number
  /** Of all threads together, the 99th percentile since the last sample. */
  readonly loopDelayMs: number
}

const DATABASE = 'db/usher.db'
const ASK_MS_MAX = 15_000
/** Main thread, three servers, monitor. */
const THREAD_COUNT = 5
const TAIL = 0.99
/** Stands for whatever is above the highest bound, 10 s. */
const OVER_MS = 20_000

export class Measures {
  readonly #program: Program
  readonly #probe: ProcessProbe
  readonly #token: string
  readonly #startMs = performance.now()
  #delays: ReadonlyMap<number, number> = new Map()

  constructor (program: Program, probe: ProcessProbe, token: string) {
    this.#program = program
    this.#probe = probe
    this.#token = token
  }

  async sample (): Promise<Sample> {
    const { process, folder } = this.#program
    const figures = await this.#probe.figures(process.pid!, THREAD_COUNT)
    const text = await this.#metrics()
    const delays = delaysIn(text)
    const loopDelayMs = tailMs(delays, this.#delays)
    this.#delays = delays
    return {
      minutes: (performance.now() - this.#startMs) / 60_000,
      ...figures,
      users: usersIn(text),
      databaseBytes: sizeOf(join(folder, DATABASE)),
      walBytes: sizeOf(join(folder, `${DATABASE}-wal`)),
      loopDelayMs
    }
  }

  async #metrics (): Promise<string> {
    const answer = await fetch(`${this.#program.monitorUrl}/metrics`, {
      // Nothing of ours may count among the program's descriptors.
      headers: { authorization: `Bearer ${this.#token}`, connection: 'close' },
      signal: AbortSignal.timeout(ASK_MS_MAX)
    })
    if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`)
    return await answer.text()
  }
}

/** Reservations included. */
export function usersIn (metrics: string): number {
  return Number(/^usher_table_users (\d+)$/m.exec(metrics)?.[1] ?? NaN)
}

/** How many samples were at most so late, by milliseconds; all threads together. */
export function delaysIn (metrics: string): Map<number, number> {
  const counts = new Map<number, number>()
  const lines = metrics.matchAll(/^usher_event_loop_delay_seconds_bucket\{.*le="([^"]+)"\} (\d+)$/gm)
  for (const [, le, count] of lines) {
    const ms = le === '+Inf' ? OVER_MS : Number(le) * 1000
    counts.set(ms, (counts.get(ms) ?? 0) + Number(count))
  }
  return counts
}

/** The first bucket by which nearly all samples since `before` are counted. */
export function tailMs (
  now: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>
): number {
  const since = [...now].map(([ms, count]) => [ms, count - (before.get(ms) ?? 0)] as const)
  const all = Math.max(0, ...since.map(([, count]) => count))
  const tail = since.filter(([, count]) => count >= all * TAIL).map(([ms]) => ms)
  return all === 0 ? 0 : Math.min(...tail)
}

function sizeOf (path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
