/**
 * Takes a server's new connections over from node:net before it makes sockets of them. Each becomes
 * a light socket: what nearly every connection needs, done by its handle, with one buffer that all
 * are read into. For anything else it turns into a net.Socket.
 * What is not public here: the handles of node:net; `stream_wrap`, by which they are told to write
 * and tell what they have read (without it there are net.Sockets that share the buffer, by the
 * public option `onread`; without handles, ordinary ones).
 */
import net from 'node:net'
import { internals } from './internals.ts'

/** What node:net knows a connection by. Its methods return 0, or an error below that. */
interface Handle {
  readonly fd?: number
  readonly writeQueueSize: number
  owner: LightSocket
  reading: boolean
  onread: (this: Handle) => void
  getpeername (ends: { address?: string }): number
  setNoDelay (isOn: boolean): number
  useUserBuffer (buffer: Buffer): void
  readStart (): number
  readStop (): number
  writeBuffer (request: WriteRequest, bytes: Buffer): number
  writeLatin1String (request: WriteRequest, text: string): number
  shutdown (request: object): number
  close (): void
}

/** Of a server. */
interface ListeningHandle {
  onconnection?: (this: unknown, error: number, handle: Handle | undefined) => void
}

/** The kernel has it until all bytes are taken. */
interface WriteRequest {
  bytes?: Buffer | string
}

/** How handles are told what to do, and where they tell how it went. */
interface Streams {
  readonly WriteWrap: new () => WriteRequest
  readonly ShutdownWrap: new () => object
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

/** Whoever reads a socket. */
export interface Reader {
  /** The bytes stand there until it returns. @returns false to read no more until `resume` */
  read (buffer: Buffer, length: number): boolean
  /** The client has closed its half. */
  end (): void
  /** The socket has closed. Told of a light one only. */
  closed? (): void
}

export type AnySocket = net.Socket | LightSocket

export interface AcceptParts {
  /** False: the connection is closed at once. @param descriptor -1 where there is none */
  readonly mayAccept: (descriptor: number) => boolean
  /** Undefined: nobody is to read it. */
  readonly open: (socket: AnySocket) => Reader | undefined
}

const READ_BYTES = 65_536
/** Of libuv, for the end of what the client sends. */
const UV_EOF = -4095

/** All light sockets of this thread are read into it, one at a time. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
const streams = findStreams()
/** Of this Node. */
export const HAS_LIGHT_SOCKETS = streams !== undefined
/** It is taken by a write only that the kernel has not taken at once. */
let spareRequest = streams && new streams.WriteWrap()

/**
 * False where this Node does not have what it takes. @param server is listening already
 * @param areLight false: they are net.Sockets at once
 */
export function acceptLight (
  server: net.Server, { mayAccept, open }: AcceptParts, areLight = HAS_LIGHT_SOCKETS
): boolean {
  const listening = handleOf(server)
  const onConnection = listening?.onconnection
  if (listening === undefined || onConnection === undefined) return false
  listening.onconnection = function (error, handle) {
    if (error !== 0 || handle === undefined) return onConnection.call(this, error, handle)
    if (!mayAccept(handle.fd ?? -1)) return handle.close()
    const light = new LightSocket(handle)
    if (areLight) light.start()
    // Nothing is read before this function has returned.
    light.reader = open(areLight ? light : light.toSocket()) ?? NOBODY
  }
  return true
}

/** Has of a net.Socket's properties those that a connection of plain requests is asked for. */
export class LightSocket {
  reader: Reader = NOBODY
  readonly remoteAddress: string | undefined
  destroyed = false
  /** Above 0: the kernel has not taken all. Only a net.Socket can wait for that. */
  writableLength = 0
  readonly readableLength = 0
  readonly bytesRead = 0 // Of a request that has begun nothing is kept here.
  readonly #handle: Handle
  /** What it has become. */
  #socket: net.Socket | undefined
  #onClose: ((this: LightSocket) => void) | undefined
  #writeCount = 0
  #hasEnded = false

  constructor (handle: Handle) {
    this.#handle = handle
    const ends: { address?: string } = {}
    handle.getpeername(ends)
    this.remoteAddress = ends.address
  }

  get closed (): boolean {
    return this.destroyed
  }

  /** The client has closed its half. */
  get hasEnded (): boolean {
    return this.#hasEnded
  }

  /** Begins to read. */
  start (): void {
    const handle = this.#handle
    handle.owner = this
    handle.onread = LightSocket.#onRead
    handle.useUserBuffer(buffer)
    this.resume()
  }

  /** For one listener, which is called at once, with the socket as `this`. */
  on (_event: 'close', listener: (this: LightSocket) => void): void {
    this.#onClose = listener
  }

  write (bytes: Buffer | string, _encoding: 'latin1' = 'latin1'): void {
    const handle = this.#handle
    if (this.destroyed) return
    // From the second one on a small write would wait until the one before has been received.
    if (++this.#writeCount === 2) handle.setNoDelay(true)
    const request = spareRequest!
    const error = typeof bytes === 'string'
      ? handle.writeLatin1String(request, bytes)
      : handle.writeBuffer(request, bytes)
    if (error < 0) process.nextTick(destroy, this)
    else if (streams!.streamBaseState[streams!.kLastWriteWasAsync] !== 0) {
      request.bytes = bytes
      spareRequest = new streams!.WriteWrap()
      this.writableLength = handle.writeQueueSize
    }
  }

  /** Closes our half. */
  shutdown (): void {
    this.#handle.shutdown(new streams!.ShutdownWrap())
  }

  /** When the client has closed its half. */
  end (): void {
    this.destroy()
  }

  destroy (): void {
    if (this.#socket !== undefined) {
      this.#socket.destroy()
    } else if (!this.destroyed) {
      this.destroyed = true
      this.#handle.close()
      this.#onClose?.()
      this.reader.closed?.()
    }
  }

  pause (): void {
    this.#handle.reading = false
    this.#handle.readStop()
  }

  resume (): void {
    const handle = this.#handle
    if (handle.reading || this.#hasEnded || this.destroyed) return
    handle.reading = true
    if (handle.readStart() < 0) process.nextTick(destroy, this)
  }

  /** Its reader goes on with the net.Socket; whoever listens here is told no more. */
  toSocket (): net.Socket {
    const handle = this.#handle
    const isPaused = handle.owner === this && !handle.reading && !this.#hasEnded
    this.pause()
    const callback = (length: number): boolean => this.reader.read(buffer, length)
    const options = { handle, allowHalfOpen: true, onread: { buffer, callback } }
    const socket = new net.Socket(options as net.SocketConstructorOpts)
    if (isPaused) this.pause()
    socket.setNoDelay(true)
    socket.on('end', () => { this.reader.end() })
    // It would not be known any more once the client has gone.
    Object.defineProperty(socket, 'remoteAddress', { value: this.remoteAddress })
    this.#socket = socket
    return socket
  }

  static readonly #onRead = function (this: Handle): void {
    this.owner.#receive(streams!.streamBaseState[streams!.kReadBytesOrError]!)
  }

  #receive (length: number): void {
    if (length > 0) {
      if (!this.reader.read(buffer, length)) this.pause()
    } else if (length === UV_EOF) {
      this.#hasEnded = true
      this.#handle.reading = false
      this.reader.end()
    } else if (length < 0) {
      this.destroy()
    }
  }
}

/** Where nobody reads, and nothing is kept. */
const NOBODY: Reader = { read: () => true, end () {} }

function destroy (socket: LightSocket): void {
  socket.destroy()
}

/** Undefined where this Node has none, or gives none: its permission model. */
function findStreams (): Streams | undefined {
  const found = internals<Streams>('stream_wrap')
  const isWhole = found?.WriteWrap !== undefined && found.ShutdownWrap !== undefined &&
    found.streamBaseState !== undefined && found.kReadBytesOrError !== undefined &&
    found.kLastWriteWasAsync !== undefined
  return isWhole ? found as Streams : undefined
}

function handleOf (server: net.Server): ListeningHandle | undefined {
  return (server as { _handle?: ListeningHandle | null })._handle ?? undefined
}
