import t from 'tap'
import { DenyList, type DenyEntry } from '@usher/shared/deny-list.ts'
import { denyTarget, targetText, writtenTarget } from '../../src/records/deny-target.ts'

type Kind = DenyEntry['kind']

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

t.test('deny target: one text for one target', async t => {
  const cases: ReadonlyArray<[kind: Kind, text: string, expected: string, expectedKind?: Kind]> = [
    ['id', ID, ID],
    ['id', ID.toUpperCase(), ID],
    ['address', '192.0.2.7', '192.0.2.7'],
    ['address', '::ffff:192.0.2.7', '192.0.2.7'],
    ['address', '::FFFF:c000:207', '192.0.2.7'],
    ['address', '2001:DB8:0:0::0001', '2001:db8::1'],
    ['address', 'fe80::1%eth0', 'fe80::1'],
    ['range', '192.0.2.0/24', '192.0.2.0/24'],
    ['range', '192.0.2.255/24', '192.0.2.0/24'],
    ['range', '192.0.2.255/25', '192.0.2.128/25'],
    ['range', '255.255.255.255/1', '128.0.0.0/1'],
    ['range', '192.0.2.7/0', '0.0.0.0/0'],
    ['range', '192.0.2.7/31', '192.0.2.6/31'],
    ['range', '::ffff:192.0.2.255/120', '192.0.2.0/24'],
    ['range', '::ffff:1.2.3.4/96', '0.0.0.0/0'],
    ['range', '2001:DB8:ffff::1/32', '2001:db8::/32'],
    ['range', '2001:db8:ffff:ffff:ffff::/65', '2001:db8:ffff:ffff:8000::/65'],
    ['range', '2001:db8::ffff/127', '2001:db8::fffe/127'],
    ['range', 'ffff::/0', '::/0'],
    ['range', '::ffff:192.0.2.7/95', '::fffe:0:0/95'],
    ['range', '192.0.2.7/32', '192.0.2.7', 'address'],
    ['range', '::ffff:192.0.2.7/128', '192.0.2.7', 'address'],
    ['range', '2001:db8::1/128', '2001:db8::1', 'address']
  ]
  for (const [kind, text, expected, expectedKind = kind] of cases) {
    const target = denyTarget(kind, text)
    t.same(target, { kind: expectedKind, text: expected }, `${kind} ${text}`)
    t.same(denyTarget(target.kind, target.text), target, 'and of that text the same')
    const list = new DenyList(() => 0)
    t.doesNotThrow(() => list.replace([{ ...target, untilMs: undefined }]), 'the threads take it')
  }
})

t.test('deny target: what is malformed is refused', async t => {
  const cases: ReadonlyArray<[kind: Kind, text: string]> = [
    ['id', ''], ['id', '192.0.2.7'], ['id', `${ID} `], ['id', '00000000-0000-0000-0000-000000000000'],
    ['address', ''], ['address', ID], ['address', '192.0.2'], ['address', '192.0.2.7/32'],
    ['address', '192.0.2.256'], ['address', '<b>'], ['address', '1.2.3.4\u0000'],
    ['range', ''], ['range', '192.0.2.0'], ['range', '192.0.2.0/33'], ['range', '192.0.2.0/024'],
    ['range', '::/129'], ['range', 'fe80::%eth0/64'], ['range', '192.0.2.0/-1'], ['range', '/24']
  ]
  for (const [kind, text] of cases) {
    t.throws(() => denyTarget(kind, text), { code: 'USHER_DENY_ENTRY_INVALID', statusCode: 400 })
  }
})

t.test('deny target: as an operator writes it, an IPv6 address is its /64 unless /128 is written', async t => {
  const check = (written: string, kind: Kind, text: string, told = text): void => {
    const target = writtenTarget(written)
    t.same(target, { kind, text }, written)
    t.equal(targetText(target), told)
    t.same(writtenTarget(told), target, 'what is told is written the same way')
  }
  check('192.0.2.7', 'address', '192.0.2.7')
  check('::ffff:192.0.2.7', 'address', '192.0.2.7')
  check('192.0.2.7/32', 'address', '192.0.2.7')
  check('192.0.2.7/24', 'range', '192.0.2.0/24')
  check('2001:DB8:1:2:3:4:5:6', 'range', '2001:db8:1:2::/64')
  check('fe80::1%eth0', 'range', 'fe80::/64')
  check('::1', 'range', '::/64')
  check('2001:db8::1/128', 'address', '2001:db8::1', '2001:db8::1/128')
  check('2001:db8::1/65', 'range', '2001:db8::/65')
  for (const written of ['', 'nonsense', '1.2.3.4/33', '2001:db8::1/129']) {
    t.throws(() => writtenTarget(written), { code: 'USHER_DENY_ENTRY_INVALID' })
  }
})
