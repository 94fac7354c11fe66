/** Puts a balancing policy, the servers and their loads together. Computes only. */
import type { Candidate, Choice, Policy, Visitor } from './policies.ts'

/** What of a server a choice depends on for good. */
export interface BalancedServer {
  readonly index: number
  readonly port: number
  readonly weight: number
}

/** Whom the choice is for, and what it is made on. */
export interface ChoiceRequest extends Visitor {
  /** By index of the server, without the visitor; read during the call only. */
  readonly loads: Int32Array
}

/** Undefined when no server is available. */
export type Choose = (request: ChoiceRequest) => Choice | undefined

export function chooser (
  policy: Policy, servers: readonly BalancedServer[], isAvailable: (server: number) => boolean
): Choose {
  let loads: Int32Array = new Int32Array()
  const candidates = [...servers]
    .sort((a, b) => a.port - b.port)
    .map(({ index, weight }): Candidate => ({
      index,
      weight,
      isAvailable: () => isAvailable(index),
      load: () => loads[index]!
    }))
  return request => {
    loads = request.loads
    return policy(candidates, request)
  }
}
