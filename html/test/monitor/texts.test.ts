/** Sentences and figures at their edges. */
import t from 'tap'
import { sentenceOf, type AuditEntry } from '../../monitor-script/audit-entry.ts'
import { matches } from '../../monitor-script/denied-view.ts'
import { viewOf } from '../../monitor-script/navigation.ts'
import { ago, day, duration, figure, percent } from '../../monitor-script/texts.ts'

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

t.test('texts: names the days that people name', async t => {
  const noon = (date: number): number => new Date(2026, 10, date, 12).getTime()
  t.strictSame([24, 23, 22].map(date => day(noon(date), noon(24))),
    ['Today, 24 November 2026', 'Yesterday, 23 November 2026', '22 November 2026'])
})

t.test('audit entry: says what was done, to whom, on which terms', async t => {
  const check = (entry: Partial<AuditEntry>, text: string): void => {
    const whole = { at: '', who: 'ada', action: 'login', address: '', ...entry }
    t.equal(sentenceOf(whole).map(part => part.text).join(' '), text)
  }
  check({ target: null }, 'logged in')
  check({ action: 'deny', target: '::1', detail: { minutes: 60, reason: 'Flood' } },
    'denied ::1 for 1 h (Flood)')
  check({ action: 'deny', target: '::1' }, 'denied ::1 until allowed')
  check({ action: 'disconnect', target: 'a', detail: { deny: false } }, 'disconnected a')
  check({ action: 'disconnect', target: 'a', detail: { deny: true, address: '::1' } },
    'disconnected and denied a and ::1 until allowed')
  check({ action: 'constructor', target: 'x' }, 'constructor x')
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
