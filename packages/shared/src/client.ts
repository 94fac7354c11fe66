/**
 * Who a visitor is, as plain values: a client id (a UUID) or, failing that, an IP address. Both are
 * 128 bits and are kept as four 32-bit words, the form the user table stores. Parsed once, at the
 * door; used by every thread.
 */
import ipaddr from 'ipaddr.js'

/**
 * 128 bits as four signed 32-bit words, most significant first: a UUID, an IPv6 or a mapped IPv4
 * address.
 */
export interface Words128 {
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
}

/**
 * An IP address. IPv4 is held in its mapped form `::ffff:a.b.c.d`, so that both families are one.
 */
export type Address = Words128 & { readonly brand?: 'address' }

/**
 * A key of the user table. The kind is part of the key: a UUID and an address of equal bits are two
 * clients.
 */
export interface Client extends Words128 {
  readonly kind: 'id' | 'ip'
}

/** Picks clients, by id or by where they are; the client is undefined where none was named. */
export type ClientMatch = (client: Client | undefined, address: Address) => boolean

/** The third word of a mapped IPv4 address, behind two of zeros. RFC 4291 section 2.5.5.2. */
const MAPPED_W2 = 0xffff

export const UNKNOWN_ADDRESS: Address = Object.freeze({ w0: 0, w1: 0, w2: 0, w3: 0 })

const UUID_LENGTH = 36
const DASH = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const MAPPED_PREFIX = '::ffff:'
const GROUP_COUNT = 8
const GROUP_DIGITS_MAX = 4

/** By code of a character: the value of a hex digit, -1 for any other. */
const HEX_VALUES = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = String.fromCharCode(code)
  return /[\da-f]/i.test(digit) ? Number.parseInt(digit, 16) : -1
})

/**
 * The client of a UUID in text form, any version but nil, any case; undefined for anything else.
 * @param from where it begins in `text`
 * @param to where it ends
 */
export function parseClientId (text: string, from = 0, to = text.length): Client | undefined {
  if (to - from !== UUID_LENGTH || !hasDashes(text, from)) return undefined
  // RFC 9562 section 4: where the digits stand, by fours.
  const a = hex4(text, from)
  const b = hex4(text, from + 4)
  const c = hex4(text, from + 9)
  const d = hex4(text, from + 14)
  const e = hex4(text, from + 19)
  const f = hex4(text, from + 24)
  const g = hex4(text, from + 28)
  const h = hex4(text, from + 32)
  if ((a | b | c | d | e | f | g | h) < 0) return undefined
  const w0 = a << 16 | b
  const w1 = c << 16 | d
  const w2 = e << 16 | f
  const w3 = g << 16 | h
  if ((w0 | w1 | w2 | w3) === 0) return undefined
  return { kind: 'id', w0, w1, w2, w3 }
}

/**
 * The address of its text form, IPv4 or IPv6, a zone (`fe80::1%eth0`) ignored; undefined for
 * anything else.
 */
export function parseAddress (text: string): Address | undefined {
  return parseCommonForm(text) ?? parseAnyForm(text)
}

/** Of nearly all addresses that there are, at a fiftieth of the cost; undefined for any other. */
function parseCommonForm (text: string): Address | undefined {
  if (!text.includes(':')) return parseDotted(text, 0)
  if (text.startsWith(MAPPED_PREFIX)) return parseDotted(text, MAPPED_PREFIX.length)
  return parseGroups(text)
}

function parseAnyForm (text: string): Address | undefined {
  const bare = withoutZone(text)
  if (bare.includes('%')) return undefined
  const hex = withHexTail(bare)
  return ipaddr.IPv6.isValid(hex) ? wordsOf(ipaddr.IPv6.parse(hex)) : undefined
}

function formatDotted (word: number): string {
  return `${word >>> 24}.${word >> 16 & 255}.${word >> 8 & 255}.${word & 255}`
}

/** The client that a visitor without an id is known as. */
export function clientOfAddress (address: Address): Client {
  return { kind: 'ip', w0: address.w0, w1: address.w1, w2: address.w2, w3: address.w3 }
}

/** The text of a client as pages and logs show it: a lower-case UUID, or an IP address. */
export function formatClient (client: Client): string {
  return client.kind === 'id' ? formatClientId(client) : formatAddress(client)
}

/** The canonical text of an address: dotted IPv4 for mapped ones, RFC 5952 for IPv6. */
export function formatAddress (address: Words128): string {
  if (isMapped(address)) return formatDotted(address.w3)
  const bytes = new DataView(new ArrayBuffer(16))
  bytes.setInt32(0, address.w0)
  bytes.setInt32(4, address.w1)
  bytes.setInt32(8, address.w2)
  bytes.setInt32(12, address.w3)
  const parsed = ipaddr.fromByteArray([...new Uint8Array(bytes.buffer)])
  return parsed.toString()
}

/** Whether this is an IPv4 address. */
export function isMapped ({ w0, w1, w2 }: Words128): boolean {
  return w0 === 0 && w1 === 0 && w2 === MAPPED_W2
}

export function areSameWords (a: Words128, b: Words128): boolean {
  return a.w0 === b.w0 && a.w1 === b.w1 && a.w2 === b.w2 && a.w3 === b.w3
}

export function areSameClients (a: Client, b: Client): boolean {
  return a.kind === b.kind && areSameWords(a, b)
}

function formatClientId (id: Words128): string {
  const [b, c] = [hexOf(id.w1), hexOf(id.w2)]
  const middle = `${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}`
  return `${hexOf(id.w0)}-${middle}-${c.slice(4)}${hexOf(id.w3)}`
}

function hexOf (word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}

function hasDashes (text: string, from: number): boolean {
  return text.charCodeAt(from + 8) === DASH && text.charCodeAt(from + 13) === DASH &&
    text.charCodeAt(from + 18) === DASH && text.charCodeAt(from + 23) === DASH
}

/** The value of four hex digits; negative when one of them is none. */
function hex4 (text: string, at: number): number {
  return hexValue(text.charCodeAt(at)) << 12 | hexValue(text.charCodeAt(at + 1)) << 8 |
    hexValue(text.charCodeAt(at + 2)) << 4 | hexValue(text.charCodeAt(at + 3))
}

/** 0 to 15, or -1 for a character that is not a hex digit. */
function hexValue (code: number): number {
  return code < HEX_VALUES.length ? HEX_VALUES[code]! : -1
}

/** `a.b.c.d` from there to the end, in decimal without leading zeros. */
function parseDotted (text: string, from: number): Address | undefined {
  let word = 0
  let dots = 0
  let octet = 0
  let first = from
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (at === first || ++dots > 3) return undefined
      word = word << 8 | octet
      octet = 0
      first = at + 1
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9 || (octet === 0 && at > first)) return undefined
    octet = octet * 10 + digit
    if (octet > 255) return undefined
  }
  if (dots !== 3 || first === text.length) return undefined
  return { w0: 0, w1: 0, w2: MAPPED_W2, w3: word << 8 | octet }
}

const GROUPS = new Uint16Array(GROUP_COUNT)

/** Eight groups of hex digits, or fewer and one `::` for those that are zero. */
function parseGroups (text: string): Address | undefined {
  const gap = text.indexOf('::')
  const headEnd = gap === -1 ? text.length : gap
  const head = readGroups(text, 0, headEnd, 0)
  if (head === -1) return undefined
  const all = gap === -1 ? head : readGroups(text, gap + 2, text.length, head)
  if (all === -1 || (gap === -1) !== (all === GROUP_COUNT)) return undefined
  const tail = GROUP_COUNT - (all - head)
  GROUPS.copyWithin(tail, head, all).fill(0, head, tail)
  const [a, b, c, d, e, f, g, h] = GROUPS as unknown as Groups
  return { w0: a << 16 | b, w1: c << 16 | d, w2: e << 16 | f, w3: g << 16 | h }
}

type Groups = [number, number, number, number, number, number, number, number]

/** How many groups there are then; -1 when one is malformed or too many. */
function readGroups (text: string, from: number, to: number, countBefore: number): number {
  if (from === to) return countBefore
  let count = countBefore
  for (let at = from; at <= to; at++) {
    const first = at
    let group = 0
    for (; at < to && text.charCodeAt(at) !== COLON; at++) {
      const value = hexValue(text.charCodeAt(at))
      if (value === -1) return -1
      group = group << 4 | value
    }
    const digits = at - first
    if (digits === 0 || digits > GROUP_DIGITS_MAX || count === GROUP_COUNT) return -1
    GROUPS[count++] = group
  }
  return count
}

/** Only IPv6 addresses have zones. RFC 4007 section 11. */
function withoutZone (text: string): string {
  return text.includes(':') ? text.replace(/%[\w.:-]+$/, '') : text
}

/**
 * `::ffff:1.2.3.4` as `::ffff:102:304`, and nothing for a malformed tail. ipaddr.js by itself would
 * take `0x1.2.3.4` as a tail, and `::1.2.3.4` as a mapped address.
 */
function withHexTail (text: string): string {
  const tailAt = text.lastIndexOf(':') + 1
  const tail = text.slice(tailAt)
  if (!tail.includes('.')) return text
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return ''
  const [a, b, c, d] = ipaddr.IPv4.parse(tail).octets
  return `${text.slice(0, tailAt)}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`
}

function wordsOf (address: ipaddr.IPv6): Address {
  const view = new DataView(Uint8Array.from(address.toByteArray()).buffer)
  return { w0: view.getInt32(0), w1: view.getInt32(4), w2: view.getInt32(8), w3: view.getInt32(12) }
}
