/**
 * A row for each node of a fleet: how it is, with its people, and since when one is away; drain and
 * make ready for all its servers at once. A row is made once and only what changed in it is
 * touched, so that its buttons can be pressed.
 */
import type { NodeStats, ServerStats, Stats } from '@usher/shared/api/stats.ts'
import { find, make, makeCell, makeIcon, makeRow, setText } from '../kit/dom.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { count, FLEET, NOT_MEASURED, SERVERS } from '../kit/texts.ts'

export interface NodeActions {
  readonly drainNode: (node: string, userCount: number) => void
  readonly makeNodeReady: (node: string) => void
}

type Look = 'up' | 'drain' | 'away' | 'unknown'

/** Shape and colour, as a server in that state has them. */
const LOOKS: Readonly<Record<Look, readonly [shape: string, className: string]>> = {
  up: ['up', 'up'], drain: ['draining', 'drain'], away: ['down', 'down'], unknown: ['starting', '']
}
type Column = keyof typeof FLEET.columns

interface Row {
  readonly element: HTMLElement
  readonly state: HTMLElement
  readonly cells: Readonly<Record<Column, HTMLElement>>
  readonly act: HTMLElement
  readonly drain: HTMLElement
  readonly ready: HTMLElement
  look: Look | undefined
  userCount: number
}

export class NodeRows {
  readonly #actions: NodeActions
  readonly #rows: KeyedRows<NodeStats>
  readonly #made = new Map<string, Row>()
  #canAct = false

  constructor (actions: NodeActions) {
    this.#actions = actions
    this.#rows = new KeyedRows({
      body: find('nodes'),
      keyOf: ({ node }) => node,
      shownBy: () => '',
      make: node => this.#make(node),
      focusOtherwise: find('title-nodes')
    })
  }

  allowActions (): void {
    this.#canAct = true
    find('nodes-act').hidden = false
    for (const { act } of this.#made.values()) act.hidden = false
  }

  show (stats: Stats, nodes: readonly NodeStats[], nowMs: number): void {
    this.#rows.show(nodes)
    for (const node of nodes) fill(this.#made.get(node.node)!, node, stats, nowMs)
  }

  #make ({ node, state: nodeState }: NodeStats): HTMLElement {
    const name = make('span', 'id', make('b', 'ltr', node))
    if (nodeState === 'here') name.append(' ', make('span', 'tag', FLEET.here))
    const state = make('span', 'state')
    const cells = {
      users: makeFigure('users'), servers: makeFigure('servers'), version: makeFigure('version')
    }
    const drain = makeButton(SERVERS.drain, FLEET.drainLabel(node))
    const ready = makeButton(SERVERS.ready, FLEET.readyLabel(node))
    const act = makeCell('act', make('div', 'acts', drain, ready))
    act.hidden = !this.#canAct
    const element = makeRow(
      makeCell('c-name wrap', name), makeCell('c-state wrap', state), ...Object.values(cells), act)
    const row: Row = {
      element,
      state,
      cells,
      act,
      drain,
      ready,
      look: undefined,
      userCount: 0
    }
    drain.addEventListener('click', () => { this.#actions.drainNode(node, row.userCount) })
    ready.addEventListener('click', () => { this.#actions.makeNodeReady(node) })
    this.#made.set(node, row)
    return element
  }
}

function fill (row: Row, node: NodeStats, stats: Stats, nowMs: number): void {
  const { state, since, version = NOT_MEASURED, total_users: users } = node
  const servers = Object.values(state === 'here' ? stats.servers : node.servers)
  const isThere = state === 'here' || state === 'up'
  const sinceMs = Date.parse(since)
  const look = lookOf(state, servers)
  if (row.look !== look) {
    const [shape, className] = LOOKS[look]
    row.state.className = `state ${className}`
    row.state.replaceChildren(makeIcon(`state-${shape}`, ''), make('span', ''))
    row.look = look
  }
  row.userCount = users
  setText(row.state.lastElementChild!, look === 'drain'
    ? FLEET.draining(users)
    : FLEET.state(state, nowMs - sinceMs, sinceMs))
  setText(row.cells.users, state === 'away' ? FLEET.lastHeard(users) : count(users))
  setText(row.cells.servers, count(servers.length))
  setText(row.cells.version, version)
  const drainable = servers.filter(({ state }) => state !== 'maintenance')
  row.drain.hidden = !isThere || drainable.every(({ drain }) => drain !== undefined)
  row.ready.hidden = !isThere || drainable.every(({ drain }) => drain === undefined)
}

/** It drains when none of its servers takes visitors, because somebody wanted it so. */
function lookOf (
  state: NodeStats['state'], servers: ReadonlyArray<Pick<ServerStats, 'state'>>
): Look {
  if (state === 'away' || state === 'unknown') return state
  const isTaking = servers.some(({ state }) => state === 'up' || state === 'starting')
  return !isTaking && servers.some(({ state }) => state === 'draining') ? 'drain' : 'up'
}

/** With its label, for a phone, where the head of the table is not seen. */
function makeFigure (column: Column): HTMLElement {
  const cell = makeCell('num')
  cell.dataset['label'] = FLEET.columns[column]
  return cell
}

function makeButton (text: string, whole: string): HTMLElement {
  const button = make('button', 'btn small', text)
  button.type = 'button'
  button.setAttribute('aria-label', whole)
  return button
}
