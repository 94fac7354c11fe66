/**
 * The balancing policies, in one table by name. A policy is made for the servers and gives, for a
 * visitor and the loads, a choice with its reason. Computes only: the router reserves by it under a
 * lock, and the monitor may ask it who is next.
 */
import {
  Tournament, WHOLE_WEIGHT, type Contender, type Loads, type WeightPercent
} from './tournament.ts'

/** What of a server a choice depends on for good. */
export type BalancedServer = Contender

/** Whom the choice is for, and what it is made on. */
export interface ChoiceRequest {
  /** With the visitor; read during the call only. */
  readonly loads: Loads
  /** Index of the server where the visitor counts; for a newcomer an index that no server has. */
  readonly current: number
}

/** Undefined when no server is available: full is not, but for a visitor who has a place there. */
export type Choose = (request: ChoiceRequest) => Choice | undefined

export interface Choice {
  /** Index of the server. */
  readonly server: number
  /** For the log and the console. */
  readonly because: string
}

/**
 * @param servers in the order of the settings
 * @param isAvailable asked again when the loads are another reading
 * @param weightPercent asked as often; if left out, each has its whole weight
 */
type MakePolicy = (
  servers: readonly BalancedServer[], isAvailable: (server: number) => boolean,
  weightPercent?: WeightPercent
) => Choose

interface PolicyEntry {
  readonly make: MakePolicy
  /**
   * True when it keeps state: then the monitor's own copy of the policy cannot tell who is next.
   */
  readonly hasState: boolean
}

export type PolicyName = 'fewest-users' | 'round-robin'

export const POLICIES: Readonly<Record<PolicyName, PolicyEntry>> = {
  'fewest-users': { make: fewestUsers, hasState: false },
  'round-robin': { make: roundRobin, hasState: true }
}

/**
 * The smallest load / weight of those that are not full; on a tie the server that the visitor is
 * on, then the first.
 * Nobody who comes puts a server more than one user above its share, and as many newcomers as the
 * weights add up to, or a multiple of it, are spread exactly.
 */
function fewestUsers (
  ...[servers, isAvailable, weightPercent = ALL_OF_IT]: Parameters<MakePolicy>
): Choose {
  const tournament = new Tournament(servers, isAvailable, weightPercent)
  return ({ loads, current }) => {
    tournament.follow(loads)
    const winner = tournament.winnerWithout(current)
    if (winner === undefined) return undefined
    const { server, isTied } = winner
    if (tournament.availableCount(current) === 1) return { server: server.index, because: ONLY_ONE }
    return { server: server.index, because: reasonFor(server, isTied, server.index === current) }
  }
}

/** A server of weight 1 that wins has the fewest users of all, whatever the others' weights. */
function reasonFor ({ weight }: Contender, isTied: boolean, isCurrent: boolean): string {
  const reason = weight === 1 ? 'fewest users' : 'fewest users for its weight'
  if (!isTied) return reason
  return isCurrent ? `${reason}, already there` : `${reason}, first in the settings`
}

/**
 * One after another whatever their loads, in proportion to their weights and without runs of the
 * same server: nginx's smooth weighted round robin (ngx_http_upstream_round_robin.c).
 */
function roundRobin (
  ...[servers, isAvailable, weightPercent = ALL_OF_IT]: Parameters<MakePolicy>
): Choose {
  const credits = servers.map(() => 0)
  return ({ loads, current }) => {
    let best: number | undefined
    let weightSum = 0
    for (const [place, { index, weight }] of servers.entries()) {
      if (!isAvailable(index) || loads.isFull(index)) continue
      const share = weight * weightPercent(index)
      weightSum += share
      credits[place]! += share
      if (best === undefined || credits[place]! > credits[best]!) best = place
    }
    if (best === undefined) {
      // Where all is full there is the visitor's own place.
      const isThere = servers.some(({ index }) => index === current && isAvailable(index))
      return isThere ? { server: current, because: ONLY_ONE } : undefined
    }
    credits[best]! -= weightSum
    return { server: servers[best]!.index, because: 'round robin' }
  }
}

const ALL_OF_IT: WeightPercent = () => WHOLE_WEIGHT
const ONLY_ONE = 'only one available'
