/**
 * The balancing policies, in one table by name. A policy is a function of the servers and the
 * visitor that gives a choice with its reason; of a server it asks nothing but whether it is
 * available, its load and its weight. Computes only: the router reserves by it under a lock, and
 * the monitor may ask it who is next.
 */

/** A server as a policy sees it. */
export interface Candidate {
  readonly index: number
  /** A whole number: a server of weight 2 is to have twice the users of one of weight 1. */
  readonly weight: number
  isAvailable (): boolean
  /** Users, without the visitor who is to be placed. */
  load (): number
}

export interface Visitor {
  /** Index of the server that the visitor is on; for a newcomer an index that no server has. */
  readonly current: number
}

export interface Choice {
  /** Index of the server. */
  readonly server: number
  /** For the log and the console. */
  readonly because: string
}

/** Candidates stand with the lowest port first. Undefined when none of them is available. */
export type Policy = (candidates: readonly Candidate[], visitor: Visitor) => Choice | undefined

interface PolicyEntry {
  readonly make: () => Policy
  /**
   * True when it keeps state: then the monitor's own copy of the policy cannot tell who is next.
   */
  readonly hasState: boolean
}

export type PolicyName = 'fewest-users' | 'round-robin'

export const POLICIES: Readonly<Record<PolicyName, PolicyEntry>> = {
  'fewest-users': { make: () => fewestUsers, hasState: false },
  'round-robin': { make: roundRobin, hasState: true }
}

/**
 * The smallest load / weight; on a tie the server that the visitor is on, then the lowest port.
 * Nobody who comes puts a server more than one user above its share, and as many newcomers as the
 * weights add up to, or a multiple of it, are spread exactly.
 */
function fewestUsers (candidates: readonly Candidate[], { current }: Visitor): Choice | undefined {
  let best: Candidate | undefined
  let isTied = false
  let isOnly = true
  for (const candidate of candidates) {
    if (!candidate.isAvailable()) continue
    isOnly = best === undefined
    const difference = best === undefined ? -1 : compareLoads(candidate, best)
    if (difference > 0) continue
    isTied = difference === 0
    if (!isTied || candidate.index === current) best = candidate
  }
  if (best === undefined) return undefined
  if (isOnly) return { server: best.index, because: ONLY_ONE }
  return { server: best.index, because: reasonFor(best, isTied, best.index === current) }
}

/** By load / weight in whole numbers; the products stay far below 2 ** 53. */
function compareLoads (a: Candidate, b: Candidate): number {
  return a.load() * b.weight - b.load() * a.weight
}

/** A server of weight 1 that wins has the fewest users of all, whatever the others' weights. */
function reasonFor ({ weight }: Candidate, isTied: boolean, isCurrent: boolean): string {
  const reason = weight === 1 ? 'fewest users' : 'fewest users for its weight'
  if (!isTied) return reason
  return isCurrent ? `${reason}, already there` : `${reason}, lowest port`
}

/**
 * One after another whatever their loads, in proportion to their weights and without runs of the
 * same server: nginx's smooth weighted round robin (ngx_http_upstream_round_robin.c).
 */
function roundRobin (): Policy {
  const credits: number[] = []
  return candidates => {
    let best: Candidate | undefined
    let weightSum = 0
    for (const candidate of candidates) {
      if (!candidate.isAvailable()) continue
      const { index, weight } = candidate
      weightSum += weight
      credits[index] = (credits[index] ?? 0) + weight
      if (best === undefined || credits[index] > credits[best.index]!) best = candidate
    }
    if (best === undefined) return undefined
    credits[best.index]! -= weightSum
    return { server: best.index, because: 'round robin' }
  }
}

const ONLY_ONE = 'only one available'
