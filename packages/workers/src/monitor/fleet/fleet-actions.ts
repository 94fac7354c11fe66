/**
 * What an operator does at another node: a user is found and removed there, a server or the whole
 * node drains or takes visitors again. It is asked of that node, which says when it is done.
 * Permissions are looked at and the audit is written where the operator is. Runs in the monitor's
 * thread.
 */
import type { DrainOrder, NodeDrainOrder } from '@usher/shared/api/actions.ts'
import type { Address, Client } from '@usher/shared/client.ts'
import { ApiError } from '../errors/api-error.ts'
import { ANSWER_MS } from './fleet-users.ts'
import type { NodeAsks } from './node-asks.ts'

export interface FleetActionsParts {
  readonly node: string
  readonly asks: NodeAsks
  /** This node drains as another one would. */
  readonly setOwnDrain: (order: NodeDrainOrder | undefined) => Promise<void>
}

/** Where a user is. */
export interface UserPlace {
  readonly node: string
  /** By its name there. */
  readonly server: string
  /** From where the user was last seen. */
  readonly address: Address
}

export interface DrainAsk {
  readonly server: string
  /** Undefined: it takes visitors again. */
  readonly order: DrainOrder | undefined
}

export interface NodeDrainAsk {
  /** Undefined: its servers take visitors again. */
  readonly order: NodeDrainOrder | undefined
}

export const LOCATE_ASK = 'locate'
export const REMOVE_ASK = 'remove'
export const DRAIN_ASK = 'drain'
export const NODE_DRAIN_ASK = 'drain-node'
/** What is done there may wait for its database. */
const ACTION_MS = 5000

export class FleetActions {
  readonly #parts: FleetActionsParts

  constructor (parts: FleetActionsParts) {
    this.#parts = parts
  }

  /** The node and the name of another node's server; undefined for what is no such name. */
  elsewhere (name: string): { readonly node: string, readonly server: string } | undefined {
    const [node = '', server] = name.split('/')
    return server === undefined || node === this.#parts.node ? undefined : { node, server }
  }

  /** Where else the user is active; and which nodes have not said. */
  async locate (
    client: Client
  ): Promise<{ readonly place: UserPlace | undefined, readonly missing: readonly string[] }> {
    const { answers, missing } = await this.#parts.asks.ask<Omit<UserPlace, 'node'> | null>(
      LOCATE_ASK, client, ANSWER_MS)
    for (const [node, place] of answers) {
      if (place !== null) return { place: { ...place, node }, missing }
    }
    return { place: undefined, missing }
  }

  /** @returns how many users were removed: 0 for one who has left meanwhile */
  async remove (node: string, client: Client): Promise<number> {
    return await this.#order<number>(node, REMOVE_ASK, client)
  }

  async drain (node: string, server: string, order: DrainOrder | undefined): Promise<void> {
    await this.#order(node, DRAIN_ASK, { server, order } satisfies DrainAsk)
  }

  /** Of all servers of a node, which may be this one. */
  async setNodeDrain (node: string, order: NodeDrainOrder | undefined): Promise<void> {
    const { node: own, setOwnDrain } = this.#parts
    if (node === own) return await setOwnDrain(order)
    await this.#order(node, NODE_DRAIN_ASK, { order } satisfies NodeDrainAsk)
  }

  async #order<T> (node: string, kind: string, body: unknown): Promise<T> {
    const done = await this.#parts.asks.askKnown<T>(node, kind, body, ACTION_MS)
    if (done !== undefined) return done
    throw new ApiError('node_away', `The node ${node} has not answered: look whether it was done.`)
  }
}
