/**
 * Redeems tickets: verifies one and says whose it is, once. Loads its library with the first one.
 * Used by the main thread and by servers' threads, each with its own; who has used which is known
 * to the main thread alone (used-tickets.ts).
 */
import type { createLocalJWKSet, JWTPayload } from 'jose'
import { parseClientId } from '../client.ts'
import {
  TICKET_ALGORITHM, TICKET_CLAIMS, TICKET_LENGTH_MAX, type Ticket, type TicketFault, type TicketKey
} from './ticket.ts'
import { issuedMsOf } from './ticket-id.ts'

export interface RedeemerParts {
  /** Whether nobody has used the ticket of this id before; from now on somebody has. */
  readonly useOnce: (ticketId: string, issuedMs: number) => boolean | Promise<boolean>
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly wallNow?: () => number
  /** KEYS_WAIT_MS unless given. */
  readonly keysWaitMs?: number
}

/** A ticket may come before the keys do: when the program or this thread has just started. */
const KEYS_WAIT_MS = 5000

const FORGED = new Set([
  'ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'ERR_JOSE_ALG_NOT_ALLOWED'
])

export class TicketRedeemer {
  readonly #parts: RedeemerParts
  readonly #known: Promise<void>
  #tellKnown = (): void => {}
  #library: ReturnType<typeof loadLibrary> | undefined
  #keys: readonly TicketKey[] = []
  /** Made of `#keys` when first asked for. */
  #findKey: ReturnType<typeof createLocalJWKSet> | undefined

  constructor (parts: RedeemerParts) {
    this.#parts = parts
    this.#known = new Promise(resolve => { this.#tellKnown = resolve })
  }

  /** These sign tickets now, have signed them lately, or soon will: in the place of all before. */
  setKeys (keys: readonly TicketKey[]): void {
    this.#keys = keys
    this.#findKey = undefined
    this.#tellKnown()
  }

  /** What a ticket for one of these servers says; one that is good has then been used. */
  async redeem (text: string, ...serverNames: readonly string[]): Promise<Ticket | TicketFault> {
    if (text === '' || text.length > TICKET_LENGTH_MAX) return 'malformed'
    if (this.#keys.length === 0) await this.#untilKnown()
    const claims = await this.#verify(text)
    if (typeof claims === 'string') return claims
    const { sub, aud, jti, iat, cookie } = claims
    const client = sub === undefined ? undefined : parseClientId(sub)
    if (client === undefined || jti === undefined || iat === undefined) return 'malformed'
    if (typeof aud !== 'string' || !serverNames.includes(aud)) return 'other-server'
    if (!await this.#parts.useOnce(jti, issuedMsOf(jti, iat))) return 'used'
    return { id: jti, client, hasCookie: cookie === true }
  }

  async #verify (text: string): Promise<JWTPayload | TicketFault> {
    this.#library ??= loadLibrary()
    const [{ jwtVerify }, { createLocalJWKSet }, { JOSEError }] = await this.#library
    this.#findKey ??= createLocalJWKSet({ keys: this.#keys.map(key => ({ ...key })) })
    const nowMs = (this.#parts.wallNow ?? Date.now)()
    try {
      const { payload } = await jwtVerify(text, this.#findKey, {
        algorithms: [TICKET_ALGORITHM],
        typ: 'JWT',
        requiredClaims: TICKET_CLAIMS,
        currentDate: new Date(nowMs)
      })
      return payload
    } catch (error) {
      if (!(error instanceof JOSEError)) throw error
      if (error.code === 'ERR_JWT_EXPIRED') return 'expired'
      return FORGED.has(error.code) ? 'forged' : 'malformed'
    }
  }

  async #untilKnown (): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>(resolve => {
      timer = setTimeout(resolve, this.#parts.keysWaitMs ?? KEYS_WAIT_MS)
    })
    await Promise.race([this.#known, over])
    clearTimeout(timer)
  }
}

/** An import of what is loaded already costs as much as to verify. */
function loadLibrary () {
  return Promise.all([
    import('jose/jwt/verify'), import('jose/jwks/local'), import('jose/errors')
  ])
}
