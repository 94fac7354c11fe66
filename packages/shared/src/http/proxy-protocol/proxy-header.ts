/**
 * The header of the PROXY protocol, by which a proxy says for whom it has opened a connection:
 * version 1 is a line of text, version 2 is binary. Section numbers are those of haproxy's
 * doc/proxy-protocol.txt. What does not exactly match the protocol is refused. Pure.
 */
import { isIP } from 'node:net'
import { formatAddress } from '../../client.ts'
import { crc32c } from './crc32c.ts'

/**
 * A whole header. `client`: the proxy names whom it speaks for. `proxy`: it speaks for itself, as
 * in a health check. `unknown`: it speaks for somebody whom it cannot name.
 */
export type ProxyHeader = NamingHeader | NamelessHeader

interface NamingHeader {
  readonly from: 'client'
  readonly address: string
  /** The client has come to the proxy by TLS. */
  readonly isTls: boolean
  /** In bytes; what follows is the connection's own. */
  readonly length: number
}

interface NamelessHeader {
  readonly from: 'proxy' | 'unknown'
  readonly length: number
}

export interface RefusedHeader {
  readonly refusal: string
}

export type HeaderReading = ProxyHeader | RefusedHeader | 'incomplete'

/** The longest line, that of an unknown protocol, section 2.1. */
const LINE_BYTES_MAX = 107
/** Of version 2: as much as haproxy itself takes. A certificate among the fields has room. */
export const HEADER_BYTES_MAX = 16_384

const LINE_BEGIN = Buffer.from('PROXY ')
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

const LINE = /^PROXY (?:UNKNOWN(?: [^\r\n]*)?|TCP([46]) ([^ ]+) ([^ ]+) (\d+) (\d+))$/
const LONE_LINE_END = /\n|\r[^\n]/

/** Of version 2, where the addresses begin. */
const FIXED_BYTES = 16
/** Bytes of both addresses and ports for each family and protocol that there is, section 2.2. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  0x00: 0, // unspecified
  0x11: 12, // TCP over IPv4
  0x12: 12, // UDP over IPv4
  0x21: 36, // TCP over IPv6
  0x22: 36, // UDP over IPv6
  0x31: 216, // UNIX stream
  0x32: 216 // UNIX datagram
}
const TCP4 = 0x11
const TCP6 = 0x21

/** Types of fields that mean something here. */
const CRC32C_FIELD = 0x03
const SSL_FIELD = 0x20
/** Of the SSL field: a byte of flags, and whether the client's certificate was verified. */
const SSL_BYTES_MIN = 5
const CLIENT_SSL = 0x01

/** @param bytes all that came on the connection so far, at least one */
export function readProxyHeader (bytes: Buffer): HeaderReading {
  if (beginsAs(bytes, LINE_BEGIN)) return readLine(bytes)
  if (beginsAs(bytes, SIGNATURE)) return readBinary(bytes)
  return refused('there is none')
}

/** Whether bytes that are no request begin as a header does. */
export function looksLikeHeader (bytes: Buffer): boolean {
  return [LINE_BEGIN, SIGNATURE].some(beginning =>
    bytes.length >= beginning.length && beginsAs(bytes, beginning))
}

/** Whether that is what the bytes are, or may become. */
function beginsAs (bytes: Buffer, beginning: Buffer): boolean {
  const length = Math.min(bytes.length, beginning.length)
  return bytes.compare(beginning, 0, length, 0, length) === 0
}

/** Version 1, section 2.1. */
function readLine (bytes: Buffer): HeaderReading {
  const text = bytes.toString('latin1', 0, LINE_BYTES_MAX)
  const end = text.indexOf('\r\n')
  const line = end === -1 ? text : text.slice(0, end)
  if (LONE_LINE_END.test(line)) return refused('its line does not end with CR LF')
  if (end === -1) {
    return text.length < LINE_BYTES_MAX ? 'incomplete' : refused('its line is too long')
  }
  const match = LINE.exec(line)
  if (match === null) return refused('its line is malformed')
  const length = end + 2
  const [, family, source, destination, ...ports] = match
  if (family === undefined) return { length, from: 'unknown' }
  const areAddresses = isAddress(source!, family) && isAddress(destination!, family)
  if (!areAddresses) return refused('its line has a malformed address')
  if (!ports.every(port => isPort(port))) return refused('its line has a malformed port')
  return { length, from: 'client', address: source!, isTls: false }
}

/** A zone means something on the proxy's machine only. */
function isAddress (text: string, family: string): boolean {
  return isIP(text) === Number(family) && !text.includes('%')
}

function isPort (text: string): boolean {
  return Number(text) <= 65_535 && String(Number(text)) === text
}

/** Version 2, section 2.2. */
function readBinary (bytes: Buffer): HeaderReading {
  if (bytes.length < FIXED_BYTES) return 'incomplete'
  const command = bytes[12]! & 0x0f
  if (bytes[12]! >> 4 !== 2) return refused('its version is neither 1 nor 2')
  if (command > 1) return refused('its command is unknown')
  const length = FIXED_BYTES + bytes.readUInt16BE(14)
  if (length > HEADER_BYTES_MAX) return refused(`it is longer than ${HEADER_BYTES_MAX} bytes`)
  if (bytes.length < length) return 'incomplete'
  // LOCAL: all that follows is to be passed over, the family too.
  if (command === 0) return { length, from: 'proxy' }
  return readNamed(bytes.subarray(0, length))
}

/** @param header a whole one of version 2, with the command PROXY */
function readNamed (header: Buffer): HeaderReading {
  const { length } = header
  const family = header[13]!
  const addressBytes = ADDRESS_BYTES[family]
  if (addressBytes === undefined) return refused('its address family or protocol is unknown')
  // Of what is not specified nobody can say where its addresses end.
  if (addressBytes === 0) return { length, from: 'unknown' }
  const fieldsAt = FIXED_BYTES + addressBytes
  if (length < fieldsAt) return refused('it is too short for its addresses')
  const fields = readFields(header, fieldsAt)
  if ('refusal' in fields) return fields
  if (family === TCP4) {
    return { length, from: 'client', address: header.subarray(16, 20).join('.'), ...fields }
  }
  if (family !== TCP6) return { length, from: 'unknown' }
  const [w0, w1, w2, w3] = [16, 20, 24, 28].map(at => header.readInt32BE(at)) as Words
  return { length, from: 'client', address: formatAddress({ w0, w1, w2, w3 }), ...fields }
}

type Words = [number, number, number, number]

/** Type, length and value of each, sections 2.2 to 2.2.6; most are passed over. */
function readFields (header: Buffer, from: number): { readonly isTls: boolean } | RefusedHeader {
  let isTls = false
  let hasChecksum = false
  let end = from
  for (let at = from; at < header.length; at = end) {
    if (at + 3 > header.length) return refused('its last field is cut short')
    end = at + 3 + header.readUInt16BE(at + 1)
    if (end > header.length) return refused('its last field is cut short')
    const value = header.subarray(at + 3, end)
    if (header[at] === CRC32C_FIELD) {
      if (hasChecksum || !isChecksum(header, value)) return refused('its checksum is wrong')
      hasChecksum = true
    } else if (header[at] === SSL_FIELD) {
      if (value.length < SSL_BYTES_MIN) return refused('its SSL field is too short')
      isTls = (value[0]! & CLIENT_SSL) !== 0
    }
  }
  return { isTls }
}

/** Of the whole header, the four bytes of the checksum taken as zero. @param value stands in it */
function isChecksum (header: Buffer, value: Buffer): boolean {
  if (value.length !== 4) return false
  const blank = Buffer.from(header)
  blank.fill(0, value.byteOffset - header.byteOffset, value.byteOffset - header.byteOffset + 4)
  return crc32c(blank) === value.readUInt32BE()
}

function refused (refusal: string): RefusedHeader {
  return { refusal }
}
