/**
 * The nodes of a fleet in the Servers section, and the other nodes' servers beneath the own ones.
 * Hidden where the program is alone.
 */
import type { Stats } from '@usher/shared/api/stats.ts'
import { find, setText } from '../kit/dom.ts'
import { serversElsewhere } from '../kit/console-servers.ts'
import { FLEET } from '../kit/texts.ts'
import { NodeRows, type NodeActions } from './node-rows.ts'
import type { ServerActions } from './server-buttons.ts'
import { ServersTable } from './servers-table.ts'

export class NodesView {
  readonly #rows: NodeRows
  readonly #table: ServersTable

  constructor (actions: ServerActions, nodeActions: NodeActions) {
    this.#rows = new NodeRows(nodeActions)
    this.#table = new ServersTable(actions, 'last-server', {
      title: FLEET.elsewhere, columns: ['active', 'held', 'requests', 'p99']
    })
    find('fleet-servers').append(this.#table.element)
  }

  allowActions (): void {
    this.#rows.allowActions()
    this.#table.allowActions()
  }

  show (stats: Stats, nowMs: number): void {
    const { fleet } = stats
    find('nodes-panel').hidden = fleet === undefined
    const servers = serversElsewhere(stats)
    find('fleet-panel').hidden = servers.length === 0
    if (fleet === undefined) return
    this.#rows.show(stats, fleet.nodes, nowMs)
    setText(find('nodes-text'), FLEET.whole(
      fleet.total_users, fleet.nodes.filter(({ state }) => state === 'here' || state === 'up').length,
      fleet.nodes.length))
    setText(find('fleet-more'), fleet.servers_truncated ? FLEET.more : '')
    this.#table.show(servers, nowMs, {
      peersOf: ({ node }) => servers.filter(other => other.node === node)
    })
  }
}
