import t from 'tap'
import { tableRows } from '../../../monitor-script/charts/chart-table.ts'
import { LoadHistory } from '../../../monitor-script/charts/load-history.ts'
import { clock } from '../../../monitor-script/kit/texts.ts'

const START_MS = Date.parse('2026-11-23T14:00:00Z')

function historyOf (
  first: ReadonlyArray<number | null>, second: ReadonlyArray<number | null>, isRemoved = false
) {
  const history = new LoadHistory(60)
  history.load({
    from: new Date(START_MS).toISOString(),
    step_seconds: 5,
    servers: {
      8000: { index: 0, removed: false, active_users: first, reserved: first.map(() => 0) },
      8001: { index: 1, removed: isRemoved, active_users: second, reserved: second.map(() => 0) }
    },
    events: []
  })
  return history
}

const at = (step: number): string => clock(START_MS + step * 5000)

t.test('chart table: every point when there are few; says what is not there, and why', async t => {
  t.same(tableRows(historyOf([null, 1, null, 1200], [null, 4, null, null])), [
    [at(1), '1', '4'], [at(2), 'no data', 'no data'], [at(3), '1,200', 'down']
  ])
  t.same(tableRows(historyOf([null], [null])), [])
})

t.test('chart table: before a server was added, and after it was removed, it was not down', async t => {
  const first = [1, 2, 3, 4, 5]
  const second = [null, 7, null, 8, null]
  t.same(tableRows(historyOf(first, second)).map(([, , load]) => load), ['–', '7', 'down', '8', 'down'])
  t.same(tableRows(historyOf(first, second, true)).map(([, , load]) => load), ['–', '7', 'down', '8', '–'])
})

t.test('chart table: of many points a few, the newest among them', async t => {
  const loads = Array.from({ length: 200 }, (_, step) => step)
  const rows = tableRows(historyOf(loads, loads))
  t.ok(rows.length <= 13 && rows.length >= 10, `${rows.length} rows`)
  t.same(rows.at(-1), [at(199), '199', '199'])
  const gap = [...loads.slice(0, 100), null, null, ...loads.slice(102)]
  t.same(tableRows(historyOf(gap, gap)).filter(([, load]) => load === 'no data').length, 1,
    'a gap is never left out')
})
