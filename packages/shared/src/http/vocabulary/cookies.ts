/** The cookies of a request, RFC 6265 section 4.2. Pure. */
import type { IncomingHttpHeaders } from 'node:http'

/** Every value that a request carries under this name, in order; a browser may send several. */
export function cookieValues ({ cookie }: IncomingHttpHeaders, name: string): readonly string[] {
  if (cookie === undefined || !cookie.includes(name)) return []
  const values: string[] = []
  for (const pair of cookie.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    values.push(pair.slice(equals + 1).trim())
  }
  return values
}
