/**
 * The connections that wait for a request, in the order in which they fell idle: a linked list
 * through the connections themselves, so that whoever is served goes to its end at no cost. Belongs
 * to one server's connections.
 */
import type { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'

export class IdleList<E extends Exchange> {
  #first: Connection<E> | undefined
  #last: Connection<E> | undefined

  /** Puts a connection at the end, whether it was in the list or not. */
  add (connection: Connection<E>): void {
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

  /** Takes out the one that has been idle longest; undefined when there is none. */
  shift (): Connection<E> | undefined {
    const first = this.#first
    if (first !== undefined) this.remove(first)
    return first
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
}
