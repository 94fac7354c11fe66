/**
 * The main thread's part of the tickets: it signs those of redirects with the key that the monitor
 * has brought, gives the keys to the servers, and keeps which tickets have been used, for all
 * threads.
 */
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { AskAnswers } from '@usher/shared/messages.ts'
import { ThrottledWarning } from '@usher/shared/throttled-warning.ts'
import { TicketRedeemer } from '@usher/shared/tickets/redeem.ts'
import { TicketSigner, type TicketContent } from '@usher/shared/tickets/sign.ts'
import type { TicketKey, TicketKeys } from '@usher/shared/tickets/ticket.ts'
import { UsedTickets } from '@usher/shared/tickets/used-tickets.ts'
import type { Logger } from 'pino'
import type { Workers } from './workers.ts'

export interface TicketIssuerParts {
  /** The router's public URL, or empty. */
  readonly routerUrl: string
  readonly workers: Pick<Workers, 'tellServers'>
  readonly log: Pick<Logger, 'warn'>
  /** KEYS_WAIT_MS unless given. */
  readonly keysWaitMs?: number
}

/** For who shows tickets to the router. */
export interface TicketParts {
  readonly redeemer: Pick<TicketRedeemer, 'redeem'>
  readonly giveBack: (ticketId: string) => void
}

/** Shorter than the monitor waits for its answer. */
const ORDER_TIMEOUT_MS = 4000
/** Longer than a start takes until the monitor has read its database. */
const KEYS_WAIT_MS = 5000

export class TicketIssuer {
  /** Of tickets that are shown to the router. */
  readonly redeemer: TicketRedeemer
  readonly #parts: TicketIssuerParts
  readonly #signer: TicketSigner
  readonly #used = new UsedTickets(monotonicNowMs, Date.now)
  readonly #warning: ThrottledWarning
  #keys: TicketKeys | undefined
  /** Those who wait for the first keys. */
  readonly #waiting = new Set<() => void>()

  constructor (parts: TicketIssuerParts) {
    this.#parts = parts
    this.#signer = new TicketSigner(parts.routerUrl)
    this.redeemer = new TicketRedeemer({
      useOnce: (ticketId, issuedMs) => this.#used.useOnce(ticketId, issuedMs)
    })
    this.#warning = new ThrottledWarning(parts.log, monotonicNowMs,
      'no keys for tickets yet: redirects go without')
  }

  /** For threads that start; empty while there are none. */
  get published (): readonly TicketKey[] {
    return this.#keys?.published ?? []
  }

  /** Rejects when not every server has taken them. */
  async setKeys (keys: TicketKeys): Promise<AskAnswers['set-ticket-keys']> {
    this.#keys = keys
    this.redeemer.setKeys(keys.published)
    for (const goOn of this.#waiting) goOn()
    const order = { type: 'set-ticket-keys', keys: keys.published } as const
    await this.#parts.workers.tellServers(order, ORDER_TIMEOUT_MS)
    return {}
  }

  use (ticketId: string, issuedMs: number): AskAnswers['use-ticket'] {
    return { isFirstUse: this.#used.useOnce(ticketId, issuedMs) }
  }

  /** Who came by it was refused for the moment, and may come again. */
  giveBack (ticketId: string): void {
    this.#used.giveBack(ticketId)
  }

  /** The ticket's text; undefined when there are no keys for too long. */
  async sign (content: TicketContent): Promise<string | undefined> {
    const keys = await this.keys()
    if (keys !== undefined) return await this.#signer.sign(content, keys.signing)
    this.#warning.note(() => ({ server: content.serverName }))
    return undefined
  }

  /** Those in force; waits for the first ones, for so long at most. */
  async keys (): Promise<TicketKeys | undefined> {
    if (this.#keys === undefined) {
      await new Promise<void>(resolve => {
        const goOn = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(goOn)
          resolve()
        }
        const timer = setTimeout(goOn, this.#parts.keysWaitMs ?? KEYS_WAIT_MS)
        this.#waiting.add(goOn)
      })
    }
    return this.#keys
  }

  /** Nobody waits any longer. */
  close (): void {
    for (const goOn of this.#waiting) goOn()
  }
}
