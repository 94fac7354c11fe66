/** Makes keys for tickets. Starts nothing; any thread. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { TICKET_ALGORITHM, type SigningKey, type TicketKey } from './ticket.ts'

export function makeTicketKey (): SigningKey {
  // Its type says that each of these may be left out; of an Ed25519 key none is (RFC 8037).
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as
    Pick<SigningKey, 'x' | 'd'>
  return signingKeyOf(x, d)
}

/** @param d its secret, in base64url as x */
export function signingKeyOf (x: string, d: string): SigningKey {
  return { ...ticketKeyOf(x, thumbprint(x)), d }
}

/** @param x the public key, in base64url */
export function ticketKeyOf (x: string, kid: string): TicketKey {
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: TICKET_ALGORITHM, use: 'sig' }
}

/** Without the secret. */
export function publicPart ({ x, kid }: SigningKey): TicketKey {
  return ticketKeyOf(x, kid)
}

/** RFC 7638: the key's name follows from the key. */
function thumbprint (x: string): string {
  return createHash('sha256').update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}
