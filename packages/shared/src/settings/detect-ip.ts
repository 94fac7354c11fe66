/** Finds the address under which other machines reach this one. Pure; the caller looks it up. */
import type { NetworkInterfaceInfo } from 'node:os'

/** As `os.networkInterfaces()` returns it. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

const LOOPBACK = '127.0.0.1'

/**
 * The first IPv4 address that is not internal, else such an IPv6 address, else 127.0.0.1. An IPv6
 * address of link scope does not count: it needs a zone, which no URL can carry.
 */
export function detectIp (interfaces: Interfaces): string {
  const reachable = Object.values(interfaces)
    .flatMap(infos => infos ?? [])
    .filter(info => !info.internal)
  const ipv4 = reachable.find(info => info.family === 'IPv4')
  const ipv6 = reachable.find(info => info.family === 'IPv6' && info.scopeid === 0)
  return ipv4?.address ?? ipv6?.address ?? LOOPBACK
}
