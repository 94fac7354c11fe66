/**
 * A range of addresses, as four words to compare and the bits of them that count. IPv4 lies in its
 * mapped form, as addresses do. Values only; used by every thread.
 */
import { isMapped, type Address, type Words128 } from './client.ts'

export interface AddressRange {
  readonly network: Words128
  readonly mask: Words128
  /** `::/0` leaves IPv4 alone, although mapped addresses lie in it. */
  readonly isIpv4: boolean
}

/** @param bits how many of the 128 count. @param isIpv4 for mapped addresses, or for all others */
export function makeRange (network: Address, bits: number, isIpv4: boolean): AddressRange {
  const mask = {
    w0: maskWord(bits), w1: maskWord(bits - 32), w2: maskWord(bits - 64), w3: maskWord(bits - 96)
  }
  return { network, mask, isIpv4 }
}

export function isInRange (address: Address, { network, mask, isIpv4 }: AddressRange): boolean {
  return ((address.w0 ^ network.w0) & mask.w0) === 0 &&
    ((address.w1 ^ network.w1) & mask.w1) === 0 &&
    ((address.w2 ^ network.w2) & mask.w2) === 0 &&
    ((address.w3 ^ network.w3) & mask.w3) === 0 &&
    isMapped(address) === isIpv4
}

/** Whether there is an address in both: then one of them lies in the other. */
export function overlap (a: AddressRange, b: AddressRange): boolean {
  return isInRange(a.network, b) || isInRange(b.network, a)
}

/** The word whose first `bits` bits are set. A shift by 32 would be none at all. */
function maskWord (bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? -1 : -1 << (32 - bits)
}
