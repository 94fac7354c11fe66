/**
 * The quota of users per network: a flood of new ids from one address, or from the many networks of
 * one site, cannot fill the table. For each width of networks the users are counted per shard in
 * two rows of buckets by a keyed hash, a count-min sketch (Cormode and Muthukrishnan, 2005): never
 * too few, and too many only for a network that shares both its buckets. A shard's own, so that its
 * repair rebuilds them. Any thread.
 */
import { isMapped, type Address, type Words128 } from '../client.ts'
import { networkOf, type Width } from '../networks.ts'
import { addressQuota } from '../per-address-quota.ts'
import { COMMIT_ADDRESS_KNOWN, NETWORK, SLOT_ADDRESS } from './layout.ts'
import { halfSipHash13 } from './sip-hash.ts'
import { shardAt, type TableView } from './table-view.ts'

/** The part of the table in use above which the quota applies. */
const NEARLY_FULL = 0.9
/** And those above it, one for each width: apart from the kinds of clients in the hash. */
const KIND_NETWORK = 2
const ROW_BITS = Math.log2(NETWORK.BUCKETS)

/** Whether one more user would bring the table above the mark. */
export function isNearlyFull ({ layout }: TableView, used: number): boolean {
  return used >= layout.usersMax * NEARLY_FULL
}

export function hasReachedQuota (view: TableView, address: Address): boolean {
  for (let width = 0; width < countedWidths(address); width++) {
    const hash = hashOfNetwork(view, address, width)
    const share = addressQuota(view.layout.usersMax, width)
    let held = Infinity
    for (let row = 0; row < NETWORK.ROWS; row++) {
      held = Math.min(held, heldInBucket(view, bucketOf(hash, width, row)))
    }
    if (held >= share) return true
  }
  return false
}

/** Counts the user of a slot, by its address words, one up or one down. The lock is held. */
export function countAddress (view: TableView, at: number, here: number, by: number): void {
  const { words, layout } = view
  const address = addressAt(words, here)
  for (let width = 0; width < countedWidths(address); width++) {
    const hash = hashOfNetwork(view, address, width)
    for (let row = 0; row < NETWORK.ROWS; row++) {
      const counter = at + layout.networksAt + bucketOf(hash, width, row)
      Atomics.store(words, counter, words[counter]! + by)
    }
  }
}

/** The buckets that count the user of a slot; none when the address is not known. */
export function networkBuckets (view: TableView, here: number): number[] {
  if ((view.words[here]! & COMMIT_ADDRESS_KNOWN) === 0) return []
  const address = addressAt(view.words, here)
  const buckets: number[] = []
  for (let width = 0; width < countedWidths(address); width++) {
    const hash = hashOfNetwork(view, address, width)
    for (let row = 0; row < NETWORK.ROWS; row++) buckets.push(bucketOf(hash, width, row))
  }
  return buckets
}

/**
 * A test for slots whose network is over its quota, for one shard; undefined when there is
 * no such network, or when it has next to nothing in this shard.
 */
export function overQuotaTest (
  view: TableView, at: number
): ((here: number, commit: number) => boolean) | undefined {
  for (let width = 0; width < NETWORK.WIDTHS; width++) {
    const test = overQuotaTestOf(view, at, width)
    if (test !== undefined) return test
  }
  return undefined
}

function overQuotaTestOf (
  view: TableView, at: number, width: Width
): ((here: number, commit: number) => boolean) | undefined {
  const { words, layout } = view
  const share = addressQuota(layout.usersMax, width)
  const hereMin = Math.max(1, Math.floor(share / layout.shardCount / 2))
  const counts = at + layout.networksAt
  const first = bucketOf(0, width, 0)
  for (let bucket = first; bucket < first + NETWORK.BUCKETS; bucket++) {
    if (Atomics.load(words, counts + bucket) < hereMin) continue
    if (heldInBucket(view, bucket) <= share) continue
    return (here, commit) => {
      if ((commit & COMMIT_ADDRESS_KNOWN) === 0) return false
      const address = addressAt(words, here)
      if (width >= countedWidths(address)) return false
      const hash = hashOfNetwork(view, address, width)
      return bucketOf(hash, width, 0) === bucket &&
        words[counts + bucketOf(hash, width, 1)]! >= hereMin
    }
  }
  return undefined
}

/** Users of the whole table in a bucket, counted from the start of the shard's first row. */
function heldInBucket ({ words, layout }: TableView, bucket: number): number {
  let held = 0
  for (let shard = 0; shard < layout.shardCount; shard++) {
    held += Atomics.load(words, shardAt(layout, shard) + layout.networksAt + bucket)
  }
  return held
}

/** IPv4 addresses are one each, however alike: their neighbours are other customers. */
function countedWidths (address: Words128): number {
  return isMapped(address) ? 1 : NETWORK.WIDTHS
}

function addressAt (words: Int32Array, here: number): Words128 {
  const at = here + SLOT_ADDRESS
  return { w0: words[at]!, w1: words[at + 1]!, w2: words[at + 2]!, w3: words[at + 3]! }
}

function hashOfNetwork (
  { hashKey0, hashKey1 }: TableView, address: Words128, width: Width
): number {
  const { w0, w1, w2, w3 } = networkOf(address, width)
  return halfSipHash13(hashKey0, hashKey1, KIND_NETWORK + width, w0, w1, w2, w3)
}

function bucketOf (hash: number, width: Width, row: number): number {
  return (width * NETWORK.ROWS + row) * NETWORK.BUCKETS +
    ((hash >>> (row * ROW_BITS)) & (NETWORK.BUCKETS - 1))
}
