/**
 * What every thread counts and measures of itself, in a second fixed piece of shared memory: a
 * block per thread, written by that thread alone, which goes on where a dead one stopped. Nothing
 * here is locked or waited for. Counters are 32 bits and wrap; readers keep differences. While one
 * thread takes another's place both write, and a few counts may be lost.
 *
 *     | header | router | monitor | server 0 | server 1 | ... |
 */
import { bucketOf, DURATION_BUCKETS } from '../duration-buckets.ts'
import { SERVERS_MAX, WORD_BYTES } from './layout.ts'

/** Header, in words. Written by the main thread. */
const HEADER = {
  RELOADS: 0, // times that all servers have switched to files read anew
  ROUTER_BEATS: 1, // heartbeats that the router has answered for each server, by its index
  WORDS: 1 + SERVERS_MAX
} as const

const STATUS_MIN = 100
const STATUS_MAX = 599

/** A thread's block, in words. Written by that thread, except where a line says otherwise. */
export const METER = {
  STATUS: 0, // a counter for each HTTP status from STATUS_MIN to STATUS_MAX
  DURATIONS: 500, // a counter for each bucket of duration-buckets.ts
  DURATION_SUM_MS: 1140,
  LOCK_WAITS: 1141, // times the thread slept for a shard of the user table
  LOCK_WAITED_US: 1142, // for how long in all
  LOOP_DELAYS: 1143, // how late the event loop was, a counter for each bucket
  LOOP_DELAY_SUM_US: 1783,
  CONNECTIONS: 1784, // open at SAMPLED_MS
  SAMPLED_MS: 1785, // monotonic, modulo 2^32; never 0 but at first
  UP_SINCE_S: 1786, // seconds since 1970, unsigned; 0 when down. Written by the coordinator
  RESTARTS: 1787, // replacements started so far. Written by the coordinator
  PROXY_HEADERS_REFUSED: 1788, // connections that were closed for the sake of theirs
  WORDS: 1789
} as const

/** Names a block. A server has its index, as in BootData. */
export const ROUTER_METER = -2
export const MONITOR_METER = -1
const SERVERS_FROM = 2

/** A thread's sample is of no use any more when it has taken none for so long. */
const SAMPLE_FRESH_MS = 3000

/** What a thread needs to map the meters: posted to workers as it stands. */
export interface MeterMemory {
  readonly buffer: SharedArrayBuffer
}

export function allocateMeters (serverCount: number): MeterMemory {
  const words = HEADER.WORDS + METER.WORDS * (SERVERS_FROM + serverCount)
  return { buffer: new SharedArrayBuffer(words * WORD_BYTES) }
}

/**
 * A thread's own block. Its words have one writer and no order among them, so plain stores do: an
 * aligned word is never seen half written.
 */
export class ThreadMeter {
  readonly #words: Int32Array
  readonly #at: number
  /** What the word cannot hold yet, of the sum. */
  #durationRestMs = 0

  constructor (memory: MeterMemory, thread: number) {
    this.#words = new Int32Array(memory.buffer)
    this.#at = blockAt(thread)
  }

  /** @param durationMs left out for a reply whose time is not measured */
  answered (status: number, durationMs?: number): void {
    const words = this.#words
    if (status >= STATUS_MIN && status <= STATUS_MAX) {
      words[this.#at + METER.STATUS + status - STATUS_MIN]!++
    }
    if (durationMs === undefined) return
    words[this.#at + METER.DURATIONS + bucketOf(durationMs)]!++
    this.#durationRestMs += durationMs
    const wholeMs = Math.floor(this.#durationRestMs)
    this.#durationRestMs -= wholeMs
    words[this.#at + METER.DURATION_SUM_MS]! += wholeMs
  }

  /** The router's meter only: a page of that server's has beaten, and is to go on. */
  beatAnsweredFor (server: number): void {
    this.#words[HEADER.ROUTER_BEATS + server]!++
  }

  lockWaited (ms: number): void {
    this.#words[this.#at + METER.LOCK_WAITS]!++
    this.#words[this.#at + METER.LOCK_WAITED_US]! += Math.round(ms * 1000)
  }

  loopDelayed (ms: number): void {
    this.#words[this.#at + METER.LOOP_DELAYS + bucketOf(ms)]!++
    this.#words[this.#at + METER.LOOP_DELAY_SUM_US]! += Math.round(ms * 1000)
  }

  proxyHeaderRefused (): void {
    this.#words[this.#at + METER.PROXY_HEADERS_REFUSED]!++
  }

  /** @param nowMs monotonic */
  connectionsOpen (count: number, nowMs: number): void {
    this.#words[this.#at + METER.CONNECTIONS] = count
    this.#words[this.#at + METER.SAMPLED_MS] = Math.floor(nowMs) | 0 || 1
  }
}

/** What the coordinator says of the workers and of itself. Main thread only. */
export class ClusterMeter {
  readonly #words: Int32Array

  constructor (memory: MeterMemory) {
    this.#words = new Int32Array(memory.buffer)
  }

  /** @param wallNowMs milliseconds since 1970 */
  setUp (thread: number, restarts: number, wallNowMs: number): void {
    const at = blockAt(thread)
    // In this order, or a reader could take the new life for the old one, longer up than it is.
    Atomics.store(this.#words, at + METER.RESTARTS, restarts)
    Atomics.store(this.#words, at + METER.UP_SINCE_S, Math.floor(wallNowMs / 1000))
  }

  setDown (thread: number, restarts: number): void {
    const at = blockAt(thread)
    Atomics.store(this.#words, at + METER.UP_SINCE_S, 0)
    Atomics.store(this.#words, at + METER.RESTARTS, restarts)
  }

  reloaded (): void {
    Atomics.add(this.#words, HEADER.RELOADS, 1)
  }
}

/** Reads all blocks; any thread. */
export class MeterReader {
  readonly #words: Int32Array
  readonly #now: () => number

  /** @param now monotonic milliseconds */
  constructor (memory: MeterMemory, now: () => number) {
    this.#words = new Int32Array(memory.buffer)
    this.#now = now
  }

  read (): MeterCopy {
    return new MeterCopy(this.#words.slice(), this.#now())
  }

  /** Those that are watched more often than all is read. */
  restarts (thread: number): number {
    return Atomics.load(this.#words, blockAt(thread) + METER.RESTARTS)
  }

  /** Seconds since 1970; 0 when it is down. */
  upSinceS (thread: number): number {
    return Atomics.load(this.#words, blockAt(thread) + METER.UP_SINCE_S) >>> 0
  }

  reloads (): number {
    return Atomics.load(this.#words, HEADER.RELOADS)
  }
}

/** All meters at one moment. */
export class MeterCopy {
  readonly atMs: number
  readonly #words: Int32Array

  constructor (words: Int32Array, atMs: number) {
    this.#words = words
    this.atMs = atMs
  }

  /** How far every counter has come since an earlier copy, right over one wrap. */
  since (earlier: MeterCopy): MeterCounts {
    const before = earlier.#words
    const now = this.#words
    // Once a second, of thousands of words: `Float64Array.from` makes a value of each.
    const counts = new Float64Array(now.length)
    for (let at = 0; at < now.length; at++) counts[at] = (now[at]! - before[at]!) >>> 0
    return new MeterCounts(counts)
  }

  /** All that was counted so far, as far as 32 bits tell. */
  counts (): MeterCounts {
    return new MeterCounts(Float64Array.from(this.#words, word => word >>> 0))
  }

  /** Undefined when the thread has taken no sample lately: it is down or blocked. */
  connections (thread: number): number | undefined {
    const at = blockAt(thread)
    const sampledMs = this.#words[at + METER.SAMPLED_MS]!
    const ageMs = (Math.floor(this.atMs) - sampledMs) | 0
    if (sampledMs === 0 || ageMs > SAMPLE_FRESH_MS) return undefined
    return this.#words[at + METER.CONNECTIONS]!
  }

  /** Milliseconds since 1970; undefined when the thread is down. */
  upSinceMs (thread: number): number | undefined {
    const upSinceS = this.#words[blockAt(thread) + METER.UP_SINCE_S]! >>> 0
    return upSinceS === 0 ? undefined : upSinceS * 1000
  }

  restarts (thread: number): number {
    return this.#words[blockAt(thread) + METER.RESTARTS]!
  }
}

export interface Durations {
  /** A count per bucket of duration-buckets.ts. */
  readonly buckets: Float64Array
  readonly sumMs: number
}

/** Counters, or how far they came in a while. */
export class MeterCounts {
  readonly #counts: Float64Array

  constructor (counts: Float64Array) {
    this.#counts = counts
  }

  /** Adds what came later; for totals beyond 32 bits. */
  add (later: MeterCounts): void {
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at]! += later.#counts[at]!
  }

  reloads (): number {
    return this.#counts[HEADER.RELOADS]!
  }

  /** Heartbeats that the router has answered for that server. */
  routerBeats (server: number): number {
    return this.#counts[HEADER.ROUTER_BEATS + server]!
  }

  /** Replies from the first status to the last. */
  answered (thread: number, first: number, last = first): number {
    let sum = 0
    for (let status = first; status <= last; status++) {
      sum += this.#counts[blockAt(thread) + METER.STATUS + status - STATUS_MIN]!
    }
    return sum
  }

  answeredByStatus (thread: number): Array<readonly [status: number, count: number]> {
    return Array.from({ length: STATUS_MAX - STATUS_MIN + 1 }, (_, at) => STATUS_MIN + at)
      .map(status => [status, this.answered(thread, status)] as const)
      .filter(([, count]) => count > 0)
  }

  /** How long replies took. */
  durations (thread: number): Durations {
    const at = blockAt(thread)
    return this.#durations(at + METER.DURATIONS, this.#counts[at + METER.DURATION_SUM_MS]!)
  }

  /** How late the event loop was. */
  loopDelays (thread: number): Durations {
    const at = blockAt(thread)
    const sumUs = this.#counts[at + METER.LOOP_DELAY_SUM_US]!
    return this.#durations(at + METER.LOOP_DELAYS, sumUs / 1000)
  }

  lockWaits (thread: number): { readonly count: number, readonly ms: number } {
    const at = blockAt(thread)
    return {
      count: this.#counts[at + METER.LOCK_WAITS]!,
      ms: this.#counts[at + METER.LOCK_WAITED_US]! / 1000
    }
  }

  proxyHeadersRefused (thread: number): number {
    return this.#counts[blockAt(thread) + METER.PROXY_HEADERS_REFUSED]!
  }

  #durations (at: number, sumMs: number): Durations {
    return { buckets: this.#counts.subarray(at, at + DURATION_BUCKETS), sumMs }
  }
}

function blockAt (thread: number): number {
  return HEADER.WORDS + METER.WORDS * (SERVERS_FROM + thread)
}
