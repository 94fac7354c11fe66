/**
 * One thread's view of the user table: the shared words, where things lie in them, who this thread
 * is. Locks and unlocks shards; knows nothing of what happens in between. Any thread.
 */
import { TableStuck } from '../errors.ts'
import type { Client } from '../client.ts'
import {
  LAYOUT_VERSION, NO_SLOT, OWN_SERVERS_MAX, SERVER, SERVERS_MAX, SHARD_FREE_HEAD, SHARD_LOCK,
  SLOT_WORDS, TABLE, USERS_MAX, USERS_MIN, WORD_BYTES, layoutFor, type Layout
} from './layout.ts'
import type { KnownLoads } from './known-loads.ts'
import { acquireLock, ownerWord, releaseLock } from './lock.ts'
import {
  allocateNewcomers, Newcomers, type NewcomerSettings, type NewcomersMemory
} from './newcomers.ts'
import { halfSipHash13 } from './sip-hash.ts'

/** What a thread needs to map the table: posted to workers as it stands. */
export interface TableMemory {
  readonly buffer: SharedArrayBuffer
  readonly newcomers: NewcomersMemory
}

export interface TableView {
  readonly words: Int32Array
  readonly layout: Layout
  readonly hashKey0: number
  readonly hashKey1: number
  /** This thread's lock word. */
  readonly owner: number
  /** Where the shard starts that this thread may hold, or NO_SHARD. Written by lock and unlock. */
  held: number
  /** The admission lock that this thread may hold, or NO_LOCK; as `held`. */
  admission: number
  /** How long to wait for a shard, and what to do then. */
  readonly patience: Patience
  /** Monotonic milliseconds; injected in tests. */
  readonly now: () => number
  /** Told of every wait for a shard that took a sleep, in milliseconds. */
  readonly onLockWaited: ((ms: number) => void) | undefined
  /** Kept by the thread that reserves, from its first choice on. */
  loads: KnownLoads | undefined
  /** Which newcomers this thread counts; undefined: all of them. */
  readonly newcomers: Newcomers | undefined
  /**
   * Called inside locked sections, at the points between which a crash leaves different memory.
   * For crash tests only.
   */
  readonly onStep: ((step: string) => void) | undefined
}

/**
 * The main thread gives up at once and comes back on the next turn of its loop, because a dead
 * owner is recovered by this very loop. A worker waits: the coordinator frees what the dead held,
 * and one that waits in vain ends itself, which is the supervisor's business.
 */
export interface Patience {
  readonly waitMs: number
  readonly thenThrow: boolean
}
export const MAIN_THREAD_PATIENCE: Patience = { waitMs: 1, thenThrow: false }
export const WORKER_PATIENCE: Patience = { waitMs: 10_000, thenThrow: true }

/** No shard starts here: the table's header does. */
const NO_SHARD = 0
/** Neither does a server's lock stand here. */
export const NO_LOCK = 0

/** Only the main thread is ever told `busy`: it comes back on the next turn of its loop. */
export type Busy = 'busy'

/** The coordinator's own tag; workers get 2, 3, ... and a replacement never gets a used one. */
export const MAIN_THREAD_TAG = 1

export interface ViewOptions {
  readonly threadTag: number
  readonly patience: Patience
  readonly now: () => number
  readonly onLockWaited?: ((ms: number) => void) | undefined
  /** Left out by a thread that has no visitors. */
  readonly newcomers?: NewcomerSettings
  readonly onStep?: ((step: string) => void) | undefined
}

/** How long users stay who are not confirmed, or whose page has left. Milliseconds. */
export interface TableTimes {
  readonly unconfirmedMs: number
  readonly leaveGraceMs: number
}

/**
 * Allocates an empty table. Pages are committed by the system as they are touched.
 * @param serverRoom how many servers there may ever be at once
 */
export function allocateTable (
  usersMax: number, serverCount: number, times: TableTimes, randomWord: () => number,
  serverRoom = serverCount
): TableMemory {
  if (usersMax < USERS_MIN || usersMax > USERS_MAX) throw new RangeError(`${usersMax} users`)
  if (serverCount < 0 || serverCount > serverRoom) throw new RangeError(`${serverCount} servers`)
  if (serverRoom < 1 || serverRoom > SERVERS_MAX) throw new RangeError(`room for ${serverRoom} servers`)
  const layout = layoutFor(usersMax, serverRoom)
  const buffer = new SharedArrayBuffer(layout.bytes)
  const words = new Int32Array(buffer)
  words[TABLE.VERSION] = LAYOUT_VERSION
  words[TABLE.SHARD_COUNT] = layout.shardCount
  words[TABLE.SLOT_COUNT] = layout.slotCount
  words[TABLE.BUCKET_COUNT] = layout.bucketCount
  words[TABLE.USERS_MAX] = usersMax
  words[TABLE.SERVER_ROOM] = serverRoom
  words[TABLE.SERVER_COUNT] = serverCount
  words[TABLE.HASH_KEY_0] = randomWord()
  words[TABLE.HASH_KEY_1] = randomWord()
  words[TABLE.UNCONFIRMED_MS] = times.unconfirmedMs
  words[TABLE.LEAVE_GRACE_MS] = times.leaveGraceMs
  for (let server = 0; server < serverRoom; server++) {
    words[serverAt(layout, server) + SERVER.WEIGHT] = 1
  }
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const at = shardAt(layout, shard)
    words[at + SHARD_FREE_HEAD] = NO_SLOT
    words.fill(NO_SLOT, at + layout.bucketsAt, at + layout.bucketsAt + layout.bucketCount)
  }
  return { buffer, newcomers: allocateNewcomers(OWN_SERVERS_MAX, randomWord()) }
}

export function viewTable (memory: TableMemory, options: ViewOptions): TableView {
  const words = new Int32Array(memory.buffer)
  const layout = layoutFor(words[TABLE.USERS_MAX]!, words[TABLE.SERVER_ROOM]!)
  if (words[TABLE.VERSION] !== LAYOUT_VERSION || layout.bytes !== words.length * WORD_BYTES) {
    throw new Error(`user table of another layout: ${words[TABLE.VERSION]}, not ${LAYOUT_VERSION}`)
  }
  return {
    words,
    layout,
    hashKey0: words[TABLE.HASH_KEY_0]!,
    hashKey1: words[TABLE.HASH_KEY_1]!,
    owner: ownerWord(options.threadTag),
    held: NO_SHARD,
    admission: NO_LOCK,
    patience: options.patience,
    now: options.now,
    onLockWaited: options.onLockWaited,
    loads: undefined,
    newcomers: options.newcomers &&
      new Newcomers(memory.newcomers, { ...options.newcomers, now: options.now }),
    onStep: options.onStep
  }
}

/** Where a server's run starts, in words. */
export function serverAt (layout: Layout, server: number): number {
  return layout.serversAt + server * SERVER.WORDS
}

/** Where a shard starts, in words. */
export function shardAt (layout: Layout, shard: number): number {
  return layout.shardsAt + shard * layout.shardWords
}

/** Where a slot of the shard at `at` starts, in words. */
export function slotAt (layout: Layout, at: number, slot: number): number {
  return at + layout.slotsAt + slot * SLOT_WORDS
}

/** Where a slot is, for as long as the program runs: shard * slots per shard + slot. */
export type Place = number & { readonly brand?: 'place' }

export function placeOf (layout: Layout, shard: number, slot: number): Place {
  return shard * layout.slotCount + slot
}

export function hashOf (view: TableView, client: Client): number {
  const kind = client.kind === 'ip' ? 1 : 0
  const { w0, w1, w2, w3 } = client
  return halfSipHash13(view.hashKey0, view.hashKey1, kind, w0, w1, w2, w3)
}

/** The lowest bits of the hash choose the shard, others the bucket in it. */
export function shardOfHash (layout: Layout, hash: number): number {
  return hash & (layout.shardCount - 1)
}

/** Where the bucket of a hash stands, in words; in the shard at `at`. */
export function bucketAt (layout: Layout, at: number, hash: number): number {
  return at + layout.bucketsAt + ((hash >>> 6) & (layout.bucketCount - 1))
}

/**
 * False when the shard is busy beyond this thread's patience; a worker throws TableStuck then. At
 * once when the thread left another section without an unlock: one that was ended in there still
 * handles what its loop has at hand, and would wait for a lock that only its own end frees.
 */
export function lockShard (view: TableView, at: number): boolean {
  const { words, owner, patience, onLockWaited } = view
  if (view.held === NO_SHARD) {
    // Before the lock is taken and until after its release: ended in between, it would not know.
    view.held = at
    if (acquireLock(words, at + SHARD_LOCK, owner, patience.waitMs, onLockWaited)) {
      view.onStep?.('CS')
      return true
    }
    view.held = NO_SHARD
  }
  if (patience.thenThrow) throw new TableStuck()
  return false
}

export function unlockShard (view: TableView, at: number): void {
  view.onStep?.('LEAVE')
  releaseLock(view.words, at + SHARD_LOCK)
  view.held = NO_SHARD
}
