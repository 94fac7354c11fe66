/**
 * Asks the other nodes of the fleet, and answers them: each ask has an end, by which whoever has
 * not answered is missing, and an answer that comes later is dropped. Runs in the monitor's thread
 * and reads what is for this node from a mailbox in the engine.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { reportOf } from '@usher/shared/errors.ts'
import { limitPeer } from '@usher/shared/peer-limit.ts'
import { ThrottledWarning } from '@usher/shared/throttled-warning.ts'
import type { Logger } from 'pino'
import type { AnswerMessage, AskMessage, MessageSeal, NodeMessage } from './ask-message.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { NodeCards } from './node-cards.ts'

export interface FleetAsksParts {
  readonly node: string
  readonly seal: MessageSeal
  readonly mailboxes: Mailboxes
  readonly cards: Pick<NodeCards, 'others' | 'engineNowMs'>
  readonly randomId: () => string
  readonly log: Pick<Logger, 'warn'>
}

/** By the kind of what is asked. Who rejects has not answered. */
export type Answerers = Readonly<Record<string, (body: unknown) => Promise<unknown>>>

/** What other nodes have said. */
export interface Answered<T> {
  readonly answers: ReadonlyMap<string, T>
  /** Did not answer in time, or are away; by name. */
  readonly missing: readonly string[]
}

interface Pending {
  readonly waited: Set<string>
  readonly answers: Map<string, unknown>
  readonly settle: () => void
}

/** Those that are asked beyond that go without an answer. */
export const ANSWERING_MAX = 16
/** While the engine is away. */
const RETRY_MS = 200
/** A message that nobody takes is gone after that. */
const KEPT_MS_MIN = 1000

export class FleetAsks {
  readonly #parts: FleetAsksParts
  readonly #refusals: ThrottledWarning
  readonly #pending = new Map<string, Pending>()
  readonly #end = new AbortController()
  /** Asks that were answered, by id, and until when they may come again. */
  readonly #answered = new Map<string, number>()
  #answerers: Answerers = {}
  #answering = 0
  #running: Promise<void> = Promise.resolve()

  constructor (parts: FleetAsksParts) {
    this.#parts = parts
    this.#refusals = new ThrottledWarning(parts.log, monotonicNowMs,
      'a message of another node was refused: too long, signed by another CLUSTER_SECRET, or of another version of Usher')
  }

  start (): void {
    this.#running = this.#receiveAll()
  }

  /** From now on this node answers. */
  answerWith (answerers: Answerers): void {
    this.#answerers = answerers
  }

  /** Never rejects: while the engine is away all others are missing. */
  async ask<T> (kind: string, body: unknown, withinMs: number): Promise<Answered<T>> {
    const beganMs = monotonicNowMs()
    const others = await this.#parts.cards.others(withinMs)
    const leftMs = withinMs - (monotonicNowMs() - beganMs)
    const there = others.filter(({ isThere }) => isThere).map(({ node }) => node)
    const answers = await this.#askThose(there, kind, body, leftMs) as ReadonlyMap<string, T>
    const missing = others.map(({ node }) => node).filter(node => !answers.has(node)).sort()
    return { answers, missing }
  }

  /** Undefined when it does not answer in time. */
  async askOne<T> (
    node: string, kind: string, body: unknown, withinMs: number
  ): Promise<T | undefined> {
    const answers = await this.#askThose([node], kind, body, withinMs)
    return answers.get(node) as T | undefined
  }

  /** Whoever waits has no more answers. May be called twice. */
  async close (): Promise<void> {
    this.#end.abort()
    for (const { settle } of this.#pending.values()) settle()
    await this.#parts.mailboxes.close()
    await this.#running
  }

  async #askThose (
    nodes: readonly string[], kind: string, body: unknown, withinMs: number
  ): Promise<ReadonlyMap<string, unknown>> {
    const { node: from, seal, mailboxes, cards, randomId } = this.#parts
    const answers = new Map<string, unknown>()
    if (nodes.length === 0 || withinMs <= 0 || this.#end.signal.aborted) return answers
    const id = randomId()
    const untilMs = cards.engineNowMs() + withinMs
    const text = seal.seal({ type: 'ask', id, from, kind, body, untilMs, to: nodes })
    if (text === undefined) return answers
    let settle = (): void => {}
    const answered = new Promise<void>(resolve => { settle = resolve })
    this.#pending.set(id, { waited: new Set(nodes), answers, settle })
    const endLimit = limitPeer(withinMs, settle)
    // Its answer is not waited for: that the engine is slow must not make this later.
    mailboxes.send(text, nodes, Math.max(KEPT_MS_MIN, withinMs)).catch(settle)
    await answered
    endLimit()
    this.#pending.delete(id)
    return answers
  }

  async #receiveAll (): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        const text = await this.#parts.mailboxes.receive()
        if (text !== undefined) this.#take(text)
      } catch {
        // Who asks finds out that the engine is away.
        await setTimeout(RETRY_MS, undefined, { signal: this.#end.signal }).catch(() => {})
      }
    }
  }

  #take (text: string): void {
    const message = this.#parts.seal.open(text)
    if (message === undefined) this.#refusals.note(() => ({ length: text.length }))
    else if (message.to.includes(this.#parts.node)) this.#takeOpened(message)
  }

  #takeOpened (message: NodeMessage): void {
    if (message.type === 'ask') void this.#answer(message)
    else this.#takeAnswer(message)
  }

  #takeAnswer ({ id, from, value }: AnswerMessage): void {
    const pending = this.#pending.get(id)
    if (pending === undefined || !pending.waited.delete(from)) return
    pending.answers.set(from, value)
    if (pending.waited.size === 0) pending.settle()
  }

  /** What was sent again, or is late, does nothing. */
  async #answer ({ id, from, kind, body, untilMs }: AskMessage): Promise<void> {
    const { node, seal, mailboxes, log } = this.#parts
    const answerer = Object.hasOwn(this.#answerers, kind) ? this.#answerers[kind] : undefined
    if (answerer === undefined || this.#answering >= ANSWERING_MAX) return
    if (!this.#isNew(id, untilMs)) return
    this.#answering++
    try {
      const value = await answerer(body)
      const text = seal.seal({ type: 'answer', id, from: node, value, to: [from] })
      if (text === undefined) throw new RangeError('the answer is too long')
      await mailboxes.send(text, [from], KEPT_MS_MIN)
    } catch (error) {
      const { code, message } = reportOf(error)
      if (code !== 'USHER_ENGINE_AWAY') {
        log.warn({ code, reason: message, kind, from }, 'a question of another node was not answered')
      }
    } finally {
      this.#answering--
    }
  }

  #isNew (id: string, untilMs: number): boolean {
    const nowMs = this.#parts.cards.engineNowMs()
    for (const [answered, endMs] of this.#answered) {
      if (endMs < nowMs) this.#answered.delete(answered)
    }
    if (nowMs > untilMs || this.#answered.has(id)) return false
    this.#answered.set(id, untilMs)
    return true
  }
}
