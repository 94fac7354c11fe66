/** The schedule of faults of a fleet for a seed: an endless sequence. Computes only. */
import { Random } from '../kit/random.ts'

/**
 * engine-freeze: answers nothing for a time; engine-kill: is gone, and starts empty; link-cut and
 * link-stall: one node does not reach it; node-kill and node-stop: by SIGKILL and by SIGTERM, and
 * started again.
 */
type FaultKind =
  'engine-freeze' | 'engine-kill' | 'link-cut' | 'link-stall' | 'node-kill' | 'node-stop'

export interface Fault {
  /** Counted from 1. */
  readonly number: number
  readonly kind: FaultKind
  /** Of those of a node or its link: which. */
  readonly node: number
  readonly forMs: number
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  'engine-freeze': 3, 'engine-kill': 3, 'link-cut': 3, 'link-stall': 3, 'node-kill': 2, 'node-stop': 2
}
/** From less than a visitor waits for the engine to longer than leases last. */
const LENGTHS_MS = [60, 150, 400, 1200, 2500, 4000]

/** Endless; the same for the same seed and number of nodes. */
export function * schedule (seed: number, nodes: number): Generator<Fault, never> {
  const random = new Random(seed)
  for (let number = 1; ; number++) {
    const kind = random.pickByWeight(WEIGHTS)
    yield { number, kind, node: random.below(nodes), forMs: random.pick(LENGTHS_MS) }
  }
}

/** For people: `12: link-cut of node 2 for 400 ms`. */
export function faultText ({ number, kind, node, forMs }: Fault): string {
  const whose = kind.startsWith('engine') ? '' : ` of node ${node + 1}`
  return `${number}: ${kind}${whose} for ${forMs} ms`
}
