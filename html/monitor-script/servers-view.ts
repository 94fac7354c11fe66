/** One card a server, in port order; a card is made once and only what changed in it is touched. */
import { find, make, makeIcon, makeSvg, setText } from './dom.ts'
import { colourClass, serversOf, shareOf, type Server, type ServerState, type Stats } from './stats.ts'
import { count, figure, NOT_MEASURED, OVERVIEW, percent, SERVERS, STATES } from './texts.ts'

export interface ServersViewParts {
  readonly drain: (server: Server) => void
  readonly makeReady: (server: Server) => void
}

/** The classes that a state has in the style sheet. */
const STATE_CLASSES: Readonly<Record<ServerState, string>> = {
  up: 'up', draining: 'drain', down: 'down', starting: ''
}

export class ServersView {
  readonly #parts: ServersViewParts
  readonly #cards = new Map<string, Card>()
  #canAct = false

  constructor (parts: ServersViewParts) {
    this.#parts = parts
  }

  /** Shows the buttons; without this a viewer sees none. */
  allowActions (): void {
    this.#canAct = true
    for (const card of this.#cards.values()) card.footer.hidden = false
  }

  show (stats: Stats, nowMs: number): void {
    const servers = serversOf(stats)
    for (const server of servers) {
      const card = this.#cards.get(server.port) ?? this.#add(server)
      card.server = server
      fill(card, server, servers, nowMs)
    }
  }

  #add (server: Server): Card {
    const card = makeCard(server)
    card.footer.hidden = !this.#canAct
    card.button.addEventListener('click', () => {
      if (card.server.state === 'draining') this.#parts.makeReady(card.server)
      else this.#parts.drain(card.server)
    })
    this.#cards.set(server.port, card)
    find('cards').append(card.element)
    return card
  }
}

type Fact = keyof typeof SERVERS.facts

interface Card {
  server: Server
  readonly element: HTMLElement
  readonly upFor: HTMLElement
  readonly state: HTMLElement
  readonly load: HTMLElement
  readonly loadLabel: HTMLElement
  readonly share: SVGElement
  readonly even: SVGElement
  readonly facts: ReadonlyMap<Fact, HTMLElement>
  readonly footer: HTMLElement
  readonly button: HTMLButtonElement
}

function makeCard (server: Server): Card {
  const upFor = make('small', '')
  const state = make('span', 'state')
  const load = make('p', 'big')
  const loadLabel = make('p', '')
  const share = makeSvg('rect', { class: 'fill', height: '100%', rx: '3' })
  const even = makeSvg('rect', { class: 'even', width: '1.5', height: '100%' })
  const bar = makeSvg('svg', { class: 'share', 'aria-hidden': 'true' })
  bar.append(makeSvg('rect', { class: 'track', width: '100%', height: '100%', rx: '3' }), share, even)
  const facts = new Map<Fact, HTMLElement>()
  const list = make('dl', 'facts')
  for (const [fact, label] of Object.entries(SERVERS.facts)) {
    const value = make('dd', '')
    facts.set(fact as Fact, value)
    list.append(make('div', '', make('dt', '', label), value))
  }
  const button = make('button', 'btn small')
  button.type = 'button'
  const footer = make('footer', '', button)
  const heading = make('h2', '', make('i', 'swatch'), make('span', 'ltr', server.port), ' ', upFor)
  const element = make('article', '',
    make('div', 'row', heading, state), make('div', '', load, loadLabel), bar, list, footer)
  return { server, element, upFor, state, load, loadLabel, share, even, facts, footer, button }
}

function fill (card: Card, server: Server, servers: readonly Server[], nowMs: number): void {
  const { state, port } = server
  card.element.className = `card ${colourClass(server.index)} ${STATE_CLASSES[state]}`
  showState(card.state, state)
  setText(card.upFor, upForText(server, nowMs))
  setText(card.load, count(server.active_users))
  setText(card.loadLabel, state === 'draining' ? SERVERS.usersLeft : SERVERS.activeUsers)
  const share = shareOf(server, servers)
  card.share.setAttribute('width', `${(share * 100).toFixed(1)}%`)
  card.even.setAttribute('x', `${(100 / servers.length).toFixed(2)}%`)
  const values: Record<Fact, string> = {
    share: percent(share),
    reserved: count(server.reserved),
    connections: server.connections === undefined ? NOT_MEASURED : count(server.connections),
    requests: figure(server.requests_per_second),
    beats: figure(server.beats_per_second),
    p99: server.p99_ms === undefined ? NOT_MEASURED : `${figure(server.p99_ms)} ${OVERVIEW.ms}`
  }
  for (const [fact, value] of card.facts) setText(value, values[fact])
  const isDraining = state === 'draining'
  setText(card.button, isDraining ? SERVERS.ready : SERVERS.drain)
  const label = isDraining ? SERVERS.readyLabel(port) : SERVERS.drainLabel(port)
  card.button.setAttribute('aria-label', label)
}

function showState (element: HTMLElement, state: ServerState): void {
  if (element.dataset['state'] === state) return
  element.dataset['state'] = state
  element.className = `state ${STATE_CLASSES[state]}`
  element.replaceChildren(makeIcon(`state-${state}`, ''), STATES[state])
}

function upForText ({ state, up_since: since }: Server, nowMs: number): string {
  if (since === undefined || state === 'down') return ''
  return SERVERS.upFor(Math.max(0, nowMs - Date.parse(since)))
}
