/**
 * Who is refused: client ids, addresses and ranges, each until a time or for good. A value that
 * every thread holds a copy of; it is replaced as a whole. Asks no database and no other thread.
 */
import { isInRange, makeRange, type AddressRange } from './address-range.ts'
import {
  formatAddress, parseAddress, parseClientId, type Address, type Client, type Words128
} from './client.ts'
import { DenyEntryInvalid } from './errors.ts'
import { quote } from './quote.ts'

export interface DenyEntry {
  readonly kind: 'id' | 'address' | 'range'
  /** A UUID, an IP address, or a CIDR such as `192.0.2.0/24`. */
  readonly text: string
  /** Monotonic milliseconds, the same in all threads; undefined: for good. */
  readonly untilMs: number | undefined
}

/** Each request is held against all ranges, 5 us for so many; ids and addresses are in Maps. */
export const RANGES_MAX = 1000

/** An address without a zone, and a number of bits without a leading zero. */
const CIDR = /^([^/%]+)\/(0|[1-9]\d{0,2})$/
const IPV4_BITS = 32
const IPV6_BITS = 128
/** The length of `::ffff:0:0/96`, where mapped IPv4 addresses lie. RFC 4291 section 2.5.5.2. */
const MAPPED_BITS = 96

interface DeniedRange {
  readonly range: AddressRange
  readonly untilMs: number
}

type Family = 'ipv4' | 'ipv6'

export class DenyList {
  readonly #now: () => number
  /** Deadline by the words of an id or an address; Infinity for good. */
  #untilById: ReadonlyMap<string, number> = new Map()
  #untilByAddress: ReadonlyMap<string, number> = new Map()
  #ranges: readonly DeniedRange[] = []

  /** @param now monotonic milliseconds */
  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * Of entries for the same client or address the longest counts. Throws DenyEntryInvalid and keeps
   * the list it had when an entry is malformed.
   */
  replace (entries: readonly DenyEntry[]): void {
    const untilById = new Map<string, number>()
    const untilByAddress = new Map<string, number>()
    const ranges: DeniedRange[] = []
    if (entries.filter(({ kind }) => kind === 'range').length > RANGES_MAX) {
      throw new DenyEntryInvalid(`more than ${RANGES_MAX} ranges`)
    }
    for (const { kind, text, untilMs = Infinity } of entries) {
      if (kind === 'id') keepLongest(untilById, clientWords(text), untilMs)
      if (kind === 'address') keepLongest(untilByAddress, addressWords(text), untilMs)
      if (kind === 'range') ranges.push({ range: rangeOf(text), untilMs })
    }
    this.#untilById = untilById
    this.#untilByAddress = untilByAddress
    this.#ranges = ranges
  }

  /** Whether the id, if there is one, or the address is denied now. */
  isDenied (client: Client | undefined, address: Address): boolean {
    if (client?.kind === 'id' && this.#isRunning(this.#untilById, client)) return true
    if (this.#isRunning(this.#untilByAddress, address)) return true
    if (this.#ranges.length === 0) return false
    const now = this.#now()
    return this.#ranges.some(({ range, untilMs }) => now < untilMs && isInRange(address, range))
  }

  #isRunning (deadlines: ReadonlyMap<string, number>, words: Words128): boolean {
    if (deadlines.size === 0) return false
    const untilMs = deadlines.get(keyOf(words))
    return untilMs !== undefined && this.#now() < untilMs
  }
}

function keepLongest (deadlines: Map<string, number>, words: Words128, untilMs: number): void {
  const key = keyOf(words)
  deadlines.set(key, Math.max(untilMs, deadlines.get(key) ?? -Infinity))
}

function keyOf ({ w0, w1, w2, w3 }: Words128): string {
  return `${w0},${w1},${w2},${w3}`
}

function clientWords (text: string): Words128 {
  const client = parseClientId(text)
  if (client === undefined) throw new DenyEntryInvalid(`${quote(text)} is not a UUID, or is nil`)
  return client
}

function addressWords (text: string): Words128 {
  const address = parseAddress(text)
  if (address === undefined) throw new DenyEntryInvalid(`${quote(text)} is not an IP address`)
  return address
}

/** An address is the range that holds nothing else. Throws DenyEntryInvalid. */
export function rangeFrom (text: string): AddressRange {
  if (text.includes('/')) return rangeOf(text)
  return rangeOf(`${text}/${text.includes(':') ? IPV6_BITS : IPV4_BITS}`)
}

function rangeOf (text: string): AddressRange {
  const { network, bits, family } = parseRange(text)
  const isIpv4 = family === 'ipv4'
  return makeRange(parseAddress(network)!, isIpv4 ? MAPPED_BITS + bits : bits, isIpv4)
}

/**
 * Mapped IPv4 ranges (`::ffff:192.0.2.0/120`) are taken as what they mean. Any other IPv6 range is
 * for IPv6 visitors: `::/0` leaves IPv4 alone, although mapped addresses lie in it.
 */
export function parseRange (text: string): { network: string, bits: number, family: Family } {
  const [, network = '', bitsText = ''] = CIDR.exec(text) ?? []
  const address = parseAddress(network)
  const bits = Number(bitsText)
  const isDotted = !network.includes(':')
  if (address === undefined || bits > (isDotted ? IPV4_BITS : IPV6_BITS)) {
    throw new DenyEntryInvalid(`${quote(text)} is not a CIDR such as 192.0.2.0/24 or 2001:db8::/32`)
  }
  const canonical = formatAddress(address)
  if (isDotted) return { network: canonical, bits, family: 'ipv4' }
  if (canonical.includes(':') || bits < MAPPED_BITS) return { network, bits, family: 'ipv6' }
  return { network: canonical, bits: bits - MAPPED_BITS, family: 'ipv4' }
}
