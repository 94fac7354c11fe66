/**
 * The user table: who is here, on which server, and how many that makes. One fixed
 * SharedArrayBuffer that every thread maps; this is one thread's handle, in plain values. Owns no
 * thread and no timer; what happens under the locks is in the files beside this one.
 */
import { WHOLE_WEIGHT, type Loads } from '../balancing/tournament.ts'
import type { Address, Client } from '../client.ts'
import { isFull, usedSlots } from './admission.ts'
import { addBeating } from './beating.ts'
import { endDue, type EndStep } from './end-sweep.ts'
import {
  COUNTER_ACTIVE, COUNTER_LOAD, COUNTER_RESERVED, SERVER, SERVER_STATE, type ServerState
} from './layout.ts'
import { knownLoads, sumCounter, sumCounters } from './loads.ts'
import { allowMoreNewcomers } from './newcomers.ts'
import { checkTable, recoverFrom } from './recovery.ts'
import { refusedNetworks, refusedTotal, type RefusedNetwork } from './refused-networks.ts'
import {
  confirm, expireReservation, reserve, type Reservation, type ReserveRequest
} from './reservations.ts'
import { removeMatching, removeUser, type IsMatch, type SweepStep } from './removal.ts'
import {
  findUser, readUsers, restoreUser, type LastingUser, type User, type UserPage
} from './snapshot.ts'
import { sweepShard } from './sweep.ts'
import { UserSearch, type SearchOptions } from './user-search.ts'
import {
  viewTable, type Busy, type Place, type TableMemory, type TableView, type ViewOptions
} from './table-view.ts'
import {
  leave, refresh, touch, touchInPlace, type RefreshOutcome, type TouchOutcome, type VisitOptions
} from './visits.ts'

/** Whom a draining server sends back to the router. */
export type DrainPhase = 'none' | 'newcomers' | 'everybody'

export class UserTable {
  readonly #memory: TableMemory
  readonly #view: TableView

  constructor (memory: TableMemory, options: ViewOptions) {
    this.#memory = memory
    this.#view = viewTable(memory, options)
  }

  /** A request of this client has reached the server. Source: the server's door. */
  touch (
    client: Client, server: number, address: Address, options?: VisitOptions
  ): TouchOutcome | Busy {
    try {
      return touch(this.#view, client, server, address, options)
    } catch (error) {
      throw endingThread(error)
    }
  }

  /** The same, but nobody comes in: for requests that need not be a person's. */
  refresh (
    client: Client, server: number, address: Address, options?: VisitOptions
  ): RefreshOutcome | Busy {
    try {
      return refresh(this.#view, client, server, address, options)
    } catch (error) {
      throw endingThread(error)
    }
  }

  /** As touch, where the client is active already; NO_SERVER where it may not stay: visits.ts. */
  touchInPlace (
    client: Client, address: Address, mayStay: (server: number) => boolean, options?: VisitOptions
  ): number | Busy {
    try {
      return touchInPlace(this.#view, client, address, mayStay, options)
    } catch (error) {
      throw endingThread(error)
    }
  }

  /** The client says that it leaves the server. False when it was not active there. */
  leave (client: Client, server: number): boolean | Busy {
    return this.#guard(() => leave(this.#view, client, server, false))
  }

  /** A page of the client's leaves: so does the client, unless it is seen within LEAVE_GRACE. */
  leaveAfterGrace (client: Client, server: number): boolean | Busy {
    return this.#guard(() => leave(this.#view, client, server, true))
  }

  /** Chooses a server and holds a place there, in one step. Main thread only. */
  reserve (request: ReserveRequest): Reservation {
    try {
      return reserve(this.#view, request)
    } catch (error) {
      throw endingThread(error)
    }
  }

  /** Looks at a reservation again at the 302, from which its time counts. Main thread only. */
  confirm (client: Client, server: number, untilMs: number): ReturnType<typeof confirm> {
    try {
      return confirm(this.#view, client, server, untilMs)
    } catch (error) {
      throw endingThread(error)
    }
  }

  /** Ends the reservation at a place if its time has come. Main thread only. */
  expireReservation (place: Place): boolean | Busy {
    return this.#guard(() => expireReservation(this.#view, place))
  }

  /** Load per server: users counted once, where a place is reserved, else where they are active. */
  loads (): Int32Array {
    return this.#counters(COUNTER_LOAD)
  }

  /** The same, to choose by, and only at most a millisecond old. Main thread only. */
  knownLoads (): Loads {
    return knownLoads(this.#view)
  }

  /** Active users per server, those on the move to another one included. */
  activeUsersPerServer (): Int32Array {
    return this.#counters(COUNTER_ACTIVE)
  }

  /** Places held per server. */
  reservedPerServer (): Int32Array {
    return this.#counters(COUNTER_RESERVED)
  }

  activeUsers (server: number): number {
    return sumCounter(this.#view, server, COUNTER_ACTIVE)
  }

  /** Adds, of one of `shardCount` shards, whose pages beat; see beating.ts. */
  addBeating (shard: number, withinMs: readonly number[], counts: Int32Array): void {
    addBeating(this.#view, shard, withinMs, counts)
  }

  /** Users in the table, reservations included: what MAX_USERS limits. */
  size (): number {
    return usedSlots(this.#view)
  }

  /** Whether no newcomer would be admitted now. */
  isFull (): boolean {
    return isFull(this.#view)
  }

  /** Sweeps one of `shardCount` shards; see sweep.ts. Main thread only. */
  sweepShard (shard: number, silentForMs: number, fromSlot = 0): SweepStep | Busy {
    return this.#guard(() => sweepShard(this.#view, shard, silentForMs, fromSlot))
  }

  /** Ends who is due, in one of `shardCount` shards; see end-sweep.ts. Main thread only. */
  endDue (shard: number, fromSlot = 0): EndStep | Busy {
    return this.#guard(() => endDue(this.#view, shard, fromSlot))
  }

  get shardCount (): number {
    return this.#view.layout.shardCount
  }

  /** A page of users from `cursor` (0 to start) on; see snapshot.ts. */
  readUsers (cursor: Place, limit: number): UserPage | Busy {
    return this.#guard(() => readUsers(this.#view, cursor, limit))
  }

  /** The client's own entry, if there is one. */
  find (client: Client): User | undefined | Busy {
    return this.#guard(() => findUser(this.#view, client))
  }

  /** A search for active users, to be walked in steps; see user-search.ts. */
  search (options: SearchOptions): UserSearch {
    return new UserSearch(this.#view, options, work => this.#guard(work))
  }

  /** Takes a user out, wherever and whatever it is. False when not there. */
  remove (client: Client): boolean | Busy {
    return this.#guard(() => removeUser(this.#view, client))
  }

  /** Takes out the matching users of one of `shardCount` shards, in steps; see removal.ts. */
  removeMatching (shard: number, fromSlot: number, isMatch: IsMatch): SweepStep | Busy {
    return this.#guard(() => removeMatching(this.#view, shard, fromSlot, isMatch))
  }

  /** Puts a saved user back. */
  restore (user: LastingUser, server: number): boolean {
    return this.#guard(() => restoreUser(this.#view, user, server))
  }

  /** Whose newcomers are not counted any more; see refused-networks.ts. */
  refusedNetworks (): readonly RefusedNetwork[] {
    return refusedNetworks(this.#memory.newcomers.refusals, this.#view.now())
  }

  /** Requests of newcomers that were not counted, since the program started. */
  refusedTotal (): number {
    return refusedTotal(this.#memory.newcomers.refusals)
  }

  /** Ten times as many newcomers as usual are counted for so long. */
  allowMoreNewcomersFor (durationMs: number): void {
    allowMoreNewcomers(this.#memory.newcomers, this.#view.now() + durationMs)
  }

  serverState (server: number): ServerState {
    const value = Atomics.load(this.#view.words, this.#serverAt(server) + SERVER.STATE)
    return STATE_NAMES[value]!
  }

  /**
   * Main thread only.
   * @param movesFromMs monotonic, from when `drainPhase` is everybody; rounded down to a second
   */
  setServerState (server: number, state: ServerState, movesFromMs?: number): void {
    const { words, loads } = this.#view
    const at = this.#serverAt(server)
    const movesFromS = movesFromMs === undefined ? 0 : Math.max(1, Math.floor(movesFromMs / 1000))
    // Before the state: nobody is sent away by the deadline of an earlier drain.
    Atomics.store(words, at + SERVER.MOVES_FROM_S, movesFromS)
    Atomics.store(words, at + SERVER.STATE, SERVER_STATE[state])
    loads?.expire()
  }

  /**
   * The server has come back and gets its users little by little. Main thread only.
   * @param backSinceMs monotonic; undefined for one that does not start slowly
   */
  setSlowStart (server: number, backSinceMs: number | undefined): void {
    const { words } = this.#view
    const sinceDs = backSinceMs === undefined ? 0 : Math.max(1, Math.floor(backSinceMs / 100))
    Atomics.store(words, this.#serverAt(server) + SERVER.BACK_SINCE_DS, sinceDs)
  }

  /** How much of its weight the server has now: 1 to 100, in SLOW_START_MS after it came back. */
  weightPercent (server: number): number {
    const { words, now } = this.#view
    const sinceDs = Atomics.load(words, this.#serverAt(server) + SERVER.BACK_SINCE_DS)
    if (sinceDs === 0) return WHOLE_WEIGHT
    const percent = Math.floor((now() - sinceDs * 100) * WHOLE_WEIGHT / SLOW_START_MS)
    return Math.min(Math.max(1, percent), WHOLE_WEIGHT)
  }

  /** Whom the server turns away: nobody, newcomers, or everybody. */
  drainPhase (server: number): DrainPhase {
    const { words, now } = this.#view
    const at = this.#serverAt(server)
    if (Atomics.load(words, at + SERVER.STATE) !== SERVER_STATE.draining) return 'none'
    const movesFromS = Atomics.load(words, at + SERVER.MOVES_FROM_S)
    return movesFromS === 0 || now() < movesFromS * 1000 ? 'newcomers' : 'everybody'
  }

  /** Frees and repairs what a dead thread held; how many shards that were. Main thread only. */
  recover (deadThreadTag: number): number {
    return this.#guard(() => recoverFrom(this.#view, deadThreadTag))
  }

  /** Every broken invariant as a sentence; empty when all hold. */
  check (): readonly string[] {
    return this.#guard(() => checkTable(this.#view))
  }

  #counters (counter: number): Int32Array {
    return sumCounters(this.#view, counter, new Int32Array(this.#view.layout.serverCount))
  }

  #serverAt (server: number): number {
    return this.#view.layout.serversAt + server * SERVER.WORDS
  }

  /** The operations of every request do the same in place: a closure costs a tenth of a touch. */
  #guard<T> (operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      throw endingThread(error)
    }
  }
}

/**
 * A throw in an operation may have left a lock held. The thread must not live on with it: thrown
 * again where nobody catches, the error ends a worker (and the coordinator repairs) or the program.
 */
function endingThread (error: unknown): unknown {
  process.nextTick(() => { throw error })
  return error
}

/** As haproxy's `slowstart`. */
const SLOW_START_MS = 10_000

const STATE_NAMES = Object.keys(SERVER_STATE) as ServerState[]
