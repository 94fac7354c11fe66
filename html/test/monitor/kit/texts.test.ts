/** Sentences and figures at their edges. */
import t from 'tap'
import { matches } from '../../../monitor-script/records/denied-view.ts'
import { viewOf } from '../../../monitor-script/navigation.ts'
import {
  ago, AUDIT, CHARTS, clock, day, duration, figure, moment, percent, setTimesUtc
} from '../../../monitor-script/kit/texts.ts'

t.test('texts: durations in their two largest units', async t => {
  const check = (seconds: number, text: string): void => { t.equal(duration(seconds * 1000), text) }
  check(-1, '0 s')
  check(59.9, '59 s')
  check(60, '1 min')
  check(3599, '59 min')
  check(3600, '1 h')
  check(3660, '1 h 1 min')
  check(86_399, '23 h 59 min')
  check(86_400, '1 d')
  check(5 * 86_400 + 7200, '5 d 2 h')
})

t.test('texts: figures, and a dash for none', async t => {
  t.strictSame([undefined, 0, 0.44, 99.94, 100.4, 12_345].map(figure),
    ['–', '0', '0.4', '99.9', '100', '12,345'])
  t.strictSame([0, 1 / 3, 1].map(percent), ['0 %', '33.3 %', '100 %'])
})

t.test('texts: what has just been is now', async t => {
  t.strictSame([1000, 2000, 61_000].map(ms => ago(0, ms)), ['now', '2 s ago', '1 min ago'])
})

t.test('texts: names the days that people name, and the year where it is another', async t => {
  const noon = (month: number, date: number): number => new Date(2026, month, date, 12).getTime()
  const now = noon(10, 24)
  const days = [now, noon(10, 23), noon(10, 22), new Date(2025, 11, 31, 12).getTime()]
  t.strictSame(days.map(at => day(at, now)),
    ['Today, 24 November', 'Yesterday, 23 November', '22 November', '31 December 2025'])
  t.strictSame(days.map(at => moment(at, now)),
    ['Today 12:00', 'Yesterday 12:00', '22 Nov 12:00', '31 Dec 2025 12:00'])
  t.equal(day(new Date(2026, 10, 23, 0, 0).getTime(), new Date(2026, 10, 24, 23, 59).getTime()),
    'Yesterday, 23 November')
})

t.test('texts: days and clock times are UTC once that is chosen', async t => {
  t.teardown(() => { setTimesUtc(false) })
  setTimesUtc(true)
  const [late, early] = ['2026-11-23T23:59:58Z', '2026-11-24T00:00:01Z'].map(Date.parse) as [number, number]
  t.strictSame([late, early].map(clock), ['23:59:58', '00:00:01'])
  t.equal(day(late, early), 'Yesterday, 23 November')
  t.equal(moment(late, early), 'Yesterday 23:59')
  t.equal(moment(Date.parse('2025-12-31T23:00:00Z'), Date.parse('2026-01-02T00:00:00Z')),
    '31 Dec 2025 23:00')
})

t.test('audit: the command holds any name as one word of a shell', async t => {
  t.equal(AUDIT.command('desk', 1), "npm run account -- permission 'desk' 1")
  t.equal(AUDIT.command("o'hara; rm", 7), "npm run account -- permission 'o'\\''hara; rm' 7")
})

t.test('denied: is found by any part of what is shown', async t => {
  const denied = { address: '203.0.113.0/24', reason: 'Scraper', by: 'Ada', since: '', until: null }
  for (const search of ['', '113.0/', 'SCRAP', 'ada']) t.ok(matches(denied, search), search)
  t.notOk(matches(denied, 'grace'))
})

t.test('navigation: an address that names no view shows the overview', async t => {
  t.strictSame(['#users', '#users?q=a', '#', '', '#main', '#constructor'].map(viewOf),
    ['users', 'users', 'overview', 'overview', 'overview', 'overview'])
})

t.test('texts: the spread of a chart is by weight, among those that take visitors', async t => {
  const check = (servers: Parameters<typeof CHARTS.lines.wholeOf>[0], expected: string): void => {
    t.equal(CHARTS.lines.wholeOf(servers), expected)
  }
  const state = 'up'
  check([{ load: 9, weight: 1, state }, { load: 4, weight: 1, state }], '5')
  check([{ load: 9, weight: 1, state }, { load: 18, weight: 2, state }], '0')
  check([{ load: 9, weight: 1, state }, { load: 17, weight: 2, state }], '0')
  check([{ load: 9, weight: 1, state }, { load: 14, weight: 2, state }], '2')
  check([{ load: 9, weight: 1, state }, { load: 1, weight: 1, state: 'draining' }], '–')
  check([{ load: 9, weight: 1, state }, { load: null, weight: 1, state }], '–')
})
