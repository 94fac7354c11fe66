/**
 * Under which address other programs reach what is bound to a host: its own, or, for one that
 * stands for all addresses, one of this machine's. Pure; the caller looks the machine's up.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import { formatAddress, parseAddress } from '../client.ts'

/** As `os.networkInterfaces()` returns it. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

const LOOPBACK = '127.0.0.1'
/** All addresses of both kinds, and all of IPv4. */
const ANY = '::'
const ANY_IPV4 = '0.0.0.0'

/**
 * The address for links to what is bound to `host`, fit for a URL; undefined for a host name, which
 * has to be looked up first.
 */
export function detectIp (host: string, interfaces: Interfaces): string | undefined {
  if (!isForAll(host)) return canonical(host)
  return reachable(interfaces, canonical(host) === ANY)
}

/** Whether the host stands for all addresses of the machine. */
export function isForAll (host: string): boolean {
  return [ANY, ANY_IPV4].includes(canonical(host) ?? host)
}

/** Whether only this machine reaches what is bound there. */
export function isLoopback (address: string): boolean {
  return /^(?:127\.|::1$)/.test(canonical(address) ?? address)
}

/**
 * The address at which what is bound to `host`, no name, answers.
 * @param ip what links have: it is taken where `host` stands for all addresses of its kind
 */
export function answeringAddress (host: string, ip: string, interfaces: Interfaces): string {
  const isReached = isForAll(host) && (canonical(host) === ANY || !ip.includes(':'))
  return isReached ? ip : detectIp(host, interfaces) ?? ip
}

/** As RFC 5952 writes it, a mapped IPv4 address as such, without a zone; undefined for a name. */
function canonical (host: string): string | undefined {
  const address = parseAddress(host)
  return address && formatAddress(address)
}

/**
 * The first IPv4 address that is not internal, else such an IPv6 address, else 127.0.0.1. An IPv6
 * address of link scope does not count: it needs a zone, which no URL can carry.
 */
function reachable (interfaces: Interfaces, hasIpv6: boolean): string {
  const infos = Object.values(interfaces)
    .flatMap(infos => infos ?? [])
    .filter(info => !info.internal)
  const ipv4 = infos.find(info => info.family === 'IPv4')
  const ipv6 = infos.find(info => info.family === 'IPv6' && info.scopeid === 0)
  return ipv4?.address ?? (hasIpv6 ? ipv6?.address : undefined) ?? LOOPBACK
}
