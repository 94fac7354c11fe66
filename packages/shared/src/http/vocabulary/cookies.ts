/**
 * The cookies of a request, RFC 6265 section 4.2, also as clients of RFC 2965 send them: in quotes,
 * between `$Version` and `$Path` (java.net.HttpCookie, Python's http.cookiejar). Pure.
 */
import type { RequestFields } from './values.ts'

const TAB = 0x09
const SPACE = 0x20
const QUOTE = 0x22
const SEMICOLON = 0x3b

/** Every value that a request carries under this name, in order; a browser may send several. */
export function cookieValues (
  fields: Pick<RequestFields, 'cookie'>, name: string
): readonly string[] {
  const values: string[] = []
  firstCookie(fields, name, (cookie, from, to) => {
    values.push(cookie.slice(from, to))
    return undefined
  })
  return values
}

/**
 * What `parse` makes of the first of these values of which it makes anything.
 * @param parse is given the whole field, and where the value begins and ends
 */
export function firstCookie<T> (
  { cookie }: Pick<RequestFields, 'cookie'>, name: string,
  parse: (cookie: string, from: number, to: number) => T | undefined
): T | undefined {
  if (cookie === undefined) return undefined
  // Only pairs that have the name somewhere in them are looked at.
  for (let at = cookie.indexOf(name); at !== -1;) {
    const semicolon = cookie.indexOf(';', at)
    const to = semicolon === -1 ? cookie.length : semicolon
    const equals = cookie.indexOf('=', at)
    if (equals === -1) break
    if (equals < to && startsPair(cookie, at) && trimEnd(cookie, at, equals) - at === name.length) {
      const parsed = parseValue(cookie, equals + 1, to, parse)
      if (parsed !== undefined) return parsed
    }
    at = cookie.indexOf(name, to)
  }
  return undefined
}

function parseValue<T> (
  cookie: string, from: number, to: number,
  parse: (cookie: string, from: number, to: number) => T | undefined
): T | undefined {
  const end = trimEnd(cookie, from, to)
  let start = from
  while (start < end && isBlank(cookie.charCodeAt(start))) start++
  const isQuoted = end - start > 1 &&
    cookie.charCodeAt(start) === QUOTE && cookie.charCodeAt(end - 1) === QUOTE
  return isQuoted ? parse(cookie, start + 1, end - 1) : parse(cookie, start, end)
}

/** Whether only blanks stand between the last pair and this index. */
function startsPair (cookie: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(cookie.charCodeAt(before))) before--
  return before === -1 || cookie.charCodeAt(before) === SEMICOLON
}

function trimEnd (cookie: string, from: number, to: number): number {
  while (to > from && isBlank(cookie.charCodeAt(to - 1))) to--
  return to
}

function isBlank (code: number): boolean {
  return code === SPACE || code === TAB
}
