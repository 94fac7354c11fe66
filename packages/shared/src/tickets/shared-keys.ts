/**
 * The keys of a fleet's tickets: every node derives the same ones from the secret and the day, so
 * that any of them redeems what any other has signed, and none has to be told. Computes only.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type JsonWebKey } from 'node:crypto'
import { publicPart, signingKeyOf } from './make-key.ts'
import type { SigningKey, TicketKeys } from './ticket.ts'

const DAY_MS = 86_400_000
const SEED_BYTES = 32
/** RFC 8410 section 7: a private key of Ed25519 is this and its seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Those of a moment. The key of the day signs; its neighbours are published, for tickets of a
 * minute ago, for clocks that differ and for copies of the keys.
 * @param nowMs since 1970
 */
export function sharedTicketKeys (
  { clusterSecret, clusterName }: { readonly clusterSecret: string, readonly clusterName: string },
  nowMs: number
): TicketKeys {
  const today = Math.floor(nowMs / DAY_MS)
  const [before, signing, after] = [today - 1, today, today + 1].map(day =>
    keyOf(clusterSecret, `usher ticket ${clusterName} ${day}`)) as [SigningKey, SigningKey, SigningKey]
  return { signing, published: [before, signing, after].map(publicPart) }
}

function keyOf (secret: string, info: string): SigningKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', info, SEED_BYTES))
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8'
  })
  const { x } = createPublicKey(key).export({ format: 'jwk' }) as JsonWebKey & { x: string }
  return signingKeyOf(x, seed.toString('base64url'))
}
