/**
 * Places held between a redirect and the visitor's arrival. Choosing a server and reserving there
 * is one synchronous step under the visitor's shard lock. Only the main thread reserves, so no two
 * choices are ever made on the same loads.
 */
import type { Choice, Choose } from '../balancing/policies.ts'
import type { Address, Client } from '../client.ts'
import { admit } from './admission.ts'
import { adoptAddressEntry } from './adoption.ts'
import {
  hasRoom, isLimited, isLimitedAt, lockAdmission, needsPlace, unlockAdmission
} from './capacity.ts'
import {
  COMMIT_LEAVING, COMMIT_PAGES, COMMIT_REPLACES, NO_SERVER, NO_SLOT, SLOT_RESERVED_UNTIL_MS,
  commitActive, commitLoad, commitReserved, commitReturns, commitSeen, withActive, withReserved,
  withSeen
} from './layout.ts'
import { knownLoads } from './loads.ts'
import { findAddressEntry, finishReplacement } from './replacement.ts'
import {
  commitSlot, findSlot, freshCommit, isReservedOnly, removeSlot, writeAddress
} from './shard.ts'
import {
  hashOf, lockShard, placeOf, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type Place,
  type TableView
} from './table-view.ts'
import { wrappedAge, wrappedMs } from './wrapped-time.ts'

export type Reservation =
  | { readonly kind: 'reserved', readonly place: Place } & Choice
  | { readonly kind: 'unavailable' | 'full' | 'address-full' | 'uncounted' | 'network' | Busy }

export interface ReserveRequest {
  readonly client: Client
  readonly address: Address
  /** True for an id the client brought itself: it may take over the entry under its address. */
  readonly isReturning: boolean
  /** Monotonic milliseconds at which the place is given up. */
  readonly untilMs: number
  /**
   * Asked once, under a lock: computes only. `current` is the server that a place is reserved for,
   * else the one where the client is active, else NO_SERVER.
   */
  readonly choose: Choose
  /** Another node of the fleet sends it, and has charged its network; its address is not known. */
  readonly isFromNode?: boolean
}

/** Others took the last place of the chosen server since the loads were read. */
interface Outrun { readonly kind: 'outrun' }

/** Choices on loads read anew; then the caller comes back on the next turn of its loop. */
const CHOICES_MAX = 4

/** Chooses a server for the client and holds a place there; moves an earlier reservation. */
export function reserve (view: TableView, request: ReserveRequest): Reservation {
  // What is known of the loads may be a millisecond old: a place may have become free since.
  let mayRefuse = !isLimited(view)
  for (let choice = 0; choice < CHOICES_MAX; choice++) {
    const reservation = tryReserve(view, request, undefined)
    const isRefused = reservation.kind === 'unavailable'
    if (reservation.kind !== 'outrun' && (!isRefused || mayRefuse)) return reservation
    mayRefuse = true
    view.loads?.expire()
  }
  return { kind: 'busy' }
}

/** @param admitted the choice whose server's admission lock is held, with a place free */
function tryReserve (
  view: TableView, request: ReserveRequest, admitted: Choice | undefined
): Reservation | Outrun {
  const { client, untilMs } = request
  const hash = hashOf(view, client)
  const shard = shardOfHash(view.layout, hash)
  const at = shardAt(view.layout, shard)
  if (!lockShard(view, at)) return { kind: 'busy' }
  const slot = findSlot(view, at, client, hash)
  if (slot === NO_SLOT) {
    unlockShard(view, at)
    return reserveForNewcomer(view, request, admitted)
  }
  const here = slotAt(view.layout, at, slot)
  const commit = view.words[here]!
  const choice = admitted ?? chooseFor(view, request, commit)
  if (choice !== undefined && admitted === undefined && needsPlace(view, commit, choice.server)) {
    unlockShard(view, at)
    return reserveLimited(view, request, choice)
  }
  if (choice !== undefined) {
    // Written before the commit word: a reservation never stands with another's deadline.
    view.words[here + SLOT_RESERVED_UNTIL_MS] = wrappedMs(untilMs)
    const kept = commitReturns(commit) ? commit & ~COMMIT_LEAVING : commit
    commitSlot(view, at, slot, withReserved(kept, choice.server))
    // An address whose entry is still to go is needed until it has gone.
    const isAddressKept = (commit & COMMIT_REPLACES) !== 0 || request.isFromNode === true
    if (!isAddressKept) writeAddress(view, at, slot, request.address)
  }
  unlockShard(view, at)
  if (choice === undefined) return { kind: 'unavailable' }
  return reservedBy(choice, placeOf(view.layout, shard, slot))
}

/** One who is on the move has a place at both servers, and the other one may be all there is. */
function chooseFor (
  view: TableView, { choose }: ReserveRequest, commit: number
): Choice | undefined {
  const loads = knownLoads(view)
  const current = commitLoad(commit)
  const active = commitActive(commit)
  const choice = choose({ loads, current })
  return choice !== undefined || active === current ? choice : choose({ loads, current: active })
}

/** Gives the client a place of a server with a capacity, if one is free still. */
function reserveLimited (
  view: TableView, request: ReserveRequest, choice: Choice
): Reservation | Outrun {
  if (!lockAdmission(view, choice.server)) return { kind: 'busy' }
  const reservation = hasRoom(view, choice.server)
    ? tryReserve(view, request, choice)
    : { kind: 'outrun' as const }
  unlockAdmission(view)
  return reservation
}

/**
 * Looks at the place once more when the wait is over and holds it until `untilMs`. held: it stands.
 * arrived: the visitor is active on that server meanwhile. lost: it was given to somebody else.
 */
export function confirm (
  view: TableView, client: Client, server: number, untilMs: number
): { readonly kind: 'held', readonly place: Place } | { readonly kind: 'arrived' | 'lost' | Busy } {
  const hash = hashOf(view, client)
  const shard = shardOfHash(view.layout, hash)
  const at = shardAt(view.layout, shard)
  if (!lockShard(view, at)) return { kind: 'busy' }
  const slot = findSlot(view, at, client, hash)
  const here = slotAt(view.layout, at, slot)
  const commit = slot === NO_SLOT ? 0 : view.words[here]!
  // Of one who has come and left meanwhile, the place is held for longer.
  const isHeld = commitReserved(commit) === server && !commitReturns(commit)
  if (isHeld) view.words[here + SLOT_RESERVED_UNTIL_MS] = wrappedMs(untilMs)
  unlockShard(view, at)
  if (isHeld) return { kind: 'held', place: placeOf(view.layout, shard, slot) }
  return { kind: commitLoad(commit) === server ? 'arrived' : 'lost' }
}

/**
 * Gives up the reservation at a place if it is due. Needs no client: a reservation whose time has
 * come is given up, and a later deadline there belongs to another one.
 */
export function expireReservation (view: TableView, place: Place): boolean | Busy {
  const shard = Math.floor(place / view.layout.slotCount)
  const slot = place % view.layout.slotCount
  const at = shardAt(view.layout, shard)
  if (!lockShard(view, at)) return 'busy'
  const isDue = isReservationDue(view, slotAt(view.layout, at, slot), wrappedMs(view.now()))
  if (isDue) endReservation(view, at, slot)
  unlockShard(view, at)
  return isDue
}

/** Ends the reservation of a slot; a user with nothing else is removed. The lock is held. */
export function endReservation (view: TableView, at: number, slot: number): void {
  const commit = view.words[slotAt(view.layout, at, slot)]!
  if (isReservedOnly(commit)) removeSlot(view, at, slot)
  else commitSlot(view, at, slot, withReserved(commit, NO_SERVER))
}

export function isReservationDue (view: TableView, here: number, now: number): boolean {
  const commit = view.words[here]!
  return commitReserved(commit) !== NO_SERVER &&
    wrappedAge(now, view.words[here + SLOT_RESERVED_UNTIL_MS]!) >= 0
}

function reserveForNewcomer (
  view: TableView, request: ReserveRequest, admitted: Choice | undefined
): Reservation | Outrun {
  const { client, address, untilMs, choose, isFromNode = false } = request
  let replaced = request.isReturning ? findAddressEntry(view, client, address) : undefined
  if (replaced === 'busy') return { kind: 'busy' }
  if (replaced !== undefined && isLimitedAt(view, commitLoad(replaced.commit))) {
    if (admitted === undefined) {
      const adopted = adoptAddressEntry(view, client, address, commitSeen(replaced.commit))
      return adopted === 'busy' ? { kind: 'busy' } : tryReserve(view, request, undefined)
    }
    replaced = undefined // It has come in this moment, and is counted by itself.
  }
  const current = replaced === undefined ? NO_SERVER : commitActive(replaced.commit)
  const choice = admitted ?? choose({ loads: knownLoads(view), current })
  if (choice === undefined) return { kind: 'unavailable' }
  if (admitted === undefined && isLimitedAt(view, choice.server)) {
    return reserveLimited(view, request, choice)
  }

  let commit = withReserved(freshCommit(client), choice.server)
  if (replaced !== undefined) {
    commit = withSeen(withActive(commit, current), commitSeen(replaced.commit)) |
      (replaced.commit & COMMIT_PAGES)
  }
  const admission = admit(
    view, { client, address, commit, replaced, reservedUntilMs: untilMs, isFromNode })
  if (admission === 'present') return tryReserve(view, request, admitted)
  if (admission === 'uncounted' && isLimited(view)) return { kind: 'network' }
  if (typeof admission === 'string') return { kind: admission }
  if (replaced !== undefined) finishReplacement(view, client, address)
  return reservedBy(choice, admission)
}

/** Field by field: a spread costs more than the choice. */
function reservedBy ({ server, because }: Choice, place: Place): Reservation {
  return { kind: 'reserved', server, because, place }
}
