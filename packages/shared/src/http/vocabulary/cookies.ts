/**
 * The cookies of a request, RFC 6265 section 4.2, also as clients of RFC 2965 send them: in quotes,
 * between `$Version` and `$Path` (java.net.HttpCookie, Python's http.cookiejar). Pure.
 */
import type { RequestFields } from './values.ts'

/** Every value that a request carries under this name, in order; a browser may send several. */
export function cookieValues (
  fields: Pick<RequestFields, 'cookie'>, name: string
): readonly string[] {
  const values: string[] = []
  firstCookie(fields, name, value => {
    values.push(value)
    return undefined
  })
  return values
}

/** What `parse` makes of the first of these values of which it makes anything. */
export function firstCookie<T> (
  { cookie }: Pick<RequestFields, 'cookie'>, name: string, parse: (value: string) => T | undefined
): T | undefined {
  if (cookie === undefined) return undefined
  // Only pairs that have the name somewhere in them are looked at.
  for (let at = cookie.indexOf(name); at !== -1;) {
    const from = cookie.lastIndexOf(';', at) + 1
    const semicolon = cookie.indexOf(';', at)
    const to = semicolon === -1 ? cookie.length : semicolon
    const equals = cookie.indexOf('=', from)
    if (equals === -1) break
    if (equals < to && cookie.slice(from, equals).trim() === name) {
      const parsed = parse(unquoted(cookie.slice(equals + 1, to).trim()))
      if (parsed !== undefined) return parsed
    }
    at = cookie.indexOf(name, to)
  }
  return undefined
}

function unquoted (value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return isQuoted ? value.slice(1, -1) : value
}
