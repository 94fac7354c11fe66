/**
 * Where a proxy that asks for decisions finds the servers: on this machine by loopback, if they are
 * bound there; from others by the address that links have; external ones by their URL. Pure.
 */
import { isForAll, isLoopback } from '@usher/shared/settings/detect-ip.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'

type UpstreamSettings = Pick<Settings, 'host' | 'decisionHost' | 'ip' | 'servers' | 'tls'>

/** Scheme, host and port of each server, and an external one's base path; by its index. */
export function upstreamsOf (
  { host, decisionHost, ip, servers, tls }: UpstreamSettings
): readonly string[] {
  const own = isLoopback(decisionHost) ? '127.0.0.1' : ip
  const address = isForAll(host) ? own : host
  const urlHost = address.includes(':') ? `[${address}]` : address
  const scheme = tls === undefined ? 'http' : 'https'
  return servers.map(server => {
    if (server.kind === 'own') return `${scheme}://${urlHost}:${server.port}`
    // Nobody is sent to one that is gone.
    return server.kind === 'external' ? server.publicUrl : ''
  })
}
