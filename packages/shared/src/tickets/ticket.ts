/**
 * What a ticket is: a signed JWT (RFC 7519) in the query of a redirect, by which a visitor is the
 * same one at a server that the router's cookie does not reach. It is for one server, for a minute,
 * and for the first arrival only. Values; used by every thread.
 */
import type { Client } from '../client.ts'

/** Of the header. Ed25519 (RFC 8037); the name that all JWT libraries know. */
export const TICKET_ALGORITHM = 'EdDSA'
/** Claims of every ticket: whom, for which server, by whom, since when, until when, its own id. */
export const TICKET_CLAIMS = ['sub', 'aud', 'iss', 'iat', 'exp', 'jti']
export const TICKET_LIFE_S = 60
/** Longer than any of ours: one carries a base URL and a server's name, too. */
export const TICKET_LENGTH_MAX = 4096

/**
 * malformed: no ticket at all. forged: signed by no key of ours. used: somebody has arrived by it,
 * or may have, before the program started. other-server: it is good, for another server.
 */
export type TicketFault = 'malformed' | 'forged' | 'expired' | 'used' | 'other-server'

/** What a good ticket says. */
export interface Ticket {
  /** Its own. */
  readonly id: string
  readonly client: Client
  /** The router's cookie reaches this server, so whoever comes without it keeps none. */
  readonly hasCookie: boolean
}

/** A key by which tickets are verified: a JWK (RFC 7517), fit to be published. */
export interface TicketKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** The key itself, in base64url. */
  readonly x: string
  readonly kid: string
  readonly alg: typeof TICKET_ALGORITHM
  readonly use: 'sig'
}

/** As TicketKey, with the secret that signs. */
export interface SigningKey extends TicketKey {
  readonly d: string
}

/** All keys of one moment. */
export interface TicketKeys {
  /** It signs now. */
  readonly signing: SigningKey
  /** All that may have signed a ticket that lives, and those that will sign soon. */
  readonly published: readonly TicketKey[]
}
