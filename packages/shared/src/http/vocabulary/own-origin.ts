/**
 * Whether a beat or a leave was caused by a page of ours, by what browsers say of it: Fetch
 * Metadata, `Origin`, `Referer`. The measure is the host name, as for cookies: a page of one server
 * may speak to another one, and only their ports differ. Pure.
 */
import { followServers } from '../../settings/server-list.ts'
import { presentServers } from '../../settings/servers.ts'
import type { Settings } from '../../settings/settings.ts'
import { parseAuthority } from './authority.ts'
import { jsonError, keptReply } from './replies.ts'
import type { RequestValue } from './values.ts'

export type OriginSettings = Pick<Settings, 'publicHosts' | 'servers' | 'routerUrl'>

export const FOREIGN_REPLY =
  keptReply(jsonError(403, 'foreign_origin', 'Only pages of this site may do this.'))

/**
 * Names that are ours whatever a request calls us: a proxy may put another name into `Host`. They
 * change with the list of servers.
 */
export function ownHosts (
  { publicHosts, servers, routerUrl }: OriginSettings
): ReadonlySet<string> {
  const names = publicHosts.map(host => host.includes(':') ? `[${host}]` : host)
  const own = new Set<string>()
  followServers(servers, () => {
    own.clear()
    for (const name of names) own.add(name)
    for (const url of [routerUrl, ...presentServers(servers).map(({ publicUrl }) => publicUrl)]) {
      const host = url ? parseAuthority(new URL(url).host)?.host : undefined
      if (host !== undefined) own.add(host)
    }
  })
  return own
}

type Head = Pick<RequestValue, 'headers' | 'authority' | 'isSecure'>

/** @param own as ownHosts gives them */
export function isForeign (request: Head, own: ReadonlySet<string>): boolean {
  const { origin, referer, 'sec-fetch-site': site } = request.headers
  if (site === 'cross-site') return true
  // `null` says nothing: a page with `Referrer-Policy: no-referrer` posts it to its own server, and
  // so does every page whose request another origin has sent on.
  const isSaid = origin !== undefined && origin !== 'null'
  if (isSaid && (origin.indexOf('/', SCHEME_LENGTH_MAX) !== -1 || !isOurs(origin, request, own))) {
    return true
  }
  if (site === 'same-origin') return false
  return referer === undefined ? origin === 'null' : !isOurs(referer, request, own)
}

const HTTP = 'http://'
const HTTPS = 'https://'
const SCHEME_LENGTH_MAX = HTTPS.length

/** @param url an origin, or a page's address */
function isOurs (
  url: string, { authority = '', isSecure }: Head, own: ReadonlySet<string>
): boolean {
  if (url.includes(' ')) return false // several lines of the field, joined
  const isHttps = url.startsWith(HTTPS)
  // What comes over http may be anybody's on the way: it has no say where https is spoken.
  if (!isHttps && (isSecure || !url.startsWith(HTTP))) return false
  const from = isHttps ? HTTPS.length : HTTP.length
  const slash = url.indexOf('/', from)
  const named = url.slice(from, slash === -1 ? undefined : slash)
  if (isHttps === isSecure && named === authority && named !== '') return true
  const host = parseAuthority(named)?.host
  if (host === undefined) return false
  return own.has(host) || (isHttps === isSecure && host === parseAuthority(authority)?.host)
}
