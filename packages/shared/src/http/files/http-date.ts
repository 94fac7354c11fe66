/**
 * Dates as HTTP writes them, RFC 9110 section 5.6.7: all three forms are read, the first is
 * written. Whole seconds. Pure. Date.parse is no help in reading: it takes `2020` for a date.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'
const MONTH = `(?<month>${MONTHS.join('|')})`
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'

const FORMS = [
  /** Sun, 06 Nov 1994 08:49:37 GMT */
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  /** Sunday, 06-Nov-94 08:49:37 GMT */
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  /** Sun Nov  6 08:49:37 1994 */
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`)
]

/** A two-digit year that seems to be further ahead than this lies in the past. */
const YEARS_AHEAD_MAX = 50

/** Milliseconds since 1970 of an instant, as `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate (instantMs: number): string {
  return new Date(instantMs).toUTCString()
}

/**
 * Milliseconds since 1970, whole seconds; undefined for what is no HTTP date, or no date at all (30
 * February). `thisYear` is what two-digit years are read against.
 */
export function parseHttpDate (text: string, thisYear: number): number | undefined {
  for (const form of FORMS) {
    const fields = form.exec(text)?.groups
    if (fields !== undefined) return instantOf(fields, thisYear)
  }
  return undefined
}

function instantOf (
  fields: Readonly<Record<string, string>>, thisYear: number
): number | undefined {
  const [year, day, hour, minute, second] =
    ['year', 'day', 'hour', 'minute', 'second'].map(name => Number(fields[name])) as
      [number, number, number, number, number]
  const month = MONTHS.indexOf(fields['month']!)
  // A minute may have a leap second: 60, read as the next minute's 0.
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const fullYear = fields['year']!.length === 2 ? expandYear(year, thisYear) : year
  const date = new Date(0)
  date.setUTCFullYear(fullYear, month, day)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  return date.setUTCHours(hour, minute, second)
}

function expandYear (twoDigits: number, thisYear: number): number {
  const sameCentury = thisYear - thisYear % 100 + twoDigits
  return sameCentury > thisYear + YEARS_AHEAD_MAX ? sameCentury - 100 : sameCentury
}
