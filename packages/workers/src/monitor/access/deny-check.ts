/**
 * Deny-list check: whoever is denied by address is denied the monitor too. Not from this machine,
 * and not whoever has logged in from where they are: an operator who denies their own network can
 * still take it back. Ids are not asked for; any browser may claim one. Pure.
 */
import { isInRange } from '@usher/shared/address-range.ts'
import { parseAddress, type Address } from '@usher/shared/client.ts'
import { rangeFrom, type DenyList } from '@usher/shared/deny-list.ts'
import { LOOPBACK, networkKey } from '@usher/shared/networks.ts'
import type { CurrentSession } from '../../accounts/session-store.ts'

const LOOPBACK_RANGES = LOOPBACK.map(rangeFrom)

/** @param session undefined before it is known, or where there is none */
export function isDenied (
  denyList: Pick<DenyList, 'isDenied'>, address: Address,
  session?: Pick<CurrentSession, 'address'>
): boolean {
  if (!denyList.isDenied(undefined, address)) return false
  if (LOOPBACK_RANGES.some(range => isInRange(address, range))) return false
  const openedFrom = parseAddress(session?.address ?? '')
  return openedFrom === undefined || networkKey(openedFrom) !== networkKey(address)
}
