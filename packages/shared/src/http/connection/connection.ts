/**
 * One open connection as its server remembers it, and the questions that decide how it goes on:
 * is a reply due, has a request begun, may there be another one. Ends nothing by itself; runs in
 * the thread of its server.
 */
import type { Socket } from 'node:net'
import { monotonicNowMs } from '../../clock.ts'
import { limitPeer } from '../../peer-limit.ts'
import type { AnySocket } from '../fast/accept.ts'
import type { Exchange } from './exchange.ts'

/** With this many requests unanswered a connection is not read from until there are fewer. */
export const UNANSWERED_MAX = 100
/** For an end without a refusal: nothing is left to send. */
export const NO_FINAL_BYTES = Buffer.alloc(0)

export interface Connection<E extends Exchange = Exchange> {
  /** A light one at first, where there are such. */
  socket: AnySocket
  /** Those whose replies have not left yet, in the order of their requests. */
  readonly unanswered: E[]
  /** What is still to be carried out of pipelined requests. */
  readonly turns: Array<() => void>
  latest: E | undefined
  /** The one that a close has made the last; a request behind it takes over. */
  madeLast: E | undefined
  /** Set when nothing more is read here; written when the earlier replies have left. */
  finalBytes: Buffer | undefined
  isLingering: boolean
  /** Requests that came behind the end and were dropped. */
  droppedCount: number
  /**
   * `socket.bytesRead` when it fell idle: more than that, and a request has begun. Infinity where
   * the door keeps no part of a request.
   */
  idleBytesRead: number
  /** Monotonic. */
  idleSinceMs: number
  /** Its neighbours in the list of those that are idle. */
  idleBefore: Connection<E> | undefined
  idleAfter: Connection<E> | undefined
}

/** HTTP begins on this socket. */
export function newConnection<E extends Exchange> (socket: AnySocket): Connection<E> {
  return {
    socket,
    unanswered: [],
    turns: [],
    latest: undefined,
    madeLast: undefined,
    finalBytes: undefined,
    isLingering: false,
    droppedCount: 0,
    idleBytesRead: 0,
    idleSinceMs: monotonicNowMs(),
    idleBefore: undefined,
    idleAfter: undefined
  }
}

/** Open, and no reply is due. */
export function isQuiet ({ socket, unanswered, isLingering }: Connection): boolean {
  return unanswered.length === 0 && !isLingering && !socket.destroyed
}

export function hasBegunRequest ({ socket, idleBytesRead }: Connection): boolean {
  return socket.bytesRead > idleBytesRead
}

/** Whether nothing more is to be read as a request here. */
export function hasEnded ({ finalBytes, latest, madeLast }: Connection): boolean {
  if (finalBytes !== undefined) return true
  if (latest === undefined || latest.shouldKeepAlive) return false
  return latest !== madeLast || madeLast.headersSent
}

/**
 * Before an end: the latest reply says `Connection: close`, and only that one, for replies behind
 * it would not be sent.
 */
export function makeLast (connection: Connection): void {
  const { latest, madeLast } = connection
  if (latest === undefined || latest.headersSent || !latest.shouldKeepAlive) return
  if (madeLast !== undefined) madeLast.shouldKeepAlive = true
  latest.shouldKeepAlive = false
  connection.madeLast = latest
}

/** Not at once: node:http resumes the socket when it has parsed the request to its end. */
export function pauseIfBehind ({ socket, unanswered }: Connection): void {
  process.nextTick(() => {
    if (unanswered.length >= UNANSWERED_MAX) socket.pause()
  })
}

/**
 * Nothing more is read as a request here, but replies are still due: what is not read takes no
 * memory. The lingering close reads again.
 */
export function pauseIfDone (connection: Connection): void {
  process.nextTick(() => {
    if (!connection.isLingering) connection.socket.pause()
  })
}

/** The exchange whose request has not been received to its end; undefined between requests. */
export function incompleteExchange<E extends Exchange> (
  { latest }: Connection<E>
): E | undefined {
  return latest === undefined || latest.req.complete ? undefined : latest
}

/** Does it after so long, unless the socket has closed by then. */
export function inTime (socket: Socket, afterMs: number, act: () => void): void {
  socket.once('close', limitPeer(afterMs, act))
}
