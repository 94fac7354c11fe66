/**
 * What a node sends to another one, in the engine: each node has a list of texts that it takes from
 * the front, and that expires when it does not. Knows no secret; the monitor's thread.
 */
import type { Engine, EngineReply } from '@usher/shared/fleet/engine.ts'

export interface Mailboxes {
  /** Rejects while the engine is away. A text that finds too many waiting there is lost. */
  send (text: string, nodes: readonly string[], keptMs: number): Promise<void>
  /** The next text for this node; undefined after a while without one. */
  receive (): Promise<string | undefined>
  close (): Promise<void>
}

export interface MailboxesParts {
  /** The caller closes it. */
  readonly engine: Engine
  /** A connection of its own: it is blocked while it waits. */
  readonly reading: Engine
  /** Of all keys. */
  readonly prefix: string
  readonly node: string
}

/** A node that takes none has no more than so many when it does. */
export const WAITING_MAX = 64
/** Shorter than the connection's time-out. */
const BLOCK_S = 0.5

/** KEYS: mailboxes. ARGV: a text, the most that may wait in one, milliseconds that it is kept. */
const SEND = `
for _, key in ipairs(KEYS) do
  if redis.call('LLEN', key) < tonumber(ARGV[2]) then
    redis.call('RPUSH', key, ARGV[1])
    redis.call('PEXPIRE', key, ARGV[3])
  end
end
`

export class EngineMailboxes implements Mailboxes {
  readonly #parts: MailboxesParts

  constructor (parts: MailboxesParts) {
    this.#parts = parts
  }

  async send (text: string, nodes: readonly string[], keptMs: number): Promise<void> {
    if (nodes.length === 0) return
    const keys = nodes.map(node => this.#keyOf(node))
    await this.#parts.engine.call('EVAL', SEND, keys.length, ...keys, text, WAITING_MAX, keptMs)
  }

  async receive (): Promise<string | undefined> {
    const { reading, node } = this.#parts
    const reply = await reading.call('BLPOP', this.#keyOf(node), BLOCK_S)
    return reply === null ? undefined : String((reply as readonly EngineReply[])[1])
  }

  async close (): Promise<void> {
    await this.#parts.reading.close()
  }

  #keyOf (node: string): string {
    return `${this.#parts.prefix}:mailbox:${node}`
  }
}
