/**
 * What a crash leaves behind, and how the table is made whole again: the coordinator takes over
 * every shard that the dead thread had locked, rebuilds all that can be derived from the commit
 * words, and only then lets go. `checkTable` says whether every invariant holds. Main thread.
 */
import { formatClient } from '../client.ts'
import { freeAdmission } from './capacity.ts'
import { endsOf } from './ends.ts'
import {
  COUNTER_ACTIVE, COUNTER_LOAD, COUNTER_PLACES, NO_END, NO_SERVER, NO_SLOT, SHARD_FREE_HEAD,
  SHARD_HIGH_WATER, SHARD_LOCK, SHARD_RESERVED_ONLY, SHARD_SEEN_ONCE, SHARD_USED, SLOT_NEXT,
  commitActive, commitLoad, commitReserved
} from './layout.ts'
import { ownerWord, takeOverLock, wakeAllWaiters } from './lock.ts'
import { finishAllReplacements } from './replacement.ts'
import { clientOfSlot, counterAt, isReservedOnly, isSeenOnce } from './shard.ts'
import {
  bucketAt, hashOf, lockShard, shardAt, slotAt, unlockShard, type TableView
} from './table-view.ts'
import { networkBuckets } from './user-quota.ts'
import { wrappedAge } from './wrapped-time.ts'

/**
 * Frees and repairs what a dead thread held; returns how many shards that were. Call it in the
 * thread's `exit` event, never before: a thread that is still stopping may still write.
 */
export function recoverFrom (view: TableView, deadThreadTag: number): number {
  let repaired = 0
  for (let shard = 0; shard < view.layout.shardCount; shard++) {
    const at = shardAt(view.layout, shard)
    if (takeOverLock(view.words, at + SHARD_LOCK, ownerWord(deadThreadTag), view.owner)) {
      repairShard(view, at) // @REPAIR, before the release: the next owner of the lock relies on it.
      unlockShard(view, at) // @GIVE_UP
      repaired++
    }
    wakeAllWaiters(view.words, at + SHARD_LOCK)
  }
  // After the shards: what stands behind these locks is counted there.
  for (let server = 0; server < view.layout.serverRoom; server++) {
    freeAdmission(view, server, ownerWord(deadThreadTag))
  }
  view.loads?.expire() // A repair counts anew.
  finishAllReplacements(view)
  return repaired
}

/** Every broken invariant of the table as a sentence; empty when all hold. Locks shard by shard. */
export function checkTable (view: TableView): readonly string[] {
  const broken: string[] = []
  for (let shard = 0; shard < view.layout.shardCount; shard++) {
    const at = shardAt(view.layout, shard)
    if (!lockShard(view, at)) {
      broken.push(`shard ${shard} stays locked`)
      continue
    }
    for (const what of checkShard(view, at)) broken.push(`shard ${shard}: ${what}`)
    unlockShard(view, at)
  }
  return broken
}

const COUNTERS = { LOAD: COUNTER_LOAD, ACTIVE: COUNTER_ACTIVE, PLACES: COUNTER_PLACES }

/** All that a shard derives from its commit words. */
interface Derived {
  readonly counters: Int32Array // as they stand from `countersAt` to `endsAt`
  used: number
  reservedOnly: number
  seenOnce: number
  readonly ends: Int32Array // as they stand from `endsAt` to `bucketsAt`
}

function repairShard (view: TableView, at: number): void {
  const { words, layout } = view
  const highWater = words[at + SHARD_HIGH_WATER]!
  words.fill(NO_SLOT, at + layout.bucketsAt, at + layout.bucketsAt + layout.bucketCount)
  let freeHead = NO_SLOT
  for (let slot = highWater - 1; slot >= 0; slot--) {
    const here = slotAt(layout, at, slot)
    if (words[here] === 0) {
      words[here + SLOT_NEXT] = freeHead
      freeHead = slot
    } else {
      const bucket = bucketAt(layout, at, hashOf(view, clientOfSlot(view, here)))
      words[here + SLOT_NEXT] = words[bucket]!
      words[bucket] = slot
    }
  }
  words[at + SHARD_FREE_HEAD] = freeHead
  // Counted aside and stored at the end: readers without a lock never see a half-counted shard.
  const derived = derive(view, at, highWater)
  words.set(derived.counters, at + layout.countersAt)
  words.set(derived.ends, at + layout.endsAt)
  words[at + SHARD_USED] = derived.used
  words[at + SHARD_RESERVED_ONLY] = derived.reservedOnly
  words[at + SHARD_SEEN_ONCE] = derived.seenOnce
}

function derive (view: TableView, at: number, highWater: number): Derived {
  const { words, layout } = view
  const counters = new Int32Array(layout.endsAt - layout.countersAt)
  const ends = endsOf(view, at, highWater)
  const derived: Derived = { counters, used: 0, reservedOnly: 0, seenOnce: 0, ends }
  for (let slot = 0; slot < highWater; slot++) {
    const here = slotAt(layout, at, slot)
    const commit = words[here]!
    if (commit === 0) continue
    derived.used++
    if (isReservedOnly(commit)) derived.reservedOnly++
    if (isSeenOnce(commit)) derived.seenOnce++
    raise(commitLoad(commit), COUNTER_LOAD)
    raise(commitActive(commit), COUNTER_ACTIVE)
    raise(commitActive(commit), COUNTER_PLACES)
    if (commitReserved(commit) !== commitActive(commit)) {
      raise(commitReserved(commit), COUNTER_PLACES)
    }
    for (const bucket of networkBuckets(view, here)) {
      counters[layout.networksAt - layout.countersAt + bucket]!++
    }
  }
  return derived

  function raise (server: number, counter: number): void {
    if (server !== NO_SERVER) counters[counter * layout.serverRoom + server]!++
  }
}

function * checkShard (view: TableView, at: number): Generator<string> {
  const { words, layout } = view
  const highWater = words[at + SHARD_HIGH_WATER]!
  const derived = derive(view, at, highWater)
  yield * differences('used', words[at + SHARD_USED]!, derived.used)
  yield * differences('reserved only', words[at + SHARD_RESERVED_ONLY]!, derived.reservedOnly)
  yield * differences('seen once', words[at + SHARD_SEEN_ONCE]!, derived.seenOnce)
  for (let server = 0; server < layout.serverRoom; server++) {
    for (const [name, counter] of Object.entries(COUNTERS)) {
      const stored = words[counterAt(layout, at, server, counter)]!
      const counted = derived.counters[counter * layout.serverRoom + server]!
      yield * differences(`${name} of server ${server}`, stored, counted)
    }
  }
  for (let bucket = 0; bucket < layout.endsAt - layout.networksAt; bucket++) {
    const stored = words[at + layout.networksAt + bucket]!
    const counted = derived.counters[layout.networksAt - layout.countersAt + bucket]!
    yield * differences(`networks in bucket ${bucket}`, stored, counted)
  }
  for (const [run, end] of derived.ends.entries()) {
    const noted = words[at + layout.endsAt + run]!
    const isLate = end !== NO_END && (noted === NO_END || wrappedAge(noted, end) > 0)
    if (isLate) yield `ends of run ${run}: says ${noted}, the first is ${end}`
  }
  yield * checkChains(view, at, highWater, derived.used)
}

function * checkChains (
  view: TableView, at: number, highWater: number, used: number
): Generator<string> {
  const { words, layout } = view
  const clients = new Set<string>()
  let chained = 0
  for (let bucket = 0; bucket < layout.bucketCount; bucket++) {
    const bucketWord = at + layout.bucketsAt + bucket
    for (const slot of chain(view, at, words[bucketWord]!)) {
      const here = slotAt(layout, at, slot)
      const client = clientOfSlot(view, here)
      chained++
      if (words[here] === 0) yield `slot ${slot} is chained and free`
      if (bucketAt(layout, at, hashOf(view, client)) !== bucketWord) {
        yield `slot ${slot} is in another's bucket`
      }
      const name = `${client.kind} ${formatClient(client)}`
      if (clients.has(name)) yield `${name} is there twice`
      clients.add(name)
    }
  }
  yield * differences('chained slots', chained, used)
  let free = 0
  for (const slot of chain(view, at, words[at + SHARD_FREE_HEAD]!)) {
    free++
    if (words[slotAt(layout, at, slot)] !== 0) yield `slot ${slot} is in use and on the free list`
  }
  yield * differences('free slots', free, highWater - used)
}

/** The slots of a chain; stops after as many as there are, so that a ring ends too. */
function * chain (view: TableView, at: number, head: number): Generator<number> {
  let slot = head
  for (let steps = 0; slot !== NO_SLOT && steps <= view.layout.slotCount; steps++) {
    yield slot
    slot = view.words[slotAt(view.layout, at, slot) + SLOT_NEXT]!
  }
}

function * differences (what: string, stored: number, counted: number): Generator<string> {
  if (stored !== counted) yield `${what}: says ${stored}, counted ${counted}`
}
