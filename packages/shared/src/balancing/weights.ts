/** Servers with the weights that they have at each look: a reload may change them. */
import type { BalancedServer } from './policies.ts'

export function weighed (
  servers: ReadonlyArray<Pick<BalancedServer, 'index'>>,
  table: { weight (server: number): number }
): readonly BalancedServer[] {
  return servers.map(({ index }) => ({
    index,
    get weight () { return table.weight(index) }
  }))
}
