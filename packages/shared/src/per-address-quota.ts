/**
 * The per-address quota of what is limited: users in the table, connections to a port. It is for
 * one network: one IPv4 address or one /64 of IPv6, which is what one customer gets; a wider
 * network of IPv6 (networks.ts) has twice as much as the next narrower. Values only; used by every
 * thread.
 */
import type { Width } from './networks.ts'

/** Of all places, for one network. */
const QUOTA_SHARE = 0.05
/** Where places are few, a household or an office behind one address is still served. */
const QUOTA_MIN = 16

/** The most places that one network may have when they run short. */
export function addressQuota (placesMax: number, width: Width = 0): number {
  return Math.max(QUOTA_MIN, Math.floor(placesMax * QUOTA_SHARE)) * 2 ** width
}
