/**
 * Where a visitor is sent: the public URL of a server, or its port under the name that the visitor
 * used, if that name is ours. Nothing else from a request ever reaches the authority of a Location.
 */
import { hostname } from 'node:os'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import { isOwnHost } from '@usher/shared/http/vocabulary/own-host.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import type { RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { Server } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'

export type TargetSettings = Pick<Settings, 'ip' | 'publicHosts'>
type TargetRequest = Pick<RequestValue, 'authority' | 'isSecure' | 'path' | 'query'>

export interface TargetOptions {
  /** Told of the host that a request names and that is not ours. */
  readonly onUnknownHost?: (host: string) => void
  /** The system's if left out. */
  readonly machineName?: string
}

/** The value of `Location` for this server. */
export function redirectTarget (
  request: TargetRequest, { publicUrl, port }: Pick<Server, 'publicUrl' | 'port'>,
  settings: TargetSettings, options: TargetOptions = {}
): string {
  const target = toUri(request.path + request.query)
  if (publicUrl !== undefined) return publicUrl + target
  const scheme = request.isSecure ? 'https' : 'http'
  const host = safeHost(request.authority, settings, options)
  return `${scheme}://${host}:${port}${target}`
}

function safeHost (
  authority: string | undefined, { ip, publicHosts }: TargetSettings,
  { onUnknownHost, machineName = hostname() }: TargetOptions
): string {
  const named = authority === undefined ? undefined : parseAuthority(authority)?.host
  if (named !== undefined) {
    if (isOwnHost(named, publicHosts, machineName)) return named
    onUnknownHost?.(named)
  }
  return ip.includes(':') ? `[${ip}]` : ip
}
