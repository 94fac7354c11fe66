/**
 * What one node asks of others, and what it is answered, as texts that are signed with the fleet's
 * secret. Pure.
 */
import { FleetSeal, MAC_LENGTH } from './fleet-seal.ts'

export interface AskMessage {
  readonly type: 'ask'
  readonly id: string
  readonly from: string
  /** What is to be done, and by what: see FleetAsks.answerWith. */
  readonly kind: string
  readonly body: unknown
  /** By the engine's clock: afterwards nobody waits for the answer, and nothing is done. */
  readonly untilMs: number
  readonly to: readonly string[]
}

export interface AnswerMessage {
  readonly type: 'answer'
  /** Of what was asked. */
  readonly id: string
  readonly from: string
  readonly value: unknown
  readonly to: readonly string[]
}

export type NodeMessage = AskMessage | AnswerMessage

/** One of another format is of another Usher, and not understood. */
const FORMAT = 1
/** A thousand users with long addresses are some 300,000 characters. */
export const MESSAGE_LENGTH_MAX = 1_000_000

export class MessageSeal {
  readonly #seal: FleetSeal

  constructor (secret: string, cluster: string) {
    this.#seal = new FleetSeal(secret, cluster, 'ask')
  }

  /** Undefined for a message that is too long to be sent. */
  seal (message: NodeMessage): string | undefined {
    const text = JSON.stringify([FORMAT, message])
    return text.length > MESSAGE_LENGTH_MAX ? undefined : this.#seal.seal(text)
  }

  /** Undefined for a text that is too long, not signed by this fleet, or of another format. */
  open (sealed: string): NodeMessage | undefined {
    if (sealed.length > MESSAGE_LENGTH_MAX + MAC_LENGTH) return undefined
    const text = this.#seal.open(sealed)
    if (text === undefined) return undefined
    const [format, message] = JSON.parse(text) as [number, NodeMessage]
    return format === FORMAT ? message : undefined
  }
}
