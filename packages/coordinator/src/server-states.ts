/**
 * What each server is: up, draining or down. Says so in the user table, where the balancer and the
 * monitor read it, and remembers who drains while it is down. Main thread.
 */
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Server } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'

export interface ServerStatesParts {
  readonly table: Pick<UserTable, 'serverState' | 'setServerState'>
  readonly servers: readonly Server[]
  readonly log: Pick<Logger, 'info'>
}

export class ServerStates {
  readonly #parts: ServerStatesParts
  readonly #up = new Set<number>()
  readonly #draining = new Set<number>()

  constructor (parts: ServerStatesParts) {
    this.#parts = parts
  }

  setUp (server: number): void {
    this.#up.add(server)
    this.#show(server)
  }

  setDown (server: number): void {
    this.#up.delete(server)
    this.#show(server)
  }

  /** Whether its thread serves, draining or not. */
  isUp (server: number): boolean {
    return this.#up.has(server)
  }

  /**
   * Takes visitors no more, or again. last-available: nothing was changed, because no other server
   * would be left to take them.
   */
  setDraining (
    server: number, isDraining: boolean, isForced: boolean
  ): 'done' | 'last-available' {
    if (this.#parts.servers[server] === undefined) throw new RangeError(`there is no server ${server}`)
    const isNew = isDraining && !this.#draining.has(server)
    if (isNew && !isForced && !this.#isAnotherAvailable(server)) return 'last-available'
    if (isDraining) this.#draining.add(server)
    else this.#draining.delete(server)
    this.#show(server)
    return 'done'
  }

  #isAnotherAvailable (server: number): boolean {
    return [...this.#up].some(other => other !== server && !this.#draining.has(other))
  }

  #show (server: number): void {
    const { table, servers, log } = this.#parts
    const whenUp = this.#draining.has(server) ? 'draining' : 'up'
    const state = this.#up.has(server) ? whenUp : 'down'
    if (table.serverState(server) === state) return
    table.setServerState(server, state)
    log.info({ server: servers[server]!.name }, `server is ${state}`)
  }
}
