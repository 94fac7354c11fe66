/**
 * Weighted rendezvous hashing: the server of a client that is not counted. A client keeps its
 * server for as long as that is available, many clients are spread by weight, and a server that
 * goes away moves only its own clients. (Schindelhauer and Schomaker, "Weighted Distributed Hash
 * Tables", 2005: the logarithmic method.) Computes only.
 */
import type { Words128 } from '../client.ts'
import { halfSipHash13 } from '../memory/sip-hash.ts'
import type { BalancedServer, Choice } from './policies.ts'
import { WHOLE_WEIGHT, type WeightPercent } from './tournament.ts'

/**
 * Fixed, so that a restart moves no client. A client that chooses its id can choose its server;
 * that does no harm.
 */
const KEY_0 = 0x52656e64
const KEY_1 = 0x657a7673
const HASHES = 2 ** 32

/** What it gives is undefined when no server is available. */
export function hashChooser (
  servers: readonly BalancedServer[], isAvailable: (server: number) => boolean,
  weightPercent: WeightPercent = () => WHOLE_WEIGHT
): (client: Words128) => Choice | undefined {
  return client => {
    let best: number | undefined
    let bestScore = -Infinity
    for (const { index, weight } of servers) {
      if (!isAvailable(index)) continue
      const score = weight * weightPercent(index) / -Math.log(unitHash(client, index))
      if (score <= bestScore) continue
      best = index
      bestScore = score
    }
    return best === undefined ? undefined : { server: best, because: 'by hash of the id' }
  }
}

/** Above 0 and below 1. */
function unitHash ({ w0, w1, w2, w3 }: Words128, server: number): number {
  const hash = halfSipHash13(KEY_0 ^ server, KEY_1, 0, w0, w1, w2, w3)
  return ((hash >>> 0) + 0.5) / HASHES
}
