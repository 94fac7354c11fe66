/**
 * The other nodes of a fleet, in the Servers section: how each is, with its people, and since when
 * one is away; and their servers beneath the own ones. Hidden where the program is alone.
 */
import type { NodeStats, Stats } from '@usher/shared/api/stats.ts'
import { find, make, makeCell, makeIcon, makeRow, setText } from '../kit/dom.ts'
import { serversElsewhere } from '../kit/console-servers.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { count, FLEET, NOT_MEASURED } from '../kit/texts.ts'
import type { ServerActions } from './server-buttons.ts'
import { ServersTable } from './servers-table.ts'

/** A node as its row says it. */
interface ShownNode extends Pick<NodeStats, 'node' | 'state'> {
  /** How it is, in words. */
  readonly text: string
  readonly users: string
  readonly servers: string
  readonly version: string
}

/** Shape and colour, as a server in that state has them. */
const LOOKS: Readonly<Record<NodeStats['state'], readonly [shape: string, className: string]>> = {
  here: ['up', 'up'], up: ['up', 'up'], away: ['down', 'down'], unknown: ['starting', '']
}

export class NodesView {
  readonly #rows: KeyedRows<ShownNode>
  readonly #table: ServersTable

  constructor (actions: ServerActions) {
    this.#rows = new KeyedRows({
      body: find('nodes'),
      keyOf: ({ node }) => node,
      shownBy: node => JSON.stringify(node),
      make: makeNodeRow,
      focusOtherwise: find('title-nodes')
    })
    this.#table = new ServersTable(actions, 'last-server', {
      title: FLEET.elsewhere, columns: ['active', 'held', 'requests', 'p99']
    })
    find('fleet-servers').append(this.#table.element)
  }

  allowActions (): void {
    this.#table.allowActions()
  }

  show (stats: Stats, nowMs: number): void {
    const { fleet } = stats
    find('nodes-panel').hidden = fleet === undefined
    const servers = serversElsewhere(stats)
    find('fleet-panel').hidden = servers.length === 0
    if (fleet === undefined) return
    this.#rows.show(fleet.nodes.map(node => shown(node, stats, nowMs)))
    setText(find('nodes-text'), FLEET.whole(
      fleet.total_users, fleet.nodes.filter(({ state }) => state === 'here' || state === 'up').length,
      fleet.nodes.length))
    setText(find('fleet-more'), fleet.servers_truncated ? FLEET.more : '')
    this.#table.show(servers, nowMs, ({ node }) => servers.filter(other => other.node === node))
  }
}

function shown (
  { node, state, since, version = NOT_MEASURED, total_users: users, servers }: NodeStats,
  stats: Stats, nowMs: number
): ShownNode {
  const sinceMs = Date.parse(since)
  const serverCount = Object.keys(state === 'here' ? stats.servers : servers).length
  return {
    node,
    state,
    text: FLEET.state(state, nowMs - sinceMs, sinceMs),
    users: state === 'away' ? FLEET.lastHeard(users) : count(users),
    servers: count(serverCount),
    version
  }
}

function makeNodeRow ({ node, state, text, users, servers, version }: ShownNode): HTMLElement {
  const [shape, className] = LOOKS[state]
  const name = make('span', 'id', make('b', 'ltr', node))
  if (state === 'here') name.append(' ', make('span', 'tag', FLEET.here))
  const label = make('span', `state ${className}`, makeIcon(`state-${shape}`, ''), make('span', '', text))
  return makeRow(
    makeCell('c-name wrap', name), makeCell('c-state wrap', label),
    labelled(FLEET.columns.users, makeCell('num', users)),
    labelled(FLEET.columns.servers, makeCell('num', servers)),
    labelled(FLEET.columns.version, makeCell('num', version)))
}

/** On a phone, where the head of the table is not seen. */
function labelled (label: string, cell: HTMLElement): HTMLElement {
  cell.dataset['label'] = label
  return cell
}
