/**
 * What the coordinator writes of each server and every thread reads: its state, the time of its
 * drain, and since when it starts slowly. Capacities are in capacity.ts. Any thread.
 */
import { WHOLE_WEIGHT } from '../balancing/tournament.ts'
import { lockAdmission, unlockAdmission } from './capacity.ts'
import { COUNTER_PLACES, SERVER, SERVER_STATE, TABLE, type ServerState } from './layout.ts'
import { counterAt } from './shard.ts'
import { lockShard, serverAt, shardAt, unlockShard, type TableView } from './table-view.ts'

/** Whom a draining server sends back to the router. */
export type DrainPhase = 'none' | 'newcomers' | 'everybody'

/** As haproxy's `slowstart`. */
const SLOW_START_MS = 10_000

const STATE_NAMES = Object.keys(SERVER_STATE) as ServerState[]

/** Sums are made of so many from now on. Main thread only. */
export function setServerCount ({ words, layout, loads }: TableView, count: number): void {
  if (count > layout.serverRoom) throw new RangeError(`${count} servers`)
  if (count <= words[TABLE.SERVER_COUNT]!) return
  Atomics.store(words, TABLE.SERVER_COUNT, count)
  loads?.expire()
}

/**
 * Whether a user is active at the server or has a place there, or may have: a lock that is not to
 * be had says yes. While nobody is sent there the answer no stays true: where an id takes the place
 * of its address (adoption.ts), the place is held by the admission lock alone for a moment.
 */
export function isReferred (view: TableView, server: number): boolean {
  if (!lockAdmission(view, server)) return true
  const isAnyThere = hasPlaces(view, server)
  unlockAdmission(view)
  return isAnyThere
}

function hasPlaces (view: TableView, server: number): boolean {
  const { words, layout } = view
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = shardAt(layout, shard)
    if (!lockShard(view, at)) return true
    const places = words[counterAt(layout, at, server, COUNTER_PLACES)]!
    unlockShard(view, at)
    if (places !== 0) return true
  }
  return false
}

export function serverState ({ words, layout }: TableView, server: number): ServerState {
  return STATE_NAMES[Atomics.load(words, serverAt(layout, server) + SERVER.STATE)]!
}

/**
 * Main thread only.
 * @param movesFromMs monotonic, from when `drainPhase` is everybody; rounded down to a second
 */
export function setServerState (
  { words, layout, loads }: TableView, server: number, state: ServerState,
  movesFromMs: number | undefined
): void {
  const at = serverAt(layout, server)
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
export function setSlowStart (
  { words, layout }: TableView, server: number, backSinceMs: number | undefined
): void {
  const sinceDs = backSinceMs === undefined ? 0 : Math.max(1, Math.floor(backSinceMs / 100))
  Atomics.store(words, serverAt(layout, server) + SERVER.BACK_SINCE_DS, sinceDs)
}

/** How much of its weight the server has now: 1 to 100, in SLOW_START_MS after it came back. */
export function weightPercent ({ words, layout, now }: TableView, server: number): number {
  const sinceDs = Atomics.load(words, serverAt(layout, server) + SERVER.BACK_SINCE_DS)
  if (sinceDs === 0) return WHOLE_WEIGHT
  const percent = Math.floor((now() - sinceDs * 100) * WHOLE_WEIGHT / SLOW_START_MS)
  return Math.min(Math.max(1, percent), WHOLE_WEIGHT)
}

export function drainPhase ({ words, layout, now }: TableView, server: number): DrainPhase {
  const at = serverAt(layout, server)
  if (Atomics.load(words, at + SERVER.STATE) !== SERVER_STATE.draining) return 'none'
  const movesFromS = Atomics.load(words, at + SERVER.MOVES_FROM_S)
  return movesFromS === 0 || now() < movesFromS * 1000 ? 'newcomers' : 'everybody'
}
