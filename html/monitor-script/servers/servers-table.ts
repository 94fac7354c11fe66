/**
 * All figures of all servers in one table, with what administrators may do. Stands in the
 * Servers section, and on the overview where there are too many servers for cards.
 */
import { make, makeCell, makeRow, setText, showInOrder } from '../kit/dom.ts'
import { ServerButtons, type ServerActions } from './server-buttons.ts'
import { WhyLine, leftOf, placesText, ShareBar, StateLabel } from './server-parts.ts'
import { colourClass, forgetOthers, placeOf, shareOf, type Server } from '../kit/console-servers.ts'
import { count, counted, figure, percent, SERVERS } from '../kit/texts.ts'

type Column = keyof typeof SERVERS.columns
const COLUMNS = Object.keys(SERVERS.columns) as Column[]
/** Columns whose heading or figures need more room than an equal share. */
const WIDE = new Map<Column, string>([['held', ' w-held'], ['upFor', ' w-up']])
/** Left out where there is little room. */
const LESS_NEEDED: ReadonlySet<Column> = new Set(['beats', 'p50', 'connections'])

export interface TableLooks {
  readonly title?: string
  /** All if left out. */
  readonly columns?: readonly Column[]
}

export interface Peers {
  /** Among which visitors are spread: those of the table if left out. */
  readonly all?: readonly Server[]
  /** Among which one may be the last that takes visitors: those of the table if left out. */
  readonly peersOf?: (server: Server) => readonly Server[]
}

export class ServersTable {
  readonly element: HTMLTableElement
  readonly #body = make('tbody', '')
  readonly #actions: ServerActions
  readonly #columns: readonly Column[]
  /** The element that says why the last server cannot be drained. */
  readonly #whyId: string
  readonly #rows = new Map<string, Row>()
  #canAct = false

  constructor (
    actions: ServerActions, whyId: string,
    { title = SERVERS.title, columns = COLUMNS }: TableLooks = {}
  ) {
    this.#actions = actions
    this.#whyId = whyId
    this.#columns = columns
    this.element = make('table', 'tbl srv viewer', makeHead(columns), this.#body)
    this.element.setAttribute('role', 'table')
    this.element.setAttribute('aria-label', title)
    this.#body.setAttribute('role', 'rowgroup')
  }

  allowActions (): void {
    this.#canAct = true
    this.element.classList.remove('viewer')
    for (const { action, buttons } of this.#rows.values()) {
      action.hidden = buttons.element.hidden = false
    }
    for (const cell of this.element.querySelectorAll<HTMLElement>('th.w-act')) cell.hidden = false
  }

  show (
    servers: readonly Server[], nowMs: number,
    { all = servers, peersOf = () => servers }: Peers = {}
  ): void {
    const rows = servers.map(server => {
      const row = this.#rows.get(server.name) ?? this.#add(server)
      fill(row, server, all, nowMs)
      row.buttons.show(server, peersOf(server))
      return row.element
    })
    showInOrder(this.#body, rows)
    forgetOthers(this.#rows, servers)
  }

  #add (server: Server): Row {
    const buttons = new ServerButtons(server, this.#actions, this.#whyId)
    const row = makeServerRow(server, buttons, this.#columns)
    row.action.hidden = buttons.element.hidden = !this.#canAct
    this.#rows.set(server.name, row)
    return row
  }
}

interface Row {
  readonly element: HTMLElement
  readonly server: HTMLElement
  readonly place: HTMLElement
  readonly state: StateLabel
  readonly left: ShareBar
  readonly cells: ReadonlyMap<Column, HTMLElement>
  readonly reason: WhyLine
  readonly action: HTMLElement
  readonly buttons: ServerButtons
}

function makeHead (columns: readonly Column[]): HTMLElement {
  const cells = [
    makeHeadCell('w-srv', SERVERS.server), makeHeadCell('w-state', SERVERS.stateColumn),
    ...columns.map(column => makeHeadCell(
      `num${LESS_NEEDED.has(column) ? ' lo2' : ''}${WIDE.get(column) ?? ''}`,
      SERVERS.columns[column]))
  ]
  const actions = makeHeadCell('w-act', '')
  actions.append(make('span', 'sr', SERVERS.actions))
  actions.hidden = true
  const head = make('thead', '', makeRow(...cells, actions))
  head.setAttribute('role', 'rowgroup')
  return head
}

function makeHeadCell (className: string, text: string): HTMLElement {
  const cell = make('th', className, text)
  cell.setAttribute('role', 'columnheader')
  return cell
}

function makeServerRow (
  server: Server, buttons: ServerButtons, columns: readonly Column[]
): Row {
  const { name } = server
  const state = new StateLabel()
  const left = new ShareBar()
  const reason = new WhyLine()
  const action = makeCell('act', buttons.element)
  const cells = new Map(columns.map(column => {
    const cell = makeCell(LESS_NEEDED.has(column) ? 'num lo2' : 'num')
    cell.dataset['label'] = SERVERS.columns[column]
    return [column, cell]
  }))
  const place = make('span', 'muted')
  const cell = makeCell('',
    make('span', 'id', make('i', 'swatch'), make('b', 'ltr', name)), make('br', ''), place)
  const element = makeRow(
    cell,
    makeCell('c-state wrap', make('div', 'left12', state.element, left.element, reason.element)),
    ...cells.values(), action)
  return { element, server: cell, place, state, left, cells, reason, action, buttons }
}

function fill (row: Row, server: Server, all: readonly Server[], nowMs: number): void {
  const { state, active_users: activeUsers, up_since: upSince } = server
  const sinceMs = server.state_since === undefined
    ? undefined
    : nowMs - Date.parse(server.state_since)
  const texts = [SERVERS.stateLong(state, activeUsers, sinceMs), placesText(server)]
  // Colours are of this node's own.
  row.server.className = server.node === undefined ? `c-srv ${colourClass(server.index)}` : 'c-srv'
  setText(row.place, placeOf(server))
  row.state.show(state, texts.filter(text => text !== '').join(', '))
  const left = state === 'draining' ? leftOf(server) : undefined
  row.left.element.toggleAttribute('hidden', left === undefined)
  row.left.show(left ?? 0, undefined)
  const values: Record<Column, string> = {
    active: count(activeUsers),
    held: count(server.reserved),
    share: percent(shareOf(server, all)),
    requests: figure(server.requests_per_second),
    beats: figure(server.beats_per_second),
    p50: SERVERS.milliseconds(server.p50_ms),
    p99: SERVERS.milliseconds(server.p99_ms),
    errors: figure(server.errors_per_second),
    connections: counted(server.connections),
    restarts: counted(server.restarts),
    upFor: SERVERS.upFor(upSince === undefined ? undefined : nowMs - Date.parse(upSince))
  }
  for (const [column, cell] of row.cells) setText(cell, values[column])
  row.reason.show(server, nowMs)
}
