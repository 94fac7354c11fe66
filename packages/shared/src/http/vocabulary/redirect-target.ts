/**
 * Where a visitor is sent: the public URL of a server or of the router, or its port under the name
 * that the visitor used, if that name is ours. Nothing else from a request ever reaches the
 * authority of a Location.
 */
import { parseAuthority } from './authority.ts'
import { isOwnHost } from './own-host.ts'
import { toUri } from './target.ts'
import type { RequestValue } from './values.ts'
import type { Server } from '../../settings/servers.ts'
import type { Settings } from '../../settings/settings.ts'

export type TargetSettings = Pick<Settings, 'ip' | 'publicHosts'>
type TargetRequest = Pick<RequestValue, 'authority' | 'isSecure' | 'path' | 'query'>

export interface TargetOptions {
  /** Told of the host that a request names and that is not ours. */
  readonly onUnknownHost?: (host: string) => void
  /** The system's if left out. */
  readonly machineName?: string
}

/** Gives the value of `Location` for a request and the server that it is sent to. */
export type RedirectTarget = (
  request: TargetRequest, server: Pick<Server, 'publicUrl' | 'port'>
) => string

/** Visitors know us by a few names; a client that makes up ever new ones cannot fill memory. */
const KNOWN_AUTHORITIES_MAX = 256

export function redirectTarget (
  settings: TargetSettings, options: TargetOptions = {}
): RedirectTarget {
  /** By authority as requests name it; only those whose host is ours. */
  const ownHosts = new Map<string, string>()
  const fallback = settings.ip.includes(':') ? `[${settings.ip}]` : settings.ip

  function safeHost (authority: string | undefined): string {
    if (authority === undefined) return fallback
    const known = ownHosts.get(authority)
    if (known !== undefined) return known
    const named = parseAuthority(authority)?.host
    if (named === undefined) return fallback
    if (!isOwnHost(named, settings.publicHosts, options.machineName)) {
      options.onUnknownHost?.(named)
      return fallback
    }
    if (ownHosts.size >= KNOWN_AUTHORITIES_MAX) ownHosts.clear()
    ownHosts.set(authority, named)
    return named
  }

  return ({ path, query, isSecure, authority }, { publicUrl, port }) => {
    const target = toUri(query === '' ? path : path + query)
    if (publicUrl !== undefined) return publicUrl + target
    return `${isSecure ? 'https' : 'http'}://${safeHost(authority)}:${port}${target}`
  }
}
