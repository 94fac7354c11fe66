/**
 * Who holds places of which there are so many only: users in the table, connections to a port. A
 * holder is one IPv4 address or one /64 of IPv6, which is what one customer gets, and has a share
 * of them. Values only; used by every thread.
 */
import { isMapped, type Words128 } from './client.ts'

/** Of all places, for one holder. */
const SHARE = 0.05
/** Where there are few places a household or an office behind one address is still served. */
const SHARE_MIN = 16

/** The most places that one holder may have when they run short. */
export function addressQuota (placesMax: number): number {
  return Math.max(SHARE_MIN, Math.floor(placesMax * SHARE))
}

/** The words that a holder's addresses have in common; zero where they may differ. */
export function networkOf (address: Words128): Words128 {
  return isMapped(address) ? address : { w0: address.w0, w1: address.w1, w2: 0, w3: 0 }
}
