/** The overview: totals, what is wrong, a card for each server; how it stands in one line. */
import type { Stats } from '@usher/shared/api/stats.ts'
import { find, make, setText } from '../kit/dom.ts'
import type { LoadHistory } from '../charts/load-history.ts'
import { NoticesView } from './notices-view.ts'
import { summaryText, totalsOf, type Total } from './overview-texts.ts'
import { ServerCards } from './server-cards.ts'
import type { ServerActions } from './server-buttons.ts'
import { ServersTable } from './servers-table.ts'
import { allServers, serversOf, troublesOf } from '../kit/console-servers.ts'
import { OVERVIEW } from '../kit/texts.ts'

const NOTICES_MAX = 2
/** From here on the servers are a table. */
const CARDS_MAX = 8

export class OverviewView {
  readonly #values = new Map<string, { value: Element, unit: Element, box: HTMLElement }>()
  readonly #cards: ServerCards
  readonly #table: ServersTable
  readonly #notices: NoticesView
  #stats: Stats | undefined

  constructor (actions: ServerActions, denyNetwork: (network: string) => void) {
    this.#notices = new NoticesView(denyNetwork)
    this.#cards = new ServerCards(actions)
    this.#table = new ServersTable(actions, 'last-server')
    find('cards-table').append(this.#table.element)
  }

  allowActions (): void {
    this.#notices.allowActions()
    this.#cards.allowActions()
    this.#table.allowActions()
  }

  show (stats: Stats, recent: LoadHistory, nowMs: number): void {
    this.#stats = stats
    const servers = serversOf(stats)
    setText(find('summary'), summaryText(stats, servers, nowMs))
    for (const total of totalsOf(stats, servers)) this.#showTotal(total)
    this.#notices.show(troublesOf(stats).slice(0, NOTICES_MAX))
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
}
