/**
 * Headers of the PROXY protocol as data, with the section of haproxy's doc/proxy-protocol.txt that
 * decides. Each is held against the reader whole and cut at every byte, and against doors with and
 * without TLS. None of them has anything behind it.
 */
import {
  binaryHeader, field, ipv4Addresses, ipv6Addresses, lineHeader, SIGNATURE, withChecksum
} from '../fixtures/proxy-header.ts'

export interface ProxyHeaderCase {
  readonly name: string
  readonly section: string
  readonly bytes: string
  /** The client's address; or that the proxy speaks for itself, or for it does not know whom. */
  readonly says: string
  /** What is refused, and the beginning of the reason. */
  readonly isRefused?: boolean
  readonly isTls?: boolean
}

function accepted (
  section: string, cases: ReadonlyArray<[name: string, bytes: string, says: string, isTls?: true]>
): ProxyHeaderCase[] {
  return cases.map(([name, bytes, says, isTls = false]) => ({ name, section, bytes, says, isTls }))
}

function refused (
  section: string, cases: ReadonlyArray<[name: string, bytes: string, says: string]>
): ProxyHeaderCase[] {
  return cases.map(([name, bytes, says]) => ({ name, section, bytes, says, isRefused: true }))
}

const LONGEST = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
const LINE = 'its line is malformed'
const ADDRESS = 'its line has a malformed address'
const PORT = 'its line has a malformed port'
const CUT = 'its last field is cut short'
const CHECKSUM = 'its checksum is wrong'

const IPV6 = { family: 0x21, addresses: ipv6Addresses('2001:db8:0:0:0:0:0:7') }
const UNIX = '/run/client.sock'.padEnd(108, '\0') + '/run/usher.sock'.padEnd(108, '\0')
/** As haproxy's send-proxy-v2-ssl has it: flags, verified, and a field with the version. */
const SSL = field(0x20, `\x01\0\0\0\0${field(0x21, 'TLSv1.3')}`)
const NO_SSL = field(0x20, '\0\0\0\0\x01')
const NOOP = field(4, '\0'.repeat(5))

export const PROXY_HEADERS: readonly ProxyHeaderCase[] = [
  ...accepted('2.1', [
    ['TCP4', lineHeader('203.0.113.7'), '203.0.113.7'],
    ['TCP6', lineHeader('2001:db8::7'), '2001:db8::7'],
    ['TCP6 in upper case', lineHeader('2001:DB8::A'), '2001:db8::a'],
    ['TCP6 written out', lineHeader('2001:db8:0:0:0:0:0:7'), '2001:db8::7'],
    ['TCP6 of a mapped IPv4 address', lineHeader('::ffff:203.0.113.7'), '203.0.113.7'],
    ['the longest TCP4', 'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n',
      '255.255.255.255'],
    ['the longest TCP6', `PROXY TCP6 ${LONGEST} ${LONGEST} 65535 65535\r\n`, LONGEST],
    ['port 0', 'PROXY TCP4 203.0.113.7 192.0.2.1 0 0\r\n', '203.0.113.7'],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', 'unknown'],
    ['UNKNOWN with addresses, to be ignored', 'PROXY UNKNOWN 203.0.113.7 192.0.2.1 1 2\r\n',
      'unknown'],
    ['UNKNOWN with anything', 'PROXY UNKNOWN \0\xff PROXY TCP4\r\n', 'unknown'],
    ['the longest UNKNOWN', `PROXY UNKNOWN ${LONGEST} ${LONGEST} 65535 65535\r\n`, 'unknown']
  ]),
  ...refused('2.1', [
    ['UNKNOWN one byte too long', `PROXY UNKNOWN ${LONGEST} ${LONGEST} 65535 65535 \r\n`,
      'its line is too long'],
    ['a line without an end', `PROXY TCP4 ${'1'.repeat(200)}`, 'its line is too long'],
    ['a line that ends with LF', 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n', 'its line does not end'],
    ['a line that ends with CR', 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\rGET', 'its line does not end'],
    ['an LF in UNKNOWN', 'PROXY UNKNOWN a\nb\r\n', 'its line does not end'],
    ['a CR in UNKNOWN', 'PROXY UNKNOWN a\rb\r\n', 'its line does not end'],
    ['no protocol', 'PROXY \r\n', LINE],
    ['UNKNOWN with more in its word', 'PROXY UNKNOWNS\r\n', LINE],
    ['another protocol', 'PROXY UDP4 203.0.113.7 192.0.2.1 1 2\r\n', LINE],
    ['a protocol in lower case', 'PROXY tcp4 203.0.113.7 192.0.2.1 1 2\r\n', LINE],
    ['lower case', 'proxy TCP4 203.0.113.7 192.0.2.1 1 2\r\n', 'there is none'],
    ['a tab', 'PROXY\tTCP4 203.0.113.7 192.0.2.1 1 2\r\n', 'there is none'],
    ['two spaces', 'PROXY TCP4  203.0.113.7 192.0.2.1 1 2\r\n', LINE],
    ['a space at the end', 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2 \r\n', LINE],
    ['a space in front', ' PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n', 'there is none'],
    ['no ports', 'PROXY TCP4 203.0.113.7 192.0.2.1\r\n', LINE],
    ['one port', 'PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n', LINE],
    ['three ports', 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2 3\r\n', LINE],
    ['a port above 65535', 'PROXY TCP4 203.0.113.7 192.0.2.1 65536 2\r\n', PORT],
    ['a port of many digits', `PROXY TCP4 203.0.113.7 192.0.2.1 1 ${'9'.repeat(30)}\r\n`, PORT],
    ['a port with a leading zero', 'PROXY TCP4 203.0.113.7 192.0.2.1 01 2\r\n', PORT],
    ['a port of 00', 'PROXY TCP4 203.0.113.7 192.0.2.1 00 2\r\n', PORT],
    ['a negative port', 'PROXY TCP4 203.0.113.7 192.0.2.1 -1 2\r\n', LINE],
    ['a port with a sign', 'PROXY TCP4 203.0.113.7 192.0.2.1 +1 2\r\n', LINE],
    ['a port in hex', 'PROXY TCP4 203.0.113.7 192.0.2.1 0x1 2\r\n', LINE],
    ['an address with a leading zero', 'PROXY TCP4 203.0.113.07 192.0.2.1 1 2\r\n', ADDRESS],
    ['an address of three numbers', 'PROXY TCP4 203.0.113 192.0.2.1 1 2\r\n', ADDRESS],
    ['a number above 255', 'PROXY TCP4 203.0.113.256 192.0.2.1 1 2\r\n', ADDRESS],
    ['a host name', 'PROXY TCP4 localhost 192.0.2.1 1 2\r\n', ADDRESS],
    ['an address with its port', 'PROXY TCP4 203.0.113.7:1 192.0.2.1 1 2\r\n', ADDRESS],
    ['a malformed destination', 'PROXY TCP4 203.0.113.7 192.0.2 1 2\r\n', ADDRESS],
    ['TCP4 with IPv6', 'PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n', ADDRESS],
    ['TCP6 with IPv4', 'PROXY TCP6 203.0.113.7 2001:db8::1 1 2\r\n', ADDRESS],
    ['TCP6 with a destination of IPv4', 'PROXY TCP6 2001:db8::7 192.0.2.1 1 2\r\n', ADDRESS],
    ['two gaps', 'PROXY TCP6 2001::db8::7 2001:db8::1 1 2\r\n', ADDRESS],
    ['nine groups', 'PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::1 1 2\r\n', ADDRESS],
    ['brackets', 'PROXY TCP6 [2001:db8::7] 2001:db8::1 1 2\r\n', ADDRESS],
    ['a zone', 'PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n', ADDRESS],
    ['a range', 'PROXY TCP4 203.0.113.0/24 192.0.2.1 1 2\r\n', ADDRESS]
  ]),
  ...accepted('2.2', [
    ['TCP over IPv4', binaryHeader({}), '203.0.113.7'],
    ['TCP over IPv6', binaryHeader(IPV6), '2001:db8::7'],
    ['TCP over IPv6, a mapped IPv4 address',
      binaryHeader({ ...IPV6, addresses: ipv6Addresses('0:0:0:0:0:ffff:cb00:7107') }),
      '203.0.113.7'],
    ['LOCAL', binaryHeader({ command: 0, family: 0, addresses: '' }), 'proxy'],
    ['LOCAL with addresses, to be passed over', binaryHeader({ command: 0 }), 'proxy'],
    ['LOCAL with a family that there is not', binaryHeader({ command: 0, family: 0xff }), 'proxy'],
    ['LOCAL with bytes that are no fields', binaryHeader({ command: 0, fields: '\x01\xff' }), 'proxy'],
    ['UNSPEC', binaryHeader({ family: 0, addresses: '' }), 'unknown'],
    ['UNSPEC with anything', binaryHeader({ family: 0, addresses: 'anything' }), 'unknown'],
    ['UDP over IPv4', binaryHeader({ family: 0x12 }), 'unknown'],
    ['UDP over IPv6', binaryHeader({ ...IPV6, family: 0x22 }), 'unknown'],
    ['UNIX stream', binaryHeader({ family: 0x31, addresses: UNIX }), 'unknown'],
    ['UNIX datagram', binaryHeader({ family: 0x32, addresses: UNIX }), 'unknown'],
    ['fields that mean nothing here', binaryHeader({ fields: field(1, 'h2') + field(2, 'a.org') + NOOP }),
      '203.0.113.7'],
    ['an empty field', binaryHeader({ fields: field(4, '') }), '203.0.113.7'],
    ['a field of a type that there is not', binaryHeader({ fields: field(0xff, 'x') }), '203.0.113.7'],
    ['the longest that is taken',
      binaryHeader({ fields: field(4, 'x'.repeat(16_384 - 28 - 3)) }), '203.0.113.7']
  ]),
  ...accepted('2.2.3', [
    ['a checksum', withChecksum({}), '203.0.113.7'],
    ['a checksum behind other fields', withChecksum({ ...IPV6, fields: NOOP }), '2001:db8::7']
  ]),
  ...accepted('2.2.6', [
    ['a client that came by TLS', binaryHeader({ fields: SSL }), '203.0.113.7', true],
    ['the same with a checksum', withChecksum({ ...IPV6, fields: SSL }), '2001:db8::7', true],
    ['a client that came without', binaryHeader({ fields: NO_SSL }), '203.0.113.7']
  ]),
  ...refused('2.2', [
    ['version 1 in binary', binaryHeader({ version: 1 }), 'its version'],
    ['version 3', binaryHeader({ version: 3 }), 'its version'],
    ['an unknown command', binaryHeader({ command: 2 }), 'its command'],
    ['a family that there is not', binaryHeader({ family: 0x41 }), 'its address family'],
    ['a protocol that there is not', binaryHeader({ family: 0x13 }), 'its address family'],
    ['a family without a protocol', binaryHeader({ family: 0x10 }), 'its address family'],
    ['a protocol without a family', binaryHeader({ family: 0x01 }), 'its address family'],
    ['no addresses', binaryHeader({ addresses: '' }), 'it is too short'],
    ['half of the addresses', binaryHeader({ addresses: ipv4Addresses('203.0.113.7').slice(0, 11) }),
      'it is too short'],
    ['IPv6 in the length of IPv4', binaryHeader({ family: 0x21 }), 'it is too short'],
    ['UNIX without its addresses', binaryHeader({ family: 0x31 }), 'it is too short'],
    ['longer than is taken', binaryHeader({ length: 16_384 - 15 }), 'it is longer'],
    ['as long as can be said', binaryHeader({ length: 65_535 }), 'it is longer'],
    ['LOCAL, and longer than is taken', binaryHeader({ command: 0, length: 65_535 }), 'it is longer'],
    ['one byte of a field', binaryHeader({ fields: '\x04' }), CUT],
    ['a field without its length', binaryHeader({ fields: '\x04\0' }), CUT],
    ['a field that is longer than the header', binaryHeader({ fields: '\x04\0\x02x' }), CUT],
    ['a second field cut short', binaryHeader({ fields: `${NOOP}\x04\xff\xff` }), CUT],
    ['another signature', `${SIGNATURE.slice(0, -1)}X${binaryHeader({}).slice(12)}`, 'there is none']
  ]),
  ...refused('2.2.3', [
    ['a wrong checksum', binaryHeader({ fields: field(3, '\0\0\0\0') }), CHECKSUM],
    ['a checksum of three bytes', binaryHeader({ fields: field(3, '\0\0\0') }), CHECKSUM],
    ['two checksums', withChecksum({ fields: field(3, '\0\0\0\0') }), CHECKSUM],
    ['an address changed under its checksum',
      withChecksum({}).replace('\xcb\0\x71\x07', '\xcb\0\x71\x08'), CHECKSUM]
  ]),
  ...refused('2.2.6', [
    ['an SSL field without its flags', binaryHeader({ fields: field(0x20, '\x01\0\0\0') }), 'its SSL']
  ]),
  ...refused('2', [
    ['a request', 'GET / HTTP/1.1\r\nHost: a.org\r\n\r\n', 'there is none'],
    ['a TLS client', '\x16\x03\x01\x02\x00\x01', 'there is none'],
    ['a header behind an empty line', `\r\n${lineHeader('203.0.113.7')}`, 'there is none']
  ])
]
