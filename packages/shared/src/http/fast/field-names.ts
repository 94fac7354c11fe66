/**
 * What the names of a head's fields are to the fast door: fields that handlers read, those by which
 * a request is not plain, and all others. Found by their bytes. Pure.
 */
import { REQUEST_FIELDS } from '../vocabulary/values.ts'

/** A name is the index of a field that handlers read, or one of these. */
export const OTHER = -1
export const CONNECTION = -2
export const NOT_PLAIN = -3
export const COOKIE = REQUEST_FIELDS.indexOf('cookie')
/** Fields of a body, and those by which the client wants something besides a reply. */
const NOT_PLAIN_NAMES = [
  'content-length', 'transfer-encoding', 'expect', 'upgrade', 'http2-settings', 'trailer',
  'proxy-connection', 'keep-alive'
]

interface KnownName {
  readonly octets: Uint8Array
  readonly field: number
}

/** All known names by their nameKey, which spares most fields a comparison. */
const KNOWN_NAMES = byKey([
  ...REQUEST_FIELDS.map((name, field) => ({ octets: octetsOf(name), field })),
  ...NOT_PLAIN_NAMES.map(name => ({ octets: octetsOf(name), field: NOT_PLAIN })),
  { octets: octetsOf('connection'), field: CONNECTION }
])

/** Of the name that stands there. @param to where it ends */
export function knownField (bytes: Buffer, from: number, to: number): number {
  const names = KNOWN_NAMES[nameKey(to - from, bytes[to - 1]!)]
  if (names === undefined) return OTHER
  for (const { octets, field } of names) {
    if (isName(bytes, from, octets)) return field
  }
  return OTHER
}

/** From the length of a name and its last letter, in any case. */
function nameKey (length: number, last: number): number {
  return length << 5 | last & 0x1f
}

/** Letters in any case; the other characters of a known name are dashes and digits. */
function isName (bytes: Buffer, from: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at++) {
    if ((bytes[from + at]! | 0x20) !== name[at]) return false
  }
  return true
}

function byKey (names: readonly KnownName[]): ReadonlyArray<readonly KnownName[] | undefined> {
  const keys: Array<KnownName[] | undefined> = []
  for (const name of names) {
    const key = nameKey(name.octets.length, name.octets.at(-1)!)
    ;(keys[key] ??= []).push(name)
  }
  return Array.from(keys)
}

export function octetsOf (text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}
