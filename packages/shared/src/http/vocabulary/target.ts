/**
 * The request target, RFC 9112 section 3.2: origin-form as it stands, absolute-form taken apart,
 * everything else refused. Decodes nothing. Holds no state.
 */
import { parseAuthority } from './authority.ts'

export interface Target {
  /** Starts with `/`, or is `*` (asked with OPTIONS only). As received. */
  readonly pathAndQuery: string
  /** What an absolute-form target names; it wins over `Host` (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined
  /** True for an absolute-form target that wants HTTPS. */
  readonly isHttps: boolean
}

/**
 * Visible ASCII but `"`, `#`, `<` and `>`. That is wider than RFC 3986 by the characters that
 * browsers send as they are (`| [ ] ^ { }` and others): a visitor must not get 400 for those.
 */
const TARGET = /^[!\x24-\x3b=\x3f-\x7e]+$/
const ABSOLUTE = /^http(s?):\/\/([^/?]*)(.*)$/i

/** The parts of a target, or undefined when it is malformed or not for this method. */
export function parseTarget (method: string, target: string): Target | undefined {
  if (!TARGET.test(target)) return undefined
  // Two slashes at the start are still a path: an authority stands behind a scheme only.
  if (target.startsWith('/')) return plain(target)
  if (target === '*') return method === 'OPTIONS' ? plain(target) : undefined
  const [matched, s, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? []
  if (matched === undefined || parseAuthority(authority) === undefined) return undefined
  return { pathAndQuery: pathIn(rest, method), authority, isHttps: s !== '' }
}

/** What may stand for itself in a path or query, RFC 3986 sections 3.3 and 3.4, escapes too. */
const NOT_OF_A_URI = /%(?![\da-f]{2})|[^\w!$%&'()*+,\-./:;=?@~]/gi

/** Nothing of that, and no escape either, as most are. */
const PLAIN = /^[\w!$&'()*+,\-./:;=?@~]*$/

/**
 * A path and query as received, fit for a `Location`: browsers send some characters that no URI may
 * hold, and a lone `%`, as they are. Their escapes mean the same.
 */
export function toUri (pathAndQuery: string): string {
  if (PLAIN.test(pathAndQuery)) return pathAndQuery
  return pathAndQuery.replace(NOT_OF_A_URI, character =>
    `%${Buffer.from(character, 'latin1').toString('hex').toUpperCase()}`)
}

function plain (pathAndQuery: string): Target {
  return { pathAndQuery, authority: undefined, isHttps: false }
}

/** @param rest what stands behind the authority of an absolute target */
function pathIn (rest: string, method: string): string {
  // RFC 9112 section 3.2.4: this is how `OPTIONS *` reaches a server through a proxy.
  if (rest === '' && method === 'OPTIONS') return '*'
  return rest.startsWith('/') ? rest : `/${rest}`
}
