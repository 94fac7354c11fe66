/**
 * The bytes of sites, in shared memory: one thread writes them, all servers send them from where
 * they are. Never changed once they are shared, so nothing is locked. The memory is freed when the
 * last thread has let go of it, which `holders` tells.
 */
import { setTimeout } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { SiteTooLarge } from '../errors.ts'
import { WORD_BYTES } from './layout.ts'

/** What a thread needs to map it: posted to workers as it stands, never as `workerData`. */
export interface SiteMemory {
  readonly chunks: readonly SharedArrayBuffer[]
  /** In all chunks, and what the servers need besides to serve them. */
  readonly bytes: number
  readonly holders: HoldersMemory
}

/** A word for each holder: 1 while that thread can reach one of the chunks. Written by it. */
export interface HoldersMemory {
  readonly buffer: SharedArrayBuffer
}

/** Where in a SiteMemory something is. */
export type Place = readonly [chunk: number, at: number, bytes: number]

/** What the memory of the process has room for. */
export interface MemoryRoom {
  /** What the process may use in all. */
  readonly limitBytes: number
  /** What of it is left for the sites that are being loaded, in every form. */
  readonly leftBytes: number
}

/** The main thread, which gives the memory to servers that start later. The servers come behind. */
export const MAIN_HOLDER = 0

export function holderOfServer (server: number): number {
  return server + 1
}

/** Pages of a chunk that nothing is written to take no memory. */
const CHUNK_BYTES = 8 * 1024 * 1024
/** What is larger has a chunk of its own, so that little is lost at the end of each. */
const OWN_CHUNK_BYTES = CHUNK_BYTES / 8

/** Fills a SiteMemory from front to end. */
export class SiteWriter {
  readonly #room: MemoryRoom
  #chunks: SharedArrayBuffer[] = []
  #bytes = 0
  /** The chunk that is being filled, and how far it is. */
  #filling = -1
  #at = 0

  constructor (room: MemoryRoom) {
    this.#room = room
  }

  /** A place for so many bytes. Throws USHER_SITE_TOO_LARGE when the room is used up. */
  take (bytes: number): Place {
    this.reserve(bytes)
    if (bytes > OWN_CHUNK_BYTES) return [this.#addChunk(bytes), 0, bytes]
    if (this.#filling === -1 || this.#at + bytes > CHUNK_BYTES) {
      this.#filling = this.#addChunk(CHUNK_BYTES)
      this.#at = 0
    }
    const place: Place = [this.#filling, this.#at, bytes]
    this.#at += bytes
    return place
  }

  /** What the readers will need besides, outside of this memory, counts as if it were in it. */
  reserve (bytes: number): void {
    checkRoom(this.#bytes + bytes, this.#room)
    this.#bytes += bytes
  }

  store (body: Uint8Array): Place {
    const place = this.take(body.length)
    this.view(place).set(body)
    return place
  }

  view (place: Place): Buffer {
    return viewOf(this.#chunks, place)
  }

  /** Begins again. Views of what was written must be gone. */
  clear (): void {
    this.#chunks = []
    this.#bytes = 0
    this.#filling = -1
    collectGarbage()
  }

  finish (holderCount: number): SiteMemory {
    const holders = { buffer: new SharedArrayBuffer(holderCount * WORD_BYTES) }
    return { chunks: this.#chunks, bytes: this.#bytes, holders }
  }

  #addChunk (bytes: number): number {
    return this.#chunks.push(new SharedArrayBuffer(bytes)) - 1
  }
}

/** Throws USHER_SITE_TOO_LARGE when there is none for so many bytes. */
export function checkRoom (bytes: number, { limitBytes, leftBytes }: MemoryRoom): void {
  if (bytes <= leftBytes) return
  throw new SiteTooLarge(`the folders of HTML_DIRS do not fit in memory: they need ${inMiB(bytes)} or more, ` +
    `with what is compressed of them; of the ${inMiB(limitBytes)} that this process may use, ` +
    `${inMiB(Math.max(0, leftBytes))} are left for them`)
}

/** The bytes themselves, not a copy. */
export function viewOf (
  chunks: readonly SharedArrayBuffer[], [chunk, at, bytes]: Place
): Buffer {
  return Buffer.from(chunks[chunk]!, at, bytes)
}

/** Rounded up, so that a size over a limit never reads as the limit. */
export function inMiB (bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024 * 100) / 100} MiB (${bytes} bytes)`
}

interface Hold {
  readonly words: Int32Array
  readonly holder: number
  chunksLeft: number
}

const registry = new FinalizationRegistry<Hold>(hold => {
  hold.chunksLeft--
  if (hold.chunksLeft === 0) Atomics.store(hold.words, hold.holder, 0)
})

/** As which holders this thread holds a memory, or has held it. */
const registered = new WeakMap<SharedArrayBuffer, Set<number>>()

/**
 * This thread, as that holder, can reach the memory from now on. Another thread, whose place it
 * takes, may be that holder already.
 */
export function holdSites ({ chunks, holders }: SiteMemory, holder: number): void {
  const words = new Int32Array(holders.buffer)
  if (chunks.length === 0) return
  Atomics.store(words, holder, 1)
  const ours = registered.get(holders.buffer) ?? new Set()
  if (ours.has(holder)) return
  registered.set(holders.buffer, ours.add(holder))
  const hold = { words, holder, chunksLeft: chunks.length }
  for (const chunk of chunks) registry.register(chunk, hold)
}

/** The thread of that holder has ended. */
export function endHold (holders: HoldersMemory, holder: number): void {
  Atomics.store(new Int32Array(holders.buffer), holder, 0)
}

export function isHeld (holders: HoldersMemory): boolean {
  return new Int32Array(holders.buffer).some(word => word !== 0)
}

/** A reply that is still being sent holds its site until its last byte has left. */
const LOOK_MS = 2000

/**
 * Lets go of a memory that nothing of this thread but replies being sent refers to any more.
 * Resolves when the last of those is done. V8 does not count shared memory, so that nothing else
 * would make it look.
 */
export async function releaseSites (holders: HoldersMemory, holder: number): Promise<void> {
  const words = new Int32Array(holders.buffer)
  for (;;) {
    await setTimeout(0, undefined, { ref: false })
    collectGarbage()
    await setTimeout(0, undefined, { ref: false })
    if (Atomics.load(words, holder) === 0) return
    await setTimeout(LOOK_MS, undefined, { ref: false })
  }
}

/** A whole collection, some 10 ms in a thread of ours. */
function collectGarbage (): void {
  // The flag is the process's: to take it back would race with the other threads.
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
