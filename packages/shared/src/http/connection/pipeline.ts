/**
 * Pipelining: requests that a client sends without waiting for the replies before them (RFC 9112
 * section 9.3.2). A chunk from the network may have a thousand of them: one is carried out in each
 * turn of the event loop, so that other connections have their turns in between, and the number
 * that wait on a whole port is bounded. Belongs to one server's connections.
 */
import type { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'

/** No client that waits for anything sends so many before it reads a reply. */
export const DEPTH_MAX = 256
/** So many may have their replies when the port as a whole has no room for more. */
const FAIR_DEPTH = 16
/** So many may come behind the end of a connection; each takes some 10 us. */
const DROPPED_MAX = 16

/**
 * Whether one more request may wait: yes; no, but those before it are answered; or no, and the
 * connection is cut, since each request of the chunk that is being read is an object for as long as
 * it stands.
 */
export type Room = 'some' | 'none' | 'abused'

export class Pipelines {
  readonly #waitingMax: number
  /** Requests that are not answered yet, without the first one of each connection. */
  #waiting = 0

  /** @param waitingMax how many requests may wait behind others, on all connections together */
  constructor (waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  /** Room for one more request on this connection. */
  roomFor ({ unanswered }: Connection): Room {
    if (unanswered.length >= DEPTH_MAX) return 'abused'
    if (unanswered.length === 0 || this.#waiting < this.#waitingMax) return 'some'
    return unanswered.length > FAIR_DEPTH ? 'abused' : 'none'
  }

  add ({ unanswered }: Connection, exchange: Exchange): void {
    if (unanswered.length > 0) this.#waiting++
    unanswered.push(exchange)
  }

  /** The reply has left, or will not be given. */
  remove ({ unanswered }: Connection, exchange: Exchange): void {
    const at = unanswered.indexOf(exchange)
    if (at === -1) return
    unanswered.splice(at, 1)
    if (unanswered.length > 0) this.#waiting--
  }

  /** This reply will not be given, and none to what came behind it. */
  removeFrom (connection: Connection, exchange: Exchange): void {
    const at = connection.unanswered.indexOf(exchange)
    if (at === -1) return
    for (const due of connection.unanswered.slice(at)) this.remove(connection, due)
  }

  removeAll ({ unanswered }: Connection): void {
    this.#waiting -= Math.max(0, unanswered.length - 1)
    unanswered.length = 0
  }
}

/** Drops a request behind the end of its connection; with too many of them, the connection too. */
export function dropRequest (connection: Connection): void {
  if (connection.finalBytes !== undefined && ++connection.droppedCount > DROPPED_MAX) {
    connection.socket.destroy()
  }
}

/**
 * Calls at once for the only request of its connection; one behind others has its turn in a later
 * turn of the loop, whether or not the others are answered by then.
 */
export function takeTurn ({ socket, unanswered, turns }: Connection, carryOut: () => void): void {
  if (unanswered.length === 1 && turns.length === 0) return carryOut()
  turns.push(carryOut)
  if (turns.length === 1) setImmediate(next)

  function next (): void {
    if (!socket.destroyed) turns[0]!()
    turns.shift()
    if (turns.length > 0) setImmediate(next)
  }
}
