/**
 * Visitors who come while servers still start with the program: each waits for the server that was
 * chosen; who holds no place waits for all of them. Over for good when all have started, since a
 * server that is replaced later is down meanwhile. Main thread.
 */
import type { Waiting } from './placing.ts'

export interface StartWait {
  readonly visitor: Waiting
  /** Undefined for all of them. */
  readonly server: number | undefined
  readonly end: () => void
}

export class StartWaits {
  readonly #isStarting: (server: number) => boolean
  readonly #servers: ReadonlyArray<{ readonly index: number }>
  readonly #waits = new Set<StartWait>()
  #isOver = false

  /**
   * @param isStarting whether a server does not serve yet, and will take visitors when it does
   * @param servers looked at each time
   */
  constructor (
    isStarting: (server: number) => boolean, servers: ReadonlyArray<{ readonly index: number }>
  ) {
    this.#isStarting = isStarting
    this.#servers = servers
  }

  /** Whether that server does not serve yet; without one, whether there is any such. */
  isStarting (server?: number): boolean {
    if (this.#isOver) return false
    if (server !== undefined) return this.#isStarting(server)
    this.#isOver = !this.#servers.some(({ index }) => this.#isStarting(index))
    return !this.#isOver
  }

  add (wait: StartWait): void {
    this.#waits.add(wait)
  }

  /** To be called when one more server serves. */
  serverStarted (): void {
    this.isStarting() // It may be over now, before any visitor comes.
    this.endWhere(({ server }) => !this.isStarting(server))
  }

  endWhere (isMatch: (wait: StartWait) => boolean): void {
    for (const wait of [...this.#waits]) {
      if (!isMatch(wait)) continue
      this.#waits.delete(wait)
      wait.end()
    }
  }

  /** Nobody waits any more, whatever has started. */
  close (): void {
    this.#isOver = true
    this.endWhere(() => true)
  }
}
