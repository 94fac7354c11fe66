/**
 * Ids for guests: a random UUID, version 4 (RFC 9562 section 5.4). Made by hand because a page that
 * came by plain http from another machine has no `crypto.randomUUID`.
 */
export function newGuestId (crypto: Pick<Crypto, 'getRandomValues'>): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]]
    .map(([from, to]) => hex.slice(from, to)).join('-')
}
