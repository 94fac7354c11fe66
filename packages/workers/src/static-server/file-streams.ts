/**
 * Opens the large files of a site when they are asked for, and reads them piece by piece while they
 * are sent. One descriptor for each file, however many clients are sent it, and one piece of memory
 * for each client; both have bounds, above which 503 is answered. Runs in the server's thread.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Logger } from 'pino'
import { isSpare } from '@usher/shared/descriptors.ts'
import type { DiskFile } from '@usher/shared/http/files/encoded-file.ts'
import type { FilePart, FileReply } from '@usher/shared/http/files/stored-file.ts'
import { keptReply, NO_STORE, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import type {
  Reply, RequestValue, StreamedBody
} from '@usher/shared/http/vocabulary/values.ts'
import { networkKey } from '@usher/shared/networks.ts'
import { addressQuota } from '@usher/shared/per-address-quota.ts'
import { isUnchanged, openUnchanged, SiteChanged } from './disk-file.ts'
import { isOutOfResources, reasonOf } from './loader/file-errors.ts'

export interface FileStreamParts {
  readonly log: Pick<Logger, 'warn'>
  /** How many clients may be sent large files at once; 512 if left out. */
  readonly streamsMax?: number
  /** Of the process; what the system says if left out. */
  readonly descriptorLimit?: number
}

/**
 * Read and sent in one go. Each piece costs two turns in libuv's threads, which visitors of pages
 * feel more than its size: beside 50 slow readers their p99 was 3.6, 1.9 and 1.0 times that beside
 * a plain server with pieces of 16, 64 and 256 KiB.
 */
const PIECE_BYTES = 262_144
/** 128 MiB of pieces. */
const STREAMS_MAX = 512
/** From this part of them on a network may have its quota only. */
const CROWDED_SHARE = 0.5
const RETRY_AFTER_S = 5

const BUSY = keptReply(textReply(503,
  'Too many large files are being sent right now. Try again in a moment.\n',
  ['Retry-After', String(RETRY_AFTER_S), ...NO_STORE]))

interface SharedFile {
  readonly handle: Promise<FileHandle>
  users: number
}

export class FileStreams {
  readonly #parts: FileStreamParts
  readonly #streamsMax: number
  readonly #files = new Map<DiskFile, SharedFile>()
  #count = 0
  /** How many clients of each network are being sent one. */
  readonly #byNetwork = new Map<string, number>()
  /** Those that have been warned of. */
  readonly #warned = new WeakSet<DiskFile>()

  constructor (parts: FileStreamParts) {
    this.#parts = parts
    this.#streamsMax = parts.streamsMax ?? STREAMS_MAX
  }

  /** Clients that are being sent a large file. */
  get count (): number {
    return this.#count
  }

  /** The reply with its part of the file. @param gone the reply where it is not as it was loaded */
  async open (
    { part, ...reply }: FileReply & { readonly part: FilePart },
    { address }: Pick<RequestValue, 'address'>, gone: () => Reply
  ): Promise<Reply> {
    const network = networkKey(address)
    if (!this.#hasRoom(network)) return BUSY
    this.#countIn(network, 1)
    const { file } = part
    const close = (): void => {
      this.#countIn(network, -1)
      this.#leave(file)
    }
    try {
      const handle = await this.#enter(file)
      const streamed = new FileBody(part, handle, close, error => { this.#warn(file, error) })
      return { ...reply, isKept: false, streamed }
    } catch (error) {
      close()
      if (error instanceof NoDescriptor || isOutOfResources(error)) return BUSY
      this.#warn(file, error)
      return gone()
    }
  }

  #hasRoom (network: string): boolean {
    if (this.#count >= this.#streamsMax) return false
    if (this.#count < this.#streamsMax * CROWDED_SHARE) return true
    return (this.#byNetwork.get(network) ?? 0) < addressQuota(this.#streamsMax)
  }

  #countIn (network: string, change: 1 | -1): void {
    const count = (this.#byNetwork.get(network) ?? 0) + change
    if (count === 0) this.#byNetwork.delete(network)
    else this.#byNetwork.set(network, count)
    this.#count += change
  }

  #enter (file: DiskFile): Promise<FileHandle> {
    let shared = this.#files.get(file)
    if (shared === undefined) {
      shared = { handle: this.#openFile(file), users: 0 }
      this.#files.set(file, shared)
    }
    shared.users++
    return shared.handle
  }

  async #openFile (file: DiskFile): Promise<FileHandle> {
    const { handle } = await openUnchanged(file)
    if (!isSpare(handle.fd, this.#parts.descriptorLimit)) return handle
    await handle.close()
    throw new NoDescriptor()
  }

  #leave (file: DiskFile): void {
    const shared = this.#files.get(file)!
    shared.users--
    if (shared.users > 0) return
    this.#files.delete(file)
    // What could not be opened was said; a file that was only read closes without a fault.
    shared.handle.then(handle => handle.close()).catch(() => {})
  }

  #warn (file: DiskFile, error: unknown): void {
    if (this.#warned.has(file)) return
    this.#warned.add(file)
    const reason = error instanceof SiteChanged ? 'has changed' : reasonOf(error)
    this.#parts.log.warn({ file: file.realPath, reason },
      'a large file is not as it was loaded: who was being sent it is cut off, and it is 404 until a reload')
  }
}

/** The last ones of the process are kept back for others. */
class NoDescriptor extends Error {}

/** A part of an open file, for one client. */
class FileBody implements StreamedBody {
  readonly bytes: number
  readonly #file: DiskFile
  readonly #handle: FileHandle
  readonly #onFault: (error: unknown) => void
  #close: (() => void) | undefined
  #piece: Buffer | undefined
  #at: number
  readonly #end: number

  constructor (
    { file, first, bytes }: FilePart, handle: FileHandle, close: () => void,
    onFault: (error: unknown) => void
  ) {
    this.bytes = bytes
    this.#file = file
    this.#handle = handle
    this.#close = close
    this.#onFault = onFault
    this.#at = first
    this.#end = first + bytes
  }

  async next (): Promise<Buffer> {
    this.#piece ??= Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.bytes))
    const length = Math.min(this.#piece.length, this.#end - this.#at)
    try {
      const { bytesRead } = await this.#handle.read(this.#piece, 0, length, this.#at)
      // The order is what makes it sure: see disk-file.ts.
      const isStillRight = isUnchanged(this.#file, await this.#handle.stat({ bigint: true }))
      if (bytesRead === 0 || !isStillRight) throw new SiteChanged(this.#file.realPath)
      this.#at += bytesRead
      return this.#piece.subarray(0, bytesRead)
    } catch (error) {
      this.#onFault(error)
      throw error
    }
  }

  close (): void {
    this.#close?.()
    this.#close = undefined
  }
}
