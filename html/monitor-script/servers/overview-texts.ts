/** What the overview says: how the servers are in one line, and the totals. Knows no element. */
import type { Stats } from '@usher/shared/api/stats.ts'
import { allServers, available, sum, type Server } from '../kit/console-servers.ts'
import { count, counted, figure, NOT_MEASURED, OVERVIEW } from '../kit/texts.ts'

/** One of the totals: what it is, the figure, and what stands small beside it. */
export interface Total {
  readonly key: string
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly className?: string
}

/** Balanced as exactly as the router places. */
const BALANCED_SPREAD_MAX = 1
/** From this rate on the next server changes too fast to be read. */
const READABLE_REDIRECTS_PER_SECOND = 1

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
