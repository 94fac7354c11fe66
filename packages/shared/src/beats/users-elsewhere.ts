/**
 * How many users are at servers that run elsewhere. Their pages all beat to the router, whichever
 * server they are of, and so share one budget of beats. Computes only.
 */
import { externalServers, type Slot } from '../settings/servers.ts'

/** @param activeUsers by index of the server */
export function usersElsewhere (
  servers: readonly Slot[], activeUsers: ArrayLike<number>
): number {
  return externalServers(servers)
    .reduce((sum, { index }) => sum + (activeUsers[index] ?? 0), 0)
}
