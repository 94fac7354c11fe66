/**
 * The networks that an address lies in, the narrowest first: what one customer gets (an IPv4
 * address, a /64 of IPv6), and the wider ones that an attacker may have (an IPv4 /24; a /56 and a
 * /48, which RFC 6177 recommends for a site). Values only; used by every thread.
 */
import { formatAddress, isMapped, type Words128 } from './client.ts'

/** This machine, as seen from itself: no visitor comes from here over a network. */
export const LOOPBACK = ['127.0.0.0/8', '::1']

/** A width, counted from the narrowest: 0, 1 or 2. */
export type Width = number

const IPV4_BITS = [128, 120] as const
const IPV6_BITS = [64, 56, 48] as const
/** The length of `::ffff:0:0/96`, where mapped IPv4 addresses lie. RFC 4291 section 2.5.5.2. */
const MAPPED_BITS = 96
const ADDRESS_BITS = 128

/** How many networks an address lies in. */
export function widthsOf (address: Words128): number {
  return isMapped(address) ? IPV4_BITS.length : IPV6_BITS.length
}

/** The words that the addresses of a network have in common; zero where they may differ. */
export function networkOf (address: Words128, width: Width = 0): Words128 {
  const { w0, w1, w2, w3 } = address
  if (isMapped(address)) return width === 0 ? address : { w0, w1, w2, w3: w3 & ~0xff }
  return { w0, w1: width === 0 ? w1 : width === 1 ? w1 & ~0xff : w1 & ~0xffff, w2: 0, w3: 0 }
}

/** A network as the key of a Map. */
export function networkKey (address: Words128, width: Width = 0): string {
  return Object.values(networkOf(address, width)).join(' ')
}

/** `203.0.113.7`, `203.0.113.0/24` or `2001:db8::/56`, as a deny list or a setting takes it. */
export function formatNetwork (network: Words128, width: Width): string {
  const bits = isMapped(network) ? IPV4_BITS[width]! : IPV6_BITS[width]!
  if (bits === ADDRESS_BITS) return formatAddress(network)
  return `${formatAddress(network)}/${isMapped(network) ? bits - MAPPED_BITS : bits}`
}
