/**
 * The entry under an address, which stands only for clients that never sent an id, and how an id
 * takes its place. The two lie in different shards as a rule and no thread holds two locks, so the
 * new entry is written first (load never under-reads), marked as one whose predecessor is still to
 * go, and when a thread dies in between, the next one that meets the mark finishes the work. Any
 * thread.
 */
import { clientOfAddress, type Address, type Client } from '../client.ts'
import {
  COMMIT_REPLACES, NO_SLOT, SHARD_HIGH_WATER, SLOT_FIRST_SEEN_S, SLOT_LAST_SEEN_MS,
  SLOT_RESERVED_UNTIL_MS
} from './layout.ts'
import { removeUser } from './removal.ts'
import { addressOfSlot, clientOfSlot, commitSlot, findSlot } from './shard.ts'
import {
  hashOf, lockShard, shardAt, shardOfHash, slotAt, unlockShard, type Busy, type TableView
} from './table-view.ts'

/** An entry known by address whose place a client with an id takes over. */
export interface ReplacedEntry {
  readonly commit: number
  readonly firstSeenS: number
  readonly lastSeenMs: number
  readonly reservedUntilMs: number
}

/** The entry that stands for clients of this address without an id, if a client with one is new. */
export function findAddressEntry (
  view: TableView, client: Client, address: Address
): ReplacedEntry | undefined | Busy {
  if (client.kind === 'ip') return undefined
  const key = clientOfAddress(address)
  const hash = hashOf(view, key)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, key, hash)
  const here = slotAt(view.layout, at, slot)
  const entry = slot === NO_SLOT
    ? undefined
    : {
        commit: view.words[here]!,
        firstSeenS: view.words[here + SLOT_FIRST_SEEN_S]!,
        lastSeenMs: view.words[here + SLOT_LAST_SEEN_MS]!,
        reservedUntilMs: view.words[here + SLOT_RESERVED_UNTIL_MS]!
      }
  unlockShard(view, at)
  return entry
}

/**
 * Removes the entry that a marked client replaces, and then the mark. Done twice it is done once.
 * Busy leaves the mark to the client's next request.
 */
export function finishReplacement (
  view: TableView, client: Client, address: Address
): void | Busy {
  if (removeUser(view, clientOfAddress(address)) === 'busy') return 'busy'
  const hash = hashOf(view, client)
  const at = shardAt(view.layout, shardOfHash(view.layout, hash))
  if (!lockShard(view, at)) return 'busy'
  const slot = findSlot(view, at, client, hash)
  const commit = slot === NO_SLOT ? 0 : view.words[slotAt(view.layout, at, slot)]!
  if ((commit & COMMIT_REPLACES) !== 0) commitSlot(view, at, slot, commit & ~COMMIT_REPLACES)
  unlockShard(view, at)
}

/**
 * Finishes what a dead thread began, in the whole table. A replacement that a living thread is in
 * the middle of may be finished for it. The coordinator's, when no lock is the dead thread's.
 */
export function finishAllReplacements (view: TableView): void {
  const { words, layout } = view
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = shardAt(layout, shard)
    const highWater = Atomics.load(words, at + SHARD_HIGH_WATER)
    for (let slot = 0; slot < highWater; slot++) {
      const here = slotAt(layout, at, slot)
      if ((words[here]! & COMMIT_REPLACES) === 0) continue
      finishReplacement(view, clientOfSlot(view, here), addressOfSlot(words, here))
    }
  }
}
