/**
 * The kinds of values that settings say of servers: names, weights, where external ones are and how
 * their health is checked, and of other programs' pages. Starts nothing.
 */
import { WEIGHT_MAX } from './server-bounds.ts'
import { baseUrl, numeric, plain, refused, type Kind } from './kinds.ts'

/** What a fleet or one of its nodes may be called. */
export const FLEET_WORD = /^[a-z0-9][a-z0-9._-]{0,62}$/
export const SERVER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/
/** Metrics and logs call the other two HTTP servers so. */
const OTHER_NAMES = ['router', 'monitor']
/** RFC 3986 section 3.3 and 3.4, without the comma. */
const URL_PATH = /^\/[\w.~:!$&'()*+;=%@/?-]*$/

/** What a server is called in paths, labels and logs. */
export function serverName (): Kind<string> {
  const allowed = 'a name of 1 to 63 characters: small letters, digits, dots, underscores and ' +
    'hyphens, the first a letter or a digit; not router or monitor'
  return plain(allowed, text =>
    SERVER_NAME.test(text) && !OTHER_NAMES.includes(text) ? { value: text } : refused())
}

/** A server that runs elsewhere: what it is called, and where visitors find it. */
export interface NamedUrl {
  readonly name: string
  readonly url: string
}

/** Written as `name=url`. */
export function externalServer (): Kind<NamedUrl> {
  const [names, urls] = [serverName(), baseUrl()]
  return {
    allowed: `name=url, of ${names.allowed}; and ${urls.allowed}`,
    parse (text) {
      const equals = text.indexOf('=')
      if (equals === -1) return refused('it has no =')
      const [name, url] = [names.parse(text.slice(0, equals)), urls.parse(text.slice(equals + 1))]
      if (name.refusal !== undefined) return refused('its name is wrong')
      if (url.refusal !== undefined) return refused('its URL is wrong')
      return { value: { name: name.value, url: url.value } }
    },
    format: ({ name, url }) => `${name}=${url}`
  }
}

/** A server of weight 2 is to have twice the users of one of weight 1. */
export function weight (): Kind<number> {
  return numeric(/^\d+$/, 1, WEIGHT_MAX, `a whole number, 1 to ${WEIGHT_MAX}`)
}

/** The path of a URL, with a query if need be. */
export function urlPath (): Kind<string> {
  return plain('a path that begins with a slash, without a comma or a fragment', text =>
    URL_PATH.test(text) ? { value: text } : refused())
}

/** Of HTTP; both ends belong to it. */
export interface StatusRange {
  readonly min: number
  readonly max: number
}

/** One status, or two with a hyphen. */
export function statusRange (): Kind<StatusRange> {
  return {
    allowed: 'a status such as 200, or two with a hyphen such as 200-399',
    parse (text) {
      const [, min, max = min] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? []
      if (min === undefined || Number(max) < Number(min)) return refused()
      return { value: { min: Number(min), max: Number(max) } }
    },
    format: ({ min, max }) => min === max ? String(min) : `${min}-${max}`
  }
}

/** Scheme, host and port, as browsers send them in `Origin`. */
export function origin (): Kind<string> {
  return plain('an origin such as https://www.example.org or http://example.org:8080', text => {
    if (text.includes('*')) return refused('name each site whose pages may beat')
    if (!/^https?:\/\//i.test(text)) {
      const meant = `https://${text}`
      const guess = text.includes('://') || !URL.canParse(meant)
        ? ''
        : `; did you mean ${new URL(meant).origin}`
      return refused(`it does not begin with http:// or https://${guess}`)
    }
    if (baseUrl().parse(text).refusal !== undefined) return refused()
    const { origin, pathname } = new URL(text)
    return pathname === '/' ? { value: origin } : refused(`it has a path; did you mean ${origin}`)
  })
}
