/**
 * The connections that wait for a request, in the order in which they fell idle: a linked list
 * through the connections themselves, so that whoever is served goes to its end at no cost. Belongs
 * to one server's connections.
 */
import { hasBegunRequest, isQuiet, type Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'

export class IdleList<E extends Exchange> {
  #first: Connection<E> | undefined
  #last: Connection<E> | undefined
  /** Those that were opened in this turn of the loop, and in the one before. */
  #newest: Array<Connection<E>> = []
  #newer: Array<Connection<E>> = []

  /** Puts a connection at the end, whether it was in the list or not. @param nowMs monotonic */
  add (connection: Connection<E>, nowMs: number): void {
    connection.idleSinceMs = nowMs
    if (connection === this.#last) return
    this.remove(connection)
    connection.idleBefore = this.#last
    if (this.#last === undefined) this.#first = connection
    else this.#last.idleAfter = connection
    this.#last = connection
  }

  /** Does nothing for a connection that is not in the list. */
  remove (connection: Connection<E>): void {
    const { idleBefore, idleAfter } = connection
    if (idleBefore !== undefined) idleBefore.idleAfter = idleAfter
    else if (this.#first === connection) this.#first = idleAfter
    else return
    if (idleAfter === undefined) this.#last = idleBefore
    else idleAfter.idleBefore = idleBefore
    connection.idleBefore = connection.idleAfter = undefined
  }

  /** Adds a new connection when what it has sent already has been read, if it is idle then. */
  addNewcomer (connection: Connection<E>): void {
    if (this.#newest.push(connection) === 1 && this.#newer.length === 0) {
      setImmediate(() => { this.#welcome() })
    }
  }

  /**
   * Takes out the one that has been idle longest; undefined when there is none. Each is looked at
   * once between two idle times, so this takes no time on average.
   */
  shift (): Connection<E> | undefined {
    for (let next = this.#first; next !== undefined; next = this.#first) {
      this.remove(next)
      if (next.isLingering || !hasBegunRequest(next)) return next
    }
    return undefined
  }

  /** Those that fell idle at `untilMs` at the latest, longest first; each may be taken out. */
  * until (untilMs: number): Generator<Connection<E>> {
    let next = this.#first
    while (next !== undefined && next.idleSinceMs <= untilMs) {
      const connection = next
      next = next.idleAfter
      yield connection
    }
  }

  /** A turn after the one in which they were opened, all that they had sent then has been read. */
  #welcome (): void {
    for (const connection of this.#newer) {
      if (isQuiet(connection)) this.add(connection, connection.idleSinceMs)
    }
    this.#newer = this.#newest
    this.#newest = []
    if (this.#newer.length > 0) setImmediate(() => { this.#welcome() })
  }
}
