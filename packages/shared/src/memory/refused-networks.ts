/**
 * The networks whose newcomers are not counted any more, and how many that were: a block for each
 * thread that has visitors, written by that thread alone, so that nothing is locked or waited for.
 * A dead thread's replacement goes on where it stopped. Who reads adds the blocks up.
 */
import type { Words128 } from '../client.ts'
import { formatNetwork, type Width } from '../networks.ts'
import { WORD_BYTES } from './layout.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/** Networks that a thread remembers; when it needs another, the one longest quiet gives way. */
const ENTRIES = 16

/** An entry, in words. True when COUNT is not 0. */
const ENTRY = {
  COUNT: 0, // requests of newcomers that were not counted, modulo 2^32 but for 0
  WIDTH: 1,
  NETWORK: 2, // 4 words
  SINCE_MS: 6, // monotonic milliseconds, modulo 2^32
  LAST_MS: 7, // the same
  WORDS: 8
} as const

/** A network that has been quiet for so long is not told of any more. */
const QUIET_MS = 600_000

export interface RefusedNetwork {
  /** As a deny list or TRUSTED_NETWORKS takes it. */
  readonly network: string
  /** Requests of its newcomers that were not counted. */
  readonly notCounted: number
  readonly sinceAgoMs: number
  readonly lastAgoMs: number
}

export function allocateRefusals (threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * ENTRIES * ENTRY.WORDS * WORD_BYTES)
}

/** One thread's block. */
export class RefusalBlock {
  readonly #words: Int32Array
  readonly #at: number

  constructor (buffer: SharedArrayBuffer, thread: number) {
    this.#words = new Int32Array(buffer)
    this.#at = thread * ENTRIES * ENTRY.WORDS
  }

  /** One more of this network was not counted. @param nowMs monotonic milliseconds */
  note (network: Words128, width: Width, nowMs: number): void {
    const now = wrappedMs(nowMs)
    const at = this.#entryOf(network, width, now)
    const { [at + ENTRY.COUNT]: count } = this.#words
    const isQuiet = wrappedAge(now, this.#words[at + ENTRY.LAST_MS]!) > QUIET_MS
    if (count === 0 || isQuiet || !this.#isOf(at, network, width)) {
      this.#begin(at, network, width, now)
    } else {
      Atomics.store(this.#words, at + ENTRY.COUNT, (count! + 1) | 0 || 1)
    }
    Atomics.store(this.#words, at + ENTRY.LAST_MS, now)
  }

  #begin (at: number, { w0, w1, w2, w3 }: Words128, width: Width, now: number): void {
    // Nobody's while its words change: a reader passes over it.
    Atomics.store(this.#words, at + ENTRY.COUNT, 0)
    this.#words.set([width, w0, w1, w2, w3, now], at + ENTRY.WIDTH)
    Atomics.store(this.#words, at + ENTRY.COUNT, 1)
  }

  /** The network's own entry, else the one that gives way to it. */
  #entryOf (network: Words128, width: Width, now: number): number {
    let best = this.#at
    let bestAge = -1
    for (let entry = 0; entry < ENTRIES; entry++) {
      const at = this.#at + entry * ENTRY.WORDS
      const isUsed = this.#words[at + ENTRY.COUNT] !== 0
      if (isUsed && this.#isOf(at, network, width)) return at
      const age = isUsed ? Math.max(0, wrappedAge(now, this.#words[at + ENTRY.LAST_MS]!)) : Infinity
      if (age <= bestAge) continue
      best = at
      bestAge = age
    }
    return best
  }

  #isOf (at: number, { w0, w1, w2, w3 }: Words128, width: Width): boolean {
    const words = this.#words
    return words[at + ENTRY.WIDTH] === width && words[at + ENTRY.NETWORK] === w0 &&
      words[at + ENTRY.NETWORK + 1] === w1 && words[at + ENTRY.NETWORK + 2] === w2 &&
      words[at + ENTRY.NETWORK + 3] === w3
  }
}

/** All threads' networks, the one with most first. @param nowMs monotonic milliseconds */
export function refusedNetworks (
  buffer: SharedArrayBuffer, nowMs: number
): readonly RefusedNetwork[] {
  const words = new Int32Array(buffer)
  const now = wrappedMs(nowMs)
  const byNetwork = new Map<string, RefusedNetwork>()
  for (let at = 0; at < words.length; at += ENTRY.WORDS) {
    const count = Atomics.load(words, at + ENTRY.COUNT)
    const entry = words.slice(at, at + ENTRY.WORDS)
    // Looked at twice: what its thread was about to change is passed over.
    const isSteady = entry.subarray(ENTRY.WIDTH, ENTRY.LAST_MS)
      .every((word, index) => word === Atomics.load(words, at + ENTRY.WIDTH + index))
    if (count === 0 || !isSteady) continue
    const lastAgoMs = Math.max(0, wrappedAge(now, entry[ENTRY.LAST_MS]!))
    if (lastAgoMs > QUIET_MS) continue
    const [w0, w1, w2, w3] = entry.subarray(ENTRY.NETWORK, ENTRY.SINCE_MS)
    const network = formatNetwork({ w0: w0!, w1: w1!, w2: w2!, w3: w3! }, entry[ENTRY.WIDTH]!)
    const known = byNetwork.get(network)
    byNetwork.set(network, {
      network,
      notCounted: (count >>> 0) + (known?.notCounted ?? 0),
      sinceAgoMs: Math.max(0, wrappedAge(now, entry[ENTRY.SINCE_MS]!), known?.sinceAgoMs ?? 0),
      lastAgoMs: Math.min(lastAgoMs, known?.lastAgoMs ?? Infinity)
    })
  }
  return [...byNetwork.values()].sort((a, b) => b.notCounted - a.notCounted)
}
