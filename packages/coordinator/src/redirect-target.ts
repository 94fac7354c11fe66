/**
 * Where a visitor is sent: the public URL of a server, or its port under the name that the visitor
 * used, if that name is ours. Nothing else from a request ever reaches the authority of a Location.
 */
import { hostname } from 'node:os'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import { isOwnHost } from '@usher/shared/http/vocabulary/own-host.ts'
import type { RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import type { Server } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'

export type TargetSettings = Pick<Settings, 'ip' | 'publicHosts'>
type TargetRequest = Pick<RequestValue, 'authority' | 'isSecure' | 'path' | 'query'>

/** The value of `Location` for this server. */
export function redirectTarget (
  request: TargetRequest, { publicUrl, port }: Pick<Server, 'publicUrl' | 'port'>,
  settings: TargetSettings, machineName = hostname()
): string {
  const { path, query } = request
  if (publicUrl !== undefined) return publicUrl + path + query
  const scheme = request.isSecure ? 'https' : 'http'
  const host = safeHost(request.authority, settings, machineName)
  return `${scheme}://${host}:${port}${path}${query}`
}

function safeHost (
  authority: string | undefined, { ip, publicHosts }: TargetSettings, machineName: string
): string {
  const named = authority === undefined ? undefined : parseAuthority(authority)?.host
  if (named !== undefined && isOwnHost(named, publicHosts, machineName)) return named
  return ip.includes(':') ? `[${ip}]` : ip
}
