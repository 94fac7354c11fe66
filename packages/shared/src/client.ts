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
/**
 * Where the four words' eight hex digits stand in the text form; -1 never occurs. RFC 9562 section
 * 4.
 */
const WORD_DIGITS: ReadonlyArray<readonly number[]> = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [9, 10, 11, 12, 14, 15, 16, 17],
  [19, 20, 21, 22, 24, 25, 26, 27],
  [28, 29, 30, 31, 32, 33, 34, 35]
]

/**
 * The client of a UUID in text form, any version but nil, any case; undefined for anything else.
 */
export function parseClientId (text: string): Client | undefined {
  if (text.length !== UUID_LENGTH || !hasDashes(text)) return undefined
  const w0 = parseWord(text, WORD_DIGITS[0]!)
  const w1 = parseWord(text, WORD_DIGITS[1]!)
  const w2 = parseWord(text, WORD_DIGITS[2]!)
  const w3 = parseWord(text, WORD_DIGITS[3]!)
  if (w0 === undefined || w1 === undefined || w2 === undefined || w3 === undefined) return undefined
  if ((w0 | w1 | w2 | w3) === 0) return undefined
  return { kind: 'id', w0, w1, w2, w3 }
}

/**
 * The address of its text form, IPv4 or IPv6, a zone (`fe80::1%eth0`) ignored; undefined for
 * anything else.
 */
export function parseAddress (text: string): Address | undefined {
  const bare = withoutZone(text)
  if (bare.includes('%')) return undefined
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return wordsOf(ipaddr.IPv4.parse(bare).toIPv4MappedAddress())
  }
  const hex = withHexTail(bare)
  return ipaddr.IPv6.isValid(hex) ? wordsOf(ipaddr.IPv6.parse(hex)) : undefined
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
  const bytes = new DataView(new ArrayBuffer(16))
  bytes.setInt32(0, address.w0)
  bytes.setInt32(4, address.w1)
  bytes.setInt32(8, address.w2)
  bytes.setInt32(12, address.w3)
  const parsed = ipaddr.fromByteArray([...new Uint8Array(bytes.buffer)])
  return ipaddr.process(parsed.toString()).toString()
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
  const hex = [id.w0, id.w1, id.w2, id.w3].map(word => (word >>> 0).toString(16).padStart(8, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function hasDashes (text: string): boolean {
  return text.charCodeAt(8) === DASH && text.charCodeAt(13) === DASH &&
    text.charCodeAt(18) === DASH && text.charCodeAt(23) === DASH
}

function parseWord (text: string, digits: readonly number[]): number | undefined {
  let word = 0
  for (const at of digits) {
    const value = hexValue(text.charCodeAt(at))
    if (value === -1) return undefined
    word = (word << 4) | value
  }
  return word
}

/** 0 to 15, or -1 for a character that is not a hex digit. */
function hexValue (code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
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
