/**
 * What each server is: up, draining, down, in maintenance, or starting while it is restarted or
 * until somebody has looked. Says so in the user table, where the servers, the balancer and the
 * monitor read it, and remembers who drains while it is down. Main thread.
 */
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Drain, HealthReport } from '@usher/shared/messages.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'

export interface ServerStatesParts {
  readonly table: Pick<UserTable, 'serverState' | 'setServerState' | 'setSlowStart'>
  readonly servers: readonly Slot[]
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Pick<Logger, 'info'>
}

export class ServerStates {
  readonly #parts: ServerStatesParts
  readonly #up = new Set<number>()
  readonly #drains = new Map<number, Drain>()
  readonly #restarting = new Set<number>()
  /** External ones that have been up. */
  readonly #haveBeenUp = new Set<number>()

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

  /** Of an external server; one that comes back after a down gets its users little by little. */
  setHealth ({ server, isUp, reason }: HealthReport): void {
    if (isUp === this.#up.has(server) && this.#isKnown(server)) return
    if (isUp) {
      const isBack = this.#haveBeenUp.has(server)
      this.#parts.table.setSlowStart(server, isBack ? this.#parts.now() : undefined)
      this.#haveBeenUp.add(server)
      this.#up.add(server)
    } else {
      this.#up.delete(server)
    }
    this.#show(server, reason)
  }

  /** Takes visitors no more, in place of an earlier drain; or, if undefined, again. */
  setDrain (server: number, drain: Drain | undefined): void {
    if (this.#parts.servers[server] === undefined) throw new RangeError(`there is no server ${server}`)
    const wasInMaintenance = this.#isInMaintenance(server)
    if (drain === undefined) this.#drains.delete(server)
    else this.#drains.set(server, drain)
    const isInMaintenance = this.#isInMaintenance(server)
    // It has had nobody, as after a down.
    if (wasInMaintenance && !isInMaintenance) {
      this.#parts.table.setSlowStart(server, this.#parts.now())
    }
    if (this.#up.has(server) || wasInMaintenance || isInMaintenance) this.#show(server)
  }

  /** Takes visitors once somebody has looked. */
  add (server: number): void {
    this.#forget(server)
    this.#parts.table.setServerState(server, 'starting')
  }

  /** Takes no visitors any more; what was known of it is forgotten. */
  remove (server: number): void {
    this.#forget(server)
    this.#parts.table.setServerState(server, 'down')
  }

  isDrained (server: number): boolean {
    return this.#drains.has(server)
  }

  /** Takes no visitors until that is over: its thread is about to be replaced. */
  setRestarting (server: number, isRestarting: boolean): void {
    if (isRestarting) this.#restarting.add(server)
    else this.#restarting.delete(server)
    this.#show(server)
  }

  #forget (server: number): void {
    this.#up.delete(server)
    this.#drains.delete(server)
    this.#haveBeenUp.delete(server)
    this.#parts.table.setSlowStart(server, undefined)
  }

  #isInMaintenance (server: number): boolean {
    return this.#drains.get(server)?.isMaintenance === true
  }

  #stateOf (server: number): ServerState {
    if (this.#isInMaintenance(server)) return 'maintenance'
    const isUp = this.#up.has(server)
    if (isUp && this.#drains.has(server)) return 'draining'
    if (this.#restarting.has(server)) return 'starting'
    return isUp ? 'up' : 'down'
  }

  #isKnown (server: number): boolean {
    return this.#parts.table.serverState(server) !== 'starting'
  }

  /** @param reason why it is down, by a health check */
  #show (server: number, reason?: string): void {
    const { table, servers, log } = this.#parts
    const drain = this.#drains.get(server)
    const state = this.#stateOf(server)
    const isChange = table.serverState(server) !== state
    table.setServerState(server, state, drain?.movesFromMs)
    if (isChange) {
      const why = reason === undefined ? {} : { reason }
      const what = state === 'maintenance' ? 'in maintenance' : state
      log.info({ server: servers[server]!.name, ...why }, `server is ${what}`)
    }
  }
}
