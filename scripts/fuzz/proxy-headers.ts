/** What a proxy may say before anything else on a connection, whole and broken. Pure. */
import { binaryHeader, field, ipv6Addresses, lineHeader, withChecksum } from '../../packages/shared/test/http/fixtures/proxy-header.ts'
import type { Random } from '../kit/random.ts'
import { breakBytes } from './framing-breaks.ts'
import { nastyText } from './nasty-values.ts'

/** Of this machine; the fuzzer's own questions come from another one. */
export const PROXY_ADDRESS = '127.0.0.9'
/** By which a proxy says that it speaks for itself; its X-Forwarded-* are believed. */
export const OWN_HEADER = binaryHeader({ command: 0, family: 0, addresses: '' })

const OWN_SHARE = 0.4
const BROKEN_SHARE = 0.3
const FIELD_LENGTH_MAX = 1000

export interface SomeHeader {
  readonly header: string
  readonly isWhole: boolean
}

export function someHeader (random: Random): SomeHeader {
  if (random.chance(OWN_SHARE)) return { header: OWN_HEADER, isWhole: true }
  const header = wholeHeader(random)
  if (!random.chance(BROKEN_SHARE)) return { header, isWhole: true }
  return { header: breakBytes(header, nastyText(random), random), isWhole: false }
}

function wholeHeader (random: Random): string {
  const ipv4 = ['203', '0', '113', random.below(256)].join('.')
  const group = random.pick(['1', 'abcd', 'ffff'])
  const ipv6 = { family: 0x21, addresses: ipv6Addresses(`2001:db8:${group}:0:0:0:0:7`) }
  const fields = random.pick(['', field(1, 'h2'), field(0x20, '\x01\0\0\0\0'), field(4, nastyText(random).slice(0, FIELD_LENGTH_MAX))])
  return random.pick([
    lineHeader(ipv4), lineHeader(`2001:db8:${group}::7`), lineHeader('127.0.0.1'), 'PROXY UNKNOWN\r\n',
    binaryHeader({ fields }), binaryHeader({ ...ipv6, fields }), withChecksum({ fields }),
    binaryHeader({ family: 0x31, addresses: '\0'.repeat(216) })
  ])
}
