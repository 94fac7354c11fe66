/**
 * Restarts of servers that somebody asks for: one, or all in turn. Each is taken off the others'
 * visitors first where its port cannot be shared. Main thread.
 */
import { setTimeout } from 'node:timers/promises'
import { reportOf, RestartFailed, WorkerGone } from '@usher/shared/errors.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { ownServers, type Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import type { ServerStates } from './server-states.ts'
import type { InTurn } from '@usher/shared/turns.ts'
import type { Workers } from './workers.ts'

export interface RestartsParts {
  readonly servers: readonly Slot[]
  readonly table: Pick<UserTable, 'usersPerServer'>
  readonly states: Pick<ServerStates, 'setRestarting'>
  readonly workers: Pick<Workers, 'replaceServer'>
  /** Shared with reloads: a server that starts has the files that all others have. */
  readonly inTurn: InTurn
  /** The new thread opens the port beside the old one. */
  readonly canSharePorts: boolean
  readonly log: Logger
}

/** Visitors who were sent there arrive within this, or their browser has given up. */
const ARRIVAL_MS_MAX = 2000
const ARRIVAL_LOOK_MS = 20

export class Restarts {
  readonly #parts: RestartsParts
  /** Of each server, the restart that has not begun yet. */
  readonly #waiting = new Map<number, Promise<void>>()
  #all = Promise.resolve()
  #isAllWaiting = false

  constructor (parts: RestartsParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the server's new thread serves. Rejects with WorkerGone when it is down, and
   * being replaced as it is; with RestartFailed when the new thread cannot start.
   */
  one (server: number): Promise<void> {
    if (this.#parts.servers[server]?.kind !== 'own') {
      return Promise.reject(new RangeError(`there is no server ${server} of ours`))
    }
    const waiting = this.#waiting.get(server)
    if (waiting !== undefined) return waiting
    const restart = this.#parts.inTurn(() => {
      this.#waiting.delete(server)
      return this.#restart(server)
    })
    this.#waiting.set(server, restart)
    return restart
  }

  /**
   * One after another, up to the first that fails. Asked for while it goes on, it is done once
   * more, for what has changed meanwhile. Never rejects: it logs.
   */
  all (): Promise<void> {
    if (this.#isAllWaiting) return this.#all
    this.#isAllWaiting = true
    this.#all = this.#all.then(() => {
      this.#isAllWaiting = false
      return this.#restartAll()
    })
    return this.#all
  }

  async #restartAll (): Promise<void> {
    const { servers, log } = this.#parts
    for (const { index, name } of ownServers(servers)) {
      try {
        await this.one(index)
      } catch (error) {
        if (error instanceof WorkerGone) continue
        log.error({ server: name, err: error }, 'the servers behind this one are not restarted')
        return
      }
    }
    log.info('all servers have been restarted')
  }

  async #restart (server: number): Promise<void> {
    const { servers, states, workers, canSharePorts } = this.#parts
    if (!canSharePorts) {
      states.setRestarting(server, true)
      await this.#arrivals(server)
    }
    try {
      await workers.replaceServer(server, canSharePorts)
    } catch (error) {
      if (error instanceof WorkerGone) throw error
      throw new RestartFailed(servers[server]!.name, reportOf(error).message)
    } finally {
      states.setRestarting(server, false)
    }
  }

  /** Nobody new is sent there; who has been sent finds the port open still. */
  async #arrivals (server: number): Promise<void> {
    const { table } = this.#parts
    for (let waitedMs = 0; waitedMs < ARRIVAL_MS_MAX; waitedMs += ARRIVAL_LOOK_MS) {
      if (table.usersPerServer().reserved[server] === 0) return
      await setTimeout(ARRIVAL_LOOK_MS)
    }
  }
}
