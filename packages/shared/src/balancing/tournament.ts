/**
 * The server with the smallest load / weight, kept in a tournament tree: a leaf for each server,
 * and in each node above the better of two. A load that changes costs a match for each level, so a
 * choice among 256 servers costs hardly more than among 3. Of equal ones the first wins. Computes
 * only.
 */

/** A server that takes part. */
export interface Contender {
  readonly index: number
  /**
   * A whole number: a server of weight 2 is to have twice the users of one of weight 1. Another one
   * only when the loads are another reading.
   */
  readonly weight: number
}

export interface Winner {
  readonly server: Contender
  /** Another one is as good. */
  readonly isTied: boolean
}

/** Loads that change under whoever reads them, and what they need to keep up. */
export interface Loads {
  /** By index of the server: users counted there. */
  readonly values: Int32Array
  /** Another number whenever any of them may have changed. */
  readonly reading: number
  /** Servers whose load has changed since that reading, in order; the same one again and again. */
  readonly changes: readonly number[]
  /** Whether all places of the server are taken; only a server whose load changes may change it. */
  isFull (server: number): boolean
}

/** Per cent. */
export const WHOLE_WEIGHT = 100
/** How much of its weight a server has now, 1 to WHOLE_WEIGHT: less while it starts slowly. */
export type WeightPercent = (server: number) => number

/** In place of a server: wins against none. */
const NOBODY = -1

export class Tournament {
  readonly #servers: readonly Contender[]
  readonly #isAvailable: (server: number) => boolean
  readonly #weightPercent: WeightPercent
  /** Places in `servers` by index of the server. */
  readonly #places = new Map<number, number>()
  readonly #weights: Float64Array
  readonly #loads: Float64Array
  /** The root at 1, the children of a node n at 2n and 2n + 1, places in `servers` or NOBODY. */
  readonly #winners: Int32Array
  readonly #leavesAt: number
  /** By place: 1 for those that take visitors, full or not. */
  readonly #isUp: Uint8Array
  #availableCount = 0
  #reading: number | undefined
  #changesSeen = 0

  constructor (
    servers: readonly Contender[], isAvailable: (server: number) => boolean,
    weightPercent: WeightPercent
  ) {
    this.#servers = servers
    this.#isAvailable = isAvailable
    this.#weightPercent = weightPercent
    servers.forEach(({ index }, place) => { this.#places.set(index, place) })
    this.#weights = new Float64Array(servers.length)
    this.#isUp = new Uint8Array(servers.length)
    this.#loads = new Float64Array(servers.length)
    this.#leavesAt = 2 ** Math.ceil(Math.log2(Math.max(1, servers.length)))
    this.#winners = new Int32Array(2 * this.#leavesAt).fill(NOBODY)
  }

  /** Takes over what has changed; asks for availability and weights when all may have. */
  follow (loads: Loads): void {
    if (loads.reading !== this.#reading) {
      this.#reading = loads.reading
      this.#changesSeen = loads.changes.length
      this.#begin(loads)
      return
    }
    for (; this.#changesSeen < loads.changes.length; this.#changesSeen++) {
      const server = loads.changes[this.#changesSeen]!
      const place = this.#places.get(server)!
      this.#set(place, loads.values[server]!, loads.isFull(server))
    }
  }

  /** How many there are to choose from for a user who counts at this server. */
  availableCount (current: number): number {
    const place = this.#places.get(current)
    const isFull = place !== undefined && this.#isUp[place] === 1 &&
      this.#winners[this.#leavesAt + place] === NOBODY
    return this.#availableCount + (isFull ? 1 : 0)
  }

  /**
   * The winner with one user less at this server, who is the one that is being placed. It is never
   * full for the user who has a place there.
   */
  winnerWithout (current: number): Winner | undefined {
    const winner = this.#winners[1]!
    const place = this.#places.get(current)
    if (place === undefined || this.#isUp[place] === 0) {
      return winner === NOBODY
        ? undefined
        : { server: this.#servers[winner]!, isTied: this.#isTied(winner) }
    }
    if (winner === NOBODY) return { server: this.#servers[place]!, isTied: false }
    // The winner with one less is ahead of all others.
    const lead = place === winner ? -1 : this.#compare(place, winner, 1)
    return lead <= 0
      ? { server: this.#servers[place]!, isTied: lead === 0 }
      : { server: this.#servers[winner]!, isTied: this.#isTied(winner) }
  }

  /** Whether another one is as good as the winner: it lost one of the winner's own matches. */
  #isTied (winner: number): boolean {
    for (let node = this.#leavesAt + winner; node > 1; node >>= 1) {
      const rival = this.#winners[node ^ 1]!
      if (rival !== NOBODY && this.#compare(rival, winner) === 0) return true
    }
    return false
  }

  #begin (loads: Loads): void {
    this.#availableCount = 0
    for (const [place, { index, weight }] of this.#servers.entries()) {
      const isUp = this.#isAvailable(index)
      const isAvailable = isUp && !loads.isFull(index)
      if (isAvailable) this.#availableCount++
      this.#isUp[place] = isUp ? 1 : 0
      this.#weights[place] = weight * this.#weightPercent(index)
      this.#loads[place] = loads.values[index]!
      this.#winners[this.#leavesAt + place] = isAvailable ? place : NOBODY
    }
    for (let node = this.#leavesAt - 1; node > 0; node--) this.#play(node)
  }

  #set (place: number, load: number, isFull: boolean): void {
    this.#loads[place] = load
    const leaf = this.#leavesAt + place
    const entry = isFull || this.#isUp[place] === 0 ? NOBODY : place
    if (this.#winners[leaf] !== entry) {
      this.#winners[leaf] = entry
      this.#availableCount += isFull ? -1 : 1
    }
    for (let node = leaf >> 1; node > 0; node >>= 1) {
      const before = this.#winners[node]
      // The same one as before, and not the one that changed: nothing above sees a difference.
      if (this.#play(node) === before && before !== place) return
    }
  }

  #play (node: number): number {
    const first = this.#winners[2 * node]!
    const second = this.#winners[2 * node + 1]!
    const isSecond = second !== NOBODY && (first === NOBODY || this.#compare(second, first) < 0)
    const winner = isSecond ? second : first
    this.#winners[node] = winner
    return winner
  }

  /** By load / weight in whole numbers, `a` with so many users less; far below 2 ** 53. */
  #compare (a: number, b: number, less = 0): number {
    return (this.#loads[a]! - less) * this.#weights[b]! - this.#loads[b]! * this.#weights[a]!
  }
}
