/**
 * This console's part in its fleet: asks the other nodes what they know and do, answers them, and
 * shows them how this one stands. Runs in the monitor's thread.
 */
import type { NodeDrainOrder } from '@usher/shared/api/actions.ts'
import type { History } from '@usher/shared/api/history.ts'
import type { Sharing, Users } from '@usher/shared/api/users.ts'
import type { Address, Client } from '@usher/shared/client.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Ask, AskAnswers } from '@usher/shared/messages.ts'
import { presentServers, type Slot } from '@usher/shared/settings/servers.ts'
import type { InTurn } from '@usher/shared/turns.ts'
import type { Logger } from 'pino'
import type { FleetAsks } from '../fleet/fleet-asks.ts'
import type { NodeCards } from '../fleet/node-cards.ts'
import { countReached, countSharing } from './figures/user-queries.ts'
import type { DrainOrders } from './operator/drain-orders.ts'
import type { Drains } from '../records/drains.ts'
import type { DenyTarget } from '../records/deny-target.ts'
import {
  DRAIN_ASK, FleetActions, LOCATE_ASK, NODE_DRAIN_ASK, REMOVE_ASK, type DrainAsk,
  type NodeDrainAsk, type UserPlace
} from './fleet/fleet-actions.ts'
import {
  ANSWER_MS, FleetUsers, nodesAnswered, USERS_ASK, type NodeSearch, type UsersAsk
} from './fleet/fleet-users.ts'
import {
  FleetHistories, HISTORY_ASK, LOADS_ASK, type HistoryAsk
} from './fleet/fleet-history.ts'
import { NodeAsks } from './fleet/node-asks.ts'
import { NodeDrain } from './fleet/node-drain.ts'

/** How this node reaches the others. */
export interface FleetReach {
  readonly node: string
  readonly asks: FleetAsks
  readonly cards: NodeCards
}

export interface FleetConsoleParts extends FleetReach {
  readonly table: Pick<UserTable, 'find' | 'search' | 'serverState'>
  readonly servers: readonly Slot[]
  readonly drains: Pick<Drains, 'of'>
  readonly drainOrders: DrainOrders
  readonly ownUsers: (search: NodeSearch) => Promise<Users>
  readonly ownHistory: (minutes: number, pointsMax?: number) => Promise<History>
  readonly ask: <A extends Ask>(ask: A) => Promise<AskAnswers[A['type']]>
  readonly inTurn: InTurn
  readonly log: Pick<Logger, 'error'>
}

const SHARING_ASK = 'sharing'
const REACH_ASK = 'reach'

export class FleetConsole {
  readonly node: string
  readonly users: FleetUsers
  readonly histories: FleetHistories
  readonly actions: FleetActions
  readonly #parts: FleetConsoleParts
  readonly #asks: NodeAsks
  readonly #nodeDrain: NodeDrain

  constructor (parts: FleetConsoleParts) {
    const { node, cards, servers, ownUsers, ownHistory } = parts
    const asks = new NodeAsks(parts)
    this.#parts = parts
    this.#asks = asks
    this.node = node
    this.users = new FleetUsers({ node, asks, own: ownUsers })
    this.histories = new FleetHistories({
      node,
      asks,
      cards,
      own: ownHistory,
      serverCount: () => presentServers(servers).length,
      wallNow: Date.now
    })
    this.#nodeDrain = new NodeDrain(parts)
    this.actions = new FleetActions({
      node, asks, setOwnDrain: async order => { await this.#setOwnDrain(order) }
    })
  }

  /** Answers the others from now on. */
  start (): void {
    const { table, drainOrders, ask, inTurn } = this.#parts
    this.#asks.answerWith({
      [USERS_ASK]: body => this.users.answer(body as UsersAsk),
      [LOADS_ASK]: body => this.histories.answerLoads(body as HistoryAsk),
      [HISTORY_ASK]: body => this.histories.answer(body as HistoryAsk),
      [SHARING_ASK]: body => countSharing(table, body as Address[]),
      [REACH_ASK]: body => countReached(table, body as DenyTarget),
      [LOCATE_ASK]: async body => this.#placeOf(body as Client),
      [REMOVE_ASK]: async body => {
        const { removedUsers } = await ask(
          { type: 'disconnect', client: body as Client, entries: undefined })
        return removedUsers
      },
      // Whoever asks has looked whether its operator may.
      [DRAIN_ASK]: async body => {
        const { server, order } = body as DrainAsk
        await inTurn(() => order === undefined
          ? drainOrders.ready(server, () => {})
          : drainOrders.drain(server, order, () => {}))
        return true
      },
      [NODE_DRAIN_ASK]: body => this.#setOwnDrain((body as NodeDrainAsk).order)
    })
  }

  async #setOwnDrain (order: NodeDrainOrder | undefined): Promise<true> {
    await this.#parts.inTurn(() =>
      order === undefined ? this.#nodeDrain.ready() : this.#nodeDrain.drain(order))
    return true
  }

  /** Of all nodes. */
  async sharing (addresses: readonly Address[]): Promise<Sharing> {
    return await this.#sum(SHARING_ASK, addresses, countSharing(this.#parts.table, addresses))
  }

  async reach (target: DenyTarget): Promise<Sharing> {
    return await this.#sum(REACH_ASK, target, countReached(this.#parts.table, target))
  }

  async #sum (kind: string, body: unknown, counting: Promise<number>): Promise<Sharing> {
    const [own, { answers, missing }] = await Promise.all(
      [counting, this.#asks.ask<number>(kind, body, ANSWER_MS)])
    return {
      users: [...answers.values()].reduce((sum, users) => sum + users, own),
      nodes: nodesAnswered(1 + answers.size + missing.length, missing)
    }
  }

  /** Null for one who is not here, or has not arrived yet. */
  #placeOf (client: Client): Omit<UserPlace, 'node'> | null {
    const { table, servers } = this.#parts
    const user = table.find(client)
    if (user === undefined || user === 'busy' || user.server === undefined) return null
    return { server: servers[user.server]!.name, address: user.address }
  }
}
