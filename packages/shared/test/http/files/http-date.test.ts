import t from 'tap'
import { formatHttpDate, parseHttpDate } from '../../../src/http/files/http-date.ts'

const EXAMPLE_MS = Date.UTC(1994, 10, 6, 8, 49, 37)

t.test('http-date: reads the three forms', async t => {
  const cases: ReadonlyArray<[text: string, expectedMs: number]> = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE_MS],
    ['Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE_MS],
    ['Sun Nov  6 08:49:37 1994', EXAMPLE_MS],
    ['Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Thu, 29 Feb 2024 23:59:59 GMT', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Tue, 01 Jan 1901 00:00:00 GMT', Date.UTC(1901, 0, 1)]
  ]
  for (const [text, expectedMs] of cases) t.equal(parseHttpDate(text, 2026), expectedMs, text)
})

t.test('http-date: a two-digit year is at most 50 years ahead', async t => {
  const cases: ReadonlyArray<[twoDigits: string, expected: number]> = [
    ['26', 2026], ['76', 2076], ['77', 1977], ['99', 1999], ['00', 2000]
  ]
  for (const [twoDigits, expected] of cases) {
    const parsedMs = parseHttpDate(`Monday, 01-Jun-${twoDigits} 00:00:00 GMT`, 2026)
    t.equal(parsedMs, Date.UTC(expected, 5, 1), twoDigits)
  }
})

t.test('http-date: everything else is no date', async t => {
  const cases = [
    '', '0', '2020', '1994-11-06T08:49:37Z', 'Sun, 06 Nov 1994 08:49:37', 'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC', 'Sun, 06 Nov 1994 08:49:37 +0000', 'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 06 Nov 94 08:49:37 GMT', 'Sunday, 06-Nov-1994 08:49:37 GMT', 'Sun Nov 06 08:49:37 94',
    'Sun, 31 Feb 1994 08:49:37 GMT', 'Wed, 29 Feb 2023 00:00:00 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 32 Oct 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 24:00:00 GMT', 'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT', 'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    'Son, 06 Nov 1994 08:49:37 GMT', ' Sun, 06 Nov 1994 08:49:37 GMT'
  ]
  for (const text of cases) t.equal(parseHttpDate(text, 2026), undefined, text)
})

t.test('http-date: writes the first form', async t => {
  t.equal(formatHttpDate(EXAMPLE_MS), 'Sun, 06 Nov 1994 08:49:37 GMT')
})
