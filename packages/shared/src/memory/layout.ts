/**
 * The map of the shared memory: every word of the user table has its name, unit and writers here,
 * and nobody else writes an offset. Owns no memory; `user-table.ts` allocates it.
 *
 *     | table header | server words | shard 0 | shard 1 | ... |
 *
 *     shard:  | header | counters per server | users per network | ends | buckets | slots |
 *
 * What every touch reads stands first, as constants of their own: esbuild writes only those before
 * the first object into the code as numbers. Read as variables they cost a touch a tenth.
 */

/** Raised at every change of this file; a worker that was built with another refuses to boot. */
export const LAYOUT_VERSION = 10

export const WORD_BYTES = 4
export const SERVERS_MAX = 256
/** Of those, servers of our own, each of which is a thread. */
export const OWN_SERVERS_MAX = 32
export const SHARDS_MAX = 64
export const USERS_MIN = 16
export const USERS_MAX = 4_194_304

/** Shard header, in words. Written by the holder of the shard's lock, except LOCK itself. */
export const SHARD_LOCK = 0 // 0, or the owner's thread tag shifted by one, plus LOCK_WAIT
export const SHARD_LOCK_WAITS = 1 // times a thread slept for the lock, written by any thread
export const SHARD_USED = 2 // slots whose commit word is not 0
export const SHARD_FREE_HEAD = 3 // first free slot, NO_SLOT when none; linked through SLOT_NEXT
export const SHARD_HIGH_WATER = 4 // slots ever used; those at and above it are all zero
export const SHARD_RESERVED_ONLY = 5 // users with a reservation and no active server
export const SHARD_SEEN_ONCE = 6 // users seen exactly once
export const SHARD_HAND = 7 // slot at which the next search for somebody to displace starts
export const SHARD_WORDS = 8

/**
 * Counters per server within a shard: one run of words for each counter, a word for each server, so
 * that the sum of one reads nothing else. A shard's own, so that its repair rebuilds them.
 */
export const COUNTER_LOAD = 0 // users reserved here, or active here and reserved nowhere
export const COUNTER_ACTIVE = 1 // users active here, also those on the move elsewhere
export const COUNTER_PLACES = 2 // users active here, or with a reservation here, or both
export const COUNTER_COUNT = 3

/** A slot: one user. True when COMMIT is not 0; all other words are written before it. */
export const SLOT_COMMIT = 0
export const SLOT_ID = 1 // 4 words: the UUID, or the address of a client known by address
export const SLOT_ADDRESS = 5 // 4 words: last seen from; true only with COMMIT_ADDRESS_KNOWN
export const SLOT_FIRST_SEEN_S = 9 // monotonic seconds, modulo 2^32
export const SLOT_LAST_SEEN_MS = 10 // monotonic milliseconds, modulo 2^32; see COMMIT_LEAVING
export const SLOT_RESERVED_UNTIL_MS = 11 // the same unit; true only while a reservation stands
export const SLOT_NEXT = 12 // the next slot of the bucket or of the free list, NO_SLOT at the end
export const SLOT_WORDS = 13

/**
 * The commit word. Both servers of a user on the move are in it, so one store moves the user.
 *
 *     bit 0     used            bits 4-12   active server + 1, 0 for none
 *     bit 1     kind is ip      bits 13-21  reserved server + 1, 0 for none
 *     bits 2-3  one of SEEN_    bit 22  the address words are whole
 *                               bit 23  the entry under this address is still to go
 *                               bit 24  leaves LEAVE_GRACE_MS after LAST_SEEN_MS; of one who is
 *                                       active nowhere: has left, and the place is held for them
 *                               bit 25  an open page of theirs has sent a beat
 *                               bit 26  and since the last beat another page was opened
 */
export const COMMIT_USED = 1
export const COMMIT_KIND_IP = 1 << 1
export const COMMIT_SEEN_SHIFT = 2
export const COMMIT_ACTIVE_SHIFT = 4
export const COMMIT_RESERVED_SHIFT = 13
export const COMMIT_ADDRESS_KNOWN = 1 << 22
export const COMMIT_REPLACES = 1 << 23
export const COMMIT_LEAVING = 1 << 24
export const COMMIT_BEATS = 1 << 25
export const COMMIT_OPENED = 1 << 26
/** What is known of a user's pages; once it is active nowhere, that it has left at most. */
export const COMMIT_PAGES = COMMIT_LEAVING | COMMIT_BEATS | COMMIT_OPENED
export const COMMIT_SEEN_MASK = 0b11
export const COMMIT_SERVER_MASK = 0b1_1111_1111

/**
 * How far a user is known. A user who has been seen twice is never displaced; a confirmed one stays
 * until silent for too long. Until then LAST_SEEN_MS stays the time at which the user claimed its
 * place, so that it tells when the user is confirmed, and when its time is over.
 */
export const SEEN_NEVER = 0 // has a reservation at most
export const SEEN_ONCE = 1
export const SEEN_AGAIN = 2 // within CONFIRM_MS only: the tabs of a newcomer who opens five at once
export const SEEN_CONFIRMED = 3
/** A request that comes so long after the one that claimed the place has brought the id back. */
export const CONFIRM_MS = 500

export const NO_SLOT = -1
export const NO_SERVER = -1

/** Table header, in words. Written by the coordinator: once, but for the last three. */
export const TABLE = {
  VERSION: 0,
  SHARD_COUNT: 1, // a power of two
  SLOT_COUNT: 2, // slots in each shard
  BUCKET_COUNT: 3, // buckets in each shard, a power of two
  USERS_MAX: 4, // users the whole table admits
  SERVER_ROOM: 5, // servers that there is room for
  HASH_KEY_0: 6, // random bits, new in every process
  HASH_KEY_1: 7,
  UNCONFIRMED_MS: 8, // how long a user may stay who has not come back
  LEAVE_GRACE_MS: 9, // how long after a page's leave its user goes
  RETURN_GRACE_MS: 10, // how long after a leave its place is held, at a server with a capacity
  LIMITED: 11, // 1 while any server has a capacity
  SERVER_COUNT: 12, // servers that sums are made of, those that are gone included; never falls
  WORDS: 16 // so that the servers' words begin a cache line
} as const

/**
 * One run of words per server, a cache line long: no server's admissions slow down another's
 * requests. Written by the coordinator, read by every thread.
 */
export const SERVER = {
  STATE: 0, // a SERVER_STATE
  MOVES_FROM_S: 1, // monotonic seconds from which a draining server sends its users away; 0: never
  BACK_SINCE_DS: 2, // monotonic tenths of a second at which it came back, for its slow start; 0: no
  CAPACITY: 3, // users that it admits; 0: as many as come
  WEIGHT: 4, // how much of all users it is to have
  ADMISSION_LOCK: 5, // as SHARD_LOCK: held while one of its places is given; written by any thread
  ADMISSION_LOCK_WAITS: 6, // as SHARD_LOCK_WAITS
  ADMISSIONS: 7, // times that the lock was taken; written by its holder
  WORDS: 16
} as const

/** What a server is, as the balancer and the console see it. */
export const SERVER_STATE = { starting: 0, up: 1, draining: 2, down: 3, maintenance: 4 } as const
export type ServerState = keyof typeof SERVER_STATE

/**
 * Users per network in a shard, by a hash of the network: for each width of networks (networks.ts)
 * rows of buckets, one word each. A row more makes it rarer that somebody shares all buckets with
 * another: with two, 1 in 2^18.
 */
export const NETWORK = {
  WIDTHS: 3,
  ROWS: 2,
  BUCKETS: 512, // in each row, a power of two
  WORDS: 3 * 2 * 512
} as const

/**
 * Users who end at a time of their own, because they are leaving or unconfirmed: for each run of
 * so many slots a word says when the first of them may be due, in monotonic milliseconds modulo
 * 2^32, or NO_END. It may be too early, never too late.
 */
export const END = {
  SLOTS: 256
} as const
export const NO_END = 0

/** Where everything lies, in words. Plain numbers, derived alike in every thread. */
export interface Layout {
  readonly usersMax: number
  /** Servers that there is room for. */
  readonly serverRoom: number
  readonly shardCount: number
  readonly slotCount: number
  readonly bucketCount: number
  readonly serversAt: number
  readonly shardsAt: number
  readonly shardWords: number
  readonly countersAt: number // from a shard's start, as the next four
  readonly networksAt: number
  readonly endsAt: number
  readonly bucketsAt: number
  readonly slotsAt: number
  readonly bytes: number
}

/** Mean users per shard below which fewer shards serve a small table better. */
const SHARD_USERS_MIN = 256
const SLOTS_MIN = 64
/** Who inserts, servers and router, may exceed the maximum by one each when all do at once. */
const THREADS_MAX = OWN_SERVERS_MAX + 1
/**
 * Users fall on shards by a keyed hash: past so many deviations one of 64 shards runs full in one
 * of 8 million tables. As few as keep a user of a million within 64 bytes.
 */
const DEVIATIONS = 5.9

export function layoutFor (usersMax: number, serverRoom: number): Layout {
  const shardCount = Math.min(SHARDS_MAX, powerOfTwoAtLeast(Math.ceil(usersMax / SHARD_USERS_MIN)))
  const mean = usersMax / shardCount
  const spread = shardCount === 1 ? 0 : DEVIATIONS * Math.sqrt(mean)
  const slotCount = Math.max(SLOTS_MIN, Math.ceil(mean + spread)) + THREADS_MAX
  const bucketCount = powerOfTwoAtLeast(slotCount)

  const serversAt = TABLE.WORDS
  const shardsAt = serversAt + SERVER.WORDS * serverRoom
  const countersAt = SHARD_WORDS
  const networksAt = countersAt + COUNTER_COUNT * serverRoom
  const endsAt = networksAt + NETWORK.WORDS
  const bucketsAt = endsAt + Math.ceil(slotCount / END.SLOTS)
  const slotsAt = bucketsAt + bucketCount
  const shardWords = slotsAt + SLOT_WORDS * slotCount
  return {
    usersMax,
    serverRoom,
    shardCount,
    slotCount,
    bucketCount,
    serversAt,
    shardsAt,
    shardWords,
    countersAt,
    networksAt,
    endsAt,
    bucketsAt,
    slotsAt,
    bytes: (shardsAt + shardWords * shardCount) * WORD_BYTES
  }
}

/** Shifted, not `2 **`: V8 keeps that, and every offset that it is added to, as a double. */
function powerOfTwoAtLeast (count: number): number {
  return 1 << Math.ceil(Math.log2(Math.max(1, count)))
}

export function commitIsIp (commit: number): boolean {
  return (commit & COMMIT_KIND_IP) !== 0
}

/** The server a user is active on, or NO_SERVER. */
export function commitActive (commit: number): number {
  return ((commit >> COMMIT_ACTIVE_SHIFT) & COMMIT_SERVER_MASK) - 1
}

/** The server a place is reserved for, or NO_SERVER. */
export function commitReserved (commit: number): number {
  return ((commit >> COMMIT_RESERVED_SHIFT) & COMMIT_SERVER_MASK) - 1
}

/** The server where the user counts as load: the reserved one, else the active one. */
export function commitLoad (commit: number): number {
  const reserved = commitReserved(commit)
  return reserved === NO_SERVER ? commitActive(commit) : reserved
}

export function commitSeen (commit: number): number {
  return (commit >> COMMIT_SEEN_SHIFT) & COMMIT_SEEN_MASK
}

export function withActive (commit: number, server: number): number {
  return (commit & ~(COMMIT_SERVER_MASK << COMMIT_ACTIVE_SHIFT)) |
    ((server + 1) << COMMIT_ACTIVE_SHIFT)
}

export function withReserved (commit: number, server: number): number {
  return (commit & ~(COMMIT_SERVER_MASK << COMMIT_RESERVED_SHIFT)) |
    ((server + 1) << COMMIT_RESERVED_SHIFT)
}

export function withSeen (commit: number, seen: number): number {
  return (commit & ~(COMMIT_SEEN_MASK << COMMIT_SEEN_SHIFT)) | (seen << COMMIT_SEEN_SHIFT)
}

/** Whether the user has a place at the server, which counts once: active there, or reserved. */
export function commitHolds (commit: number, server: number): boolean {
  return commitActive(commit) === server || commitReserved(commit) === server
}

/** Whether the user has left, and its place is held for its return. */
export function commitReturns (commit: number): boolean {
  return (commit & COMMIT_LEAVING) !== 0 && commitActive(commit) === NO_SERVER
}

/** Whether the user ends at a time of its own: leaving, held for its return, or not confirmed. */
export function commitHasEnd (commit: number): boolean {
  return (commit & COMMIT_LEAVING) !== 0 ||
    (commitActive(commit) !== NO_SERVER && commitSeen(commit) !== SEEN_CONFIRMED)
}

if (SERVERS_MAX > COMMIT_SERVER_MASK) throw new Error('a server does not fit its bits')
if (SLOT_WORDS !== SLOT_NEXT + 1 || SLOT_ADDRESS !== SLOT_ID + 4) throw new Error('slot map')
if (NETWORK.WORDS !== NETWORK.WIDTHS * NETWORK.ROWS * NETWORK.BUCKETS) throw new Error('network map')
if (SERVER.ADMISSION_LOCK_WAITS !== SERVER.ADMISSION_LOCK + 1) throw new Error('server map')
if (SHARD_WORDS !== SHARD_HAND + 1 || SHARD_LOCK_WAITS !== SHARD_LOCK + 1) throw new Error('shard map')
