/**
 * The cookies of a request, RFC 6265 section 4.2, also as clients of RFC 2965 send them: in quotes,
 * between `$Version` and `$Path` (java.net.HttpCookie, Python's http.cookiejar). Pure.
 */
import type { RequestFields } from './values.ts'

/** Every value that a request carries under this name, in order; a browser may send several. */
export function cookieValues (
  { cookie }: Pick<RequestFields, 'cookie'>, name: string
): readonly string[] {
  if (cookie === undefined || !cookie.includes(name)) return []
  const values: string[] = []
  let from = 0
  while (from < cookie.length) {
    const semicolon = cookie.indexOf(';', from)
    const to = semicolon === -1 ? cookie.length : semicolon
    const equals = cookie.indexOf('=', from)
    if (equals === -1) break
    if (equals < to && cookie.slice(from, equals).trim() === name) {
      values.push(unquoted(cookie.slice(equals + 1, to).trim()))
    }
    from = to + 1
  }
  return values
}

function unquoted (value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return isQuoted ? value.slice(1, -1) : value
}
