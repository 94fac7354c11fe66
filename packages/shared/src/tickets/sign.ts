/**
 * Signs tickets. Loads its library with the first one. Main thread.
 */
import type { importJWK as importKey } from 'jose'
import { formatClient, type Client } from '../client.ts'
import { TICKET_ALGORITHM, TICKET_LIFE_S, type SigningKey } from './ticket.ts'
import { newTicketId } from './ticket-id.ts'

export interface TicketContent {
  readonly client: Client
  readonly serverName: string
  /** See Ticket. */
  readonly hasCookie: boolean
}

type Importing = ReturnType<typeof importKey>

/** Where the router has no public URL. */
const ISSUER = 'usher'

export class TicketSigner {
  readonly #issuer: string
  readonly #wallNow: () => number
  #library: ReturnType<typeof loadLibrary> | undefined
  #key: { readonly jwk: SigningKey, readonly imported: Importing } | undefined

  /**
   * @param routerUrl the router's public URL, or empty
   * @param wallNow milliseconds since 1970
   */
  constructor (routerUrl: string, wallNow: () => number = Date.now) {
    this.#issuer = routerUrl === '' ? ISSUER : routerUrl
    this.#wallNow = wallNow
  }

  /** The ticket's text, fit for a query as it is. */
  async sign ({ client, serverName, hasCookie }: TicketContent, key: SigningKey): Promise<string> {
    const [{ SignJWT }, { importJWK }] = await (this.#library ??= loadLibrary())
    if (this.#key?.jwk !== key) {
      this.#key = { jwk: key, imported: importJWK({ ...key }, TICKET_ALGORITHM) }
    }
    const issuedMs = this.#wallNow()
    const issuedS = Math.floor(issuedMs / 1000)
    return await new SignJWT({
      iss: this.#issuer,
      sub: formatClient(client),
      aud: serverName,
      iat: issuedS,
      exp: issuedS + TICKET_LIFE_S,
      jti: newTicketId(issuedMs),
      ...(hasCookie && { cookie: true })
    }).setProtectedHeader({ alg: TICKET_ALGORITHM, typ: 'JWT', kid: key.kid })
      .sign(await this.#key.imported)
  }
}

/** An import of what is loaded already costs as much as to sign. */
function loadLibrary () {
  return Promise.all([import('jose/jwt/sign'), import('jose/key/import')])
}
