/**
 * A server drains, or takes visitors again: stored, then applied by the coordinator in every
 * thread. Whoever orders it, here or at another node, is looked at before; the caller waits for its
 * turn. Runs in the monitor's thread.
 */
import type { DrainOrder } from '@usher/shared/api/actions.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Server, Slot } from '@usher/shared/settings/servers.ts'
import type { Sql } from '../../database/statements.ts'
import type { Drains } from '../../records/drains.ts'
import type { WorkerContext } from '../../worker-host.ts'
import { ApiError } from '../errors/api-error.ts'
import { serverNamed } from './named-server.ts'

export interface DrainOrdersParts {
  readonly table: Pick<UserTable, 'serverState'>
  readonly servers: readonly Slot[]
  readonly drains: Pick<Drains, 'of' | 'put' | 'remove' | 'order'>
  readonly ask: WorkerContext['ask']
}

export class DrainOrders {
  readonly #parts: DrainOrdersParts

  constructor (parts: DrainOrdersParts) {
    this.#parts = parts
  }

  /**
   * Of a server that drains already, note and time are replaced.
   * @param check throws when it may not be done; called in the transaction
   */
  async drain (name: string, order: DrainOrder, check: (sql: Sql) => void): Promise<void> {
    const { servers, drains } = this.#parts
    const server = serverNamed(servers, name)
    const { maintenance = false, force } = order
    if (maintenance && server.kind === 'own') {
      throw new ApiError('not_acceptable_here', `${name} is an own server, and maintenance is of ` +
        'external ones. Send "minutes": 0 to move everybody away.')
    }
    await drains.put(server, order, sql => {
      check(sql)
      if (force === true || drains.of(server.index) !== undefined) return
      if (!this.isAnotherAvailable(server)) {
        throw new ApiError('not_acceptable_here',
          `${name} is the last available server. Send "force": true to drain it anyway.`)
      }
    })
    await this.#apply(server)
  }

  /** @param check as for `drain` */
  async ready (name: string, check: (sql: Sql) => void): Promise<void> {
    const server = serverNamed(this.#parts.servers, name)
    await this.#parts.drains.remove(server, check)
    await this.#apply(server)
  }

  /** Whether somebody else takes the visitors that the server does not. */
  isAnotherAvailable ({ index }: Server): boolean {
    const { servers, table } = this.#parts
    return servers.some(other => other.index !== index && table.serverState(other.index) === 'up')
  }

  async #apply ({ index: server }: Server): Promise<void> {
    const { drains, ask } = this.#parts
    await ask({ type: 'set-drain', server, drain: drains.order(server) })
  }
}
