/**
 * A link on another site leads to the console without the session's cookie, which is
 * `SameSite=Strict`. The first answer is then a page of our own that goes on to the same address:
 * that request is same-site and has the cookie, if there is one. Once only, whatever a browser
 * sends. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import type { RequestSource } from '@usher/shared/http/vocabulary/forwarded.ts'

/**
 * Whether this is a navigation that another site has caused. Browsers send `Sec-Fetch-Site` over
 * HTTPS and to this machine only; elsewhere the Referer tells.
 */
export function isFromAnotherSite (
  { 'sec-fetch-site': site, referer }: IncomingHttpHeaders, { authority }: RequestSource
): boolean {
  if (site !== undefined) return site === 'cross-site'
  if (referer === undefined) return false
  const host = URL.canParse(referer) ? new URL(referer).hostname : undefined
  return host !== parseAuthority(authority ?? '')?.host
}

/**
 * Where the page goes on: the same page and query in another spelling, with an empty part more,
 * since a browser takes the very same address with a fragment for a place on the page that it has.
 * Undefined when the address is spelled so already.
 * @param path the route's own, so that nothing leads anywhere else
 * @param url path and query as they were asked for
 */
export function continuation (path: string, url: string): string | undefined {
  const at = url.indexOf('?')
  if (at === -1) return `${path}?`
  const query = url.slice(at + 1)
  return query === '' || query.endsWith('&') ? undefined : `${path}?${query}&`
}
