/**
 * Places held between a redirect and the visitor's arrival. Choosing a server and reserving there
 * is one synchronous step under the visitor's shard lock. Only the main thread reserves, so no two
 * choices are ever made on the same loads.
 */
import type { Choice, Choose } from '../balancing/policies.ts'
import type { Address, Client } from '../client.ts'
import { admit } from './admission.ts'
import {
  COMMIT_PAGES, COMMIT_REPLACES, NO_SERVER, NO_SLOT, SLOT_RESERVED_UNTIL_MS, commitActive,
  commitLoad, commitReserved, commitSeen, withActive, withReserved, withSeen
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
  | { readonly kind: 'unavailable' | 'full' | 'address-full' | 'uncounted' | Busy }

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
}

/** Chooses a server for the client and holds a place there; moves an earlier reservation. */
export function reserve (view: TableView, request: ReserveRequest): Reservation {
  const { client, choose, untilMs } = request
  const hash = hashOf(view, client)
  const shard = shardOfHash(view.layout, hash)
  const at = shardAt(view.layout, shard)
  if (!lockShard(view, at)) return { kind: 'busy' }
  const slot = findSlot(view, at, client, hash)
  if (slot === NO_SLOT) {
    unlockShard(view, at)
    return reserveForNewcomer(view, request)
  }
  const here = slotAt(view.layout, at, slot)
  const commit = view.words[here]!
  const current = commitLoad(commit)
  const choice = choose({ loads: knownLoads(view), current })
  if (choice !== undefined) {
    // Written before the commit word: a reservation never stands with another's deadline.
    view.words[here + SLOT_RESERVED_UNTIL_MS] = wrappedMs(untilMs)
    commitSlot(view, at, slot, withReserved(commit, choice.server))
    // An address whose entry is still to go is needed until it has gone.
    if ((commit & COMMIT_REPLACES) === 0) writeAddress(view, at, slot, request.address)
  }
  unlockShard(view, at)
  if (choice === undefined) return { kind: 'unavailable' }
  return reservedBy(choice, placeOf(view.layout, shard, slot))
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
  const isHeld = commitReserved(commit) === server
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

function reserveForNewcomer (view: TableView, request: ReserveRequest): Reservation {
  const { client, address, untilMs, choose } = request
  const replaced = request.isReturning ? findAddressEntry(view, client, address) : undefined
  if (replaced === 'busy') return { kind: 'busy' }
  const current = replaced === undefined ? NO_SERVER : commitActive(replaced.commit)
  const choice = choose({ loads: knownLoads(view), current })
  if (choice === undefined) return { kind: 'unavailable' }

  let commit = withReserved(freshCommit(client), choice.server)
  if (replaced !== undefined) {
    commit = withSeen(withActive(commit, current), commitSeen(replaced.commit)) |
      (replaced.commit & COMMIT_PAGES)
  }
  const admitted = admit(view, { client, address, commit, replaced, reservedUntilMs: untilMs })
  if (admitted === 'present') return reserve(view, request)
  if (typeof admitted === 'string') return { kind: admitted }
  if (replaced !== undefined) finishReplacement(view, client, address)
  return reservedBy(choice, admitted)
}

/** Field by field: a spread costs more than the choice. */
function reservedBy ({ server, because }: Choice, place: Place): Reservation {
  return { kind: 'reserved', server, because, place }
}
