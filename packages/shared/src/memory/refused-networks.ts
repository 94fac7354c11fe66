/**
 * The networks whose newcomers are not counted any more, and how many that were: a block for each
 * thread that has visitors, written by that thread alone, so that nothing is locked or waited for.
 * A dead thread's replacement goes on where it stopped. Who reads adds the blocks up.
 */
import type { Words128 } from '../client.ts'
import { formatNetwork, type Width } from '../networks.ts'
import { WORD_BYTES } from './layout.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

/**
 * Networks that a thread remembers; when it needs another, the one longest quiet gives way, and of
 * those the one with fewest.
 */
const ENTRIES = 16

/** A block, in words: a total and the entries. */
const TOTAL_AT = 0 // requests of newcomers that were not counted, of all networks, modulo 2^32
const ENTRIES_AT = 1

/** An entry, in words. True when COUNT is not 0. */
const ENTRY = {
  COUNT: 0, // requests of newcomers that were not counted, modulo 2^32 but for 0
  WIDTH: 1,
  NETWORK: 2, // 4 words
  SINCE_MS: 6, // monotonic milliseconds, modulo 2^32
  LAST_MS: 7, // the same
  WORDS: 8
} as const

const BLOCK_WORDS = ENTRIES_AT + ENTRIES * ENTRY.WORDS

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
  return new SharedArrayBuffer(threads * BLOCK_WORDS * WORD_BYTES)
}

/** One thread's block. */
export class RefusalBlock {
  readonly #words: Int32Array
  readonly #at: number

  constructor (buffer: SharedArrayBuffer, thread: number) {
    this.#words = new Int32Array(buffer)
    this.#at = thread * BLOCK_WORDS
  }

  /** One more of this network was not counted. @param nowMs monotonic milliseconds */
  note (network: Words128, width: Width, nowMs: number): void {
    const now = wrappedMs(nowMs)
    const total = this.#at + TOTAL_AT
    Atomics.store(this.#words, total, (this.#words[total]! + 1) | 0)
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
    let best = this.#at + ENTRIES_AT
    let bestAge = -1
    let bestCount = Infinity
    for (let entry = 0; entry < ENTRIES; entry++) {
      const at = this.#at + ENTRIES_AT + entry * ENTRY.WORDS
      const count = this.#words[at + ENTRY.COUNT]! >>> 0
      const isUsed = count !== 0
      if (isUsed && this.#isOf(at, network, width)) return at
      const age = isUsed ? Math.max(0, wrappedAge(now, this.#words[at + ENTRY.LAST_MS]!)) : Infinity
      if (age < bestAge || (age === bestAge && count >= bestCount)) continue
      best = at
      bestAge = age
      bestCount = count
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
  const byNetwork = new Map<string, RefusedNetwork>()
  for (let block = 0; block < words.length; block += BLOCK_WORDS) {
    if (words[block + TOTAL_AT] === 0) continue // As in nearly all.
    for (let entry = 0; entry < ENTRIES; entry++) {
      const at = block + ENTRIES_AT + entry * ENTRY.WORDS
      const found = readEntry(words, at, wrappedMs(nowMs))
      if (found === undefined) continue
      const known = byNetwork.get(found.network)
      byNetwork.set(found.network, known === undefined ? found : together(found, known))
    }
  }
  return [...byNetwork.values()].sort((a, b) => b.notCounted - a.notCounted)
}

/** Requests of newcomers that were not counted, since the program started. */
export function refusedTotal (buffer: SharedArrayBuffer): number {
  const words = new Int32Array(buffer)
  let total = 0
  for (let block = 0; block < words.length; block += BLOCK_WORDS) {
    total += Atomics.load(words, block + TOTAL_AT) >>> 0
  }
  return total
}

/** Undefined when there is none, and while its thread is changing it. */
function readEntry (words: Int32Array, at: number, now: number): RefusedNetwork | undefined {
  const count = Atomics.load(words, at + ENTRY.COUNT)
  if (count === 0) return undefined
  const entry = words.slice(at, at + ENTRY.WORDS)
  const isSteady = entry.subarray(ENTRY.WIDTH, ENTRY.LAST_MS)
    .every((word, index) => word === Atomics.load(words, at + ENTRY.WIDTH + index))
  if (!isSteady) return undefined
  const lastAgoMs = Math.max(0, wrappedAge(now, entry[ENTRY.LAST_MS]!))
  if (lastAgoMs > QUIET_MS) return undefined
  const [w0, w1, w2, w3] = entry.subarray(ENTRY.NETWORK, ENTRY.SINCE_MS)
  return {
    network: formatNetwork({ w0: w0!, w1: w1!, w2: w2!, w3: w3! }, entry[ENTRY.WIDTH]!),
    notCounted: count >>> 0,
    sinceAgoMs: Math.max(0, wrappedAge(now, entry[ENTRY.SINCE_MS]!)),
    lastAgoMs
  }
}

function together (a: RefusedNetwork, b: RefusedNetwork): RefusedNetwork {
  return {
    network: a.network,
    notCounted: a.notCounted + b.notCounted,
    sinceAgoMs: Math.max(a.sinceAgoMs, b.sinceAgoMs),
    lastAgoMs: Math.min(a.lastAgoMs, b.lastAgoMs)
  }
}
