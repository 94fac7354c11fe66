/** Headers of the PROXY protocol, proper and broken ones, as Latin-1. */
import { crc32c } from '@usher/shared/http/proxy-protocol/crc32c.ts'

export const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'

/** Version 1, for TCP over the family of the source. */
export function lineHeader (source: string): string {
  return source.includes(':')
    ? `PROXY TCP6 ${source} 2001:db8::1 51234 443\r\n`
    : `PROXY TCP4 ${source} 192.0.2.1 51234 443\r\n`
}

export interface BinaryParts {
  /** 2 if left out. */
  readonly version?: number
  /** 0 for LOCAL; 1, PROXY, if left out. */
  readonly command?: number
  /** Family and protocol in one byte; TCP over IPv4 if left out. */
  readonly family?: number
  /** Addresses and ports, and whatever comes in their place. */
  readonly addresses?: string
  /** Made by `field`. */
  readonly fields?: string
  /** What is said of the length; what is true if left out. */
  readonly length?: number
}

const IPV4_PORTS = '\xc8\x22\x01\xbb'

/** Version 2. */
export function binaryHeader ({
  version = 2, command = 1, family = 0x11, addresses = ipv4Addresses('203.0.113.7'), fields = '',
  length = addresses.length + fields.length
}: BinaryParts): string {
  const fixed = [version << 4 | command, family, length >> 8, length & 0xff]
  return SIGNATURE + String.fromCharCode(...fixed) + addresses + fields
}

/** @param source dotted */
export function ipv4Addresses (source: string): string {
  return String.fromCharCode(...source.split('.').map(Number), 192, 0, 2, 1) + IPV4_PORTS
}

/** @param source eight groups of hex digits */
export function ipv6Addresses (source: string): string {
  const groups = source.split(':').map(group => Number.parseInt(group, 16))
  const bytes = groups.flatMap(group => [group >> 8, group & 0xff])
  return String.fromCharCode(...bytes) + `\x20\x01\x0d\xb8${'\0'.repeat(12)}${IPV4_PORTS}`
}

export function field (type: number, value: string): string {
  return String.fromCharCode(type, value.length >> 8, value.length & 0xff) + value
}

/** The same header with the checksum of all of it as its last field. */
export function withChecksum (parts: BinaryParts): string {
  const blank = binaryHeader({ ...parts, fields: `${parts.fields ?? ''}${field(3, '\0\0\0\0')}` })
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32c(Buffer.from(blank, 'latin1')))
  return blank.slice(0, -4) + sum.toString('latin1')
}
