/** Values that have broken programs before, as texts; bytes are characters of Latin-1. */
import type { Random } from '../kit/random.ts'
import { EXPIRED_TICKET_MARK, TICKET_MARK } from './inputs.ts'

/** Whole numbers at the edges of what holds them, and texts that only look like numbers. */
const NUMBERS = [
  '0', '-0', '-1', '1', '100', '1000', '1001', '10000', '65535', '65536', '2147483647',
  '2147483648', '4294967295', '4294967296', '9007199254740993', '9999999', '10000000',
  '18446744073709551616', '99999999999999999999', '1e3', '1e999', '-1e999', '1e-400', '0.5', '.5',
  '5.', '0x10', '0b1', '0o7', '010', '+5', ' 5', '5 ', '5,5', '1_000', 'NaN', 'Infinity', '\u0665',
  '1'.repeat(400)
]

const TEXTS = [
  '', ' ', '\t', '\0', 'a\0b', '\r', '\r\nX-Injected: 1', '%', '%%', '%0', '%zz', '%00', '%0d%0a',
  '%c0%ae', '%e0%a4%a', '%ff%fe', '%25', '%u0041', '\xff\xfe', '\xc3\x28', '\xed\xa0\x80',
  '\xef\xbb\xbf', '\xf4\x90\x80\x80', '\x80', '\x7f', '\x1b[2J', '__proto__', 'constructor',
  'prototype', 'toString', 'hasOwnProperty', 'undefined', 'null', 'true', '[object Object]',
  '../../../../etc/passwd', '..\\..\\secret', '/etc/passwd', 'file:///etc/passwd', "'", '"', '`',
  "' OR 1=1 --", '"; DROP TABLE Sessions; --', '<script>alert(1)</script>', '{{7*7}}', '#{7*7}',
  '%s%s%n', '*', '(a+)+$', '[', '\\', '//', '?', '#', '&', ';', '=', ',', '@', ':',
  '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '::', '::1',
  '::ffff:127.0.0.1', 'fe80::1%eth0', '0x7f000001', '127.1', '2130706433', '256.0.0.1', '10.0.0.0/8',
  '0.0.0.0/0', '::/0', '192.0.2.1/33', '192.0.2.1/-1', 'localhost', '\u0130', 'a'.repeat(64),
  'a'.repeat(65), 'a'.repeat(1000), 'a'.repeat(20_000), '%41'.repeat(3000), 'a/'.repeat(3000),
  '='.repeat(500), '&'.repeat(2000), ';'.repeat(2000), '\xe9'.repeat(300)
]

export function nastyNumber (random: Random): string {
  return random.pick(NUMBERS)
}

export function nastyText (random: Random): string {
  if (random.chance(0.1)) return random.bytes(random.between(1, 40))
  if (random.chance(0.2)) return random.pick(TEXTS) + random.pick(TEXTS)
  return random.chance(0.25) ? random.pick(NUMBERS) : random.pick(TEXTS)
}

/** Few, so that a request often names a user who is here. */
const ID_COUNT = 60

/** A client's id. */
export function clientId (random: Random): string {
  const number = random.below(ID_COUNT).toString(16).padStart(2, '0')
  return `f022${number}00-0000-4000-8000-0000000000${number}`
}

/** As a redirect's, and what has broken programs that read such tokens. */
export function ticket (random: Random): string {
  const jwt = (head: string, claims = '{}', signature = 'AA'): string =>
    [head, claims].map(part => Buffer.from(part).toString('base64url')).join('.') + `.${signature}`
  return random.pick([
    TICKET_MARK, TICKET_MARK, TICKET_MARK, EXPIRED_TICKET_MARK, 'none', '', '.', '..', '...', 'a.b.c',
    `${TICKET_MARK}x`, `x${TICKET_MARK}`, `${TICKET_MARK}.`, `${TICKET_MARK}=`, `${TICKET_MARK}%00`,
    `${TICKET_MARK}.${TICKET_MARK}`, `${EXPIRED_TICKET_MARK}x`, 'A'.repeat(4096), 'A'.repeat(4097),
    '.'.repeat(3000), `${'A'.repeat(2000)}.${'A'.repeat(1000)}.${'A'.repeat(86)}`,
    jwt('{"alg":"none"}', '{}', ''), jwt('{"alg":"HS256","kid":"a"}'), jwt('{"alg":"EdDSA"}'),
    jwt('{"alg":"EdDSA","kid":"__proto__"}'), jwt('{"alg":"EdDSA","kid":{"a":1}}'),
    jwt('{"alg":"EdDSA","kid":"a","crit":["b64"],"b64":false}'), jwt('{"alg":"EdDSA","jwk":{"kty":"OKP"}}'),
    jwt('{"alg":["EdDSA"],"jku":"http://evil.example/"}'), jwt('null'), jwt('[]'), jwt('{"alg":"EdDSA"', '['),
    jwt('['.repeat(1000)), jwt('{"alg":"EdDSA","zip":"DEF"}', '"'), nastyText(random)
  ])
}

const ADDRESSES = [
  '192.0.2.7', '192.0.2.8', '198.51.100.4', '203.0.113.200', '2001:db8::1', '2001:db8:0:1::9',
  '::ffff:192.0.2.9'
]
const RANGES = ['192.0.2.0/24', '198.51.100.0/25', '2001:db8::/32', '203.0.113.200/32', '::/1']
/** Denying these denies the fuzzer itself, until the next check. */
const OWN = ['127.0.0.1', '127.0.0.0/8', '::ffff:127.0.0.1', '0.0.0.0/1', '::ffff:7f00:1']
const OWN_SHARE = 0.02

export function address (random: Random): string {
  return random.pick(ADDRESSES)
}

export function addressOrRange (random: Random): string {
  if (random.chance(OWN_SHARE)) return random.pick(OWN)
  return random.pick(random.chance(0.5) ? ADDRESSES : RANGES)
}
