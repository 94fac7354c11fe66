/**
 * How many newcomers each network may have counted, so that ids, which cost nothing, cannot steer
 * anybody else's placement. A token bucket for each network an address lies in: a minute's
 * allowance, refilled steadily. Kept as GCRA (ITU-T I.371) in a count-min sketch: a cell is the
 * time until which its networks have used up what they were given, so it refills by itself; a
 * network stands in one cell of each row, and the row with the lowest value counts: it is right, or
 * too strict for a network that shares all its cells. A second piece of shared memory, of fixed
 * size, without a lock: a thread that dies in between leaves a newcomer counted for some widths
 * only. Any thread.
 *
 *     | generous until | cells: widths x rows x CELLS |    64-bit words, in microseconds
 */
import { isInRange, type AddressRange } from '../address-range.ts'
import { isMapped, type Address, type Words128 } from '../client.ts'
import { networkOf, widthsOf, type Width } from '../networks.ts'
import { allocateRefusals, RefusalBlock } from './refused-networks.ts'
import { halfSipHash13 } from './sip-hash.ts'

const WIDTHS = 3
const ROWS = 2
/** In each row, a power of two: two networks share both cells once in 2^26. */
const CELLS = 8192
const CELL_BITS = Math.log2(CELLS)
const GENEROUS_AT = 0
const CELLS_AT = 1
const WORD_BYTES = 8

/** What a network may have, as a multiple of the narrowest's. */
const IPV4_TIMES = [1, 8] as const
const IPV6_TIMES = [1, 4, 16] as const
/** Of all active users, for a network of any width, where that is more than the setting. */
const SHARE = 0.1
/** After a crash all users come back at once. */
const TIMES_AFTER_CRASH = 10
const MINUTE_US = 60_000_000n
const US_PER_MS = 1000

/** What a thread needs to map it: posted to workers as it stands. */
export interface NewcomersMemory {
  readonly sketch: SharedArrayBuffer
  readonly refusals: SharedArrayBuffer
  readonly hashKey: number
}

export interface NewcomerSettings {
  /** For the narrowest networks. */
  readonly perMinute: number
  /** Newcomers from these networks are always counted. */
  readonly exempt: readonly AddressRange[]
  /** This thread's index in PORTS, or ROUTER. */
  readonly thread: number
}

type NewcomersOptions = NewcomerSettings & { /** Monotonic. */ readonly now: () => number }

/** Names the router's block of refusals. */
export const ROUTER = -1

export function allocateNewcomers (serverCount: number, hashKey: number): NewcomersMemory {
  return {
    sketch: new SharedArrayBuffer((CELLS_AT + WIDTHS * ROWS * CELLS) * WORD_BYTES),
    refusals: allocateRefusals(serverCount + 1),
    hashKey
  }
}

/** The allowance is ten times as large until then: after a stop that saved nobody. */
export function allowMoreNewcomers ({ sketch }: NewcomersMemory, untilMs: number): void {
  Atomics.store(new BigInt64Array(sketch), GENEROUS_AT, microseconds(untilMs))
}

/** What a newcomer takes of a network's minute, and where that is kept. */
export interface Charge {
  readonly cells: readonly number[]
  readonly costUs: bigint
}

/** Decides which newcomers are counted as users. */
export class Newcomers {
  readonly #words: BigInt64Array
  readonly #hashKey: number
  readonly #options: NewcomersOptions
  readonly #refusals: RefusalBlock

  constructor (memory: NewcomersMemory, options: NewcomersOptions) {
    this.#words = new BigInt64Array(memory.sketch)
    this.#hashKey = memory.hashKey
    this.#options = options
    this.#refusals = new RefusalBlock(memory.refusals, options.thread + 1)
  }

  /**
   * What one more from this address costs its networks, to be charged once the user is in;
   * undefined when it is not counted, of which the network that has had enough is noted.
   * @param activeUsers on all servers
   */
  admit (address: Address, activeUsers: number): readonly Charge[] | undefined {
    const charges: Charge[] = []
    if (this.#isExempt(address)) return charges
    const nowUs = this.#nowUs()
    for (let width = 0; width < widthsOf(address); width++) {
      const network = networkOf(address, width)
      const costUs = this.#costUs(address, width, activeUsers, nowUs)
      const cells = this.#cellsOf(network, width)
      if (this.#debtUs(cells, nowUs) + costUs > MINUTE_US) {
        this.#refusals.note(network, width, this.#options.now())
        return undefined
      }
      charges.push({ cells, costUs })
    }
    return charges
  }

  charge (charges: readonly Charge[]): void {
    const nowUs = this.#nowUs()
    for (const { cells, costUs } of charges) {
      for (const cell of cells) this.#chargeCell(cell, costUs, nowUs)
    }
  }

  #isExempt (address: Address): boolean {
    return this.#options.exempt.some(range => isInRange(address, range))
  }

  /** How much of its minute a newcomer takes of such a network. */
  #costUs (address: Words128, width: Width, activeUsers: number, nowUs: bigint): bigint {
    const times = isMapped(address) ? IPV4_TIMES[width]! : IPV6_TIMES[width]!
    const isGenerous = Atomics.load(this.#words, GENEROUS_AT) > nowUs
    // The share is no wider for a wider network: 16 times a tenth would be more than all there are.
    const perMinute = Math.max(this.#options.perMinute * times, activeUsers * SHARE) *
      (isGenerous ? TIMES_AFTER_CRASH : 1)
    return BigInt(Math.ceil(Number(MINUTE_US) / perMinute))
  }

  /** What the network has used of its minute and not been given back. */
  #debtUs (cells: readonly number[], nowUs: bigint): bigint {
    let least = MINUTE_US
    for (const cell of cells) {
      const debt = Atomics.load(this.#words, cell) - nowUs
      if (debt < least) least = debt
    }
    return least > 0n ? least : 0n
  }

  #chargeCell (cell: number, costUs: bigint, nowUs: bigint): void {
    let usedUntil = Atomics.load(this.#words, cell)
    for (;;) {
      const from = usedUntil > nowUs ? usedUntil : nowUs
      const seen = Atomics.compareExchange(this.#words, cell, usedUntil, from + costUs)
      if (seen === usedUntil) return
      usedUntil = seen // Another thread was faster, which can happen once for each of them.
    }
  }

  #cellsOf ({ w0, w1, w2, w3 }: Words128, width: Width): readonly number[] {
    const hash = halfSipHash13(this.#hashKey, ~this.#hashKey, width, w0, w1, w2, w3)
    const cells: number[] = []
    for (let row = 0; row < ROWS; row++) {
      const cell = (hash >>> (row * CELL_BITS)) & (CELLS - 1)
      cells.push(CELLS_AT + (width * ROWS + row) * CELLS + cell)
    }
    return cells
  }

  #nowUs (): bigint {
    return microseconds(this.#options.now())
  }
}

function microseconds (ms: number): bigint {
  return BigInt(Math.floor(ms * US_PER_MS))
}
