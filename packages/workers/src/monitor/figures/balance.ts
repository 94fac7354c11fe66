/**
 * What the loads mean for balancing: who is next and why, by the policy that the router has, and
 * how far the servers are apart. Computes only.
 */
import type { Stats } from '@usher/shared/api/stats.ts'
import { POLICIES, type BalancedServer, type PolicyName } from '@usher/shared/balancing/policies.ts'
import type { WeightPercent } from '@usher/shared/balancing/tournament.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'

export interface BalanceParts {
  readonly policy: PolicyName
  readonly servers: ReadonlyArray<BalancedServer & { readonly name: string }>
  /** Whether a server takes visitors, full or not; by its index, as the next one. */
  readonly isAvailable: (server: number) => boolean
  readonly isFull: (server: number) => boolean
  /** If left out, each has its whole weight. */
  readonly weightPercent?: WeightPercent
}

/** From here on the user table is called nearly full. */
const NEARLY_FULL = 0.9

/** @param loads by index of the server */
export function describeBalance (
  parts: BalanceParts, loads: Int32Array
): Pick<Stats, 'next' | 'spread' | 'all_full'> {
  const { policy, servers, isAvailable, isFull, weightPercent } = parts
  const perWeight = servers
    .filter(({ index }) => isAvailable(index))
    .map(({ index, weight }) => loads[index]! / weight)
  const { make, hasState } = POLICIES[policy]
  const nameOf = (server: number): string => servers.find(({ index }) => index === server)!.name
  const choice = make(servers, isAvailable, weightPercent)({
    loads: { values: loads, reading: 0, changes: [], isFull }, current: NO_SERVER
  })
  return {
    all_full: areAllFull(parts),
    next: choice === undefined
      ? null
      : { server: hasState ? null : nameOf(choice.server), because: choice.because },
    ...(perWeight.length < 2
      ? {}
      : { spread: Math.floor(Math.max(...perWeight) - Math.min(...perWeight)) })
  }
}

/** Whether there are servers that take visitors, and none of them has a place left. */
export function areAllFull (
  { servers, isAvailable, isFull }:
  { readonly servers: ReadonlyArray<{ readonly index: number }> } &
  Pick<BalanceParts, 'isAvailable' | 'isFull'>
): boolean {
  const available = servers.filter(({ index }) => isAvailable(index))
  return available.length > 0 && available.every(({ index }) => isFull(index))
}

export function isNearlyFull (used: number, size: number): boolean {
  return used >= size * NEARLY_FULL
}
