/**
 * What the user table costs as it grows from a thousand users to four million: processor time of
 * each operation, and bytes a user; then a choice among few and many servers (table/choice.ts).
 */
import type { Choose } from '@usher/shared/balancing/policies.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  lockShard, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, shardAt, viewTable, type TableMemory
} from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { BenchPart, GoalRow, PlotSeries, ReportPlot, ReportTable } from './report/report.ts'
import { benchCapacity } from './table/capacity-cost.ts'
import { benchChoice } from './table/choice.ts'
import { Costs } from './table/costs.ts'
import {
  chooserOf, confirmFor, filledTable, reserveFor, SAMPLE, sampled, touchUser
} from './table/users.ts'

const SIZES = [1000, 10_000, 100_000, 1_000_000, 4_000_000] as const
const MILLION = 1_000_000
const SERVERS = 3
const SILENT_MS = 3_600_000
const PAGE_USERS = 100
/** Read in one measurement. */
const PAGES = 50
const BYTES_MAX = 64
/** Below it, what the process takes besides the table is more than the table. */
const RESIDENT_MIN = 100_000

/** Of each size: nanoseconds of an operation, milliseconds of a walk, bytes a user. */
interface Figures {
  readonly users: number
  readonly touchNs: number
  readonly reserveNs: number
  readonly confirmNs: number
  readonly pageUs: number
  readonly sweepMs: number
  readonly searchMs: number
  readonly repairMs: number
  readonly sharedBytes: number
  readonly residentBytes: number
}

export const benchTable: BenchPart = async options => {
  const { rounds } = options
  const figures = SIZES.map(users => measureSize(users, rounds))
  const choice = await benchChoice(options)
  const capacity = await benchCapacity(options)
  return {
    tables: [growthTable(figures, rounds), ...choice.tables, ...capacity.tables],
    plots: plotsOf(figures),
    goals: [bytesGoal(figures.find(({ users }) => users === MILLION)!), ...choice.goals]
  }
}

function measureSize (users: number, rounds: number): Figures {
  const before = process.memoryUsage().rss
  const { memory, table } = filledTable(users, SERVERS)
  const residentBytes = (process.memoryUsage().rss - before) / users

  const costs = new Costs()
  const chosen = new Uint8Array(users)
  const choose = chooserOf(SERVERS)
  for (let round = 0; round <= rounds; round++) {
    measureUsers(costs, table, { users, chosen, choose })
    costs.add('page', PAGES, index => { readPage(table, sampled(index, users)) })
    costs.add('sweep', 1, () => { sweep(table) })
    costs.add('search', 1, () => { search(table) })
    costs.add('repair', 1, () => { repair(memory, table) })
  }
  return {
    users,
    touchNs: costs.of('touch'),
    reserveNs: costs.of('reserve'),
    confirmNs: costs.of('confirm'),
    pageUs: costs.of('page') / 1e3,
    sweepMs: costs.of('sweep') / 1e6,
    searchMs: costs.of('search') / 1e6,
    repairMs: costs.of('repair') / 1e6,
    sharedBytes: memory.buffer.byteLength / users,
    residentBytes
  }
}

interface Crowd {
  readonly users: number
  /** Where a place was reserved, by user. */
  readonly chosen: Uint8Array
  readonly choose: Choose
}

function measureUsers (costs: Costs, table: UserTable, { users, chosen, choose }: Crowd): void {
  const touch = (index: number): void => { touchUser(table, sampled(index, users), SERVERS) }
  costs.add('arrival', SAMPLE, touch) // Ends the reservations of the round before.
  costs.add('touch', SAMPLE, touch)
  costs.add('reserve', SAMPLE, index => {
    const user = sampled(index, users)
    chosen[user] = reserveFor(table, user, choose)
  })
  costs.add('confirm', SAMPLE, index => {
    const user = sampled(index, users)
    confirmFor(table, user, chosen[user]!)
  })
}

function readPage (table: UserTable, cursor: number): void {
  if (table.readUsers(cursor, PAGE_USERS) === 'busy') throw new Error('the table is busy')
}

/** A sweep, and a look for those whose own time is over; nobody is due. */
function sweep (table: UserTable): void {
  for (let shard = 0; shard < table.shardCount; shard++) {
    table.sweepShard(shard, SILENT_MS)
    table.endDue(shard)
  }
}

/** Of all users, the newest of those whose id begins so. */
function search (table: UserTable): void {
  const found = table.search({
    server: undefined, prefix: 'ab', sort: 'last_seen', cursor: undefined, limit: PAGE_USERS
  })
  while (!found.step());
  found.result()
}

/** All that the main thread does when a thread has died with a shard's lock. */
function repair (memory: TableMemory, table: UserTable): void {
  const threadTag = MAIN_THREAD_TAG + 1
  const dead = viewTable(memory, {
    threadTag, patience: MAIN_THREAD_PATIENCE, now: monotonicNowMs
  })
  lockShard(dead, shardAt(dead.layout, 0))
  if (table.recover(threadTag) !== 1) throw new Error('nothing was repaired')
}

function bytesGoal ({ sharedBytes, residentBytes }: Figures): GoalRow {
  return {
    case: 'bytes a user at a million',
    floor: `${BYTES_MAX}`,
    goal: `${BYTES_MAX}`,
    measured: `${sharedBytes.toFixed(1)} shared, ${residentBytes.toFixed(1)} resident`,
    verdict: Math.max(sharedBytes, residentBytes) <= BYTES_MAX ? 'goal' : 'missed'
  }
}

function growthTable (figures: readonly Figures[], rounds: number): ReportTable {
  const row = (name: string, digits: number, value: (size: Figures) => number): string[] => (
    [name, ...figures.map(size => value(size).toFixed(digits))]
  )
  const resident = figures.map(({ users, residentBytes }) => (
    users < RESIDENT_MIN ? '-' : residentBytes.toFixed(1)
  ))
  return {
    id: 'table-growth',
    title: 'The user table, from a thousand users to four million',
    columns: ['CPU time', ...SIZES.map(users => users.toLocaleString('en'))],
    rows: [
      row('touch, ns', 0, size => size.touchNs),
      row('reserve, ns', 0, size => size.reserveNs),
      row('confirm, ns', 0, size => size.confirmNs),
      row(`a page of ${PAGE_USERS} users, us`, 0, size => size.pageUs),
      row('a sweep of all, ms', 2, size => size.sweepMs),
      row('a search of all, ms', 1, size => size.searchMs),
      row('a repair after a death, ms', 2, size => size.repairMs),
      row('shared memory, bytes a user', 1, size => size.sharedBytes),
      ['resident, bytes a user', ...resident]
    ],
    notes: [
      `Medians of ${rounds} rounds in a full table, of ${SAMPLE.toLocaleString('en')} operations ` +
      'each. A larger table lies in slower caches.'
    ],
    command: 'npm run bench -- table'
  }
}

function plotsOf (figures: readonly Figures[]): ReportPlot[] {
  const series = (name: string, value: (size: Figures) => number): PlotSeries => (
    { name, points: figures.map(size => [size.users, value(size)] as const) }
  )
  const axes = { xLabel: 'users', isLogX: true, isLogY: true }
  return [
    {
      ...axes,
      id: 'table-operations',
      title: 'Operations on the user table as it grows',
      yLabel: 'CPU ns',
      series: [
        series('touch', size => size.touchNs),
        series('reserve', size => size.reserveNs),
        series('confirm', size => size.confirmNs)
      ]
    },
    {
      ...axes,
      id: 'table-walks',
      title: 'Walks through the user table as it grows',
      yLabel: 'CPU ms',
      series: [
        series('sweep of all', size => size.sweepMs),
        series('search of all', size => size.searchMs),
        series('repair after a death', size => size.repairMs)
      ]
    }
  ]
}
