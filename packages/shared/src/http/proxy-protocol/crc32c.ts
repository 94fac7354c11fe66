/** The checksum CRC32c (Castagnoli), RFC 9260 appendix A: zlib's crc32 is another one. Pure. */

/** Bits in the order in which they are sent. */
const POLYNOMIAL = 0x82f63b78

/** Made when it is first needed. */
let table: Int32Array | undefined

/** @returns an unsigned 32-bit number */
export function crc32c (bytes: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, byte) => restOf(byte))
  let rest = -1
  for (const byte of bytes) rest = rest >>> 8 ^ table[(rest ^ byte) & 0xff]!
  return ~rest >>> 0
}

function restOf (byte: number): number {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 0 ? rest >>> 1 : rest >>> 1 ^ POLYNOMIAL
  return rest
}
