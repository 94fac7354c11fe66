/**
 * Whether the cookie that the router gives a visitor is sent to a server, too: browsers send it to
 * the same host name, whatever the port, and to those that COOKIE_DOMAIN covers. Pure.
 */
import { remembering } from '../../remembering.ts'
import type { Settings } from '../../settings/settings.ts'
import { parseAuthority } from './authority.ts'
import { isWithinDomain } from './identity.ts'
import type { TargetServer } from './redirect-target.ts'
import type { RequestValue } from './values.ts'

type ReachSettings = Pick<Settings, 'cookieDomain'>

/** Whether it is, for the visitor of a request to the router and a server. */
type CookieReach = (
  request: Pick<RequestValue, 'authority' | 'isSecure'>,
  server: Pick<TargetServer, 'publicUrl'>
) => boolean

/** Visitors know us by a few names; and there are no more servers. */
const REMEMBERED_MAX = 256

interface Host {
  readonly name: string
  /** COOKIE_DOMAIN covers it. */
  readonly isCovered: boolean
}

export function cookieReach ({ cookieDomain }: ReachSettings): CookieReach {
  const hostOf = remembering(REMEMBERED_MAX, (authority): Host | undefined => {
    const name = parseAuthority(authority)?.host
    return name === undefined
      ? undefined
      : { name, isCovered: cookieDomain !== '' && isWithinDomain(cookieDomain, name) }
  })
  const placeOf = remembering(REMEMBERED_MAX, publicUrl => {
    const { host, protocol } = new URL(publicUrl)
    return { host: hostOf(host)!, isSecure: protocol === 'https:' }
  })

  return ({ authority, isSecure }, { publicUrl }) => {
    // Known by the name that the visitor uses. A made-up one is to cost no signature.
    if (publicUrl === undefined) return true
    const router = authority === undefined ? undefined : hostOf(authority)
    if (router === undefined) return true // Of no browser: these name the host.
    const place = placeOf(publicUrl)
    if (place.isSecure !== isSecure) return false
    return place.host.name === router.name || (place.host.isCovered && router.isCovered)
  }
}
