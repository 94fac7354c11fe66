/**
 * What the threads have counted, as rates over the last 10 seconds and as totals since the program
 * started. Looks at the meters once a second, and whenever it is asked to. Runs in the monitor's
 * thread.
 */
import { quantileMs } from '@usher/shared/duration-buckets.ts'
import { startInterval as startSystemInterval, type StartInterval } from '@usher/shared/interval.ts'
import {
  ROUTER_METER, type MeterCopy, type MeterCounts, type MeterReader
} from '@usher/shared/memory/meters.ts'

/** What cannot be measured is undefined: there was no request, or not time enough. */
export interface ServerRates {
  readonly requestsPerSecond: number | undefined
  readonly beatsPerSecond: number | undefined
  readonly errorsPerSecond: number | undefined
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

export interface WholeRates {
  readonly redirectsPerSecond: number | undefined
  readonly waitP50Ms: number | undefined
  readonly waitP99Ms: number | undefined
}

/** The state of a thread now. */
export interface ThreadFacts {
  readonly connections: number | undefined
  /** Milliseconds since 1970; undefined when it is down. */
  readonly upSinceMs: number | undefined
  readonly restarts: number
}

const WINDOW_MS = 10_000
const SAMPLE_MS = 1000
/**
 * Copies closer together than this are not kept, so that frequent requests do not fill the list.
 */
const KEPT_APART_MS = 900
/** A rate over less is noise. */
const WINDOW_MIN_MS = 900

const ANY_STATUS = [100, 599] as const
/** Servers answer only heartbeats with 204, and the router only redirects with 302. */
const BEAT_STATUS = 204
const REDIRECT_STATUS = 302
/** Replies of the servers that are faults of theirs, not of the client. */
const ERROR_STATUSES = [500, 599] as const

export class Rates {
  readonly #meters: Pick<MeterReader, 'read'>
  readonly #startInterval: StartInterval
  /** Oldest first; the first one is where the window begins. */
  #kept: MeterCopy[] = []
  #newest: MeterCopy
  readonly #totals: MeterCounts
  /** From the window's begin to the newest copy; made on demand. */
  #delta: MeterCounts | undefined
  #stop: (() => void) | undefined

  constructor (meters: Pick<MeterReader, 'read'>, startInterval = startSystemInterval) {
    this.#meters = meters
    this.#startInterval = startInterval
    this.#newest = meters.read()
    this.#totals = this.#newest.counts()
  }

  start (): void {
    this.#stop ??= this.#startInterval(SAMPLE_MS, () => { this.sample() })
  }

  close (): void {
    this.#stop?.()
  }

  /** Brings everything up to this moment. */
  sample (): void {
    const last = this.#kept.at(-1)
    const isApart = last === undefined || this.#newest.atMs - last.atMs >= KEPT_APART_MS
    if (isApart) this.#kept.push(this.#newest)
    const before = this.#newest
    this.#newest = this.#meters.read()
    this.#totals.add(this.#newest.since(before))
    const beginMs = this.#newest.atMs - WINDOW_MS
    const beginAt = this.#kept.findLastIndex(({ atMs }) => atMs <= beginMs)
    if (beginAt > 0) this.#kept = this.#kept.slice(beginAt)
    this.#delta = undefined
  }

  /** Of pages that beat to the router, for a server of either kind. */
  routerBeatsPerSecond (server: number): number | undefined {
    const { counts, perSecond } = this.#window()
    return perSecond(counts?.routerBeats(server))
  }

  /** @param server an own one */
  server (server: number): ServerRates {
    const { counts, perSecond } = this.#window()
    const durations = counts?.durations(server).buckets
    return {
      requestsPerSecond: perSecond(counts?.answered(server, ...ANY_STATUS)),
      beatsPerSecond: perSecond(
        counts && counts.answered(server, BEAT_STATUS) + counts.routerBeats(server)),
      errorsPerSecond: perSecond(counts?.answered(server, ...ERROR_STATUSES)),
      p50Ms: durations && quantileMs(durations, 0.5),
      p99Ms: durations && quantileMs(durations, 0.99)
    }
  }

  whole (): WholeRates {
    const { counts, perSecond } = this.#window()
    const waits = counts?.durations(ROUTER_METER).buckets
    return {
      redirectsPerSecond: perSecond(counts?.answered(ROUTER_METER, REDIRECT_STATUS)),
      waitP50Ms: waits && quantileMs(waits, 0.5),
      waitP99Ms: waits && quantileMs(waits, 0.99)
    }
  }

  thread (thread: number): ThreadFacts {
    return {
      connections: this.#newest.connections(thread),
      upSinceMs: this.#newest.upSinceMs(thread),
      restarts: this.#newest.restarts(thread)
    }
  }

  /** Since the program started, beyond 32 bits. */
  get totals (): MeterCounts {
    return this.#totals
  }

  #window (): { counts?: MeterCounts, perSecond: (count?: number) => number | undefined } {
    const begin = this.#kept[0]
    const windowMs = begin === undefined ? 0 : this.#newest.atMs - begin.atMs
    if (begin === undefined || windowMs < WINDOW_MIN_MS) return { perSecond: () => undefined }
    this.#delta ??= this.#newest.since(begin)
    return {
      counts: this.#delta,
      perSecond: count => count === undefined ? undefined : count * 1000 / windowMs
    }
  }
}
