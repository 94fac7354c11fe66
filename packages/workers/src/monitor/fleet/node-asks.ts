/**
 * What the console asks of other nodes, with their refusals as its own: a node that refuses one of
 * many has not answered, one that is asked alone says why in its own words. Runs in the monitor's
 * thread.
 */
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'
import type { Logger } from 'pino'
import type { Answered, Answerers, FleetAsks } from '../../fleet/fleet-asks.ts'
import { toApiError } from '../errors/answer-errors.ts'
import { ApiError } from '../errors/api-error.ts'

type Reply<T> =
  { readonly ok: T } |
  { readonly refusal: { readonly code: ApiErrorCode, readonly message: string } }

export class NodeAsks {
  readonly #asks: Pick<FleetAsks, 'ask' | 'askOne' | 'answerWith'>
  readonly #log: Pick<Logger, 'error'>

  constructor (
    asks: Pick<FleetAsks, 'ask' | 'askOne' | 'answerWith'>, log: Pick<Logger, 'error'>
  ) {
    this.#asks = asks
    this.#log = log
  }

  /** Of all other nodes. */
  async ask<T> (kind: string, body: unknown, withinMs: number): Promise<Answered<T>> {
    const { answers, missing } = await this.#asks.ask<Reply<T>>(kind, body, withinMs)
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
    const reply = await this.#asks.askOne<Reply<T>>(node, kind, body, withinMs)
    if (reply === undefined || 'ok' in reply) return reply?.ok
    throw new ApiError(reply.refusal.code, reply.refusal.message)
  }

  /** From now on this node answers so. */
  answerWith (answerers: Answerers): void {
    this.#asks.answerWith(Object.fromEntries(Object.entries(answerers).map(([kind, answer]) =>
      [kind, (body: unknown) => this.#replyOf(kind, () => answer(body))])))
  }

  async #replyOf (kind: string, work: () => Promise<unknown>): Promise<Reply<unknown>> {
    try {
      return { ok: await work() }
    } catch (error) {
      const { code, message } = toApiError(error, { ask: kind }, this.#log)
      return { refusal: { code, message } }
    }
  }
}
