/**
 * All servers of this node drain, or take visitors again, as one order: those in maintenance stay
 * so. The last available servers of the whole fleet drain by force only. The caller waits for its
 * turn. Runs in the monitor's thread.
 */
import type { NodeDrainOrder } from '@usher/shared/api/actions.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { presentServers, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import type { NodeCards } from '../../fleet/node-cards.ts'
import type { Drains } from '../../records/drains.ts'
import { ApiError } from '../errors/api-error.ts'
import type { DrainOrders } from '../operator/drain-orders.ts'
import { ANSWER_MS } from './fleet-users.ts'

export interface NodeDrainParts {
  readonly node: string
  readonly servers: readonly Slot[]
  readonly table: Pick<UserTable, 'serverState'>
  readonly drains: Pick<Drains, 'of'>
  readonly drainOrders: Pick<DrainOrders, 'drain' | 'ready'>
  readonly cards: Pick<NodeCards, 'others'>
}

export class NodeDrain {
  readonly #parts: NodeDrainParts

  constructor (parts: NodeDrainParts) {
    this.#parts = parts
  }

  /** Of servers that drain already, note and time are replaced. Throws `not_acceptable_here`. */
  async drain (order: NodeDrainOrder): Promise<void> {
    const { node, drainOrders } = this.#parts
    if (order.force !== true && !await this.#isSpared()) {
      throw new ApiError('not_acceptable_here', `${node} has the last available servers of the fleet. ` +
        'Send "force": true to drain it anyway.')
    }
    for (const { name } of this.#servers()) {
      await drainOrders.drain(name, { ...order, force: true }, () => {})
    }
  }

  async ready (): Promise<void> {
    const { drains, drainOrders } = this.#parts
    for (const { name, index } of this.#servers()) {
      if (drains.of(index) !== undefined) await drainOrders.ready(name, () => {})
    }
  }

  /** Whether somebody else takes the visitors that this node does not, or it takes none anyway. */
  async #isSpared (): Promise<boolean> {
    const { table, cards } = this.#parts
    if (!this.#servers().some(({ index }) => table.serverState(index) === 'up')) return true
    const others = await cards.others(ANSWER_MS)
    return others.some(({ isThere, facts }) =>
      isThere && Object.values(facts?.servers ?? {}).some(({ state }) => state === 'up'))
  }

  #servers (): readonly Server[] {
    const { servers, drains } = this.#parts
    return presentServers(servers)
      .filter(({ index }) => drains.of(index)?.isMaintenance !== true)
  }
}
