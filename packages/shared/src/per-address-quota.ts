/**
 * The per-address quota of what is limited: users in the table, connections to a port. It is for
 * one network: one IPv4 address or one /64 of IPv6, which is what one customer gets. Values only;
 * used by every thread.
 */
import { isMapped, type Words128 } from './client.ts'

/** Of all places, for one network. */
const QUOTA_SHARE = 0.05
/** Where places are few, a household or an office behind one address is still served. */
const QUOTA_MIN = 16

/** The most places that one network may have when they run short. */
export function addressQuota (placesMax: number): number {
  return Math.max(QUOTA_MIN, Math.floor(placesMax * QUOTA_SHARE))
}

/** The words that a network's addresses have in common; zero where they may differ. */
export function networkOf (address: Words128): Words128 {
  return isMapped(address) ? address : { w0: address.w0, w1: address.w1, w2: 0, w3: 0 }
}
