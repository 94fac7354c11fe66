/**
 * Where a visitor is sent: the public URL of a server or of the router, or its port under the name
 * that the visitor used, if that name is ours. Nothing else from a request ever reaches the
 * authority of a Location.
 */
import { remembering } from '../../remembering.ts'
import type { ExternalServer, OwnServer } from '../../settings/servers.ts'
import type { Settings } from '../../settings/settings.ts'
import { parseAuthority } from './authority.ts'
import { isOwnHost } from './own-host.ts'
import { toUri } from './target.ts'
import type { RequestValue } from './values.ts'

export type TargetSettings = Pick<Settings, 'ip' | 'publicHosts'>
type TargetRequest = Pick<RequestValue, 'authority' | 'isSecure' | 'path' | 'query'>

export interface TargetOptions {
  /** Told of the host that a request names and that is not ours. */
  readonly onUnknownHost?: (host: string) => void
  /** The system's if left out. */
  readonly machineName?: string
}

/** A server, or the router where pages of servers send visitors back to it. */
export type TargetServer =
  | Pick<OwnServer, 'publicUrl' | 'port'>
  | Pick<ExternalServer, 'publicUrl'> & { readonly port?: undefined }

/** Gives the value of `Location` for a request and the server that it is sent to. */
export type RedirectTarget = (
  request: TargetRequest, server: TargetServer
) => string

/** Visitors know us by a few names. */
const REMEMBERED_MAX = 256

export function redirectTarget (
  settings: TargetSettings, options: TargetOptions = {}
): RedirectTarget {
  const fallback = settings.ip.includes(':') ? `[${settings.ip}]` : settings.ip
  /** Undefined for a host that is not ours, which is told each time. */
  const ownHost = remembering(REMEMBERED_MAX, authority => {
    const named = parseAuthority(authority)?.host
    if (named === undefined) return undefined
    if (isOwnHost(named, settings.publicHosts, options.machineName)) return named
    options.onUnknownHost?.(named)
    return undefined
  })

  return ({ path, query, isSecure, authority }, server) => {
    const target = toUri(query === '' ? path : path + query)
    if (server.publicUrl !== undefined) return server.publicUrl + target
    const host = (authority === undefined ? undefined : ownHost(authority)) ?? fallback
    return `${isSecure ? 'https' : 'http'}://${host}:${server.port}${target}`
  }
}
