/**
 * Checks servers one beside another, each at its own interval, and says what was found: at once if
 * a server has come up or gone down, the rest now and then. Intervals differ by chance, so that the
 * checks of many servers do not march in step. Owns its timers and no state of the cluster.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { CheckedServer, HealthReport } from '@usher/shared/messages.ts'
import type { Found } from './probe.ts'
import { RiseAndFall } from './rise-and-fall.ts'

export interface HealthChecksParts {
  readonly servers: readonly CheckedServer[]
  readonly probe: (server: CheckedServer) => Promise<Found>
  readonly report: (reports: readonly HealthReport[]) => void
  /** From 0 up to 1. */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Rejects when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Of the interval, either way. */
const JITTER = 0.1
/** Of many servers the first checks are spread over this. */
const FIRST_WITHIN_MS = 200
const REPORT_MS = 1000

export class HealthChecks {
  readonly #parts: HealthChecksParts
  readonly #wait: NonNullable<HealthChecksParts['wait']>
  readonly #end = new AbortController()
  /** Not said yet. */
  readonly #reports = new Map<number, HealthReport>()

  constructor (parts: HealthChecksParts) {
    this.#parts = parts
    this.#wait = parts.wait ?? (async (ms, signal) => { await wait(ms, undefined, { signal }) })
  }

  /** Resolves once it is closed and the last check is over. */
  async run (): Promise<void> {
    const { servers } = this.#parts
    await Promise.all([...servers.map(server => this.#check(server)), this.#reportNowAndThen()])
  }

  close (): void {
    this.#end.abort()
  }

  async #check (server: CheckedServer): Promise<void> {
    const { random, now, servers } = this.#parts
    const state = new RiseAndFall(server.check, server.isUp)
    let pauseMs = servers.length === 1 ? 0 : random() * FIRST_WITHIN_MS
    while (await this.#hasWaited(pauseMs)) {
      const startMs = now()
      await this.#look(server, state, startMs)
      const jitter = 1 + JITTER * (2 * random() - 1)
      pauseMs = Math.max(0, startMs + server.check.intervalMs * jitter - now())
    }
  }

  async #look (server: CheckedServer, state: RiseAndFall, startMs: number): Promise<void> {
    const { probe, now, wallNow } = this.#parts
    const found = await probe(server)
    const before = state.isUp
    state.note(found)
    const isUp = state.isUp!
    const tookMs = Math.round(now() - startMs)
    this.#reports.set(server.index, {
      server: server.index,
      isUp,
      found: found.what,
      reason: isUp ? undefined : state.reason,
      goodCount: state.goodCount,
      badCount: state.badCount,
      tookMs,
      atMs: wallNow()
    })
    if (isUp !== before) this.#reportAll()
  }

  async #reportNowAndThen (): Promise<void> {
    while (await this.#hasWaited(REPORT_MS)) this.#reportAll()
  }

  #reportAll (): void {
    if (this.#reports.size === 0 || this.#end.signal.aborted) return
    this.#parts.report([...this.#reports.values()])
    this.#reports.clear()
  }

  /** False when it is closed. */
  async #hasWaited (ms: number): Promise<boolean> {
    await this.#wait(ms, this.#end.signal).catch(() => {})
    return !this.#end.signal.aborted
  }
}
