/** The overview's frame: totals, what is wrong, how many servers take visitors. */
import { find, make, makeIcon, setText } from './dom.ts'
import {
  available, nextServer, serversOf, spread, sum, troublesOf, type Server, type Stats, type Trouble
} from './stats.ts'
import { count, figure, NOT_MEASURED, NOTICES, OVERVIEW } from './texts.ts'

/** One of the totals: what it is, the figure, and what stands small beside it. */
interface Total {
  readonly key: string
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly className?: string
}

const NOTICES_MAX = 2
/** From here on the next server changes faster than anybody reads. */
const READABLE_REDIRECTS_PER_SECOND = 1

export class OverviewView {
  readonly #values = new Map<string, { value: Element, unit: Element }>()
  #shownTroubles = ''

  show (stats: Stats): void {
    const servers = serversOf(stats)
    setText(find('summary'), OVERVIEW.summary(available(servers).length, servers.length))
    for (const total of totalsOf(stats, servers)) this.#showTotal(total)
    this.#showTroubles(troublesOf(stats).slice(0, NOTICES_MAX))
    find('no-users').hidden = stats.total_users > 0 || servers.some(({ load }) => load > 0)
  }

  #showTotal ({ key, label, value, unit = '', className = '' }: Total): void {
    let shown = this.#values.get(key)
    if (shown === undefined) {
      shown = { value: make('span', ''), unit: make('small', '') }
      this.#values.set(key, shown)
      const isLead = className === 'lead'
      const lines = isLead
        ? [make('dd', '', shown.value), make('dd', 'sub', shown.unit)]
        : [make('dd', '', ...(key === 'next' ? [make('i', 'dot'), ' '] : []), shown.value, ' ', shown.unit)]
      if (key === 'next') lines[0]!.classList.add('next')
      find('totals').append(make('div', className, make('dt', '', label), ...lines))
    }
    setText(shown.value, value)
    setText(shown.unit, unit)
  }

  #showTroubles (troubles: readonly Trouble[]): void {
    const shown = JSON.stringify(troubles)
    if (shown === this.#shownTroubles) return
    this.#shownTroubles = shown
    const notices = find('notices')
    notices.replaceChildren(...troubles.map(makeNotice))
    notices.hidden = troubles.length === 0
  }
}

export function totalsOf (stats: Stats, servers: readonly Server[]): Total[] {
  const { redirects_per_second: redirects, wait_ms: wait, table } = stats
  const onTheirWay = servers.reduce((total, { reserved }) => total + reserved, 0)
  const gap = spread(servers)
  return [
    {
      key: 'active',
      label: OVERVIEW.activeUsers,
      value: count(stats.total_users),
      unit: OVERVIEW.onTheirWay(onTheirWay),
      className: 'lead'
    },
    { key: 'next', label: OVERVIEW.next, ...nextText(servers, redirects), className: 'two' },
    {
      key: 'spread',
      label: OVERVIEW.spread,
      className: 'two',
      ...(gap === undefined
        ? { value: NOT_MEASURED }
        : { value: count(gap), unit: OVERVIEW.spreadUnit(gap) })
    },
    {
      key: 'wait',
      label: OVERVIEW.wait,
      className: 'two',
      value: `${figure(wait?.p50)}, ${figure(wait?.p99)}`,
      unit: OVERVIEW.ms
    },
    { key: 'redirects', label: OVERVIEW.redirects, ...perSecond(redirects) },
    { key: 'beats', label: OVERVIEW.beats, ...perSecond(sum(servers, 'beats_per_second')) },
    {
      key: 'connections',
      label: OVERVIEW.connections,
      value: counted(sum(servers, 'connections'))
    },
    {
      key: 'table',
      label: OVERVIEW.table,
      value: counted(table?.used),
      unit: table === undefined ? '' : OVERVIEW.tableOf(table.size),
      className: 'two'
    },
    { key: 'denied', label: OVERVIEW.denied, value: count(stats.denied_users) }
  ]
}

function nextText (
  servers: readonly Server[], redirects: number | undefined
): { value: string, unit: string } {
  const next = nextServer(servers)
  if (next === undefined) return { value: OVERVIEW.nowhere, unit: OVERVIEW.nowhereWhy }
  if (available(servers).length === 1) return { value: next.port, unit: OVERVIEW.onlyOne }
  if ((redirects ?? 0) > READABLE_REDIRECTS_PER_SECOND) {
    return { value: OVERVIEW.allInTurn, unit: '' }
  }
  return { value: next.port, unit: OVERVIEW.fewestUsers }
}

function perSecond (value: number | undefined): { value: string, unit: string } {
  return { value: figure(value), unit: value === undefined ? '' : OVERVIEW.perSecond }
}

function counted (value: number | undefined): string {
  return value === undefined ? NOT_MEASURED : count(value)
}

function makeNotice (trouble: Trouble): HTMLElement {
  const [kind, fact, meaning] = noticeTexts(trouble)
  return make('div', `notice ${kind}`,
    makeIcon(kind === 'down' ? 'icon-alert' : 'icon-warning'),
    make('div', '', make('p', '', make('b', '', fact)), make('p', '', meaning)))
}

function noticeTexts (trouble: Trouble): ['down' | 'drain', string, string] {
  switch (trouble.kind) {
    case 'none-available': return ['down', NOTICES.noneAvailable, NOTICES.noneAvailableMeans]
    case 'down': return ['down', NOTICES.down(trouble.port), NOTICES.downMeans]
    case 'nearly-full':
      return ['drain', NOTICES.nearlyFull(trouble.used, trouble.size), NOTICES.nearlyFullMeans]
  }
}
