/**
 * The user table: who is here, on which server, and how many that makes. One fixed
 * SharedArrayBuffer that every thread maps; this is one thread's handle, in plain values. Owns no
 * thread and no timer; what happens under the locks is in the files beside this one.
 */
import type { Loads } from '../balancing/tournament.ts'
import type { Address, Client } from '../client.ts'
import { isFull, usedSlots } from './admission.ts'
import { addBeating } from './beating.ts'
import {
  capacityOf, hasRoom, isLimited, setLimits, usersPerServer, type ServerLimits, type UserCounts
} from './capacity.ts'
import { endDue, type EndStep } from './end-sweep.ts'
import { COUNTER_ACTIVE, COUNTER_LOAD, SERVER, TABLE, type ServerState } from './layout.ts'
import { knownLoads, sumCounter, sumCounters } from './loads.ts'
import { leave } from './leaves.ts'
import { endingThread } from './ending-thread.ts'
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
import {
  drainPhase, isReferred, serverState, setServerCount, setServerState, setSlowStart, weightPercent,
  type DrainPhase
} from './server-words.ts'
import { sweepShard } from './sweep.ts'
import { UserSearch, type SearchOptions } from './user-search.ts'
import {
  serverAt, viewTable, type Busy, type Place, type TableMemory, type TableView, type ViewOptions
} from './table-view.ts'
import {
  refresh, touch, touchForPlace, touchInPlace, type RefreshOutcome, type TouchOutcome,
  type VisitOptions
} from './visits.ts'

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

  /** The same for one who shows whose place is its own; see visits.ts. */
  touchForPlace (
    holder: Client, client: Client, server: number, address: Address, options?: VisitOptions
  ): RefreshOutcome | Busy {
    return this.#guard(() => touchForPlace(this.#view, holder, client, server, address, options))
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
    return this.#guard(() => confirm(this.#view, client, server, untilMs))
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

  /** Those, and the places held for others; both together never exceed a capacity. */
  usersPerServer (): UserCounts {
    return usersPerServer(this.#view)
  }

  /** Main thread only. @param limits by index of the server */
  setLimits (limits: readonly ServerLimits[], returnGraceMs: number): void {
    setLimits(this.#view, limits, returnGraceMs)
  }

  /** Users that the server admits; undefined: as many as come. */
  capacity (server: number): number | undefined {
    return capacityOf(this.#view, server) || undefined
  }

  /** How much of all users the server is to have. */
  weight (server: number): number {
    return this.#view.words[serverAt(this.#view.layout, server) + SERVER.WEIGHT]!
  }

  /** Whether any server has a capacity. */
  isLimited (): boolean {
    return isLimited(this.#view)
  }

  /** Whether all its places are taken: a newcomer would not be admitted there now. */
  isServerFull (server: number): boolean {
    return !hasRoom(this.#view, server)
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

  /** So many servers are counted from now on; never fewer. Main thread only. */
  setServerCount (count: number): void {
    setServerCount(this.#view, count)
  }

  /** Whether any user has a place there, or may have one; see server-words.ts. */
  isReferred (server: number): boolean {
    return this.#guard(() => isReferred(this.#view, server))
  }

  serverState (server: number): ServerState {
    return serverState(this.#view, server)
  }

  /** Main thread only; see server-words.ts. */
  setServerState (server: number, state: ServerState, movesFromMs?: number): void {
    setServerState(this.#view, server, state, movesFromMs)
  }

  /** Main thread only; see server-words.ts. */
  setSlowStart (server: number, backSinceMs: number | undefined): void {
    setSlowStart(this.#view, server, backSinceMs)
  }

  /** How much of its weight the server has now: 1 to 100; less after it came back. */
  weightPercent (server: number): number {
    return weightPercent(this.#view, server)
  }

  /** Whom the server turns away: nobody, newcomers, or everybody. */
  drainPhase (server: number): DrainPhase {
    return drainPhase(this.#view, server)
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
    return sumCounters(this.#view, counter, new Int32Array(this.#view.words[TABLE.SERVER_COUNT]!))
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
