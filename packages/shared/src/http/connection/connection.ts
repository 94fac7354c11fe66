/**
 * One open connection as its server remembers it, and the questions that decide how it goes on:
 * is a reply due, has a request begun, may there be another one. Ends nothing by itself; runs in
 * the thread of its server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** With this many requests unanswered a connection is not read from until there are fewer. */
export const UNANSWERED_MAX = 100
/** For an end without last words. */
export const NO_WORDS = Buffer.alloc(0)

export interface Connection {
  readonly socket: Socket
  /** The replies that have not left yet, in the order of their requests. */
  readonly unanswered: Set<ServerResponse>
  /** What is still to be carried out of requests that came behind others. */
  readonly turns: Array<() => void>
  latest: { readonly request: IncomingMessage, readonly response: ServerResponse } | undefined
  /** The reply that a close has made the last one; a request behind it takes over. */
  madeLast: ServerResponse | undefined
  /** Set when nothing more is read here; written when the earlier replies have left. */
  lastWords: Buffer | undefined
  isLingering: boolean
  /** Requests that came behind the end. */
  ignored: number
  /** `socket.bytesRead` when it fell idle: more than that, and a request has begun. */
  idleBytesRead: number
}

/** Open, and no reply is due. */
export function isQuiet ({ socket, unanswered, isLingering }: Connection): boolean {
  return unanswered.size === 0 && !isLingering && !socket.destroyed
}

export function hasBegunRequest ({ socket, idleBytesRead }: Connection): boolean {
  return socket.bytesRead > idleBytesRead
}

/** Whether nothing more is to be read as a request here. */
export function hasEnded ({ lastWords, latest, madeLast }: Connection): boolean {
  if (lastWords !== undefined) return true
  if (latest === undefined || latest.response.shouldKeepAlive) return false
  return latest.response !== madeLast || madeLast.headersSent
}

/**
 * Before an end: the latest reply says `Connection: close`, and only that one, for replies behind
 * it would not be sent.
 */
export function makeLast (connection: Connection): void {
  const { latest, madeLast } = connection
  if (latest === undefined || latest.response.headersSent) return
  if (!latest.response.shouldKeepAlive) return
  if (madeLast !== undefined) madeLast.shouldKeepAlive = true
  latest.response.shouldKeepAlive = false
  connection.madeLast = latest.response
}

/** Not at once: node:http resumes the socket when it has parsed the request to its end. */
export function pauseIfBehind ({ socket, unanswered }: Connection): void {
  process.nextTick(() => {
    if (unanswered.size >= UNANSWERED_MAX) socket.pause()
  })
}

/**
 * Nothing more is read as a request here, but replies are still due: what is not read needs no
 * memory either. Whoever lingers with the connection reads again.
 */
export function pauseIfDone (connection: Connection): void {
  process.nextTick(() => {
    if (!connection.isLingering) connection.socket.pause()
  })
}

/** The reply that a broken-off request still waits for; undefined between two requests. */
export function incompleteReply ({ latest }: Connection): ServerResponse | undefined {
  return latest === undefined || latest.request.complete ? undefined : latest.response
}

/** Two turns of the event loop: in between, every socket that has something is read. */
export function afterReading (then: () => void): void {
  setImmediate(() => setImmediate(then))
}
