/** The overview: totals, what is wrong, a card for each server; how it stands in one line. */
import type { Stats } from '@usher/shared/api/stats.ts'
import { find, make, makeIcon, setText } from '../kit/dom.ts'
import type { LoadHistory } from '../charts/load-history.ts'
import { ServerCards } from './server-cards.ts'
import type { ServerActions } from './server-buttons.ts'
import { ServersTable } from './servers-table.ts'
import {
  allServers, available, serversOf, sum, troublesOf, type Server, type Trouble
} from '../kit/console-servers.ts'
import { count, counted, figure, NOT_MEASURED, NOTICES, OVERVIEW } from '../kit/texts.ts'

/** One of the totals: what it is, the figure, and what stands small beside it. */
interface Total {
  readonly key: string
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly className?: string
}

const NOTICES_MAX = 2
/** Those in red. */
const GRAVE = new Set<Trouble['kind']>(['no-servers', 'none-available', 'down'])
/** Those about which nothing can be done in the console. */
const HAVE_NO_BUTTON = new Set<Trouble['kind']>(['nearly-full', 'certificate', 'fleet-away'])
/** From here on the servers are a table. */
const CARDS_MAX = 8
/** From this rate on the next server changes too fast to be read. */
const READABLE_REDIRECTS_PER_SECOND = 1

export class OverviewView {
  readonly #values = new Map<string, { value: Element, unit: Element, box: HTMLElement }>()
  readonly #cards: ServerCards
  readonly #table: ServersTable
  readonly #denyNetwork: (network: string) => void
  /** Those that are shown, by what each is about. */
  #notices = new Map<string, Notice>()
  #canAct = false
  #stats: Stats | undefined

  constructor (actions: ServerActions, denyNetwork: (network: string) => void) {
    this.#denyNetwork = denyNetwork
    this.#cards = new ServerCards(actions)
    this.#table = new ServersTable(actions, 'last-server')
    find('cards-table').append(this.#table.element)
  }

  allowActions (): void {
    this.#canAct = true
    for (const { button } of this.#notices.values()) if (button !== undefined) button.hidden = false
    this.#cards.allowActions()
    this.#table.allowActions()
  }

  show (stats: Stats, recent: LoadHistory, nowMs: number): void {
    this.#stats = stats
    const servers = serversOf(stats)
    setText(find('summary'), summaryText(stats, servers, nowMs))
    for (const total of totalsOf(stats, servers)) this.#showTotal(total)
    this.#showTroubles(troublesOf(stats).slice(0, NOTICES_MAX))
    const { total_users: totalUsers } = stats.fleet ?? stats
    const isNobodyHere = totalUsers === 0 && servers.every(({ load }) => load === 0)
    find('no-users').hidden = !isNobodyHere || servers.length === 0
    const hasCards = servers.length <= CARDS_MAX
    find('cards').hidden = !hasCards
    find('cards-table').hidden = hasCards
    const all = allServers(stats)
    if (hasCards) this.#cards.show(servers, all, recent, nowMs)
    else this.#table.show(servers, nowMs, { all })
  }

  /** The stream has stopped: what is shown is of that time. */
  showStale (): void {
    if (this.#stats === undefined) return
    setText(find('summary'), OVERVIEW.asOf(Date.parse(this.#stats.timestamp)))
  }

  #showTotal (total: Total): void {
    const { key, value, unit = '', className = '' } = total
    const shown = this.#values.get(key) ?? this.#addTotal(total)
    setText(shown.value, value)
    setText(shown.unit, unit)
    shown.box.className = className
  }

  #addTotal ({ key, label, className }: Total) {
    const value = make('span', '')
    const unit = make('small', '')
    const lines = className === 'lead'
      ? [make('dd', '', value), make('dd', 'sub', unit)]
      : [make('dd', '', ...(key === 'next' ? [make('i', 'dot'), ' '] : []), value, ' ', unit)]
    if (key === 'next') lines[0]!.classList.add('next')
    const shown = { value, unit, box: make('div', '', make('dt', '', label), ...lines) }
    this.#values.set(key, shown)
    find('totals').append(shown.box)
    return shown
  }

  /** A notice that stays is the same element, so that its button can be pressed. */
  #showTroubles (troubles: readonly Trouble[]): void {
    const shown = new Map<string, Notice>()
    for (const trouble of troubles) {
      const key = keyOf(trouble)
      const notice = this.#notices.get(key) ?? this.#makeNotice(trouble)
      showNotice(notice, trouble)
      shown.set(key, notice)
    }
    const isSame = [...shown.keys()].join() === [...this.#notices.keys()].join()
    this.#notices = shown
    if (isSame) return
    const notices = find('notices')
    notices.replaceChildren(...[...shown.values()].map(({ element }) => element))
    notices.hidden = troubles.length === 0
  }

  #makeNotice (trouble: Trouble): Notice {
    const isDown = GRAVE.has(trouble.kind) ||
      (trouble.kind === 'certificate' && trouble.problem !== 'expires_soon')
    const [fact, meaning] = [make('b', ''), make('p', '')]
    const button = this.#makeButton(trouble)
    const element = make('div', `notice ${isDown ? 'down' : 'drain'}`,
      makeIcon(isDown ? 'icon-alert' : 'icon-warning'),
      make('div', '', make('p', '', fact), meaning),
      ...(button === undefined ? [] : [button]))
    return { element, fact, meaning, button }
  }

  #makeButton (trouble: Trouble): HTMLElement | undefined {
    if (HAVE_NO_BUTTON.has(trouble.kind)) return undefined
    if (trouble.kind !== 'newcomers') return makeServersLink()
    const { network } = trouble
    const button = make('button', 'btn small', NOTICES.denyNetwork(network))
    button.type = 'button'
    button.hidden = !this.#canAct
    button.addEventListener('click', () => { this.#denyNetwork(network) })
    return button
  }
}

interface Notice {
  readonly element: HTMLElement
  readonly fact: Element
  readonly meaning: Element
  readonly button: HTMLElement | undefined
}

/** Balanced as exactly as the router places. */
const BALANCED_SPREAD_MAX = 1

/** How the servers are, and of which fleet they are a part. */
export function summaryText (stats: Stats, servers: readonly Server[], nowMs: number): string {
  const own = ownSummary(stats, servers, nowMs)
  const { fleet } = stats
  return fleet === undefined ? own : `${own}, ${OVERVIEW.inFleet(fleet.node, fleet.servers, fleet.total_users)}`
}

/** For how long all have been up, or how many of them take visitors. */
function ownSummary (
  stats: Stats, servers: readonly Server[], nowMs: number
): string {
  const { spread = Infinity } = stats.fleet ?? stats
  const ups = available(servers)
  const starts = ups.map(({ up_since: since }) => since === undefined ? NaN : Date.parse(since))
  const upForMs = nowMs - Math.max(...starts)
  if (ups.length < servers.length || !Number.isFinite(upForMs)) {
    return OVERVIEW.summary(ups.length, servers.length)
  }
  const isBalanced = spread <= BALANCED_SPREAD_MAX
  return [
    OVERVIEW.summaryUp(servers.length, upForMs), ...(isBalanced ? [OVERVIEW.balanced] : [])
  ].join(', ')
}

export function totalsOf (stats: Stats, servers: readonly Server[]): Total[] {
  const { redirects_per_second: redirects, wait_ms: wait, table, fleet } = stats
  const all = allServers(stats)
  const onTheirWay = all.reduce((total, { reserved }) => total + reserved, 0)
  const { spread: gap } = fleet ?? stats
  // In a fleet one has to know whose figure it is.
  const ofNode = (label: string): string =>
    fleet === undefined ? label : OVERVIEW.ofThisNode(label)
  const isFull = table.nearly_full
  return [
    {
      key: 'active',
      label: OVERVIEW.activeUsers,
      value: count((fleet ?? stats).total_users),
      unit: OVERVIEW.onTheirWay(onTheirWay, fleet === undefined ? undefined : stats.total_users),
      className: 'lead'
    },
    { key: 'next', label: OVERVIEW.next, ...nextText(stats), className: 'two' },
    {
      key: 'spread',
      label: fleet === undefined ? OVERVIEW.spread : OVERVIEW.spreadInFleet,
      className: 'two',
      ...(gap === undefined
        ? { value: '', unit: available(all).length === 1 ? OVERVIEW.oneTakes : NOT_MEASURED }
        : { value: count(gap), unit: OVERVIEW.spreadUnit(gap) })
    },
    {
      key: 'wait',
      label: ofNode(OVERVIEW.wait),
      className: 'two',
      ...(wait === undefined
        ? { value: NOT_MEASURED }
        : { value: `${figure(wait.p50)}, ${figure(wait.p99)}`, unit: OVERVIEW.ms })
    },
    { key: 'redirects', label: ofNode(OVERVIEW.redirects), ...perSecond(redirects) },
    { key: 'beats', label: ofNode(OVERVIEW.beats), ...perSecond(sum(servers, 'beats_per_second')) },
    {
      key: 'connections',
      label: ofNode(OVERVIEW.connections),
      value: counted(sum(servers, 'connections'))
    },
    {
      key: 'table',
      label: ofNode(OVERVIEW.table),
      value: count(table.used),
      unit: OVERVIEW.tableOf(table.size, isFull ? table.used / table.size : undefined),
      className: isFull ? 'two warn' : 'two'
    },
    { key: 'denied', label: OVERVIEW.denied, value: count(stats.denied_users) }
  ]
}

function nextText (
  { redirects_per_second: redirects = 0, fleet, ...own }: Stats
): { value: string, unit: string } {
  const { next, all_full: isAllFull } = fleet ?? own
  const among = fleet?.next?.among ?? 1
  if (next === null) {
    const why = isAllFull ? OVERVIEW.nowhereAsFull : OVERVIEW.nowhereWhy
    return { value: OVERVIEW.nowhere, unit: why }
  }
  const allInTurn = { value: OVERVIEW.allInTurn, unit: '' }
  if (redirects > READABLE_REDIRECTS_PER_SECOND) return allInTurn
  if (next.server === null) {
    return among > 1 ? { value: OVERVIEW.oneOf(among), unit: next.because } : allInTurn
  }
  return { value: next.server, unit: next.because }
}

function perSecond (value: number | undefined): { value: string, unit: string } {
  return { value: figure(value), unit: value === undefined ? '' : OVERVIEW.perSecond }
}

function keyOf (trouble: Trouble): string {
  const node = 'node' in trouble ? ` at ${trouble.node}` : ''
  if (trouble.kind === 'down') return `down ${trouble.name}`
  if (trouble.kind === 'certificate') return `certificate ${trouble.problem}${node}`
  if (trouble.kind === 'node-away') return `node-away ${trouble.node}`
  return trouble.kind === 'newcomers' ? `newcomers ${trouble.network}${node}` : trouble.kind + node
}

function showNotice ({ fact, meaning }: Notice, trouble: Trouble): void {
  const [factText, meaningText] = noticeTexts(trouble)
  const isOfNode = trouble.kind !== 'node-away' && 'node' in trouble && trouble.node !== undefined
  setText(fact, isOfNode ? NOTICES.atNode(trouble.node, factText) : factText)
  if (meaning.textContent !== meaningText) meaning.replaceChildren(...withNames(meaningText))
}

/** The name of a setting is shown as code. */
function withNames (text: string): Array<string | HTMLElement> {
  return text.split(/\b([A-Z]+_[A-Z]+)\b/)
    .map((part, at) => at % 2 === 1 ? make('code', '', part) : part)
}

function makeServersLink (): HTMLElement {
  const link = make('a', 'btn small', NOTICES.seeServers)
  link.href = '#servers'
  return link
}

function noticeTexts (trouble: Trouble): [fact: string, meaning: string] {
  switch (trouble.kind) {
    case 'no-servers': return [NOTICES.noServers, NOTICES.noServersMeans]
    case 'none-available': return [NOTICES.noneAvailable, NOTICES.noneAvailableMeans]
    case 'all-full': return [NOTICES.allFull, NOTICES.allFullMeans]
    case 'down': {
      const { name, sinceMs, restarts, reason } = trouble
      if (reason === undefined) return [NOTICES.down(name, sinceMs, restarts), NOTICES.downMeans]
      return [NOTICES.downElsewhere(name, sinceMs, reason), NOTICES.downElsewhereMeans]
    }
    case 'certificate': {
      const { problem, atMs, nowMs } = trouble
      return [NOTICES.certificate(problem, atMs, nowMs), NOTICES.certificateMeans]
    }
    case 'fleet-away':
      return [NOTICES.fleetAway(trouble.sinceMs, trouble.reason), NOTICES.fleetAwayMeans]
    case 'node-away': {
      const { node, sinceMs, others } = trouble
      return [NOTICES.nodeAway(node, sinceMs, others), NOTICES.nodeAwayMeans]
    }
    case 'nearly-full':
      return [NOTICES.nearlyFull(trouble.used, trouble.size), NOTICES.nearlyFullMeans]
    case 'newcomers': {
      const { network, requests, sinceMs, others, isRefused } = trouble
      return [
        NOTICES.newcomers(network),
        NOTICES.newcomersMean(requests, sinceMs, others, isRefused === true)
      ]
    }
  }
}
