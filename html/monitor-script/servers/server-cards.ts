/** One card a server; a card is made once and only what changed in it is touched. */
import { find, make, setText, showInOrder } from '../kit/dom.ts'
import type { LoadHistory } from '../charts/load-history.ts'
import { ServerButtons, type ServerActions } from './server-buttons.ts'
import {
  WhyLine, evenShare, placesText, ShareBar, STATE_CLASSES, StateLabel, stateText
} from './server-parts.ts'
import { Sparkline, SPARKLINE_MINUTES } from '../charts/sparkline.ts'
import { available, colourClass, forgetOthers, isLastAvailable, placeOf, shareOf, type Server } from '../kit/console-servers.ts'
import { count, figure, percent, SERVERS } from '../kit/texts.ts'

const FACTS = ['share', 'reserved', 'requests', 'p99'] as const
type Fact = typeof FACTS[number]

/** The history has a point every 5 seconds. */
const SPARKLINE_POINTS = SPARKLINE_MINUTES * 12 + 1

export class ServerCards {
  readonly #cards = new Map<string, Card>()
  readonly #actions: ServerActions
  #canAct = false

  constructor (actions: ServerActions) {
    this.#actions = actions
  }

  allowActions (): void {
    this.#canAct = true
    for (const { actions } of this.#cards.values()) actions.hidden = false
  }

  /** @param all among which visitors are spread */
  show (
    servers: readonly Server[], all: readonly Server[], recent: LoadHistory, nowMs: number
  ): void {
    const cards = servers.map(server => {
      const card = this.#cards.get(server.name) ?? this.#add(server)
      fill(card, server, servers, all, nowMs)
      card.sparkline.show(recent.loads(server.name), SPARKLINE_POINTS)
      return card.element
    })
    showInOrder(find('cards'), cards)
    forgetOthers(this.#cards, servers)
  }

  #add (server: Server): Card {
    const card = makeCard(server, this.#actions)
    card.actions.hidden = !this.#canAct
    this.#cards.set(server.name, card)
    return card
  }
}

interface Card {
  readonly element: HTMLElement
  readonly place: HTMLElement
  readonly state: StateLabel
  readonly load: HTMLElement
  readonly loadLabel: HTMLElement
  readonly sparkline: Sparkline
  readonly share: ShareBar
  readonly facts: Readonly<Record<Fact, HTMLElement>>
  readonly reason: WhyLine
  readonly actions: HTMLElement
  readonly buttons: ServerButtons
  /** Why it cannot be drained. */
  readonly why: HTMLElement
}

function makeCard (server: Server, serverActions: ServerActions): Card {
  const { name } = server
  const state = new StateLabel()
  const load = make('p', 'big')
  const loadLabel = make('p', '')
  const sparkline = new Sparkline()
  const share = new ShareBar()
  const facts = { share: make('dd', ''), reserved: make('dd', ''), requests: make('dd', ''), p99: make('dd', 'ltr') }
  const list = make('dl', 'facts', ...FACTS.map(fact =>
    make('div', '', make('dt', '', SERVERS.facts[fact]), facts[fact])))
  const place = make('small', '')
  const heading = make('h2', '', make('i', 'swatch'), make('span', 'ltr', name), ' ', place)
  const reason = new WhyLine()
  const why = make('p', 'why')
  why.id = `only-${name}`
  const buttons = new ServerButtons(server, serverActions, why.id)
  buttons.element.hidden = false
  const actions = make('div', 'operate', why, buttons.element)
  const element = make('article', '',
    make('div', 'row', heading, state.element),
    make('div', 'load', make('div', '', load, loadLabel), sparkline.element),
    share.element, list, reason.element, actions)
  return {
    element, place, state, load, loadLabel, sparkline, share, facts, reason, actions, buttons, why
  }
}

function fill (
  card: Card, server: Server, servers: readonly Server[], all: readonly Server[], nowMs: number
): void {
  const { state, drained_from: drainedFrom } = server
  card.element.className = `card ${colourClass(server.index)} ${STATE_CLASSES[state]}`
  setText(card.place, placeOf(server))
  card.state.show(state, stateText(server, nowMs))
  setText(card.load, count(server.active_users))
  setText(card.loadLabel, state === 'draining'
    ? SERVERS.leftLabel(drainedFrom)
    : [SERVERS.activeUsers, placesText(server)].filter(text => text !== '').join(', '))
  const share = shareOf(server, all)
  card.share.show(share, evenShare(server, all))
  const values: Record<Fact, string> = {
    share: percent(share),
    reserved: count(server.reserved),
    requests: figure(server.requests_per_second),
    p99: SERVERS.milliseconds(server.p99_ms)
  }
  for (const fact of FACTS) setText(card.facts[fact], values[fact])
  card.reason.show(server, nowMs)
  card.buttons.show(server, servers)
  setText(card.why, SERVERS.onlyOne(available(all).length > 1))
  card.why.hidden = !isLastAvailable(server, servers)
}
