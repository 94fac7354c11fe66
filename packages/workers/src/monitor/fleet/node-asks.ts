/**
 * What the console asks of other nodes, with their refusals as its own: a node that refuses one of
 * many has not answered, one that is asked alone says why in its own words. Runs in the monitor's
 * thread.
 */
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import type { Logger } from 'pino'
import type { Answered, Answerers, FleetAsks } from '../../fleet/fleet-asks.ts'
import type { NodeCards } from '../../fleet/node-cards.ts'
import { toApiError } from '../errors/answer-errors.ts'
import { ApiError } from '../errors/api-error.ts'

type Reply<T> =
  { readonly ok: T } |
  { readonly refusal: { readonly code: ApiErrorCode, readonly message: string } }

export interface NodeAsksParts {
  /** This one's name. */
  readonly node: string
  readonly asks: Pick<FleetAsks, 'ask' | 'askOne' | 'answerWith'>
  readonly cards: Pick<NodeCards, 'others'>
  readonly log: Pick<Logger, 'error'>
}

/** For the cards of the others. */
const LOOK_MS = 500

export class NodeAsks {
  readonly #parts: NodeAsksParts

  constructor (parts: NodeAsksParts) {
    this.#parts = parts
  }

  /** Of all other nodes. */
  async ask<T> (kind: string, body: unknown, withinMs: number): Promise<Answered<T>> {
    const { answers, missing } = await this.#parts.asks.ask<Reply<T>>(kind, body, withinMs)
    const good = new Map<string, T>()
    const refused: string[] = []
    for (const [node, reply] of answers) {
      if ('ok' in reply) good.set(node, reply.ok)
      else refused.push(node)
    }
    return { answers: good, missing: [...missing, ...refused].sort() }
  }

  /** Undefined when it does not answer in time; throws its refusal. */
  async askOne<T> (
    node: string, kind: string, body: unknown, withinMs: number
  ): Promise<T | undefined> {
    const reply = await this.#parts.asks.askOne<Reply<T>>(node, kind, body, withinMs)
    if (reply === undefined || 'ok' in reply) return reply?.ok
    throw new ApiError(reply.refusal.code, reply.refusal.message)
  }

  /** As `askOne`. Throws `not_found` for a name that no node has, `node_away` when it is away. */
  async askKnown<T> (
    node: string, kind: string, body: unknown, withinMs: number
  ): Promise<T | undefined> {
    const others = await this.#parts.cards.others(LOOK_MS)
    const known = others.find(other => other.node === node)
    if (known === undefined) {
      const names = [this.#parts.node, ...others.map(({ node }) => node)].sort().join(', ')
      throw new ApiError('not_found', `No node of the fleet has the name ${node}; there are ${names}.`)
    }
    if (!known.isThere) {
      throw new ApiError('node_away', `The node ${node} is away: nothing was asked of it.`)
    }
    return await this.askOne(node, kind, body, withinMs)
  }

  /** From now on this node answers so. */
  answerWith (answerers: Answerers): void {
    this.#parts.asks.answerWith(Object.fromEntries(Object.entries(answerers).map(([kind, answer]) =>
      [kind, (body: unknown) => this.#replyOf(kind, () => answer(body))])))
  }

  async #replyOf (kind: string, work: () => Promise<unknown>): Promise<Reply<unknown>> {
    try {
      return { ok: await work() }
    } catch (error) {
      const { code, message } = toApiError(error, { ask: kind }, this.#parts.log)
      return { refusal: { code, message } }
    }
  }
}
