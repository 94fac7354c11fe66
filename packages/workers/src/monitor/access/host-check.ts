/**
 * Host check against DNS rebinding: an attacker may let a name of theirs point at this machine,
 * which would make their pages same-origin with the monitor. So the monitor answers only to names
 * that are its own. Pure.
 */
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import type { RequestSource } from '@usher/shared/http/vocabulary/forwarded.ts'
import { isOwnHost } from '@usher/shared/http/vocabulary/own-host.ts'
import { ApiError } from '../errors/api-error.ts'

/** Why the host that the client named is refused; undefined when it is the monitor's own. */
export function hostRefusal (
  { authority }: RequestSource, publicHosts: readonly string[], machineName?: string
): ApiError | undefined {
  if (authority === undefined) return undefined // HTTP/1.0, which no browser speaks.
  const host = parseAuthority(authority)?.host
  if (host !== undefined && isOwnHost(host, publicHosts, machineName)) return undefined
  return new ApiError('misdirected_request',
    'The monitor does not answer to this host name. Add it to PUBLIC_HOSTS if it is yours.')
}
