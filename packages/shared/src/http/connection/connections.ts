/**
 * The open connections of one server: which wait for a reply, which are idle and since when, and
 * how each ends. Serves any door, with node:http or without (exchange.ts). Runs in its thread.
 *
 *     open -> idle <-> answering -> (refused) -> lingering -> closed
 */
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { monotonicNowMs } from '../../clock.ts'
import { LightSocket, type AnySocket } from '../fast/accept.ts'
import {
  hasBegunRequest, hasEnded, inTime, isQuiet, makeLast, newConnection, NO_FINAL_BYTES,
  pauseIfBehind, pauseIfDone, UNANSWERED_MAX, type Connection
} from './connection.ts'
import type { ConnectionQuota } from './connection-quota.ts'
import type { Exchange } from './exchange.ts'
import { IdleList } from './idle-list.ts'
import { lightLingeringClose, lingeringClose } from './lingering-close.ts'
import { makeRoom } from './make-room.ts'
import { dropRequest, Pipelines, takeTurn } from './pipeline.ts'

/** A graceful close ends a connection that has been silent for this long. */
export const SILENT_CLOSE_MS = 500
/** Above this part of the maximum a connection is ended for each new one: see make-room.ts. */
const CROWDED_SHARE = 0.8
/** A client that takes no byte of its reply for so many socket timeouts is gone. */
const REPLY_STALL_FACTOR = 6
/** A connection that is to end for its client's sake is cut when its reply takes longer. */
const CLIENT_CLOSE_MS_MAX = 2_000
/** So many connections are looked at in one turn of the loop, some 5 us each. */
const LOOKS_PER_TURN = 200

export class Connections<E extends Exchange> {
  /** Accepted sockets; with TLS, the raw ones beneath, so that handshakes count too. */
  readonly #accepted = new Set<AnySocket>()
  readonly #open = new Map<AnySocket, Connection<E>>()
  /** A lingering connection counts as idle. Whoever answers at once adds to it without `begin`. */
  readonly idle = new IdleList<E>()
  readonly #crowdedCount: number
  readonly #quota: ConnectionQuota
  readonly #pipelines: Pipelines
  readonly #socketTimeoutMs: number
  readonly #replyStallMs: number
  readonly #clientCloseMs: number
  #isClosing = false
  /** True when a close has waited for SILENT_CLOSE_MS. */
  #isSilenceOver = false
  #closed: Promise<void> | undefined
  #onEmpty: (() => void) | undefined
  /** Listens on every socket. */
  readonly #onClose: (this: AnySocket) => void

  constructor (maxConnections: number, socketTimeoutMs: number, quota: ConnectionQuota) {
    this.#quota = quota
    this.#pipelines = new Pipelines(maxConnections)
    this.#crowdedCount = Math.floor(maxConnections * CROWDED_SHARE)
    this.#socketTimeoutMs = socketTimeoutMs
    this.#replyStallMs = socketTimeoutMs * REPLY_STALL_FACTOR
    this.#clientCloseMs = Math.min(socketTimeoutMs, CLIENT_CLOSE_MS_MAX)
    const left = (socket: AnySocket): void => { this.#left(socket) }
    this.#onClose = function () { left(this) }
  }

  get count (): number {
    return this.#accepted.size
  }

  /** True from the beginning of a close. */
  get isClosing (): boolean {
    return this.#isClosing
  }

  /** A socket was accepted; with TLS another one is opened. Unnamed, it is held to no quota yet. */
  accept (socket: AnySocket, isNamed = true): void {
    this.#accepted.add(socket)
    socket.on('close', this.#onClose)
    if (isNamed) this.holdToQuota(socket)
  }

  holdToQuota (socket: AnySocket): void {
    this.#quota.accept(socket)
    if (this.#accepted.size > this.#crowdedCount) makeRoom(socket, this, this.#quota)
  }

  /** HTTP begins on this socket. */
  open (socket: AnySocket): Connection<E> {
    const connection = newConnection<E>(socket)
    this.#open.set(socket, connection)
    this.#quota.open(socket)
    // A client that resets its connection is no error; node:http drops its own listener at times.
    if (!(socket instanceof LightSocket)) socket.on('error', ignore)
    if (!this.#accepted.has(socket)) socket.on('close', this.#onClose)
    // A socket that another door has read from brings the beginning of a request along.
    connection.idleBytesRead = socket.readableLength > 0 ? -1 : socket.bytesRead
    this.idle.addNewcomer(connection)
    return connection
  }

  /** For what a light socket does not do. */
  fullSocket (connection: Connection<E>): Socket {
    const { socket: light } = connection
    if (!(light instanceof LightSocket)) return light
    const socket = light.toSocket()
    connection.socket = socket
    this.#accepted.delete(light)
    this.#accepted.add(socket)
    this.#open.delete(light)
    this.#open.set(socket, connection)
    this.#quota.replace(light, socket)
    return socket.on('close', this.#onClose).on('error', ignore)
  }

  #left (socket: AnySocket): void {
    if (this.#accepted.delete(socket)) this.#quota.leave(socket)
    const connection = this.#open.get(socket)
    if (connection !== undefined) {
      this.#open.delete(socket)
      this.#quota.close(socket)
      this.idle.remove(connection)
      this.#pipelines.removeAll(connection)
      if (this.#isSilenceOver) this.#endHandshakes()
    }
    if (this.#accepted.size === 0) this.#onEmpty?.()
  }

  /** A request's head is complete. False: the connection is to end before it; drop it. */
  begin (socket: AnySocket, exchange: E): boolean {
    const connection = this.#open.get(socket)
    if (connection === undefined) return false
    if (hasEnded(connection)) {
      dropRequest(connection)
      return false
    }
    const room = this.#pipelines.roomFor(connection)
    if (room !== 'some') {
      this.finish(connection)
      if (room === 'abused') socket.destroy()
      return false
    }
    this.idle.remove(connection)
    connection.latest = exchange
    this.#pipelines.add(connection, exchange)
    if (this.#isClosing) makeLast(connection)
    if (connection.unanswered.length === UNANSWERED_MAX) pauseIfBehind(connection)
    return true
  }

  /**
   * A whole reply has been written, or its head and `isMore` is to follow; what the kernel does not
   * take at once the client must take in time. The door ends a socket that times out, as node:http
   * does.
   */
  limitStall (socket: Socket, isMore = false): void {
    if (isMore || socket.writableLength > 0) socket.setTimeout(this.#replyStallMs)
  }

  /** The reply has left. To be told of every exchange that was begun, unless the socket closes. */
  answered (socket: AnySocket, exchange: E): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    this.#pipelines.remove(connection, exchange)
    if (connection.isLingering) return
    const dueCount = connection.unanswered.length
    if (dueCount === UNANSWERED_MAX - 1 && connection.finalBytes === undefined) socket.resume()
    if (dueCount > 0) this.fullSocket(connection).setTimeout(0)
    else if (connection.finalBytes !== undefined) this.#lingeringClose(connection)
    else this.#rest(connection)
  }

  /** Carries out what a begun request asks for: at once, or when it has its turn. */
  carryOut (socket: Socket, request: () => void): void {
    takeTurn(this.#open.get(socket)!, request)
  }

  /**
   * Reads no more requests here, and sends `finalBytes` when the replies before them have left.
   * They are sent in place of `replaced` and all behind it, an earlier refusal included, unless
   * that reply has begun: then they are not sent.
   */
  refuse (socket: AnySocket, finalBytes: Buffer, replaced?: E): void {
    const connection = this.#open.get(socket)
    const isDue = replaced !== undefined && connection?.unanswered.includes(replaced) === true
    if (connection === undefined || (connection.finalBytes !== undefined && !isDue)) return
    this.idle.remove(connection)
    connection.finalBytes = finalBytes
    if (replaced?.headersSent === true) {
      connection.finalBytes = NO_FINAL_BYTES
      // A reply that waits for the rest of a broken request would wait for ever.
      if (!replaced.writableEnded) socket.destroy()
    } else if (replaced !== undefined) {
      this.#pipelines.removeFrom(connection, replaced)
    }
    if (connection.unanswered.length === 0) this.#lingeringClose(connection)
    else pauseIfDone(connection)
  }

  /** Reads no more requests; the last reply that is due says so, unless it has left. */
  finish (connection: Connection<E>): void {
    makeLast(connection)
    this.refuse(connection.socket, NO_FINAL_BYTES)
  }

  /** Undefined when it has gone. */
  find (socket: AnySocket): Connection<E> | undefined {
    return this.#open.get(socket)
  }

  /** Ends a connection whose door sends nothing more on it; the client may read what was sent. */
  endAfterReply (connection: Connection<E>): void {
    // Nothing follows a reply that has said `Connection: close`.
    if (connection.latest?.shouldKeepAlive === false) connection.finalBytes = NO_FINAL_BYTES
    this.#lingeringClose(connection)
  }

  /**
   * Ends the connections whose latest exchange matches: silent ones at once, others after the
   * replies that are due. Resolves when all of them are closed; see CLIENT_CLOSE_MS_MAX.
   */
  async closeWhere (isMatch: (exchange: E) => boolean): Promise<void> {
    const closed: Array<Promise<void>> = []
    for (const [at, connection] of [...this.#open.values()].entries()) {
      if (at % LOOKS_PER_TURN === LOOKS_PER_TURN - 1) await nextTurn()
      const { latest, socket } = connection
      if (latest === undefined || socket.closed || !isMatch(latest)) continue
      closed.push(this.#closeSoon(connection))
    }
    await Promise.all(closed)
  }

  /**
   * Every reply from now on closes its connection, and silent ones are ended. Resolves when none is
   * left. The caller has stopped to accept.
   */
  close (): Promise<void> {
    this.#closed ??= new Promise(resolve => {
      this.#isClosing = true
      this.#onEmpty = resolve
      for (const connection of [...this.#open.values()]) {
        makeLast(connection)
        if (isQuiet(connection)) this.#endWhenSilent(connection)
      }
      if (this.#accepted.size === 0) resolve()
      setTimeout(() => this.#endHandshakes(), SILENT_CLOSE_MS).unref()
    })
    return this.#closed
  }

  #closeSoon (connection: Connection<E>): Promise<void> {
    return new Promise(resolve => {
      const socket = this.fullSocket(connection)
      inTime(socket, this.#clientCloseMs, () => socket.destroy())
      socket.once('close', resolve)
      this.finish(connection)
    })
  }

  #rest (connection: Connection<E>): void {
    if (connection.idleBytesRead !== Infinity) {
      connection.idleBytesRead = connection.socket.bytesRead
    }
    this.idle.add(connection, monotonicNowMs())
    if (this.#isClosing) this.#endWhenSilent(connection)
  }

  #lingeringClose (connection: Connection<E>): void {
    if (connection.isLingering) return
    connection.isLingering = true
    connection.finalBytes ??= NO_FINAL_BYTES
    this.idle.add(connection, monotonicNowMs())
    const { socket, finalBytes } = connection
    const isSent = finalBytes.length === 0 && socket.writableLength === 0
    if (isSent && socket instanceof LightSocket) lightLingeringClose(socket)
    else lingeringClose(this.fullSocket(connection), finalBytes, this.#replyStallMs)
  }

  /** While closing: a request that has begun gets its time, and its reply or its 408. */
  #endWhenSilent (connection: Connection<E>): void {
    this.#endUnlessAnswering(connection, SILENT_CLOSE_MS, () => {
      if (!hasBegunRequest(connection)) return this.#lingeringClose(connection)
      // Bytes that begin no request, such as an extra line end, must not delay the close.
      this.#endUnlessAnswering(
        connection, this.#socketTimeoutMs + 1_000, () => this.#lingeringClose(connection))
    })
  }

  #endUnlessAnswering (connection: Connection<E>, afterMs: number, end: () => void): void {
    inTime(this.fullSocket(connection), afterMs, () => { if (isQuiet(connection)) end() })
  }

  /** Accepted sockets without HTTP on them: TLS that was never agreed on. */
  #endHandshakes (): void {
    this.#isSilenceOver = true
    if (this.#open.size > 0) return
    for (const socket of this.#accepted) socket.destroy()
  }
}

function ignore (): void {}
