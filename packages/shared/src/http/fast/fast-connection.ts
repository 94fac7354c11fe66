/**
 * One connection at the fast door: reads plain requests, asks the handler, and sends the reply in
 * one write; a head whose bytes are those of the one before is not read again. Whatever else comes
 * goes to the checked server together with the connection, for good.
 *
 *     reading <-> answering -> ended, or handed over
 */
import type { Socket } from 'node:net'
import type { Client, ClientMatch } from '../../client.ts'
import { answer, type AnswerParts, type ReplySink } from '../answer.ts'
import type { Connection } from '../connection/connection.ts'
import type { Connections } from '../connection/connections.ts'
import type { Exchange } from '../connection/exchange.ts'
import { sendStreamed } from '../streamed-body.ts'
import type { Peer } from '../vocabulary/forwarded.ts'
import { namedClient } from '../vocabulary/identity.ts'
import type { Reply, StreamedBody } from '../vocabulary/values.ts'
import type { AnySocket, Reader } from './accept.ts'
import type { KeptHead } from './kept-head.ts'
import type { PlainHead, PlainHeadReader } from './plain-head.ts'
import { COPIED_BYTES_MAX, type ReplyBytes } from './reply-bytes.ts'

/** What all connections of a door have in common. */
export interface FastParts extends AnswerParts {
  readonly connections: Connections<Exchange>
  readonly heads: PlainHeadReader
  readonly replies: ReplyBytes
  /** Told once, of the first bytes of a connection. */
  readonly onAsked: (connection: FastConnection) => void
  /** The checked server goes on with these bytes, and with all that come from now on. */
  readonly handOver: (socket: Socket, newClient: Client | undefined, bytes: Buffer) => void
}

const NOTHING: Buffer = Buffer.alloc(0)
const WHOLE = { complete: true }

export class FastConnection implements Exchange, Reader, ReplySink {
  readonly connection: Connection<Exchange>
  /** Of the reply that is due, or of the last one. */
  shouldKeepAlive = true
  headersSent = true
  readonly #parts: FastParts
  readonly #peer: Peer
  /** The last head: what it says, and its bytes. */
  #head: PlainHead | undefined
  #kept: KeptHead | undefined
  /** Whom the last request names, once its head is forgotten. */
  #client: Client | undefined
  /** Whom a reply on this connection has given an id. */
  #newClient: Client | undefined
  #hasAsked = false
  #isAnswering = false
  #isHandedOver = false
  #isHalfClosed = false
  /** What came while a reply was due. */
  #unread = NOTHING

  constructor (parts: FastParts, socket: AnySocket, peer: Peer) {
    this.#parts = parts
    this.#peer = peer
    this.connection = parts.connections.open(socket)
    this.connection.latest = this
    this.connection.idleBytesRead = Infinity // A part of a request is never kept here.
  }

  get socket (): AnySocket {
    return this.connection.socket
  }

  get req (): typeof WHOLE {
    return WHOLE
  }

  get writableEnded (): boolean {
    return this.headersSent
  }

  get destroyed (): boolean {
    return this.socket.destroyed
  }

  get hasAsked (): boolean {
    return this.#hasAsked
  }

  get isHandedOver (): boolean {
    return this.#isHandedOver
  }

  read (buffer: Buffer, length: number): boolean {
    if (this.#isHandedOver || this.connection.isLingering) {
      return this.#fullSocket.push(copyOf(buffer, length))
    }
    if (this.connection.finalBytes !== undefined) return true
    if (!this.#isAnswering) return this.#receive(buffer, length)
    this.#unread = Buffer.concat([this.#unread, buffer.subarray(0, length)])
    return false
  }

  /** The client has closed its half. */
  end (): void {
    if (this.#isHandedOver || this.connection.finalBytes !== undefined) return
    this.#isHalfClosed = true
    if (!this.#isAnswering) this.socket.end()
    else if (this.#unread.length === 0 && !this.headersSent) this.shouldKeepAlive = false
  }

  send (reply: Reply, method: string, nowMs: number): void {
    const { connections, replies } = this.#parts
    if (reply.newClient !== undefined) this.#newClient = reply.newClient
    // A light one copies, and cannot wait until all is taken.
    const isLarge = reply.streamed !== undefined || reply.body.length > COPIED_BYTES_MAX
    const socket = isLarge ? this.#fullSocket : this.socket
    replies.write(socket, reply, method === 'HEAD', this.shouldKeepAlive, nowMs)
    this.headersSent = true
    if (reply.streamed !== undefined && method !== 'HEAD') void this.#stream(reply.streamed)
    else if (socket.writableLength > 0) this.#waitUntilTaken()
    else if (this.#isAnswering) this.#left()
    else if (this.shouldKeepAlive) connections.idle.add(this.connection, nowMs)
    else connections.endAfterReply(this.connection)
  }

  destroy (): void {
    this.socket.destroy()
  }

  /** Whether the last request, or the cookie that was given for it, is of one of these clients. */
  isOf (isMatch: ClientMatch): boolean {
    if (!this.#hasAsked || this.#peer.isProxy) return false
    const client = this.#head === undefined ? this.#client : namedClient(this.#head.request)
    const { address } = this.#peer
    return isMatch(client, address) ||
      (this.#newClient !== undefined && isMatch(this.#newClient, address))
  }

  /** Keeps of the last head whom it names, and nothing else: for a connection that is idle. */
  forgetHead (): void {
    if (this.#head === undefined || this.#isAnswering) return
    this.#client = namedClient(this.#head.request)
    this.#head = undefined
    this.#kept = undefined
  }

  /** @returns whether to read on */
  #receive (buffer: Buffer, length: number): boolean {
    if (!this.#hasAsked) {
      this.#hasAsked = true
      this.#parts.onAsked(this)
    }
    const head = this.#parts.connections.isClosing ? undefined : this.#headOf(buffer, length)
    if (head === undefined) {
      this.#handOver(copyOf(buffer, length))
      return true
    }
    this.shouldKeepAlive = head.isKeptAlive && !this.#isHalfClosed
    this.headersSent = false
    const pending = answer(this.#parts, head.request, this)
    if (pending === undefined) return !this.#isAnswering
    this.#isAnswering = true
    this.#parts.connections.begin(this.socket, this)
    return true // so that a client that goes away is noticed
  }

  #headOf (buffer: Buffer, length: number): PlainHead | undefined {
    const { heads } = this.#parts
    // Many connections have one request only: nothing is kept of that one to compare with.
    const kept = this.#head === undefined ? heads.firstHead : this.#kept ??= heads.newKeptHead()
    if (kept === this.#kept && heads.isSame(buffer, length, kept)) return this.#head
    const head = heads.read(buffer, length, this.#peer, kept)
    if (head !== undefined) this.#head = head
    return head
  }

  /** The kernel has not taken all of the reply. */
  #waitUntilTaken (): void {
    this.#fullSocket.write(NOTHING, this.#beginToWait())
  }

  async #stream (body: StreamedBody): Promise<void> {
    const onTaken = this.#beginToWait()
    const socket = this.#fullSocket
    if (await sendStreamed(body, socket, socket)) onTaken()
    else socket.destroy()
  }

  /** No request is answered until the client has taken the reply. @returns to be told of that */
  #beginToWait (): () => void {
    const { connections } = this.#parts
    const socket = this.#fullSocket
    if (!this.#isAnswering) {
      this.#isAnswering = true
      connections.begin(socket, this)
    }
    connections.limitStall(socket, true)
    const cut = (): void => { socket.destroy() }
    socket.once('timeout', cut)
    return () => {
      socket.off('timeout', cut)
      socket.setTimeout(0)
      this.#left()
    }
  }

  /** A reply that was waited for has left. */
  #left (): void {
    const { connections } = this.#parts
    this.#isAnswering = false
    connections.answered(this.socket, this)
    if (this.connection.isLingering || this.socket.destroyed) return
    if (!this.shouldKeepAlive) return connections.endAfterReply(this.connection)
    const unread = this.#unread
    this.#unread = NOTHING
    if (unread.length > 0) this.#receive(unread, unread.length)
    if (this.#isAnswering) return
    this.socket.resume()
    if (!this.#isHalfClosed) return
    if (this.#isHandedOver) this.#fullSocket.emit('end')
    else this.socket.end()
  }

  #handOver (bytes: Buffer): void {
    this.#isHandedOver = true
    this.#unread = NOTHING
    this.#kept = undefined
    this.connection.idleBytesRead = -1 // These bytes begin a request.
    this.#parts.handOver(this.#fullSocket, this.#newClient, bytes)
  }

  get #fullSocket (): Socket {
    return this.#parts.connections.fullSocket(this.connection)
  }
}

function copyOf (buffer: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length)
  buffer.copy(copy, 0, 0, length)
  return copy
}
