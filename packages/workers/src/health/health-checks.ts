/**
 * Checks servers one beside another, each at its own interval, and says what was found: at once if
 * a server has come up or gone down, the rest now and then. Intervals differ by chance, so that the
 * checks of many servers do not march in step. Owns its timers and no state of the cluster.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
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
  /** By index of the server. */
  readonly #loops = new Map<number, Loop>()

  constructor (parts: HealthChecksParts) {
    this.#parts = parts
    this.#wait = parts.wait ?? (async (ms, signal) => { await wait(ms, undefined, { signal }) })
  }

  /** Resolves once it is closed and the last check is over. */
  async run (): Promise<void> {
    const reporting = this.#reportNowAndThen()
    this.replace(this.#parts.servers)
    await reporting
    await Promise.all([...this.#loops.values()].map(({ running }) => running))
  }

  /** These and no others from now on; one that is checked as before goes on as it was. */
  replace (servers: readonly CheckedServer[]): void {
    this.#reports.clear()
    const isGone = new Set(this.#loops.keys())
    const spreadMs = servers.length === 1 ? 0 : FIRST_WITHIN_MS
    for (const server of servers) {
      const loop = this.#loops.get(server.index)
      isGone.delete(server.index)
      // One that nobody has looked at is another server, or is checked in another way.
      if (loop !== undefined && server.isUp !== undefined && isAlike(loop.server, server)) {
        // What was said of the list before may not have been heard.
        if (loop.latest !== undefined) this.#reports.set(server.index, loop.latest)
        continue
      }
      loop?.end.abort()
      this.#begin(server, spreadMs)
    }
    for (const index of isGone) {
      this.#loops.get(index)!.end.abort()
      this.#loops.delete(index)
    }
  }

  close (): void {
    this.#end.abort()
  }

  #begin (server: CheckedServer, withinMs: number): void {
    const end = new AbortController()
    const signal = AbortSignal.any([this.#end.signal, end.signal])
    const loop: Loop = { server, end, latest: undefined, running: undefined }
    this.#loops.set(server.index, loop)
    loop.running = this.#check(loop, withinMs, signal)
  }

  async #check (loop: Loop, withinMs: number, signal: AbortSignal): Promise<void> {
    const { random, now } = this.#parts
    const { server } = loop
    const state = new RiseAndFall(server.check, server.isUp)
    let pauseMs = random() * withinMs
    let isFirstOfMany = withinMs > 0
    while (await this.#hasWaited(pauseMs, signal)) {
      const startMs = now()
      await this.#look(loop, state, startMs, signal)
      // The second looks come anywhere in the interval: by the jitter alone they would for minutes
      // come together, as the first ones do.
      const intervals = isFirstOfMany ? random() : 1 + JITTER * (2 * random() - 1)
      isFirstOfMany = false
      pauseMs = Math.max(0, startMs + server.check.intervalMs * intervals - now())
    }
  }

  async #look (
    loop: Loop, state: RiseAndFall, startMs: number, signal: AbortSignal
  ): Promise<void> {
    const { probe, now, wallNow } = this.#parts
    const { server: { index: server } } = loop
    const found = await probe(loop.server)
    if (signal.aborted) return
    const before = state.isUp
    state.note(found)
    const isUp = state.isUp!
    const tookMs = Math.round(now() - startMs)
    loop.latest = {
      server,
      isUp,
      found: found.what,
      reason: isUp ? undefined : state.reason,
      goodCount: state.goodCount,
      badCount: state.badCount,
      tookMs,
      atMs: wallNow()
    }
    this.#reports.set(server, loop.latest)
    if (isUp !== before) this.#reportAll()
  }

  async #reportNowAndThen (): Promise<void> {
    while (await this.#hasWaited(REPORT_MS, this.#end.signal)) this.#reportAll()
  }

  #reportAll (): void {
    if (this.#reports.size === 0 || this.#end.signal.aborted) return
    this.#parts.report([...this.#reports.values()])
    this.#reports.clear()
  }

  /** False when it is over. */
  async #hasWaited (ms: number, signal: AbortSignal): Promise<boolean> {
    await this.#wait(ms, signal).catch(() => {})
    return !signal.aborted
  }
}

/** The checks of one server. */
interface Loop {
  readonly server: CheckedServer
  readonly end: AbortController
  latest: HealthReport | undefined
  running: Promise<void> | undefined
}

function isAlike (one: CheckedServer, other: CheckedServer): boolean {
  return one.publicUrl === other.publicUrl && isDeepStrictEqual(one.check, other.check)
}
