/**
 * How many users a server may have, and the lock behind which its places are given. A user has a
 * place where it is active and where one is reserved for it. Whoever is to have one at a server
 * with a capacity gets it while the server's admission lock is held: the sum over all shards can
 * only fall meanwhile, so no two threads give the last place. What is counted stands in the shards,
 * so that a death leaves nothing to repair here. Taken before a shard's lock, never the other way
 * round, and one at a time. Any thread.
 */
import { TableStuck } from '../errors.ts'
import { COUNTER_ACTIVE, COUNTER_PLACES, NO_SERVER, SERVER, TABLE, commitHolds } from './layout.ts'
import { sumCounter } from './loads.ts'
import { acquireLock, releaseLock, takeOverLock, wakeAllWaiters } from './lock.ts'
import { NO_LOCK, serverAt, type TableView } from './table-view.ts'

/** What a server may have, and is to have. */
export interface ServerLimits {
  /** Users, 1 or more; undefined: as many as come. */
  readonly capacity: number | undefined
  /** A whole number: a server of weight 2 is to have twice the users of one of weight 1. */
  readonly weight: number
}

/** Users per server, by its index: of one moment, and never more than there were places. */
export interface UserCounts {
  readonly active: Int32Array
  /** Places held for those who are not active there. */
  readonly reserved: Int32Array
}

/** Readings that an admission came into; each takes a few microseconds. */
const READINGS_MAX = 100

/** Users that the server admits; 0: as many as come. */
export function capacityOf ({ words, layout }: TableView, server: number): number {
  return words[serverAt(layout, server) + SERVER.CAPACITY]!
}

/** Whether any server has a capacity. */
export function isLimited ({ words }: TableView): boolean {
  return words[TABLE.LIMITED] !== 0
}

/** Whether a user with this commit word would take one more place of a server with a capacity. */
export function needsPlace (view: TableView, commit: number, server: number): boolean {
  return !commitHolds(commit, server) && capacityOf(view, server) !== 0
}

/** Whether a place is free; for good only while the admission lock is held. */
export function hasRoom (view: TableView, server: number): boolean {
  const capacity = capacityOf(view, server)
  return capacity === 0 || sumCounter(view, server, COUNTER_PLACES) < capacity
}

/**
 * From here on only this thread gives places of the server. False when the lock is not to be had
 * within this thread's patience; a worker throws TableStuck then, as lockShard does.
 */
export function lockAdmission (view: TableView, server: number): boolean {
  const { words, owner, patience, onLockWaited } = view
  const at = serverAt(view.layout, server)
  if (view.admission === NO_LOCK) {
    view.admission = at + SERVER.ADMISSION_LOCK
    if (acquireLock(words, view.admission, owner, patience.waitMs, onLockWaited)) {
      // Before a place is given: a reading in which one was sees another number.
      Atomics.store(words, at + SERVER.ADMISSIONS, (words[at + SERVER.ADMISSIONS]! + 1) | 0)
      return true
    }
    view.admission = NO_LOCK
  }
  if (patience.thenThrow) throw new TableStuck()
  return false
}

export function unlockAdmission (view: TableView): void {
  releaseLock(view.words, view.admission)
  view.admission = NO_LOCK
}

/** After its death: see recoverFrom. */
export function freeAdmission (view: TableView, server: number, deadOwner: number): void {
  const lock = serverAt(view.layout, server) + SERVER.ADMISSION_LOCK
  if (takeOverLock(view.words, lock, deadOwner, view.owner)) releaseLock(view.words, lock)
  wakeAllWaiters(view.words, lock)
}

export function usersPerServer (view: TableView): UserCounts {
  const serverCount = view.words[TABLE.SERVER_COUNT]!
  const counts = { active: new Int32Array(serverCount), reserved: new Int32Array(serverCount) }
  for (let server = 0; server < serverCount; server++) {
    const { active, places } = usersOf(view, server)
    counts.active[server] = Math.min(active, places)
    counts.reserved[server] = Math.max(0, places - active)
  }
  return counts
}

/**
 * Without a lock, and again when a place was given meanwhile: one who left after its shard was read
 * would be counted beside the one who got its place.
 */
function usersOf (view: TableView, server: number): { active: number, places: number } {
  const { words, layout } = view
  const at = serverAt(layout, server)
  for (let reading = 1; ; reading++) {
    const admissions = Atomics.load(words, at + SERVER.ADMISSIONS)
    const isLocked = Atomics.load(words, at + SERVER.ADMISSION_LOCK) !== NO_LOCK
    const places = sumCounter(view, server, COUNTER_PLACES)
    const active = sumCounter(view, server, COUNTER_ACTIVE)
    const isSteady = !isLocked && Atomics.load(words, at + SERVER.ADMISSIONS) === admissions
    if (isSteady || reading === READINGS_MAX) return { active, places }
  }
}

/** Main thread only. @param limits by index of the server */
export function setLimits (
  view: TableView, limits: readonly ServerLimits[], returnGraceMs: number
): void {
  const { words, layout, loads } = view
  // Before the capacities: no place is held for a time that was given for another purpose.
  Atomics.store(words, TABLE.RETURN_GRACE_MS, returnGraceMs)
  for (const [server, { capacity, weight }] of limits.entries()) {
    const at = serverAt(layout, server)
    Atomics.store(words, at + SERVER.WEIGHT, weight)
    Atomics.store(words, at + SERVER.CAPACITY, capacity ?? 0)
  }
  const isAny = limits.some(({ capacity }) => capacity !== undefined)
  Atomics.store(words, TABLE.LIMITED, isAny ? 1 : 0)
  loads?.expire()
}

/** Whether `server` is one, and has a capacity. */
export function isLimitedAt (view: TableView, server: number): boolean {
  return server !== NO_SERVER && capacityOf(view, server) !== 0
}
