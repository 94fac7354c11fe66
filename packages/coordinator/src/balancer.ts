/**
 * The choice of a server, as a pure function: the fewest users, counted without the visitor; on a
 * tie the server the visitor is on, then the lowest port. Knows neither table nor sockets.
 */
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import type { Choose } from '@usher/shared/memory/reservations.ts'

/** Indexes of `ports` in the order of their numbers: ties go to the lowest port. */
export function portOrder (ports: readonly number[]): readonly number[] {
  return ports.map((_, index) => index).sort((a, b) => ports[a]! - ports[b]!)
}

/** @param order as portOrder gives it */
export function fewestUsers (
  order: readonly number[], isAvailable: (server: number) => boolean
): Choose {
  return ({ loads, current }) => {
    let chosen = NO_SERVER
    for (const server of order) {
      if (!isAvailable(server)) continue
      const isLower = chosen === NO_SERVER || loads[server]! < loads[chosen]!
      const isOwnOnTie = server === current && loads[server] === loads[chosen]
      if (isLower || isOwnOnTie) chosen = server
    }
    return chosen
  }
}
