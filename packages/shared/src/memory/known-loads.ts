/**
 * The servers' loads as the thread that chooses knows them. The sums over all shards are read once
 * a millisecond; in between, this thread's own changes are added, so that a burst of its
 * reservations is placed exactly, and a choice costs the same however many servers there are.
 * What other threads change is at most a millisecond late. Main thread.
 */
import type { Loads } from '../balancing/tournament.ts'

const FRESH_MS = 1
/** Of one reading; more are read anew. */
const CHANGES_MAX = 4096

/** Whose places are counted, too. */
export interface Limits {
  /** Whether any server has a capacity. */
  isAny (): boolean
  /** 0: none. */
  capacityOf (server: number): number
  /** Writes the places that are taken, by index of the server. */
  read (places: Int32Array): void
}

export class KnownLoads implements Loads {
  readonly values: Int32Array
  readonly #places: Int32Array
  readonly #limits: Limits
  #isLimited = false
  #reading = 0
  #changes: number[] = []
  #readMs = -Infinity
  readonly #read: (loads: Int32Array) => void
  readonly #now: () => number

  /**
   * @param serverRoom how many servers there may ever be
   * @param read writes all loads, by index of the server
   * @param now monotonic milliseconds
   */
  constructor (
    serverRoom: number, read: (loads: Int32Array) => void, limits: Limits, now: () => number
  ) {
    this.values = new Int32Array(serverRoom)
    this.#places = new Int32Array(serverRoom)
    this.#limits = limits
    this.#read = read
    this.#now = now
  }

  get reading (): number {
    return this.#reading
  }

  get changes (): readonly number[] {
    return this.#changes
  }

  /** This thread has changed a load. */
  add (server: number, by: number): void {
    this.values[server]! += by
    if (this.#changes.length < CHANGES_MAX) this.#changes.push(server)
    else this.expire()
  }

  /** This thread has given a place, or has taken one back. */
  addPlaces (server: number, by: number): void {
    this.#places[server]! += by
  }

  isFull (server: number): boolean {
    if (!this.#isLimited) return false
    const capacity = this.#limits.capacityOf(server)
    return capacity !== 0 && this.#places[server]! >= capacity
  }

  /** The next look reads all of them: another thread died, or a server's state is another one. */
  expire (): void {
    this.#readMs = -Infinity
  }

  refresh (): void {
    const nowMs = this.#now()
    if (nowMs - this.#readMs < FRESH_MS) return
    this.#readMs = nowMs
    this.#reading++
    this.#changes = []
    this.#read(this.values)
    this.#isLimited = this.#limits.isAny()
    if (this.#isLimited) this.#limits.read(this.#places)
  }
}
