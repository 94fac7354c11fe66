/**
 * What an operator means by an address; and one text for one target, so that a denial is found
 * again however it is written: ids in lower case, addresses in their canonical form, ranges without
 * bits of hosts. Pure.
 */
import {
  formatAddress, formatClient, isMapped, parseAddress, parseClientId, type Words128
} from '@usher/shared/client.ts'
import { parseRange, type DenyEntry } from '@usher/shared/deny-list.ts'
import { DenyEntryInvalid } from '@usher/shared/errors.ts'
import { quote } from '@usher/shared/quote.ts'

export type DenyTarget = Pick<DenyEntry, 'kind' | 'text'>

const ADDRESS_BITS = 128
const CUSTOMER_BITS = 64
const WORD_BITS = 32
/** Where the bits of an IPv4 address begin in its mapped form. RFC 4291 section 2.5.5.2. */
const MAPPED_BITS = 96

/** A range of one address is that address. Throws DenyEntryInvalid for a malformed text. */
export function denyTarget (kind: DenyEntry['kind'], text: string): DenyTarget {
  switch (kind) {
    case 'id': return { kind, text: canonicalId(text) }
    case 'address': return { kind, text: canonicalAddress(text) }
    case 'range': return canonicalRange(text)
  }
}

/**
 * The target of an address or a range as an operator writes it: an IPv6 address is its /64, which
 * one customer has (RFC 6177), and from which each request may come from another address; `/128`
 * says that the one address is meant. Throws DenyEntryInvalid.
 */
export function writtenTarget (text: string): DenyTarget {
  const address = parseAddress(text)
  if (address === undefined) return denyTarget('range', text)
  if (isMapped(address)) return denyTarget('address', text)
  return denyTarget('range', `${formatAddress(address)}/${CUSTOMER_BITS}`)
}

/** As it is told, and as it would have to be written. */
export function targetText ({ kind, text }: DenyTarget): string {
  return kind === 'address' && text.includes(':') ? `${text}/${ADDRESS_BITS}` : text
}

function canonicalId (text: string): string {
  const client = parseClientId(text)
  if (client === undefined) throw new DenyEntryInvalid(`${quote(text)} is not a UUID, or is nil`)
  return formatClient(client)
}

function canonicalAddress (text: string): string {
  const address = parseAddress(text)
  if (address === undefined) throw new DenyEntryInvalid(`${quote(text)} is not an IP address`)
  return formatAddress(address)
}

function canonicalRange (text: string): DenyTarget {
  const { network, bits, family } = parseRange(text)
  const networkBits = family === 'ipv4' ? bits + MAPPED_BITS : bits
  const address = formatAddress(withoutHostBits(parseAddress(network)!, networkBits))
  if (networkBits === ADDRESS_BITS) return { kind: 'address', text: address }
  return { kind: 'range', text: `${address}/${bits}` }
}

function withoutHostBits ({ w0, w1, w2, w3 }: Words128, networkBits: number): Words128 {
  const [m0, m1, m2, m3] = [0, 1, 2, 3].map(word => wordMask(networkBits - word * WORD_BITS))
  return { w0: w0 & m0!, w1: w1 & m1!, w2: w2 & m2!, w3: w3 & m3! }
}

/** So many leading ones: none for a negative count, 32 at most. */
function wordMask (bits: number): number {
  return bits <= 0 ? 0 : -1 << Math.max(0, WORD_BITS - bits)
}
