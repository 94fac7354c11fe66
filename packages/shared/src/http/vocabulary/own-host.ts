/**
 * Which host names are ours: any IP address, `localhost`, this machine's name, and what
 * PUBLIC_HOSTS lists. Redirects name only these, and the monitor answers to no other. Pure.
 */
import { hostname } from 'node:os'
import { parseAddress } from '../../client.ts'

/** @param host lower-case, as parseAuthority gives it: IPv6 in brackets */
export function isOwnHost (
  host: string, publicHosts: readonly string[], machineName = hostname()
): boolean {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  if (bare === 'localhost' || bare === machineName.toLowerCase()) return true
  return publicHosts.includes(bare) || parseAddress(bare) !== undefined
}
