/** Puts a balancing policy and the servers together. Computes only. */
import { POLICIES, type BalancedServer, type Choose, type PolicyName } from './policies.ts'

/** @param isAvailable asked again when the loads are another reading */
export function chooser (
  policy: PolicyName, servers: readonly BalancedServer[], isAvailable: (server: number) => boolean
): Choose {
  return POLICIES[policy].make([...servers].sort((a, b) => a.port - b.port), isAvailable)
}
