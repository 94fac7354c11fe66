/**
 * The per-address quota of users: a flood of new ids from one address cannot fill the table. How
 * many users each address has is counted per shard in two rows of buckets by a keyed hash, a
 * count-min sketch (Cormode and Muthukrishnan, 2005): never too few, and too many only for who
 * shares both buckets. A shard's own, so that its repair rebuilds them. Any thread.
 */
import type { Address, Words128 } from '../client.ts'
import { networkOf, addressQuota } from '../per-address-quota.ts'
import { ADDRESS, COMMIT_ADDRESS_KNOWN, SLOT } from './layout.ts'
import { halfSipHash13 } from './sip-hash.ts'
import { shardAt, type TableView } from './table-view.ts'

/** The part of the table in use above which the quota applies. */
const NEARLY_FULL = 0.9
/** Apart from the kinds of clients in the hash. */
const KIND_NETWORK = 2
const ROW_BITS = Math.log2(ADDRESS.BUCKETS)

/** Whether one more user would bring the table above the mark. */
export function isNearlyFull ({ layout }: TableView, used: number): boolean {
  return used >= layout.usersMax * NEARLY_FULL
}

export function hasReachedQuota (view: TableView, address: Address): boolean {
  const hash = hashOfNetwork(view, address)
  const share = addressQuota(view.layout.usersMax)
  for (let row = 0; row < ADDRESS.ROWS; row++) {
    if (heldInBucket(view, bucketOf(hash, row)) < share) return false
  }
  return true
}

/** Counts the user of a slot, by its address words, one up or one down. The lock is held. */
export function countAddress (view: TableView, at: number, here: number, by: number): void {
  const hash = hashOfSlot(view, here)
  for (let row = 0; row < ADDRESS.ROWS; row++) {
    const counter = at + view.layout.addressesAt + bucketOf(hash, row)
    Atomics.store(view.words, counter, view.words[counter]! + by)
  }
}

/** The buckets that count the user of a slot; none when the address is not known. */
export function addressBuckets (view: TableView, here: number): number[] {
  if ((view.words[here]! & COMMIT_ADDRESS_KNOWN) === 0) return []
  const hash = hashOfSlot(view, here)
  return Array.from({ length: ADDRESS.ROWS }, (_, row) => bucketOf(hash, row))
}

/**
 * A test for slots whose address is over its quota, for one shard; undefined when there is
 * no such address, or when it has next to nothing in this shard.
 */
export function overQuotaTest (
  view: TableView, at: number
): ((here: number, commit: number) => boolean) | undefined {
  const { words, layout } = view
  const share = addressQuota(layout.usersMax)
  const hereMin = Math.max(1, Math.floor(share / layout.shardCount / 2))
  const counts = at + layout.addressesAt
  for (let bucket = 0; bucket < ADDRESS.BUCKETS; bucket++) {
    if (Atomics.load(words, counts + bucket) < hereMin) continue
    if (heldInBucket(view, bucket) <= share) continue
    return (here, commit) => {
      if ((commit & COMMIT_ADDRESS_KNOWN) === 0) return false
      const hash = hashOfSlot(view, here)
      return bucketOf(hash, 0) === bucket && words[counts + bucketOf(hash, 1)]! >= hereMin
    }
  }
  return undefined
}

/** Users of the whole table in a bucket, counted from the start of the first row. */
function heldInBucket ({ words, layout }: TableView, bucket: number): number {
  let held = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    held += Atomics.load(words, shardAt(layout, shard) + layout.addressesAt + bucket)
  }
  return held
}

function hashOfSlot (view: TableView, here: number): number {
  const { words } = view
  const at = here + SLOT.ADDRESS
  return hashOfNetwork(view, {
    w0: words[at]!, w1: words[at + 1]!, w2: words[at + 2]!, w3: words[at + 3]!
  })
}

function hashOfNetwork ({ hashKey0, hashKey1 }: TableView, address: Words128): number {
  const { w0, w1, w2, w3 } = networkOf(address)
  return halfSipHash13(hashKey0, hashKey1, KIND_NETWORK, w0, w1, w2, w3)
}

function bucketOf (hash: number, row: number): number {
  return row * ADDRESS.BUCKETS + ((hash >>> (row * ROW_BITS)) & (ADDRESS.BUCKETS - 1))
}
