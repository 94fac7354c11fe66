/** The Servers section: the table, why one cannot be drained, what drain does, and the router. */
import type { Stats } from '@usher/shared/api/stats.ts'
import { find, setText } from '../kit/dom.ts'
import type { ServerActions } from './server-buttons.ts'
import type { NodeActions } from './node-rows.ts'
import { NodesView } from './nodes-view.ts'
import { ServersTable } from './servers-table.ts'
import { allServers, available, isLastAvailable, serversOf } from '../kit/console-servers.ts'
import { OVERVIEW, SERVERS } from '../kit/texts.ts'

export class ServersView {
  readonly #table: ServersTable
  readonly #nodes: NodesView

  constructor (actions: ServerActions, nodeActions: NodeActions) {
    this.#table = new ServersTable(actions, 'last-server')
    this.#nodes = new NodesView(actions, nodeActions)
    find('servers-table').append(this.#table.element)
  }

  /** Shows the buttons; without this a viewer sees none. */
  allowActions (): void {
    this.#table.allowActions()
    this.#nodes.allowActions()
    find('last-server').classList.remove('viewer')
  }

  show (stats: Stats, nowMs: number): void {
    const servers = serversOf(stats)
    find('servers-table').hidden = servers.length === 0
    const all = allServers(stats)
    this.#table.show(servers, nowMs, { all })
    this.#nodes.show(stats, nowMs)
    setText(find('servers-summary'), OVERVIEW.summary(available(servers).length, servers.length))
    const last = servers.find(server => isLastAvailable(server, servers))
    const draining = servers.find(({ state }) => state === 'draining')
    find('last-server').hidden = last === undefined || servers.length === 1
    if (last !== undefined) {
      const isOfNode = available(all).length > 1
      setText(find('why-last'), SERVERS.whyLast(last.name, draining?.name, isOfNode))
    }
    setText(find('router-redirects'), SERVERS.perSecond(stats.redirects_per_second))
    setText(find('router-p50'), SERVERS.milliseconds(stats.wait_ms?.p50))
    setText(find('router-p99'), SERVERS.milliseconds(stats.wait_ms?.p99))
    setText(find('router-up'), SERVERS.upFor(
      stats.up_since === undefined ? undefined : nowMs - Date.parse(stats.up_since)))
    setText(find('title-router'), SERVERS.router(stats.fleet?.node))
    this.#showDown(all.filter(({ state }) => state === 'down').length)
  }

  /** A server that is down is red on every page. */
  #showDown (count: number): void {
    find('nav-down').hidden = count === 0
    setText(find('nav-servers'), count === 0 ? '' : SERVERS.down(count))
  }
}
