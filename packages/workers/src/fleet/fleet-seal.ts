/**
 * Texts between the nodes of a fleet, signed with its secret (HMAC-SHA-256, RFC 2104). What is
 * signed for one fleet or one purpose is worth nothing in another. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const MAC_LENGTH = 43 // 32 bytes as base64url

export class FleetSeal {
  readonly #secret: string
  readonly #context: string

  /** @param purpose a word, such as `news` */
  constructor (secret: string, cluster: string, purpose: string) {
    this.#secret = secret
    this.#context = `usher ${purpose} ${JSON.stringify(cluster)}`
  }

  /** The text as it is sent. */
  seal (text: string): string {
    return this.#mac(text) + text
  }

  /** Undefined for what this fleet's secret has not signed. */
  open (sealed: string): string | undefined {
    const text = sealed.slice(MAC_LENGTH)
    const given = Buffer.from(sealed.slice(0, MAC_LENGTH))
    const right = Buffer.from(this.#mac(text))
    return given.length === right.length && timingSafeEqual(given, right) ? text : undefined
  }

  #mac (text: string): string {
    return createHmac('sha256', this.#secret)
      .update(`${this.#context} ${text}`).digest('base64url')
  }
}
